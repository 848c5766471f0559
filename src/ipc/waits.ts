// A task that waits: for a message on a port (ReceiveWait), for room in a queue (SendWait).
// The kernel completes a wait by setting `waiting` to false and a status; whoever polls sees it, and
// the sink, told once, resumes a task that was suspended. No promises here: that is task/'s business.

import { MACH_MSG_SUCCESS } from "../base/status.ts";
import type { KernelMessage } from "./kernel-message.ts";
import type { Message } from "./message.ts";
import type { Port } from "./port.ts";
import type { Space } from "./space.ts";

/** Told, once per wait, that it is over. */
export interface WaitSink {
  receiveCompleted(wait: ReceiveWait): void;
  sendCompleted(wait: SendWait): void;
}

export class ReceiveWait {
  readonly sink: WaitSink;
  next: ReceiveWait | null = null;
  waiting = false;
  status = MACH_MSG_SUCCESS;
  port: Port | null = null;
  space: Space | null = null;
  /** Where the message goes; null: a new Message of the right size is made. */
  into: Message | null = null;
  /** The received message once status is MACH_MSG_SUCCESS. */
  message: Message | null = null;
  /** With MACH_RCV_TOO_LARGE: bytes of the body that did not fit. */
  neededBytes = 0;

  constructor(sink: WaitSink) {
    this.sink = sink;
  }
}

export class SendWait {
  readonly sink: WaitSink;
  next: SendWait | null = null;
  waiting = false;
  status = MACH_MSG_SUCCESS;
  /** The message, copied in, that waits for room. */
  message: KernelMessage | null = null;

  constructor(sink: WaitSink) {
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
  wait.sink.sendCompleted(wait);
};

export const appendReceiver = (port: Port, wait: ReceiveWait): void => {
  wait.next = null;
  if (port.receiverLast === null) port.receiverFirst = wait;
  else port.receiverLast.next = wait;
  port.receiverLast = wait;
};

/** Takes the first receiver off; the port has one. */
export const takeReceiver = (port: Port): ReceiveWait | null => {
  const wait = port.receiverFirst;
  if (wait === null) return null;
  port.receiverFirst = wait.next;
  if (port.receiverFirst === null) port.receiverLast = null;
  wait.next = null;
  return wait;
};

/** Takes one receiver out of the middle (timeout, interrupt); true if it was there. */
export const removeReceiver = (port: Port, wait: ReceiveWait): boolean => {
  let before: ReceiveWait | null = null;
  for (let at = port.receiverFirst; at !== null; before = at, at = at.next) {
    if (at !== wait) continue;
    if (before === null) port.receiverFirst = at.next;
    else before.next = at.next;
    if (port.receiverLast === at) port.receiverLast = before;
    at.next = null;
    return true;
  }
  return false;
};

export const appendSender = (port: Port, wait: SendWait): void => {
  wait.next = null;
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
