// Workload all-to-all: in each step every place sends one message to every other, of all sizes up to some pages.

import { Message } from "../../ipc/message.ts";
import { COPY_SEND, type PortName } from "../../ipc/rights.ts";
import type { Program } from "../../task/task.ts";
import { sendDone } from "../done-message.ts";
import { Ledger, PAYLOAD_BYTES_MIN } from "../payload.ts";
import { takeAll } from "../take-all.ts";
import { Place, type WorkloadArgs, type WorkloadResult } from "../workload.ts";

const LETTER_ID = 1002;
const SMALL_BYTES_MAX = 600;
const LARGE_BYTES_MAX = 9000;
/** One of so many letters is large. */
const LARGE_EVERY = 10;
const CHANNEL = 0;

const exchange: Program<WorkloadArgs, WorkloadResult> = async (task, args) => {
  const place = new Place(task, args);
  const port = task.ports.allocate();
  await place.publish("box", port);
  await Promise.all([takeAll(place, port, CHANNEL, LARGE_BYTES_MAX), give(place)]);
  return place.result();
};

const give = async (place: Place): Promise<void> => {
  const { task, random } = place;
  const boxes: PortName[] = await place.findAll("box");
  const said = new Ledger(place.place);
  const message = new Message(LARGE_BYTES_MAX);
  while (place.goesOn()) {
    for (let step = 1; step <= place.places; step++) {
      const to = (place.place + step) % place.places;
      if (to === place.place && place.places > 1) continue;
      const most = random.below(LARGE_EVERY) === 0 ? LARGE_BYTES_MAX : SMALL_BYTES_MAX;
      message.remote = boxes[to]!;
      message.remoteDisposition = COPY_SEND;
      message.id = LETTER_ID;
      message.size = PAYLOAD_BYTES_MIN + random.below(most - PAYLOAD_BYTES_MIN);
      said.write(message, message.size, to, CHANNEL);
      await task.send(message);
    }
    place.stepDone();
  }
  await sendDone(place, boxes, said, CHANNEL);
};

export default exchange;
