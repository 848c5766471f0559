// Notifications (mach/notify.h): messages from the kernel to a send-once right, which they use up. They
// ignore queue limits. When the message pool is empty they wait in the context's list until a message
// comes back: none is lost.

import { assert } from "../base/assert.ts";
import { MACH_MSG_SUCCESS } from "../base/status.ts";
import { PACKET_BODY } from "../hardware/packet-layout.ts";
import type { IpcContext } from "./context.ts";
import { queueOwner } from "./copyin.ts";
import { enterPortState, isCircular, PORT_DEAD, PORT_IN_TRANSIT, type Port } from "./port.ts";
import { sendToPort } from "./queueing.ts";
import { releaseRight } from "./release.ts";
import {
  NOTIFY_DEAD_NAME,
  NOTIFY_MSG_ACCEPTED,
  NOTIFY_NO_SENDERS,
  NOTIFY_PORT_DELETED,
  NOTIFY_PORT_DESTROYED,
  NOTIFY_SEND_ONCE,
  PORT_RECEIVE,
  PORT_SEND_ONCE,
  type PortName,
} from "./rights.ts";
import type { Space } from "./space.ts";
import { TYPE_INTEGER_32, TYPE_PORT_NAME, writeItem } from "./typed-item.ts";

/** A notification that is due: where, which, and the one word of its body. */
export interface Notification {
  readonly notify: Port;
  readonly id: number;
  /** Type of the body's item; 0 for none. */
  readonly type: number;
  readonly word: number;
}

/** A name with a dead-name request has gone away. */
export const notifyPortDeleted = (ipc: IpcContext, notify: Port, name: PortName): void =>
  send(ipc, notify, NOTIFY_PORT_DELETED, TYPE_PORT_NAME, name);

/** A forced message has been taken; `name` of the right it was sent with, or MACH_PORT_NULL. */
export const notifyMsgAccepted = (ipc: IpcContext, notify: Port, name: PortName): void =>
  send(ipc, notify, NOTIFY_MSG_ACCEPTED, TYPE_PORT_NAME, name);

/** A port has died of which the task has rights under `name`. */
export const notifyDeadName = (ipc: IpcContext, notify: Port, name: PortName): void =>
  send(ipc, notify, NOTIFY_DEAD_NAME, TYPE_PORT_NAME, name);

/** Nobody has send rights; `count` send rights had been made. */
export const notifyNoSenders = (ipc: IpcContext, notify: Port, count: number): void =>
  send(ipc, notify, NOTIFY_NO_SENDERS, TYPE_INTEGER_32, count);

/** A send-once right was destroyed unused: it is used for this. */
export const notifySendOnce = (ipc: IpcContext, notify: Port): void =>
  send(ipc, notify, NOTIFY_SEND_ONCE, 0, 0);

/** Mails a receive right that would be destroyed. False: it would be out of everybody's reach there, or
 *  nobody is there any more; the port has no request now and is still to be destroyed. */
export const notifyPortDestroyed = (ipc: IpcContext, port: Port): boolean => {
  const notify = port.portDestroyedNotify!;
  port.portDestroyedNotify = null;
  const reachable = notify.state !== PORT_DEAD && ipc.remote.acceptsReceiveRight(notify);
  const queue = queueOwner(ipc, notify);
  if (!reachable || isCircular(port, queue)) {
    releaseRight(ipc, notify, PORT_SEND_ONCE);
    return false;
  }
  if (port.state !== PORT_IN_TRANSIT) enterPortState(port, PORT_IN_TRANSIT);
  port.transitTo = queue;
  send(ipc, notify, NOTIFY_PORT_DESTROYED, PORT_RECEIVE, port.index);
  return true;
};

/** Sends the port-deleted notifications of the names that a call has made go away. */
export const notifyDetached = (ipc: IpcContext, space: Space): void => {
  while (space.detached.length > 0) {
    const { notify, name } = space.detached.shift()!;
    notifyPortDeleted(ipc, notify, name);
  }
};

/** Sends what waited for a message of the pool, as far as there are any. */
export const notifyPending = (ipc: IpcContext): void => {
  const { notifications } = ipc;
  while (notifications.length > 0 && ipc.pool.freeCount > 0) {
    submit(ipc, notifications.shift()!);
  }
};

const send = (ipc: IpcContext, notify: Port, id: number, type: number, word: number): void => {
  const notification = { notify, id, type, word };
  // In the order in which they became due, those that wait first.
  if (ipc.notifications.length > 0 || ipc.pool.freeCount === 0)
    ipc.notifications.push(notification);
  else submit(ipc, notification);
};

/** Sends it; there is a message for it. */
const submit = (ipc: IpcContext, { notify, id, type, word }: Notification): void => {
  const message = ipc.pool.takeForKernel();
  assert(message !== null, "a message is free");
  message.remote = notify;
  message.remoteRight = PORT_SEND_ONCE;
  message.id = id;
  message.size = 0;
  if (type !== 0) {
    const { words } = ipc.memory;
    const start = message.at + PACKET_BODY;
    const data = writeItem(words, start, type, 32, 1);
    words[data] = word;
    message.size = (data + 1 - start) * 4;
    message.complex = type === PORT_RECEIVE;
    message.rights = message.complex;
  }
  const status = sendToPort(ipc, message, true);
  assert(status === MACH_MSG_SUCCESS, "a kernel message is never refused");
};
