// Giving rights up: one right, all rights of a body, a whole message, a port.
// A send-once right is always used: destroyed unused, it sends its port a send-once notification.
// Destruction can cascade (a message holds a receive right whose queue holds messages ...): the work
// is a list, not a recursion, so that no chain of messages can exhaust the stack.

import { assert } from "../base/assert.ts";
import { COUNTERS } from "../base/counters.ts";
import { MACH_MSG_SUCCESS } from "../base/status.ts";
import type { IpcContext } from "./context.ts";
import { bodyWord, type KernelMessage } from "./kernel-message.ts";
import { enterPortState, PORT_DEAD, type Port } from "./port.ts";
import { sendToPort } from "./queueing.ts";
import {
  type CarriedRight,
  isPortDisposition,
  NOTIFY_SEND_ONCE,
  PORT_RECEIVE,
  PORT_SEND,
  PORT_SEND_ONCE,
} from "./rights.ts";
import { itemData, itemEnd, itemNumber, itemType } from "./typed-item.ts";
import { completeSend, takeSender } from "./waits.ts";

/** Gives up one right that the caller holds. */
export const releaseRight = (ipc: IpcContext, port: Port, right: CarriedRight): void => {
  switch (right) {
    case PORT_SEND:
      assert(port.sendRights > 0, "a send right is counted once");
      port.sendRights -= 1;
      break;
    case PORT_SEND_ONCE:
      assert(port.sendOnceRights > 0, "a send-once right is counted once");
      if (port.state === PORT_DEAD) port.sendOnceRights -= 1;
      else notifySendOnce(ipc, port); // the notification uses the right up
      break;
    case PORT_RECEIVE:
      if (port.state !== PORT_DEAD) destroyPort(ipc, port);
      break;
  }
  ipc.ports.collectIfGone(port);
};

/** Uses the send-once right to say that it was destroyed (mach/notify.h, 71). */
const notifySendOnce = (ipc: IpcContext, port: Port): void => {
  const notification = ipc.pool.takeForKernel();
  if (notification === null) {
    // As Mach when the kernel is out of memory: the notification is lost, the right is gone.
    port.sendOnceRights -= 1;
    return;
  }
  notification.remote = port;
  notification.remoteRight = PORT_SEND_ONCE;
  notification.id = NOTIFY_SEND_ONCE;
  notification.size = 0;
  const status = sendToPort(ipc, notification, true);
  assert(status === MACH_MSG_SUCCESS, "a kernel message is never refused");
};

/** Releases the rights of body items from word `start` up to item `at`, and of that item the first
 *  `elements`. */
export const releaseBody = (ipc: IpcContext, start: number, at: number, elements: number): void => {
  const { words } = ipc.memory;
  for (let item = start; item <= at; item = itemEnd(words, item)) {
    if (item === at && elements === 0) return;
    const right = itemType(words, item);
    if (isPortDisposition(right)) {
      const data = itemData(words, item);
      const count = item === at ? elements : itemNumber(words, item);
      for (let i = 0; i < count; i++) {
        const index = words[data + i]!;
        if (index > 0) releaseRight(ipc, ipc.ports.byIndex(index), right as CarriedRight);
      }
    }
  }
};

/** Destroys a message with all rights it holds, and returns it to the pool. */
export const destroyMessage = (ipc: IpcContext, message: KernelMessage): void => {
  ipc.doomed.push(message);
  if (ipc.destroying) return;
  ipc.destroying = true;
  for (let next = ipc.doomed.pop(); next !== undefined; next = ipc.doomed.pop()) {
    ipc.memory.counters[COUNTERS.messagesDestroyed.index]! += 1;
    const { remote, remoteRight, local, localRight } = next;
    if (next.complex) {
      const start = bodyWord(ipc.memory, next);
      releaseBody(ipc, start, start + (next.size >> 2), 0);
    }
    ipc.pool.put(next);
    if (remote !== null) releaseRight(ipc, remote, remoteRight);
    if (local !== null) releaseRight(ipc, local, localRight);
  }
  ipc.destroying = false;
};

/** Destroys a port whose receive right is in nobody's space (any more), so that nobody waits for its
 *  messages. As in CMU ipc/ipc_port.c, ipc_port_destroy: blocked senders succeed, queued messages are destroyed. */
export const destroyPort = (ipc: IpcContext, port: Port): void => {
  port.space = null;
  port.transitTo = null;
  enterPortState(port, PORT_DEAD);
  assert(port.receiverFirst === null, "only a port in a space is waited on");
  for (let wait = takeSender(port); wait !== null; wait = takeSender(port)) {
    const { message } = wait;
    completeSend(wait, MACH_MSG_SUCCESS);
    destroyMessage(ipc, message!);
  }
  let message = port.queueFirst;
  port.queueFirst = null;
  port.queueLast = null;
  port.messageCount = 0;
  while (message !== null) {
    const { next } = message;
    destroyMessage(ipc, message);
    message = next;
  }
};
