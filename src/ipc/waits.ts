// A task that waits: for a message on a port (ReceiveWait), for room in a queue (SendWait).
// The kernel completes a wait by setting `waiting` to false and a status; whoever polls sees it, and
// the sink, told once, resumes a task that was suspended. No promises here: that is task/'s business.

import { MACH_MSG_SUCCESS } from "../base/status.ts";
import type { KernelMessage } from "./kernel-message.ts";
import type { Message } from "./message.ts";
import type { MessageQueue } from "./message-queue.ts";
import type { Port } from "./port.ts";
import { MACH_PORT_NULL, type PortName } from "./rights.ts";
import type { Space } from "./space.ts";

/** Told, once per wait, that it is over. */
export interface ReceiveSink {
  receiveCompleted(wait: ReceiveWait): void;
}
export interface SendSink {
  sendCompleted(wait: SendWait): void;
}

/** A body of any length is taken. */
export const ANY_LENGTH = 0x3fffffff;

export class ReceiveWait {
  readonly sink: ReceiveSink;
  next: ReceiveWait | null = null;
  waiting = false;
  status = MACH_MSG_SUCCESS;
  /** Where it waits. */
  queue: MessageQueue | null = null;
  space: Space | null = null;
  /** Where the message goes; null: a new Message of the right size is made. */
  into: Message | null = null;
  /** Bytes of the longest body that it takes; never more than `into` has. */
  roomBytes = ANY_LENGTH;
  /** A message that does not fit stays queued (MACH_RCV_LARGE); else it is destroyed. */
  large = true;
  /** A dead-name request is made for a new reply right, to this receive right (MACH_RCV_NOTIFY). */
  notify: PortName = MACH_PORT_NULL;
  /** The received message once status is MACH_MSG_SUCCESS or MACH_RCV_BODY_ERROR; only its header after
   *  the statuses that mean that it was destroyed. */
  message: Message | null = null;
  /** With MACH_RCV_TOO_LARGE: bytes of the body that did not fit. */
  neededBytes = 0;

  constructor(sink: ReceiveSink) {
    this.sink = sink;
  }
}

export class SendWait {
  readonly sink: SendSink;
  next: SendWait | null = null;
  waiting = false;
  status = MACH_MSG_SUCCESS;
  /** Where it waits. */
  port: Port | null = null;
  /** The message, copied in, that waits for room. Null: senders of another node wait here. */
  message: KernelMessage | null = null;

  constructor(sink: SendSink) {
    this.sink = sink;
  }
}

/** Ends a receive wait and tells its sink. */
export const completeReceive = (wait: ReceiveWait, status: number): void => {
  wait.waiting = false;
  wait.status = status;
  wait.sink.receiveCompleted(wait);
};

/** Ends a send wait and tells its sink. */
export const completeSend = (wait: SendWait, status: number): void => {
  wait.waiting = false;
  wait.status = status;
  wait.message = null;
  wait.port = null;
  wait.sink.sendCompleted(wait);
};

export const appendReceiver = (queue: MessageQueue, wait: ReceiveWait): void => {
  wait.next = null;
  wait.queue = queue;
  if (queue.receiverLast === null) queue.receiverFirst = wait;
  else queue.receiverLast.next = wait;
  queue.receiverLast = wait;
};

/** Takes the first receiver off; null if there is none. */
export const takeReceiver = (queue: MessageQueue): ReceiveWait | null => {
  const wait = queue.receiverFirst;
  if (wait === null) return null;
  queue.receiverFirst = wait.next;
  if (queue.receiverFirst === null) queue.receiverLast = null;
  wait.next = null;
  return wait;
};

/** Takes one receiver out of the middle (timeout, interrupt); true if it was there. */
export const removeReceiver = (wait: ReceiveWait): boolean => {
  const queue = wait.queue!;
  let before: ReceiveWait | null = null;
  for (let at = queue.receiverFirst; at !== null; before = at, at = at.next) {
    if (at !== wait) continue;
    if (before === null) queue.receiverFirst = at.next;
    else before.next = at.next;
    if (queue.receiverLast === at) queue.receiverLast = before;
    at.next = null;
    return true;
  }
  return false;
};

/** Ends the wait of everybody who waits for a message there. */
export const completeReceivers = (queue: MessageQueue, status: number): void => {
  for (let wait = takeReceiver(queue); wait !== null; wait = takeReceiver(queue)) {
    completeReceive(wait, status);
  }
};

export const appendSender = (port: Port, wait: SendWait): void => {
  wait.next = null;
  wait.port = port;
  if (port.senderLast === null) port.senderFirst = wait;
  else port.senderLast.next = wait;
  port.senderLast = wait;
};

export const takeSender = (port: Port): SendWait | null => {
  const wait = port.senderFirst;
  if (wait === null) return null;
  port.senderFirst = wait.next;
  if (port.senderFirst === null) port.senderLast = null;
  wait.next = null;
  return wait;
};

/** Takes one sender out of the middle (timeout, interrupt); true if it was there. */
export const removeSender = (wait: SendWait): boolean => {
  const { port } = wait;
  if (port === null) return false;
  let before: SendWait | null = null;
  for (let at = port.senderFirst; at !== null; before = at, at = at.next) {
    if (at !== wait) continue;
    if (before === null) port.senderFirst = at.next;
    else before.next = at.next;
    if (port.senderLast === at) port.senderLast = before;
    at.next = null;
    return true;
  }
  return false;
};
