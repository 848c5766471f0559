// The last message of a place to another: who it is, and how many payloads it has sent. Every workload ends with these.

import { Message } from "../ipc/message.ts";
import { COPY_SEND, type PortName } from "../ipc/rights.ts";
import type { Ledger } from "./payload.ts";
import type { Place } from "./workload.ts";

export const DONE_ID = 1;

/** Tells each port that this place will send it no more on that channel. `address`: whom the payloads to the first
 *  port were addressed to; those to the next ones, to the places after that. */
export const sendDone = async (
  place: Place,
  ports: readonly PortName[],
  said: Ledger,
  channel: number,
  address = 0,
): Promise<void> => {
  const done = new Message(8);
  for (const [to, port] of ports.entries()) {
    done.remote = port;
    done.remoteDisposition = COPY_SEND;
    done.id = DONE_ID;
    done.size = 8;
    done.words[0] = place.place;
    done.words[1] = said.count(address + to, channel);
    await place.task.send(done);
  }
};

/** Takes such a message in: all that its sender has sent must have come. */
export const takeDone = (message: Message, heard: Ledger, channel: number): void =>
  heard.closed(message.words[0]!, channel, message.words[1]!);
