// The mach_port calls on receive rights and port sets (CMU ipc/mach_port.c): set_qlimit, set_mscount,
// set_seqno, get_receive_status, get_set_status, move_member.
// Every function takes the space, which may be another task's than the caller's, and returns a
// kern_return_t; what it returns besides is left in its `out` argument. Rights that a call is given or
// gives away are Port references that count as held by the caller. task/ports.ts is the API over these;
// node/task-server.ts serves them to other tasks.

import { PORT_QUEUE_LIMIT_MAX } from "../base/limits.ts";
import {
  KERN_INVALID_NAME,
  KERN_INVALID_RIGHT,
  KERN_INVALID_VALUE,
  KERN_NOT_IN_SET,
  KERN_SUCCESS,
} from "../base/status.ts";
import { makeOut, type Out, receiver } from "./call-out.ts";
import type { IpcContext } from "./context.ts";
import { NO_ENTRY } from "./name-table.ts";
import { joinSet, leaveSet } from "./port-set.ts";
import { admitSenders, serveReceivers } from "./queueing.ts";
import { MACH_PORT_NULL, type PortName, TYPE_PORT_SET } from "./rights.ts";
import type { Space } from "./space.ts";

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
