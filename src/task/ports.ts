// task.ports: the mach_port calls on the task's own name space (Mach 3.0 mach_port.defs). They go straight
// to the kernel instead of by a message to the task's kernel port, and so are synchronous.
// Each failure is a MachError with Mach's code.

import {
  KERN_INVALID_CAPABILITY,
  KERN_INVALID_NAME,
  KERN_INVALID_RIGHT,
  KERN_INVALID_TASK,
  KERN_INVALID_VALUE,
  KERN_NAME_EXISTS,
  KERN_NO_SPACE,
  KERN_SUCCESS,
} from "../base/status.ts";
import { makeOut, type Out } from "../ipc/call-out.ts";
import type { IpcContext } from "../ipc/context.ts";
import { copyoutRight } from "../ipc/copyout.ts";
import { checkInsert, insertChecked, portExtractRight } from "../ipc/mach-port-insert.ts";
import {
  portAllocate,
  portAllocateName,
  portDeallocate,
  portDestroy,
  portGetRefs,
  portModRefs,
  portRename,
  portType,
} from "../ipc/mach-port-names.ts";
import { portRequestNotification } from "../ipc/mach-port-notify.ts";
import {
  portGetReceiveStatus,
  portGetSetStatus,
  portMoveMember,
  portSetMscount,
  portSetQlimit,
  portSetSeqno,
  type ReceiveStatus,
} from "../ipc/mach-port-receive.ts";
import { NO_ENTRY } from "../ipc/name-table.ts";
import { notifyDetached } from "../ipc/notifications.ts";
import type { Port } from "../ipc/port.ts";
import {
  type CarriedRight,
  COPY_SEND,
  carriedRight,
  type Disposition,
  isPortDisposition,
  MACH_PORT_DEAD,
  MACH_PORT_NULL,
  MAKE_SEND_ONCE,
  MOVE_RECEIVE,
  MOVE_SEND,
  MOVE_SEND_ONCE,
  PORT_SEND_ONCE,
  type PortName,
  RIGHT_DEAD_NAME,
  RIGHT_PORT_SET,
  RIGHT_RECEIVE,
  type Right,
  TYPE_DEAD_NAME,
  TYPE_RECEIVE,
  TYPE_SEND,
  TYPE_SEND_ONCE,
} from "../ipc/rights.ts";
import type { Space } from "../ipc/space.ts";
import { MachError } from "./mach-error.ts";

/** What mach_port_allocate can make. */
export type Allocatable = "receive" | "port-set" | "dead-name";

const RIGHTS: Readonly<Record<string, number>> = {
  receive: RIGHT_RECEIVE,
  "port-set": RIGHT_PORT_SET,
  "dead-name": RIGHT_DEAD_NAME,
};

export class Ports {
  readonly #ipc: IpcContext;
  readonly #space: Space;
  readonly #out: Out = makeOut();

  constructor(ipc: IpcContext, space: Space) {
    this.#ipc = ipc;
    this.#space = space;
  }

  /** A new port's receive right, a new port set, or a dead name. KERN_INVALID_VALUE, KERN_NO_SPACE. */
  allocate(right: Allocatable = "receive"): PortName {
    const status = portAllocate(this.#ipc, this.#space, RIGHTS[right] ?? -1, this.#out);
    this.#check(status, () => `right is ${right}`);
    return this.#out.value;
  }

  /** The same under a name of the task's choice. KERN_INVALID_VALUE, KERN_NAME_EXISTS, KERN_NO_SPACE. */
  allocateName(name: PortName, right: Allocatable = "receive"): void {
    const status = portAllocateName(this.#ipc, this.#space, RIGHTS[right] ?? -1, toName(name));
    this.#check(status, () => `right is ${right}, name ${hex(name)}`);
  }

  /** Gives what is under a name another one. KERN_INVALID_VALUE, KERN_INVALID_NAME, KERN_NAME_EXISTS. */
  rename(old: PortName, name: PortName): void {
    const status = portRename(this.#space, old, toName(name));
    this.#check(status, () => `old name ${hex(old)}, new name ${hex(name)}`);
  }

  /** All names of this task. */
  names(): PortName[] {
    return [...this.#space.names()];
  }

  /** Type bits of a name (TYPE_SEND, TYPE_RECEIVE, ..., TYPE_DNREQUEST). KERN_INVALID_NAME. */
  type(name: PortName): number {
    this.#check(portType(this.#space, name, this.#out), () => naming(name));
    return this.#out.value;
  }

  /** Releases all rights under a name. KERN_INVALID_NAME. */
  destroy(name: PortName): void {
    this.#check(portDestroy(this.#ipc, this.#space, name), () => naming(name));
  }

  /** Drops one reference of a send right, send-once right or dead name. KERN_INVALID_NAME,
   *  KERN_INVALID_RIGHT. */
  deallocate(name: PortName): void {
    const status = portDeallocate(this.#ipc, this.#space, name);
    this.#check(status, () => `${naming(name)}; a receive right or a set is not deallocated`);
  }

  /** User references that a name has for one kind of right; 0 if it lacks it. */
  getRefs(name: PortName, right: Right): number {
    const status = portGetRefs(this.#space, name, right, this.#out);
    this.#check(status, () => `${naming(name)}, right is ${right}`);
    return this.#out.value;
  }

  /** Changes the references of one right under a name. Receive, set and send-once: 0 or -1.
   *  KERN_INVALID_VALUE, KERN_INVALID_NAME, KERN_INVALID_RIGHT, KERN_UREFS_OVERFLOW. */
  modRefs(name: PortName, right: Right, delta: number): void {
    const status = portModRefs(this.#ipc, this.#space, name, right, delta);
    this.#check(status, () => `${naming(name)}, right is ${right}, delta is ${delta}`);
  }

  /** Puts a right made from `from`, a name of this task, under `name`. With the task's own receive right:
   *  insertRight(name, name, MAKE_SEND) adds a send right to it. KERN_INVALID_VALUE, KERN_INVALID_NAME,
   *  KERN_INVALID_RIGHT, KERN_INVALID_CAPABILITY, KERN_NAME_EXISTS, KERN_RIGHT_EXISTS,
   *  KERN_UREFS_OVERFLOW; nothing has changed then. */
  insertRight(name: PortName, from: PortName, disposition: Disposition): void {
    const status = this.#insert(toName(name), from, disposition);
    this.#check(
      status,
      () => `name ${hex(name)}, from ${hex(from)}, disposition is ${disposition}`,
    );
  }

  #insert(name: PortName, from: PortName, disposition: number): number {
    const space = this.#space;
    if (name === MACH_PORT_NULL || name === MACH_PORT_DEAD) return KERN_INVALID_VALUE;
    if (!isPortDisposition(disposition)) return KERN_INVALID_VALUE;
    if (from === MACH_PORT_NULL || from === MACH_PORT_DEAD) return KERN_INVALID_CAPABILITY;
    const index = space.find(from);
    if (index === NO_ENTRY) return KERN_INVALID_NAME;
    const port = space.portAt(index);
    if (space.typeAt(index) === TYPE_DEAD_NAME) return KERN_INVALID_CAPABILITY;
    if (port === null || !this.#canTake(index, disposition)) return KERN_INVALID_RIGHT;
    const right = carriedRight(disposition);
    const merges = disposition === MOVE_SEND && name === from; // out of a name and into it again
    const leaving = merges || this.#leaves(index, disposition) ? index : NO_ENTRY;
    const status = checkInsert(space, name, port, right, leaving);
    if (status !== KERN_SUCCESS || merges) return status;
    // --- committed: taking it and putting it in cannot fail any more ---
    space.copyinEntry(index, disposition);
    insertChecked(space, name, port, right);
    notifyDetached(this.#ipc, space);
    return KERN_SUCCESS;
  }

  #canTake(index: number, disposition: number): boolean {
    const type = this.#space.typeAt(index);
    if (disposition === COPY_SEND || disposition === MOVE_SEND) return (type & TYPE_SEND) !== 0;
    if (disposition === MOVE_SEND_ONCE) return type === TYPE_SEND_ONCE;
    return (type & TYPE_RECEIVE) !== 0;
  }

  /** True if the entry goes when the disposition is used on it. */
  #leaves(index: number, disposition: number): boolean {
    const type = this.#space.typeAt(index);
    if (disposition === MOVE_SEND) {
      return type === TYPE_SEND && this.#space.referencesAt(index) === 1;
    }
    if (disposition === MOVE_RECEIVE) return type === TYPE_RECEIVE;
    return disposition === MOVE_SEND_ONCE;
  }

  /** Takes a right out of this task as a message would, and gives it back to it as a message would:
   *  returns its name. KERN_INVALID_VALUE, KERN_INVALID_NAME, KERN_INVALID_RIGHT. */
  extractRight(name: PortName, disposition: Disposition): PortName {
    const out = this.#out;
    const status = portExtractRight(this.#ipc, this.#space, name, disposition, out);
    this.#check(status, () => `${naming(name)}, disposition is ${disposition}`);
    if (out.right === null) return MACH_PORT_DEAD;
    return this.#takeIn(out.right, out.value as CarriedRight);
  }

  #takeIn(port: Port, right: CarriedRight): PortName {
    const taken = copyoutRight(this.#ipc, this.#space, port, right);
    if (taken !== MACH_PORT_NULL) return taken;
    throw new MachError(KERN_NO_SPACE, "the name space is full: the right was released");
  }

  /** Sets how many messages the port queues before senders block, 0 to 16. */
  setQlimit(name: PortName, limit: number): void {
    const status = portSetQlimit(this.#ipc, this.#space, name, limit);
    this.#check(status, () => `${naming(name)}, limit is ${limit}; 0 to 16`);
  }

  /** Sets the make-send count, which no-senders notifications carry. */
  setMscount(name: PortName, count: number): void {
    this.#check(portSetMscount(this.#space, name, count), () => naming(name));
  }

  /** Sets the sequence number of the next message that is received. */
  setSeqno(name: PortName, seqno: number): void {
    this.#check(portSetSeqno(this.#space, name, seqno), () => naming(name));
  }

  getReceiveStatus(name: PortName): ReceiveStatus {
    const status = portGetReceiveStatus(this.#space, name, this.#out);
    if (status !== null) return status;
    throw this.#error(this.#out.value, `${naming(name)}; a receive right is needed`);
  }

  /** The names of a port set's members. KERN_INVALID_NAME, KERN_INVALID_RIGHT. */
  getSetStatus(name: PortName): PortName[] {
    const members = portGetSetStatus(this.#space, name, this.#out);
    if (members !== null) return members;
    throw this.#error(this.#out.value, `${naming(name)}; a port set is needed`);
  }

  /** Moves a receive right into the port set `after`, or with MACH_PORT_NULL out of the one it is in.
   *  KERN_INVALID_NAME, KERN_INVALID_RIGHT, KERN_NOT_IN_SET. */
  moveMember(member: PortName, after: PortName): void {
    const status = portMoveMember(this.#ipc, this.#space, member, after);
    this.#check(status, () => `member ${hex(member)}, after ${hex(after)}`);
  }

  /** Asks for a notification (NOTIFY_PORT_DESTROYED, NOTIFY_NO_SENDERS, NOTIFY_DEAD_NAME) about `name`, to
   *  be sent to a send-once right that is made from `notify` as `disposition` says; MACH_PORT_NULL cancels.
   *  Returns the name of the send-once right that had been registered before, or MACH_PORT_NULL.
   *  KERN_INVALID_VALUE, KERN_INVALID_NAME, KERN_INVALID_RIGHT, KERN_INVALID_CAPABILITY,
   *  KERN_INVALID_ARGUMENT, KERN_UREFS_OVERFLOW; nothing has changed then. */
  requestNotification(
    name: PortName,
    id: number,
    sync: number,
    notify: PortName,
    disposition: Disposition = MAKE_SEND_ONCE,
  ): PortName {
    const describe = (): string => `${naming(name)}, id is ${id}, notify ${hex(notify)}`;
    const space = this.#space;
    const right = this.#notifyRight(notify, disposition, describe);
    const out = this.#out;
    const status = portRequestNotification(this.#ipc, space, name, id, sync, right, out);
    if (status !== KERN_SUCCESS && right !== null) this.#putBack(right, notify, disposition);
    notifyDetached(this.#ipc, space);
    this.#check(status, describe);
    return out.right === null ? MACH_PORT_NULL : this.#takeIn(out.right, PORT_SEND_ONCE);
  }

  #notifyRight(notify: PortName, disposition: number, describe: () => string): Port | null {
    if (notify === MACH_PORT_NULL) return null;
    if (disposition !== MAKE_SEND_ONCE && disposition !== MOVE_SEND_ONCE) {
      throw this.#error(KERN_INVALID_VALUE, `disposition is ${disposition}; 18 or 21`);
    }
    const index = this.#space.find(notify);
    const dead = index !== NO_ENTRY && this.#space.portAt(index) === null;
    if (notify === MACH_PORT_DEAD || dead) throw this.#error(KERN_INVALID_CAPABILITY, describe());
    this.#check(this.#space.copyinRight(notify, disposition), describe);
    return this.#space.copied;
  }

  /** Undoes #notifyRight(). A send-once right that was moved gets its name back. */
  #putBack(port: Port, notify: PortName, disposition: number): void {
    if (disposition === MAKE_SEND_ONCE) port.sendOnceRights -= 1;
    else this.#space.insertAs(notify, port, TYPE_SEND_ONCE, 1);
  }

  #check(status: number, describe: () => string): void {
    if (status !== KERN_SUCCESS) throw this.#error(status, describe());
  }

  #error(status: number, what: string): MachError {
    return new MachError(status, `${what}${REASONS[status] ?? ""}`);
  }
}

const REASONS: Readonly<Record<number, string>> = {
  [KERN_INVALID_NAME]: ": a name denotes no right of this task",
  [KERN_INVALID_RIGHT]: ": a name denotes rights of another kind",
  [KERN_INVALID_CAPABILITY]: ": there is no right, or a dead one",
  [KERN_NAME_EXISTS]: ": the name denotes something else",
  [KERN_NO_SPACE]: ": the name space is full",
};

/** What program code still does after its task has ended must make no rights. */
export const checkLive = (space: Space): void => {
  if (!space.active) throw new MachError(KERN_INVALID_TASK, "the task has ended");
};

const toName = (name: PortName): PortName => name >>> 0;

const hex = (name: PortName): string => (name === MACH_PORT_NULL ? "0" : `0x${name.toString(16)}`);

const naming = (name: PortName): string => `name ${hex(name)}`;
