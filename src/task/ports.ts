// task.ports: the mach_port_* calls on the task's own name space (MACH 3.0 mach_port.defs).
// Present: allocate, names, type, destroy, deallocate, getRefs, modRefs (send and receive),
// insertRight, setQlimit, getReceiveStatus. Each failure is a MachError with Mach's code.

import { PORT_QUEUE_LIMIT_MAX, USER_REFERENCES_MAX } from "../base/limits.ts";
import {
  KERN_INVALID_CAPABILITY,
  KERN_INVALID_NAME,
  KERN_INVALID_RIGHT,
  KERN_INVALID_TASK,
  KERN_INVALID_VALUE,
  KERN_NAME_EXISTS,
  KERN_NO_SPACE,
  KERN_RIGHT_EXISTS,
  KERN_SUCCESS,
  KERN_UREFS_OVERFLOW,
} from "../base/status.ts";
import type { IpcContext } from "../ipc/context.ts";
import { PORT_IN_SPACE, type Port } from "../ipc/port.ts";
import { admitSenders } from "../ipc/queueing.ts";
import { releaseRight } from "../ipc/release.ts";
import {
  COPY_SEND,
  type Disposition,
  MACH_PORT_DEAD,
  MACH_PORT_NULL,
  MAKE_SEND,
  MOVE_SEND,
  PORT_RECEIVE,
  PORT_SEND,
  PORT_SEND_ONCE,
  type PortName,
  RIGHT_DEAD_NAME,
  RIGHT_RECEIVE,
  RIGHT_SEND,
  RIGHT_SEND_ONCE,
  type Right,
  TYPE_DEAD_NAME,
  TYPE_RECEIVE,
  TYPE_SEND,
  TYPE_SEND_ONCE,
} from "../ipc/rights.ts";
import { NO_ENTRY, type Space } from "../ipc/space.ts";
import { MachError } from "./mach-error.ts";

/** What mach_port_get_receive_status tells. */
export interface ReceiveStatus {
  readonly seqno: number;
  readonly mscount: number;
  readonly qlimit: number;
  readonly msgcount: number;
  readonly sorights: number;
  readonly srights: boolean;
}

export class Ports {
  readonly #ipc: IpcContext;
  readonly #space: Space;

  constructor(ipc: IpcContext, space: Space) {
    this.#ipc = ipc;
    this.#space = space;
  }

  /** A new port's receive right, or a dead name. KERN_NO_SPACE, KERN_INVALID_TASK. */
  allocate(right: "receive" | "dead-name" = "receive"): PortName {
    checkLive(this.#space);
    if (!this.#space.hasRoom) throw new MachError(KERN_NO_SPACE, "the name space is full");
    if (right === "dead-name") return this.#space.insert(null, TYPE_DEAD_NAME, 1);
    if (right !== "receive") {
      throw new MachError(KERN_INVALID_VALUE, `right is ${right}; "receive" or "dead-name"`);
    }
    return this.#space.insertReceive(this.#ipc.ports.create(PORT_IN_SPACE));
  }

  /** All names of this task. */
  names(): PortName[] {
    return [...this.#space.names()];
  }

  /** Type bits of a name (TYPE_SEND, TYPE_RECEIVE, ...). KERN_INVALID_NAME. */
  type(name: PortName): number {
    return this.#space.typeAt(this.#find(name));
  }

  /** User references that a name has for one kind of right; 0 if it lacks it. */
  getRefs(name: PortName, right: Right): number {
    checkRight(right);
    const index = this.#find(name);
    const type = this.#space.typeAt(index);
    if ((type & (1 << (16 + right))) === 0) return 0;
    return right === RIGHT_RECEIVE ? 1 : this.#space.referencesAt(index);
  }

  /** Releases all rights under a name. */
  destroy(name: PortName): void {
    const index = this.#find(name);
    const type = this.#space.typeAt(index);
    const port = this.#space.portAt(index);
    if ((type & TYPE_SEND) !== 0) this.#dropSend(index, this.#space.referencesAt(index));
    if ((type & TYPE_RECEIVE) !== 0) this.#destroyReceive(index);
    if (type === TYPE_SEND_ONCE) this.#dropSendOnce(index, port!);
    if (type === TYPE_DEAD_NAME) this.#space.release(index);
  }

  /** Drops one reference of a send right, send-once right or dead name. */
  deallocate(name: PortName): void {
    const index = this.#find(name);
    const type = this.#space.typeAt(index);
    if ((type & TYPE_SEND) !== 0) this.#dropSend(index, 1);
    else if (type === TYPE_SEND_ONCE) this.#dropSendOnce(index, this.#space.portAt(index)!);
    else if (type === TYPE_DEAD_NAME) this.#space.dropReference(index);
    else throw new MachError(KERN_INVALID_RIGHT, `name ${hex(name)} has only a receive right`);
  }

  /** Changes the references of one right under a name. Receive and send-once: 0 or -1. */
  modRefs(name: PortName, right: Right, delta: number): void {
    checkRight(right);
    const index = this.#find(name);
    const type = this.#space.typeAt(index);
    if ((type & (1 << (16 + right))) === 0) {
      throw new MachError(KERN_INVALID_RIGHT, `name ${hex(name)} has no right of kind ${right}`);
    }
    switch (right) {
      case RIGHT_RECEIVE:
        this.#checkMinusOne(delta);
        if (delta === -1) this.#destroyReceive(index);
        return;
      case RIGHT_SEND_ONCE:
        this.#checkMinusOne(delta);
        if (delta === -1) this.#dropSendOnce(index, this.#space.portAt(index)!);
        return;
      case RIGHT_SEND:
      case RIGHT_DEAD_NAME:
        this.#modReferences(index, right, delta);
        return;
      default:
        throw new MachError(KERN_INVALID_VALUE, `right is ${right}`);
    }
  }

  /** Gives this task a right made from `from` (a name of this task) under `name`. With the task's
   *  own receive right: insertRight(name, name, MAKE_SEND) adds a send right to it. */
  insertRight(name: PortName, from: PortName, disposition: Disposition): void {
    if (name === MACH_PORT_NULL || name === MACH_PORT_DEAD) {
      throw new MachError(KERN_INVALID_VALUE, `name is ${hex(name)}, which is never one's own`);
    }
    if (from === MACH_PORT_NULL || from === MACH_PORT_DEAD) {
      throw new MachError(KERN_INVALID_CAPABILITY, `from is ${hex(from)}: no right, or a dead one`);
    }
    if (disposition !== MAKE_SEND && disposition !== COPY_SEND && disposition !== MOVE_SEND) {
      throw new MachError(KERN_INVALID_VALUE, `disposition is ${disposition}; 17, 19 or 20`);
    }
    const source = this.#space.portAt(this.#find(from));
    if (source === null) {
      throw new MachError(KERN_INVALID_CAPABILITY, `from ${hex(from)} is a dead name`);
    }
    const index = this.#space.find(name);
    if (index !== NO_ENTRY && this.#space.portAt(index) !== source) {
      throw new MachError(KERN_NAME_EXISTS, `name ${hex(name)} denotes something else`);
    }
    if (index === NO_ENTRY) {
      throw new MachError(KERN_RIGHT_EXISTS, `the task has this right as ${hex(from)}`);
    }
    if (disposition === MOVE_SEND && (this.#space.typeAt(index) & TYPE_SEND) !== 0) {
      return; // moved from this name to this name
    }
    if (this.#space.referencesAt(index) >= USER_REFERENCES_MAX - 1) {
      throw new MachError(KERN_UREFS_OVERFLOW, `name ${hex(name)} has all references it can`);
    }
    const status = this.#space.copyinRight(from, disposition);
    if (status !== KERN_SUCCESS) {
      throw new MachError(status, `name ${hex(from)} lacks the right for ${disposition}`);
    }
    this.#space.insertSend(source);
  }

  /** Sets how many messages the port queues before senders block, 0 to 16. */
  setQlimit(name: PortName, limit: number): void {
    if (!Number.isInteger(limit) || limit < 0 || limit > PORT_QUEUE_LIMIT_MAX) {
      throw new MachError(KERN_INVALID_VALUE, `limit is ${limit}; 0 to ${PORT_QUEUE_LIMIT_MAX}`);
    }
    const port = this.#receiver(name);
    port.queueLimit = limit;
    admitSenders(this.#ipc, port);
  }

  getReceiveStatus(name: PortName): ReceiveStatus {
    const port = this.#receiver(name);
    return {
      seqno: port.sequence,
      mscount: port.makeSendCount,
      qlimit: port.queueLimit,
      msgcount: port.messageCount,
      sorights: port.sendOnceRights,
      srights: port.sendRights > 0,
    };
  }

  #find(name: PortName): number {
    const index = this.#space.find(name);
    if (index === NO_ENTRY) {
      throw new MachError(KERN_INVALID_NAME, `name ${hex(name)} denotes no right of this task`);
    }
    return index;
  }

  #receiver(name: PortName): Port {
    const index = this.#find(name);
    if ((this.#space.typeAt(index) & TYPE_RECEIVE) === 0) {
      throw new MachError(KERN_INVALID_RIGHT, `name ${hex(name)} is not a receive right`);
    }
    return this.#space.portAt(index)!;
  }

  #dropSend(index: number, count: number): void {
    const gone = this.#space.dropSend(index, count);
    if (gone !== null) releaseRight(this.#ipc, gone, PORT_SEND);
  }

  #dropSendOnce(index: number, port: Port): void {
    this.#space.release(index);
    releaseRight(this.#ipc, port, PORT_SEND_ONCE);
  }

  #destroyReceive(index: number): void {
    releaseRight(this.#ipc, this.#space.removeReceive(index), PORT_RECEIVE);
  }

  #modReferences(index: number, right: Right, delta: number): void {
    const references = this.#space.referencesAt(index);
    if (!Number.isInteger(delta) || references + delta < 0) {
      throw new MachError(KERN_INVALID_VALUE, `delta is ${delta}; at least -${references}`);
    }
    // A send right stays one below, so that a dead name made of it has room for a request's reference.
    const most = right === RIGHT_SEND ? USER_REFERENCES_MAX - 1 : USER_REFERENCES_MAX;
    if (references + delta > most) {
      throw new MachError(KERN_UREFS_OVERFLOW, `${references} + ${delta} references`);
    }
    if (delta >= 0) this.#space.addReferences(index, delta);
    else if (right === RIGHT_SEND) this.#dropSend(index, -delta);
    else for (let i = 0; i < -delta; i++) this.#space.dropReference(index);
  }

  #checkMinusOne(delta: number): void {
    if (delta === 0 || delta === -1) return;
    throw new MachError(KERN_INVALID_VALUE, `delta is ${delta}; 0 or -1 for this right`);
  }
}

/** Releases everything a dying task has (CMU ipc/ipc_space.c, ipc_space_destroy). */
export const destroySpace = (ipc: IpcContext, space: Space): void => {
  space.active = false;
  const ports = new Ports(ipc, space);
  for (const name of [...space.names()]) {
    // Destroying one right can only take others of this space away, never add.
    if (space.find(name) !== NO_ENTRY) ports.destroy(name);
  }
};

/** What program code still does after its task has ended must make no rights. */
export const checkLive = (space: Space): void => {
  if (!space.active) throw new MachError(KERN_INVALID_TASK, "the task has ended");
};

const checkRight = (right: number): void => {
  if (Number.isInteger(right) && right >= RIGHT_SEND && right <= RIGHT_DEAD_NAME) return;
  throw new MachError(KERN_INVALID_VALUE, `right is ${right}; ${RIGHT_SEND} to ${RIGHT_DEAD_NAME}`);
};

const hex = (name: PortName): string => (name === MACH_PORT_NULL ? "0" : `0x${name.toString(16)}`);
