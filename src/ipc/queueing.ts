// Queueing and dequeueing, the two middle stages. Here, and only here, is asked what kind of port the
// destination is: kernel-owned -> its server runs; proxy -> network IPC; else the local queue, or
// straight into the hands of a waiting receiver (paper 2.2 and 2.4). A message from the network comes
// in by the same call, as if a local task had sent it.

import { assert, unreachable } from "../base/assert.ts";
import { COUNTERS } from "../base/counters.ts";
import {
  KERN_SUCCESS,
  MACH_MSG_SUCCESS,
  MACH_RCV_IN_SET,
  MACH_RCV_INVALID_NAME,
  MACH_RCV_TOO_LARGE,
} from "../base/status.ts";
import type { IpcContext } from "./context.ts";
import { copyout } from "./copyout.ts";
import type { KernelMessage } from "./kernel-message.ts";
import { appendMessage, type MessageQueue, takeMessage } from "./message-queue.ts";
import { NO_ENTRY } from "./name-table.ts";
import {
  hasQueueRoom,
  PORT_DEAD,
  PORT_IN_KERNEL,
  PORT_IN_SPACE,
  PORT_IN_TRANSIT,
  PORT_PROXY,
  type Port,
} from "./port.ts";
import { parkPages, protectPages } from "./protect-pages.ts";
import { destroyMessage } from "./release.ts";
import { PORT_SEND_ONCE, type PortName, TYPE_PORT_SET, TYPE_RECEIVE } from "./rights.ts";
import type { Space } from "./space.ts";
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
  if (port.held && !message.circular) {
    if (!always && message.remoteRight !== PORT_SEND_ONCE) return WOULD_BLOCK;
    ipc.remote.hold(message);
    return MACH_MSG_SUCCESS;
  }
  return sendPast(ipc, message, always);
};

/** The same, past whatever the port makes wait. */
export const sendPast = (ipc: IpcContext, message: KernelMessage, always: boolean): number => {
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
      ipc.remote.send(message, always);
      return MACH_MSG_SUCCESS;
    case PORT_IN_KERNEL:
      if (message.overflow !== null) protectPages(ipc, message);
      if (message.accept !== null) tellAccepted(ipc, message);
      if (ipc.atInterruptLevel) ipc.kernelRequests.push(message);
      else port.server!.serve(message);
      return MACH_MSG_SUCCESS;
    case PORT_DEAD:
      destroyMessage(ipc, message);
      return MACH_MSG_SUCCESS;
    case PORT_IN_SPACE:
    case PORT_IN_TRANSIT:
      // First, though a receiver that waits means an empty queue: a limit of 0 stops every ordinary send.
      if (!always && message.remoteRight !== PORT_SEND_ONCE && !hasQueueRoom(port)) {
        return WOULD_BLOCK;
      }
      enqueue(ipc, port, message);
      return MACH_MSG_SUCCESS;
    default:
      return unreachable(port.state);
  }
};

/** Hands the message to the first waiting receiver that has room for it, or queues it. */
const enqueue = (ipc: IpcContext, port: Port, message: KernelMessage): void => {
  const { queue } = port;
  for (let wait = takeReceiver(queue); wait !== null; wait = takeReceiver(queue)) {
    if (handOver(ipc, port, message, wait)) return;
  }
  appendMessage(queue, message);
  port.messageCount += 1;
};

/** Gives queued messages to receivers that wait: after ports with messages joined their set. */
export const serveReceivers = (ipc: IpcContext, queue: MessageQueue): void => {
  while (queue.first !== null && queue.receiverFirst !== null) {
    const message = queue.first;
    const wait = takeReceiver(queue)!;
    if (mustStay(message, wait)) refuse(message, wait);
    else completeReceive(wait, dequeue(ipc, queue, wait));
  }
};

/** Copies the message out to a receiver that waited. False: its buffer was too small; it has been
 *  told so and the message is still to be delivered. */
const handOver = (
  ipc: IpcContext,
  port: Port,
  message: KernelMessage,
  wait: ReceiveWait,
): boolean => {
  if (mustStay(message, wait)) {
    refuse(message, wait);
    return false;
  }
  const sequence = port.sequence;
  port.sequence = (port.sequence + 1) | 0;
  if (message.accept !== null) tellAccepted(ipc, message);
  completeReceive(wait, copyout(ipc, message, wait, sequence));
  return true;
};

/** A receiver takes a message that was forced into the queue: its sender hears of it first. */
const tellAccepted = (ipc: IpcContext, message: KernelMessage): void => {
  const accept = message.accept!;
  message.accept = null;
  accept.accepted(ipc);
};

/** True if the message does not fit and the receiver asked that it stay then (MACH_RCV_LARGE). */
const mustStay = (message: KernelMessage, wait: ReceiveWait): boolean =>
  wait.large && message.size > wait.roomBytes;

const refuse = (message: KernelMessage, wait: ReceiveWait): void => {
  wait.neededBytes = message.size;
  completeReceive(wait, MACH_RCV_TOO_LARGE);
};

/** Blocks a sender until the port has room; `wait` completes in FIFO order. */
export const waitForRoom = (
  ipc: IpcContext,
  port: Port,
  message: KernelMessage,
  wait: SendWait,
): void => {
  wait.waiting = true;
  wait.message = message;
  if (message.overflow !== null) parkPages(ipc, message);
  appendSender(port, wait);
  if (port.state === PORT_PROXY) ipc.remote.senderWaits(port);
};

/** Where a name's messages wait; null with `wait.status` MACH_RCV_INVALID_NAME or _IN_SET. */
const receiveQueue = (space: Space, name: PortName, wait: ReceiveWait): MessageQueue | null => {
  const index = space.find(name);
  const type = index === NO_ENTRY ? 0 : space.typeAt(index);
  if ((type & TYPE_RECEIVE) !== 0) {
    const port = space.portAt(index)!;
    if (port.set === null) return port.ownQueue;
    wait.status = MACH_RCV_IN_SET;
    return null;
  }
  if (type === TYPE_PORT_SET) return space.setAt(index).queue;
  wait.status = MACH_RCV_INVALID_NAME;
  return null;
};

/** Takes the first message, or makes `wait` wait for one. Afterwards wait.waiting tells which; when
 *  false, wait.status is that of copyout(), MACH_RCV_TOO_LARGE with wait.large (the message stays queued),
 *  MACH_RCV_INVALID_NAME or MACH_RCV_IN_SET. The sink is told only of waits that really waited. */
export const receiveFromPort = (
  ipc: IpcContext,
  space: Space,
  name: PortName,
  wait: ReceiveWait,
): void => {
  wait.space = space;
  wait.message = null;
  wait.waiting = false;
  const queue = receiveQueue(space, name, wait);
  if (queue === null) return;
  const message = queue.first;
  if (message === null) {
    wait.waiting = true;
    appendReceiver(queue, wait);
    return;
  }
  if (mustStay(message, wait)) {
    wait.neededBytes = message.size;
    wait.status = MACH_RCV_TOO_LARGE;
    return;
  }
  wait.status = dequeue(ipc, queue, wait);
};

/** Takes the queue's first message, copies it out and lets the first blocked sender in. */
const dequeue = (ipc: IpcContext, queue: MessageQueue, wait: ReceiveWait): number => {
  const message = takeMessage(queue)!;
  const port = message.remote!;
  const sequence = port.sequence;
  port.sequence = (port.sequence + 1) | 0;
  port.messageCount -= 1;
  if (message.accept !== null) tellAccepted(ipc, message);
  const status = copyout(ipc, message, wait, sequence);
  admitSenders(ipc, port);
  return status;
};

/** Lets blocked senders in, oldest first, while there is room; then other nodes may hear of what is left. */
export const admitSenders = (ipc: IpcContext, port: Port): void => {
  while (port.senderFirst !== null && hasQueueRoom(port)) admitSender(ipc, port);
  if (port.messageCount === 0 && port.abroad !== null && port.senderFirst === null) {
    ipc.remote.queueDrained(port);
  }
};

/** Lets the sender that has been blocked longest in; at a port of this node that may be another node. */
export const admitSender = (ipc: IpcContext, port: Port): void => {
  const wait = takeSender(port)!;
  const { message } = wait;
  if (message === null) {
    ipc.remote.admit(port, wait);
    return;
  }
  if (port.state === PORT_PROXY) {
    ipc.remote.send(message, false);
  } else {
    const status = sendToPort(ipc, message, true);
    assert(status === MACH_MSG_SUCCESS, "there was room");
  }
  completeSend(wait, KERN_SUCCESS);
};

/** Counts a message from a task. */
export const countSent = (ipc: IpcContext): void => {
  ipc.memory.counters[COUNTERS.messagesSent.index]! += 1;
};
