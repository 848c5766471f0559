// Messages that wait for a receiver, or receivers that wait for a message; never both. A port has one of
// its own; the members of a port set share the set's, so that their messages keep their order.

import type { KernelMessage } from "./kernel-message.ts";
import type { Port } from "./port.ts";
import type { ReceiveWait } from "./waits.ts";

export class MessageQueue {
  first: KernelMessage | null = null;
  last: KernelMessage | null = null;
  receiverFirst: ReceiveWait | null = null;
  receiverLast: ReceiveWait | null = null;
}

export const appendMessage = (queue: MessageQueue, message: KernelMessage): void => {
  message.next = null;
  if (queue.last === null) queue.first = message;
  else queue.last.next = message;
  queue.last = message;
};

/** Takes the first message off; null if there is none. */
export const takeMessage = (queue: MessageQueue): KernelMessage | null => {
  const message = queue.first;
  if (message === null) return null;
  queue.first = message.next;
  if (queue.first === null) queue.last = null;
  message.next = null;
  return message;
};

/** Moves the messages of one port, in their order, to the end of another queue. */
export const moveMessages = (from: MessageQueue, to: MessageQueue, port: Port): void => {
  let message = from.first;
  from.first = null;
  from.last = null;
  while (message !== null) {
    const { next }: KernelMessage = message;
    appendMessage(message.remote === port ? to : from, message);
    message = next;
  }
};
