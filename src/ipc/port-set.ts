// A port set: receive rights of one task that can be received from together. Its members' messages wait
// in one queue, in the order of their arrival, so that no member starves another.
// Joining and leaving move a port's messages along; a set's death leaves its members what they were.

import { MACH_RCV_PORT_CHANGED, MACH_RCV_PORT_DIED } from "../base/status.ts";
import { MessageQueue, moveMessages } from "./message-queue.ts";
import type { Port } from "./port.ts";
import type { PortName } from "./rights.ts";
import { completeReceivers } from "./waits.ts";

export class PortSet {
  name: PortName;
  readonly queue = new MessageQueue();
  readonly members = new Set<Port>();

  constructor(name: PortName) {
    this.name = name;
  }
}

/** Makes a port a member. Who waits at the port itself gets MACH_RCV_PORT_CHANGED. Messages that it
 *  brings along are queued: the caller lets waiting receivers have them (queueing.ts, serveReceivers). */
export const joinSet = (port: Port, set: PortSet): void => {
  if (port.set !== null) leaveSet(port);
  port.set = set;
  set.members.add(port);
  port.queue = set.queue;
  moveMessages(port.ownQueue, set.queue, port);
  completeReceivers(port.ownQueue, MACH_RCV_PORT_CHANGED);
};

/** Takes a port out of its set, with its messages. */
export const leaveSet = (port: Port): void => {
  const set = port.set!;
  set.members.delete(port);
  port.set = null;
  port.queue = port.ownQueue;
  moveMessages(set.queue, port.ownQueue, port);
};

/** Members leave, receivers get MACH_RCV_PORT_DIED. */
export const destroySet = (set: PortSet): void => {
  for (const port of [...set.members]) leaveSet(port);
  completeReceivers(set.queue, MACH_RCV_PORT_DIED);
};
