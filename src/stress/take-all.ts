// Receives payloads at one port until every place has said that it is done, and checks each of them.

import { Message } from "../ipc/message.ts";
import type { PortName } from "../ipc/rights.ts";
import { DONE_ID, takeDone } from "./done-message.ts";
import { Ledger } from "./payload.ts";
import type { Place } from "./workload.ts";

/** `between`: what is done after each good payload. */
export const takeAll = async (
  place: Place,
  port: PortName,
  channel: number,
  bytesMax: number,
  between?: () => Promise<void>,
): Promise<void> => {
  const heard = new Ledger(place.place);
  const message = new Message(bytesMax);
  for (let open = place.places; open > 0; ) {
    await place.task.receive(port, { into: message });
    if (message.id === DONE_ID) {
      takeDone(message, heard, channel);
      open -= 1;
      continue;
    }
    heard.accept(message, message.size, channel);
    place.messageGood();
    if (between !== undefined) await between();
  }
};
