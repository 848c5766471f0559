// The interface of a clock, as its server and its clients share it.

import { defineInterface, fields, MAKE_SEND, oneway, routine } from "normacube";

const { float64, int32, port, text } = fields;

export const clock = defineInterface("clock", 5000, {
  /** The server's node and its time. */
  read: routine({}, { node: int32, ns: float64 }),
  /** Gives the clock a port to strike at. */
  subscribe: routine({ at: port(MAKE_SEND) }, {}),
  setName: routine({ name: text }, { before: text }),
});

/** What a clock sends to its subscribers. */
export const alarm = defineInterface("alarm", 5050, { strike: oneway({ by: text, hour: int32 }) });
