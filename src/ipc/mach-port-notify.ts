// mach_port_request_notification (CMU ipc/mach_port.c): who is told of a port's destruction, of its last
// sender's going, of a name's death.
// Every function takes the space, which may be another task's than the caller's, and returns a
// kern_return_t; what it returns besides is left in its `out` argument. Rights that a call is given or
// gives away are Port references that count as held by the caller. task/ports.ts is the API over these;
// node/task-server.ts serves them to other tasks.

import { USER_REFERENCES_MAX } from "../base/limits.ts";
import {
  KERN_INVALID_ARGUMENT,
  KERN_INVALID_NAME,
  KERN_INVALID_RIGHT,
  KERN_INVALID_VALUE,
  KERN_SUCCESS,
  KERN_UREFS_OVERFLOW,
} from "../base/status.ts";
import { makeOut, type Out, receiver } from "./call-out.ts";
import type { IpcContext } from "./context.ts";
import { NO_ENTRY } from "./name-table.ts";
import { notifyDeadName, notifyNoSenders } from "./notifications.ts";
import type { Port } from "./port.ts";
import {
  NOTIFY_DEAD_NAME,
  NOTIFY_NO_SENDERS,
  NOTIFY_PORT_DESTROYED,
  type PortName,
  TYPE_DEAD_NAME,
  TYPE_PORT_SET,
} from "./rights.ts";
import type { Space } from "./space.ts";

/** mach_port_request_notification. `notify`: the port of a send-once right that the caller holds and gives,
 *  on success; null cancels. `out.right`: the send-once right that was registered before, the caller's now.
 *  KERN_INVALID_VALUE, KERN_INVALID_NAME, KERN_INVALID_RIGHT, KERN_INVALID_ARGUMENT, KERN_UREFS_OVERFLOW. */
export const portRequestNotification = (
  ipc: IpcContext,
  space: Space,
  name: PortName,
  id: number,
  sync: number,
  notify: Port | null,
  out: Out,
): number => {
  out.right = null;
  switch (id) {
    case NOTIFY_PORT_DESTROYED:
      return sync !== 0 ? KERN_INVALID_VALUE : requestPortDestroyed(space, name, notify, out);
    case NOTIFY_NO_SENDERS:
      return requestNoSenders(ipc, space, name, sync, notify, out);
    case NOTIFY_DEAD_NAME:
      return requestDeadName(ipc, space, name, sync, notify, out);
    default:
      return KERN_INVALID_VALUE;
  }
};

const requestPortDestroyed = (
  space: Space,
  name: PortName,
  notify: Port | null,
  out: Out,
): number => {
  const found = makeOut();
  const status = receiver(space, name, found);
  if (status !== KERN_SUCCESS) return status;
  out.right = found.right!.portDestroyedNotify;
  found.right!.portDestroyedNotify = notify;
  return KERN_SUCCESS;
};

/** Fires at once when there are no send rights now and `sync` make-sends have been seen. */
const requestNoSenders = (
  ipc: IpcContext,
  space: Space,
  name: PortName,
  sync: number,
  notify: Port | null,
  out: Out,
): number => {
  const found = makeOut();
  const status = receiver(space, name, found);
  if (status !== KERN_SUCCESS) return status;
  const port = found.right!;
  out.right = port.noSendersNotify;
  port.noSendersNotify = notify;
  if (notify === null || port.sendRights > 0) return KERN_SUCCESS;
  if (port.sendsAbroad) {
    ipc.remote.askForSenders(port);
    return KERN_SUCCESS;
  }
  if (sync >>> 0 > port.makeSendCount >>> 0) return KERN_SUCCESS;
  port.noSendersNotify = null;
  notifyNoSenders(ipc, notify, port.makeSendCount);
  return KERN_SUCCESS;
};

const requestDeadName = (
  ipc: IpcContext,
  space: Space,
  name: PortName,
  sync: number,
  notify: Port | null,
  out: Out,
): number => {
  const index = space.find(name);
  if (index === NO_ENTRY) return KERN_INVALID_NAME;
  const type = space.typeAt(index);
  if (type === TYPE_PORT_SET) return KERN_INVALID_RIGHT;
  if (type === TYPE_DEAD_NAME) {
    if (sync === 0 || notify === null) return KERN_INVALID_ARGUMENT;
    if (space.referencesAt(index) >= USER_REFERENCES_MAX) return KERN_UREFS_OVERFLOW;
    space.addReferences(index, 1);
    notifyDeadName(ipc, notify, name);
    return KERN_SUCCESS;
  }
  out.right = space.takeRequest(index);
  if (notify !== null) space.setRequest(index, notify);
  return KERN_SUCCESS;
};
