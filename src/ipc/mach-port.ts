// The mach_port calls on a name space (CMU ipc/mach_port.c): every function takes the space, which may be
// another task's than the caller's, and returns a kern_return_t. What a call returns besides is left in
// its `out` argument. Rights that a call is given or gives away are Port references that count as held by
// the caller. task/ports.ts is the API over these; node/task-server.ts serves them to other tasks.

import { PORT_QUEUE_LIMIT_MAX, USER_REFERENCES_MAX } from "../base/limits.ts";
import {
  KERN_INVALID_ARGUMENT,
  KERN_INVALID_CAPABILITY,
  KERN_INVALID_NAME,
  KERN_INVALID_RIGHT,
  KERN_INVALID_TASK,
  KERN_INVALID_VALUE,
  KERN_NAME_EXISTS,
  KERN_NO_SPACE,
  KERN_NOT_IN_SET,
  KERN_RIGHT_EXISTS,
  KERN_SUCCESS,
  KERN_UREFS_OVERFLOW,
} from "../base/status.ts";
import type { IpcContext } from "./context.ts";
import { notifyDeadName, notifyDetached, notifyNoSenders } from "./notifications.ts";
import { PORT_DEAD, PORT_IN_SPACE, type Port } from "./port.ts";
import { joinSet, leaveSet } from "./port-set.ts";
import { admitSenders, serveReceivers } from "./queueing.ts";
import { releaseRight } from "./release.ts";
import {
  type CarriedRight,
  carriedRight,
  isPortDisposition,
  MACH_PORT_DEAD,
  MACH_PORT_NULL,
  NOTIFY_DEAD_NAME,
  NOTIFY_NO_SENDERS,
  NOTIFY_PORT_DESTROYED,
  PORT_RECEIVE,
  PORT_SEND,
  PORT_SEND_ONCE,
  type PortName,
  RIGHT_DEAD_NAME,
  RIGHT_PORT_SET,
  RIGHT_RECEIVE,
  RIGHT_SEND,
  RIGHT_SEND_ONCE,
  TYPE_DEAD_NAME,
  TYPE_DNREQUEST,
  TYPE_MAREQUEST,
  TYPE_PORT_SET,
  TYPE_RECEIVE,
  TYPE_SEND,
  TYPE_SEND_ONCE,
} from "./rights.ts";
import { NO_ENTRY, type Space } from "./space.ts";

/** Where a call leaves a name, a number or a right. */
export interface Out {
  value: number;
  right: Port | null;
}

export const makeOut = (): Out => ({ value: 0, right: null });

/** What mach_port_get_receive_status tells. */
export interface ReceiveStatus {
  /** Name of the set that the port is a member of, or MACH_PORT_NULL. */
  readonly pset: PortName;
  readonly seqno: number;
  readonly mscount: number;
  readonly qlimit: number;
  readonly msgcount: number;
  readonly sorights: number;
  readonly srights: boolean;
  readonly pdrequest: boolean;
  readonly nsrequest: boolean;
}

/** mach_port_allocate. KERN_INVALID_VALUE, KERN_NO_SPACE. */
export const portAllocate = (ipc: IpcContext, space: Space, right: number, out: Out): number => {
  if (!isAllocatable(right)) return KERN_INVALID_VALUE;
  if (!space.active) return KERN_INVALID_TASK;
  if (!space.hasRoom) return KERN_NO_SPACE;
  if (right === RIGHT_DEAD_NAME) out.value = space.insert(null, TYPE_DEAD_NAME, 1);
  else if (right === RIGHT_PORT_SET) out.value = space.insertSet();
  else out.value = space.insertReceive(ipc.ports.create(PORT_IN_SPACE));
  return KERN_SUCCESS;
};

/** mach_port_allocate_name. KERN_INVALID_VALUE, KERN_NAME_EXISTS, KERN_NO_SPACE. */
export const portAllocateName = (
  ipc: IpcContext,
  space: Space,
  right: number,
  name: PortName,
): number => {
  if (!isAllocatable(right) || !isOrdinaryName(name)) return KERN_INVALID_VALUE;
  if (!space.active) return KERN_INVALID_TASK;
  if (space.find(name) !== NO_ENTRY) return KERN_NAME_EXISTS;
  if (!space.hasRoom) return KERN_NO_SPACE;
  if (right === RIGHT_DEAD_NAME) space.insertAs(name, null, TYPE_DEAD_NAME, 1);
  else if (right === RIGHT_PORT_SET) space.insertSetAs(name);
  else space.insertReceiveAs(name, ipc.ports.create(PORT_IN_SPACE));
  return KERN_SUCCESS;
};

const isAllocatable = (right: number): boolean =>
  right === RIGHT_RECEIVE || right === RIGHT_PORT_SET || right === RIGHT_DEAD_NAME;

const isOrdinaryName = (name: PortName): boolean =>
  name !== MACH_PORT_NULL && name !== MACH_PORT_DEAD;

/** mach_port_rename. KERN_INVALID_VALUE, KERN_INVALID_NAME, KERN_NAME_EXISTS. */
export const portRename = (space: Space, old: PortName, name: PortName): number => {
  if (!isOrdinaryName(name)) return KERN_INVALID_VALUE;
  const index = space.find(old);
  if (index === NO_ENTRY) return KERN_INVALID_NAME;
  if (space.find(name) !== NO_ENTRY) return KERN_NAME_EXISTS;
  space.rename(index, name);
  return KERN_SUCCESS;
};

/** mach_port_type: the bits of the rights under a name, and of what is requested for it. */
export const portType = (space: Space, name: PortName, out: Out): number => {
  const index = space.find(name);
  if (index === NO_ENTRY) return KERN_INVALID_NAME;
  let type = space.typeAt(index);
  if (space.requestAt(index) !== null) type |= TYPE_DNREQUEST;
  if (space.acceptAt(index) !== null) type |= TYPE_MAREQUEST;
  out.value = type >>> 0;
  return KERN_SUCCESS;
};

/** mach_port_destroy: all rights under a name. KERN_INVALID_NAME. */
export const portDestroy = (ipc: IpcContext, space: Space, name: PortName): number => {
  const index = space.find(name);
  if (index === NO_ENTRY) return KERN_INVALID_NAME;
  const type = space.typeAt(index);
  const port = space.portAt(index);
  // The send right goes first: a no-senders request fires though the port dies with the same call.
  if ((type & TYPE_SEND) !== 0) dropSend(ipc, space, index, space.referencesAt(index));
  if ((type & TYPE_RECEIVE) !== 0) destroyReceive(ipc, space, index);
  if (type === TYPE_SEND_ONCE) dropSendOnce(ipc, space, index, port!);
  if (type === TYPE_DEAD_NAME) space.release(index);
  if (type === TYPE_PORT_SET) space.removeSet(index);
  notifyDetached(ipc, space);
  return KERN_SUCCESS;
};

/** mach_port_deallocate: one reference of a send right, send-once right or dead name.
 *  KERN_INVALID_NAME, KERN_INVALID_RIGHT. */
export const portDeallocate = (ipc: IpcContext, space: Space, name: PortName): number => {
  const index = space.find(name);
  if (index === NO_ENTRY) return KERN_INVALID_NAME;
  const type = space.typeAt(index);
  if ((type & TYPE_SEND) !== 0) dropSend(ipc, space, index, 1);
  else if (type === TYPE_SEND_ONCE) dropSendOnce(ipc, space, index, space.portAt(index)!);
  else if (type === TYPE_DEAD_NAME) space.dropReference(index);
  else return KERN_INVALID_RIGHT;
  notifyDetached(ipc, space);
  return KERN_SUCCESS;
};

/** mach_port_get_refs: 0 for a right that the name lacks. KERN_INVALID_VALUE, KERN_INVALID_NAME. */
export const portGetRefs = (space: Space, name: PortName, right: number, out: Out): number => {
  if (!isRight(right)) return KERN_INVALID_VALUE;
  const index = space.find(name);
  if (index === NO_ENTRY) return KERN_INVALID_NAME;
  const has = (space.typeAt(index) & typeBit(right)) !== 0;
  const single = right === RIGHT_RECEIVE || right === RIGHT_PORT_SET;
  out.value = has ? (single ? 1 : space.referencesAt(index)) : 0;
  return KERN_SUCCESS;
};

/** mach_port_mod_refs. Receive, set and send-once: 0 or -1. KERN_INVALID_VALUE, KERN_INVALID_NAME,
 *  KERN_INVALID_RIGHT, KERN_UREFS_OVERFLOW. */
export const portModRefs = (
  ipc: IpcContext,
  space: Space,
  name: PortName,
  right: number,
  delta: number,
): number => {
  if (!isRight(right) || !Number.isInteger(delta)) return KERN_INVALID_VALUE;
  const index = space.find(name);
  if (index === NO_ENTRY) return KERN_INVALID_NAME;
  if ((space.typeAt(index) & typeBit(right)) === 0) return KERN_INVALID_RIGHT;
  const counted = right === RIGHT_SEND || right === RIGHT_DEAD_NAME;
  const status = counted
    ? modReferences(ipc, space, index, right, delta)
    : delta === 0 || delta === -1
      ? KERN_SUCCESS
      : KERN_INVALID_VALUE;
  if (status !== KERN_SUCCESS || counted || delta === 0) {
    notifyDetached(ipc, space);
    return status;
  }
  if (right === RIGHT_RECEIVE) destroyReceive(ipc, space, index);
  else if (right === RIGHT_SEND_ONCE) dropSendOnce(ipc, space, index, space.portAt(index)!);
  else space.removeSet(index);
  notifyDetached(ipc, space);
  return KERN_SUCCESS;
};

const modReferences = (
  ipc: IpcContext,
  space: Space,
  index: number,
  right: number,
  delta: number,
): number => {
  const references = space.referencesAt(index);
  if (references + delta < 0) return KERN_INVALID_VALUE;
  if (delta > 0 && references + delta > referencesMax(right)) return KERN_UREFS_OVERFLOW;
  if (delta >= 0) space.addReferences(index, delta);
  else if (right === RIGHT_SEND) dropSend(ipc, space, index, -delta);
  else space.dropReferences(index, -delta);
  return KERN_SUCCESS;
};

/** A send right stays one below, so that a dead name made of it has room for a request's reference. */
const referencesMax = (right: number): number =>
  right === RIGHT_SEND ? USER_REFERENCES_MAX - 1 : USER_REFERENCES_MAX;

const isRight = (right: number): boolean =>
  Number.isInteger(right) && right >= RIGHT_SEND && right <= RIGHT_DEAD_NAME;

const typeBit = (right: number): number => 1 << (16 + right);

const dropSend = (ipc: IpcContext, space: Space, index: number, count: number): void => {
  const gone = space.dropSend(index, count);
  if (gone !== null) releaseRight(ipc, gone, PORT_SEND);
};

const dropSendOnce = (ipc: IpcContext, space: Space, index: number, port: Port): void => {
  space.release(index);
  releaseRight(ipc, port, PORT_SEND_ONCE);
};

const destroyReceive = (ipc: IpcContext, space: Space, index: number): void =>
  releaseRight(ipc, space.removeReceive(index), PORT_RECEIVE);

// --- receive rights ---------------------------------------------------------------------------------

/** The port of a receive right in `out.right`. KERN_INVALID_NAME, KERN_INVALID_RIGHT. */
const receiver = (space: Space, name: PortName, out: Out): number => {
  const index = space.find(name);
  if (index === NO_ENTRY) return KERN_INVALID_NAME;
  if ((space.typeAt(index) & TYPE_RECEIVE) === 0) return KERN_INVALID_RIGHT;
  out.right = space.portAt(index);
  return KERN_SUCCESS;
};

/** mach_port_set_qlimit: 0 to 16. */
export const portSetQlimit = (
  ipc: IpcContext,
  space: Space,
  name: PortName,
  limit: number,
): number => {
  if (!Number.isInteger(limit) || limit < 0 || limit > PORT_QUEUE_LIMIT_MAX)
    return KERN_INVALID_VALUE;
  const out = makeOut();
  const status = receiver(space, name, out);
  if (status !== KERN_SUCCESS) return status;
  out.right!.queueLimit = limit;
  admitSenders(ipc, out.right!);
  ipc.remote.limitChanged(out.right!);
  return KERN_SUCCESS;
};

/** mach_port_set_mscount: any 32-bit number. */
export const portSetMscount = (space: Space, name: PortName, count: number): number => {
  const out = makeOut();
  const status = receiver(space, name, out);
  if (status === KERN_SUCCESS) out.right!.makeSendCount = count | 0;
  return status;
};

/** mach_port_set_seqno: any 32-bit number. */
export const portSetSeqno = (space: Space, name: PortName, seqno: number): number => {
  const out = makeOut();
  const status = receiver(space, name, out);
  if (status === KERN_SUCCESS) out.right!.sequence = seqno | 0;
  return status;
};

/** mach_port_get_receive_status; null with `out.value` the status. */
export const portGetReceiveStatus = (
  space: Space,
  name: PortName,
  out: Out,
): ReceiveStatus | null => {
  out.value = receiver(space, name, out);
  if (out.value !== KERN_SUCCESS) return null;
  const port = out.right!;
  return {
    pset: port.set === null ? MACH_PORT_NULL : port.set.name,
    seqno: port.sequence,
    mscount: port.makeSendCount,
    qlimit: port.queueLimit,
    msgcount: port.messageCount,
    sorights: port.sendOnceRights,
    srights: port.sendRights > 0 || port.sendsAbroad,
    pdrequest: port.portDestroyedNotify !== null,
    nsrequest: port.noSendersNotify !== null,
  };
};

// --- port sets --------------------------------------------------------------------------------------

/** mach_port_get_set_status: the members' names; null with `out.value` the status. */
export const portGetSetStatus = (space: Space, name: PortName, out: Out): PortName[] | null => {
  const index = space.find(name);
  out.value = index === NO_ENTRY ? KERN_INVALID_NAME : KERN_SUCCESS;
  if (index !== NO_ENTRY && space.typeAt(index) !== TYPE_PORT_SET) out.value = KERN_INVALID_RIGHT;
  if (out.value !== KERN_SUCCESS) return null;
  return Array.from(space.setAt(index).members, (port) => port.name);
};

/** mach_port_move_member: into the set `after`, or with MACH_PORT_NULL out of its set. KERN_INVALID_NAME,
 *  KERN_INVALID_RIGHT, KERN_NOT_IN_SET. */
export const portMoveMember = (
  ipc: IpcContext,
  space: Space,
  member: PortName,
  after: PortName,
): number => {
  const out = makeOut();
  const status = receiver(space, member, out);
  if (status !== KERN_SUCCESS) return status;
  const port = out.right!;
  if (after === MACH_PORT_NULL) {
    if (port.set === null) return KERN_NOT_IN_SET;
    leaveSet(port);
    return KERN_SUCCESS;
  }
  const index = space.find(after);
  if (index === NO_ENTRY) return KERN_INVALID_NAME;
  if (space.typeAt(index) !== TYPE_PORT_SET) return KERN_INVALID_RIGHT;
  const set = space.setAt(index);
  if (port.set === set) return KERN_SUCCESS;
  joinSet(port, set);
  serveReceivers(ipc, set.queue);
  return KERN_SUCCESS;
};

// --- rights from and to other holders ---------------------------------------------------------------

/** Puts a right that the caller holds under a name: mach_port_insert_right. `leaving`: an entry of this
 *  space that the right is about to leave with its last reference, or NO_ENTRY.
 *  KERN_INVALID_VALUE, KERN_INVALID_CAPABILITY, KERN_NAME_EXISTS, KERN_RIGHT_EXISTS, KERN_UREFS_OVERFLOW,
 *  KERN_NO_SPACE. */
export const checkInsert = (
  space: Space,
  name: PortName,
  port: Port | null,
  right: number,
  leaving: number,
): number => {
  if (!isOrdinaryName(name) || !isPortDisposition(right)) return KERN_INVALID_VALUE;
  if (port === null || (port.state === PORT_DEAD && right !== PORT_RECEIVE)) {
    return KERN_INVALID_CAPABILITY;
  }
  if (!space.active) return KERN_INVALID_TASK;
  const found = space.find(name);
  const taken = found !== NO_ENTRY && found !== leaving;
  if (right !== PORT_SEND_ONCE) {
    const knownName = space.nameOf(port);
    const known = knownName === MACH_PORT_NULL ? NO_ENTRY : space.find(knownName);
    if (known !== NO_ENTRY && known !== leaving) {
      if (known !== found) return KERN_RIGHT_EXISTS;
      const send = right === PORT_SEND && (space.typeAt(known) & TYPE_SEND) !== 0;
      const full = space.referencesAt(known) >= USER_REFERENCES_MAX - 1;
      return send && full ? KERN_UREFS_OVERFLOW : KERN_SUCCESS;
    }
  }
  if (taken) return KERN_NAME_EXISTS;
  return leaving === NO_ENTRY && !space.hasRoom ? KERN_NO_SPACE : KERN_SUCCESS;
};

/** The same, after checkInsert() has found nothing against it. */
export const insertChecked = (
  space: Space,
  name: PortName,
  port: Port,
  right: CarriedRight,
): void => {
  if (right === PORT_SEND_ONCE) space.insertAs(name, port, TYPE_SEND_ONCE, 1);
  else if (space.nameOf(port) !== MACH_PORT_NULL) space.copyoutRight(port, right);
  else if (right === PORT_SEND) space.insertAs(name, port, TYPE_SEND, 1);
  else space.insertReceiveAs(name, port);
};

/** mach_port_extract_right: takes a right out of the space as a message would; `out.right` is its port, and
 *  `out.value` which right it is. KERN_INVALID_VALUE, KERN_INVALID_NAME, KERN_INVALID_RIGHT. */
export const portExtractRight = (
  ipc: IpcContext,
  space: Space,
  name: PortName,
  disposition: number,
  out: Out,
): number => {
  if (!isPortDisposition(disposition)) return KERN_INVALID_VALUE;
  const status = space.copyinRight(name, disposition);
  if (status !== KERN_SUCCESS) return status;
  out.right = space.copied;
  out.value = carriedRight(disposition);
  notifyDetached(ipc, space);
  return KERN_SUCCESS;
};

// --- notification requests --------------------------------------------------------------------------

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
  if (notify === null || port.sendRights > 0 || port.sendsAbroad) return KERN_SUCCESS;
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

/** Releases everything a dying task has (CMU ipc/ipc_space.c, ipc_space_destroy). */
export const destroySpace = (ipc: IpcContext, space: Space): void => {
  space.active = false;
  for (const name of [...space.names()]) {
    // Destroying one right can only take others of this space away, never add.
    if (space.find(name) !== NO_ENTRY) portDestroy(ipc, space, name);
  }
  const { kernelTask } = space;
  space.kernelTask = null;
  kernelTask?.spaceDestroyed();
};
