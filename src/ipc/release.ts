// Giving rights up: one right, all rights of a body, a whole message, a port.
// A send-once right is always used: destroyed unused, it sends its port a send-once notification.
// Destruction can cascade (a message holds a receive right whose queue holds messages ...): the work
// is a list, not a recursion, so that no chain of messages can exhaust the stack.

import { assert } from "../base/assert.ts";
import { COUNTERS } from "../base/counters.ts";
import { MACH_MSG_SUCCESS } from "../base/status.ts";
import type { IpcContext } from "./context.ts";
import type { KernelMessage } from "./kernel-message.ts";
import { takeMessage } from "./message-queue.ts";
import {
  notifyDeadName,
  notifyNoSenders,
  notifyPortDestroyed,
  notifySendOnce,
} from "./notifications.ts";
import { enterPortState, PORT_DEAD, PORT_PROXY, type Port } from "./port.ts";
import { RightWalk } from "./right-walk.ts";
import { type CarriedRight, PORT_RECEIVE, PORT_SEND, PORT_SEND_ONCE } from "./rights.ts";
import { completeSend, takeSender } from "./waits.ts";

/** Gives up one right that the caller holds. */
export const releaseRight = (ipc: IpcContext, port: Port, right: CarriedRight): void => {
  switch (right) {
    case PORT_SEND:
      assert(port.sendRights > 0, "a send right is counted once");
      port.sendRights -= 1;
      if (port.sendRights === 0) lastSenderGone(ipc, port);
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

/** The last send right of this node is gone: whoever asked is told, or other nodes are asked first. */
export const lastSenderGone = (ipc: IpcContext, port: Port): void => {
  const notify = port.noSendersNotify;
  if (port.watched || (notify !== null && port.sendsAbroad)) {
    ipc.remote.askForSenders(port);
    return;
  }
  if (notify === null) return;
  port.noSendersNotify = null;
  notifyNoSenders(ipc, notify, port.makeSendCount);
};

/** Releases the first `count` rights of a message's body. */
export const releaseBody = (
  ipc: IpcContext,
  message: KernelMessage,
  count = Number.POSITIVE_INFINITY,
): void => {
  if (!message.rights) return;
  const walk = new RightWalk(ipc.memory, message);
  for (let i = 0; i < count && walk.next(); i++) {
    const index = walk.word;
    if (index > 0) releaseRight(ipc, ipc.ports.byIndex(index), walk.right);
  }
};

/** Destroys a message with all rights it holds, and returns it to the pool. */
export const destroyMessage = (ipc: IpcContext, message: KernelMessage): void => {
  ipc.doomed.push(message);
  if (ipc.destroying) return;
  ipc.destroying = true;
  for (let next = ipc.doomed.pop(); next !== undefined; next = ipc.doomed.pop()) {
    ipc.memory.counters[COUNTERS.messagesDestroyed.index]! += 1;
    const { remote, remoteRight, local, localRight, accept } = next;
    next.accept = null;
    if (next.complex) releaseBody(ipc, next);
    ipc.pool.put(next);
    if (remote !== null) releaseRight(ipc, remote, remoteRight);
    if (local !== null) releaseRight(ipc, local, localRight);
    accept?.destroyed(ipc);
  }
  ipc.destroying = false;
};

/** Destroys a port whose receive right is in nobody's space (any more), so that nobody waits for its
 *  messages; or mails its receive right, if that was asked for. The steps are those of CMU
 *  ipc/ipc_port.c, ipc_port_destroy: blocked senders succeed, a no-senders request goes unused, queued
 *  messages are destroyed, dead-name requests fire. */
export const destroyPort = (ipc: IpcContext, port: Port): void => {
  port.makeSendCount = 0;
  port.sequence = 0;
  if (port.portDestroyedNotify !== null && notifyPortDestroyed(ipc, port)) return;
  const known = port.state !== PORT_PROXY;
  port.space = null;
  port.transitTo = null;
  enterPortState(port, PORT_DEAD);
  assert(
    port.set === null && port.queue.receiverFirst === null,
    "only a port in a space is waited on",
  );
  if (known && port.identifier !== 0) ipc.remote.portDied(port);
  for (let wait = takeSender(port); wait !== null; wait = takeSender(port)) {
    const { message } = wait;
    completeSend(wait, MACH_MSG_SUCCESS);
    if (message !== null) destroyMessage(ipc, message);
  }
  const { noSendersNotify } = port;
  port.noSendersNotify = null;
  if (noSendersNotify !== null) releaseRight(ipc, noSendersNotify, PORT_SEND_ONCE);
  port.messageCount = 0;
  port.promised = 0;
  for (let message = takeMessage(port.queue); message !== null; message = takeMessage(port.queue)) {
    destroyMessage(ipc, message);
  }
  if (port.deadNameRequests !== null) tellOfDeath(ipc, port);
};

/** The names themselves turn into dead names when they are next touched. */
const tellOfDeath = (ipc: IpcContext, port: Port): void => {
  const requests = port.deadNameRequests!;
  port.deadNameRequests = null;
  for (const { notify, name } of requests) notifyDeadName(ipc, notify, name);
};
