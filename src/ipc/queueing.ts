// Queueing and dequeueing, the two middle stages. Here, and only here, is asked what kind of port the
// destination is: kernel-owned -> its server runs; proxy -> network IPC; else the local queue, or
// straight into the hands of a waiting receiver (paper 2.2 and 2.4). A message from the network comes
// in by the same call, as if a local task had sent it.

import { assert, unreachable } from "../base/assert.ts";
import { COUNTERS } from "../base/counters.ts";
import {
  KERN_SUCCESS,
  MACH_MSG_SUCCESS,
  MACH_RCV_INVALID_NAME,
  MACH_RCV_TOO_LARGE,
} from "../base/status.ts";
import type { IpcContext } from "./context.ts";
import { copyout } from "./copyout.ts";
import type { KernelMessage } from "./kernel-message.ts";
import {
  PORT_DEAD,
  PORT_IN_KERNEL,
  PORT_IN_SPACE,
  PORT_IN_TRANSIT,
  PORT_PROXY,
  type Port,
} from "./port.ts";
import { destroyMessage } from "./release.ts";
import { PORT_SEND_ONCE, type PortName, TYPE_RECEIVE } from "./rights.ts";
import { NO_ENTRY, type Space } from "./space.ts";
import {
  appendReceiver,
  appendSender,
  completeReceive,
  completeSend,
  type ReceiveWait,
  type SendWait,
  takeReceiver,
  takeSender,
} from "./waits.ts";

/** The destination's queue is full: enqueue the sender with waitForRoom(). */
export const WOULD_BLOCK = -1;

/** Sends a copied-in message. `always`: whatever the queue limit (arrivals, notifications, replies of
 *  the kernel). MACH_MSG_SUCCESS: the message is no longer the caller's. WOULD_BLOCK: it still is. */
export const sendToPort = (ipc: IpcContext, message: KernelMessage, always: boolean): number => {
  const port = message.remote!;
  if (message.circular) {
    destroyMessage(ipc, message);
    return MACH_MSG_SUCCESS;
  }
  switch (port.state) {
    case PORT_PROXY:
      if (!always && message.remoteRight !== PORT_SEND_ONCE && !ipc.remote.hasRoom(port)) {
        return WOULD_BLOCK;
      }
      return ipc.remote.send(message);
    case PORT_IN_KERNEL:
      port.server!.serve(message);
      return MACH_MSG_SUCCESS;
    case PORT_DEAD:
      destroyMessage(ipc, message);
      return MACH_MSG_SUCCESS;
    case PORT_IN_SPACE:
    case PORT_IN_TRANSIT:
      return enqueue(ipc, port, message, always);
    default:
      return unreachable(port.state);
  }
};

const enqueue = (ipc: IpcContext, port: Port, message: KernelMessage, always: boolean): number => {
  // First, though a receiver that waits means an empty queue: a limit of 0 stops every ordinary send.
  if (port.messageCount >= port.queueLimit && !always && message.remoteRight !== PORT_SEND_ONCE) {
    return WOULD_BLOCK;
  }
  for (let wait = takeReceiver(port); wait !== null; wait = takeReceiver(port)) {
    if (handOver(ipc, port, message, wait)) return MACH_MSG_SUCCESS;
  }
  message.next = null;
  if (port.queueLast === null) port.queueFirst = message;
  else port.queueLast.next = message;
  port.queueLast = message;
  port.messageCount += 1;
  return MACH_MSG_SUCCESS;
};

/** Copies the message out to a receiver that waited. False: its buffer was too small; it has been
 *  told so and the message is still to be delivered. */
const handOver = (
  ipc: IpcContext,
  port: Port,
  message: KernelMessage,
  wait: ReceiveWait,
): boolean => {
  if (!fits(message, wait)) {
    refuse(message, wait);
    return false;
  }
  const sequence = port.sequence;
  port.sequence = (port.sequence + 1) | 0;
  completeReceive(wait, copyout(ipc, message, wait, sequence));
  return true;
};

const fits = (message: KernelMessage, wait: ReceiveWait): boolean =>
  wait.into === null || message.size <= wait.into.bytes.length;

const refuse = (message: KernelMessage, wait: ReceiveWait): void => {
  wait.neededBytes = message.size;
  completeReceive(wait, MACH_RCV_TOO_LARGE);
};

/** Blocks a sender until the port has room; `wait` completes in FIFO order. */
export const waitForRoom = (port: Port, message: KernelMessage, wait: SendWait): void => {
  wait.waiting = true;
  wait.message = message;
  appendSender(port, wait);
};

/** The port of a receive right, ready to be received from; null with MACH_RCV_INVALID_NAME. */
export const receivePort = (space: Space, name: PortName): Port | null => {
  const index = space.find(name);
  if (index === NO_ENTRY || (space.typeAt(index) & TYPE_RECEIVE) === 0) return null;
  return space.portAt(index);
};

/** Takes the first message, or makes `wait` wait for one. Afterwards wait.waiting tells which; when
 *  false, wait.status is MACH_MSG_SUCCESS, MACH_RCV_TOO_LARGE (the message stays queued, as with
 *  MACH_RCV_LARGE) or MACH_RCV_INVALID_NAME. The sink is told only of waits that really waited. */
export const receiveFromPort = (
  ipc: IpcContext,
  space: Space,
  name: PortName,
  wait: ReceiveWait,
): void => {
  const port = receivePort(space, name);
  wait.space = space;
  wait.port = port;
  wait.message = null;
  wait.waiting = false;
  if (port === null) {
    wait.status = MACH_RCV_INVALID_NAME;
    return;
  }
  const message = port.queueFirst;
  if (message === null) {
    wait.waiting = true;
    appendReceiver(port, wait);
    return;
  }
  if (!fits(message, wait)) {
    wait.neededBytes = message.size;
    wait.status = MACH_RCV_TOO_LARGE;
    return;
  }
  const sequence = port.sequence;
  port.sequence = (port.sequence + 1) | 0;
  dequeueFirst(ipc, port, message);
  wait.status = copyout(ipc, message, wait, sequence);
};

/** Takes the queue's first message off and lets the first blocked sender in. */
const dequeueFirst = (ipc: IpcContext, port: Port, message: KernelMessage): void => {
  port.queueFirst = message.next;
  if (port.queueFirst === null) port.queueLast = null;
  message.next = null;
  port.messageCount -= 1;
  admitSenders(ipc, port);
};

/** Lets blocked senders in, oldest first, while there is room. */
export const admitSenders = (ipc: IpcContext, port: Port): void => {
  while (port.senderFirst !== null && port.messageCount < port.queueLimit) admitSender(ipc, port);
};

/** Lets the sender that has been blocked longest in. */
export const admitSender = (ipc: IpcContext, port: Port): void => {
  const wait = takeSender(port)!;
  const { message } = wait;
  const status = sendToPort(ipc, message!, true);
  assert(status === MACH_MSG_SUCCESS, "there was room");
  completeSend(wait, KERN_SUCCESS);
};

/** Counts a message from a task. */
export const countSent = (ipc: IpcContext): void => {
  ipc.memory.counters[COUNTERS.messagesSent.index]! += 1;
};
