// The mach_port calls on names and their references (CMU ipc/mach_port.c): allocate, allocate_name, rename,
// type, destroy, deallocate, get_refs, mod_refs; and the end of a whole space.
// Every function takes the space, which may be another task's than the caller's, and returns a
// kern_return_t; what it returns besides is left in its `out` argument. Rights that a call is given or
// gives away are Port references that count as held by the caller. task/ports.ts is the API over these;
// node/task-server.ts serves them to other tasks.

import { USER_REFERENCES_MAX } from "../base/limits.ts";
import {
  KERN_INVALID_NAME,
  KERN_INVALID_RIGHT,
  KERN_INVALID_TASK,
  KERN_INVALID_VALUE,
  KERN_NAME_EXISTS,
  KERN_NO_SPACE,
  KERN_SUCCESS,
  KERN_UREFS_OVERFLOW,
} from "../base/status.ts";
import type { Out } from "./call-out.ts";
import type { IpcContext } from "./context.ts";
import { NO_ENTRY } from "./name-table.ts";
import { notifyDetached } from "./notifications.ts";
import { PORT_IN_SPACE, type Port } from "./port.ts";
import { releaseRight } from "./release.ts";
import {
  MACH_PORT_DEAD,
  MACH_PORT_NULL,
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
import type { Space } from "./space.ts";

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

export const isOrdinaryName = (name: PortName): boolean =>
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
  ipc.transfer.taskEnded(space.memory);
  space.memory.destroy();
};
