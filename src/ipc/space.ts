// A task's name space: what rights it has, under which names (name-table.ts). An entry holds the port, the
// type bits of the rights under its name, and user references.
//
// I-7: a task has one name for the send and receive rights of a port; each send-once right its own.
//      Receive: port.space and port.name say it. Send without receive: `sendEntries` says it.
// A send right under a name is one of port.sendRights however many user references it has.

import { assert } from "../base/assert.ts";
import { SPACE_ENTRIES_MAX, USER_REFERENCES_MAX } from "../base/limits.ts";
import {
  KERN_INVALID_NAME,
  KERN_INVALID_RIGHT,
  KERN_SUCCESS,
  MACH_RCV_PORT_DIED,
} from "../base/status.ts";
import type { TaskMemory } from "../vm/task-memory.ts";
import type { AcceptRequest } from "./accept-request.ts";
import { DeadNameRequest } from "./dead-name-request.ts";
import { IndexMap } from "./index-map.ts";
import { indexOfNew, NameTable, NO_ENTRY } from "./name-table.ts";
import {
  enterPortState,
  PORT_IN_SPACE,
  PORT_IN_TRANSIT,
  type Port,
  type PortTable,
} from "./port.ts";
import { destroySet, leaveSet, PortSet } from "./port-set.ts";
import {
  type CarriedRight,
  COPY_SEND,
  MACH_PORT_NULL,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MOVE_RECEIVE,
  MOVE_SEND,
  MOVE_SEND_ONCE,
  PORT_RECEIVE,
  PORT_SEND,
  PORT_SEND_ONCE,
  type PortName,
  TYPE_DEAD_NAME,
  TYPE_PORT_SET,
  TYPE_RECEIVE,
  TYPE_SEND,
  TYPE_SEND_ONCE,
} from "./rights.ts";
import { completeReceivers } from "./waits.ts";

/** A name with a dead-name request that has gone away: its port-deleted notification is to be sent. */
export interface Detached {
  readonly name: PortName;
  /** Holds a send-once right to it. */
  readonly notify: Port;
}

/** What hangs on a task's space in the kernel and goes with it. */
export interface KernelTaskRecord {
  spaceDestroyed(): void;
}

export class Space extends NameTable {
  /** False once the task is dead: nothing may be copied in or out any more. */
  active = true;
  private readonly requests: (DeadNameRequest | null)[] = [null];
  private readonly sets = new Map<number, PortSet>();
  /** Send rights whose name has a forced message outstanding (MACH_SEND_NOTIFY). */
  private readonly accepts = new Map<number, AcceptRequest>();
  /** Of the ports that the space has send rights for and not the receive right: their entries. */
  private readonly sendEntries = new IndexMap();
  private readonly table: PortTable;
  /** The kernel's record of the task, once somebody has asked for its kernel port. */
  kernelTask: KernelTaskRecord | null = null;
  /** Where out-of-line data comes from and goes to. */
  readonly memory: TaskMemory;
  /** Whoever makes names go away sends these notifications when all else is done. */
  readonly detached: Detached[] = [];

  /** The port of the right that copyinRight() took last; null if it was dead. */
  copied: Port | null = null;

  /** `table`: the node's ports. `memory`: the task's. `entriesMax`: names that the space can have. */
  constructor(table: PortTable, memory: TaskMemory, entriesMax = SPACE_ENTRIES_MAX) {
    super(entriesMax);
    this.table = table;
    this.memory = memory;
  }

  /** The port set of an entry of that type. */
  setAt(index: number): PortSet {
    const set = this.sets.get(index);
    assert(set !== undefined, "the entry is a port set");
    return set;
  }

  /** The name under which this space has send or receive rights for `port`, or MACH_PORT_NULL. */
  nameOf(port: Port): PortName {
    if (port.space === this) return port.name;
    const index = this.sendEntries.get(port.index, NO_ENTRY);
    return index === NO_ENTRY ? MACH_PORT_NULL : this.nameAt(index);
  }

  /** A new name for one right; MACH_PORT_NULL when the name space is full (KERN_NO_SPACE). */
  insert(port: Port | null, type: number, references: number): PortName {
    const name = this.take(port, type, references);
    if (name === MACH_PORT_NULL) return name;
    if (indexOfNew(name) === this.requests.length) this.requests.push(null);
    if (type === TYPE_SEND) this.sendEntries.set(port!.index, indexOfNew(name));
    return name;
  }

  /** The same under a name of the task's choice, which nothing has; false when the space is full. */
  insertAs(name: PortName, port: Port | null, type: number, references: number): boolean {
    assert(this.find(name) === NO_ENTRY, "the name is free");
    const made = this.insert(port, type, references);
    if (made === MACH_PORT_NULL) return false;
    this.rename(indexOfNew(made), name);
    return true;
  }

  /** Gives an entry a name of the task's choice; rights, references and requests stay. */
  rename(index: number, name: PortName): void {
    this.giveAlias(index, name);
    const port = this.ports[index]!;
    if (this.types[index] === TYPE_PORT_SET) this.setAt(index).name = name;
    else if (port !== null && (this.types[index]! & TYPE_RECEIVE) !== 0) port.name = name;
    const request = this.requests[index]!;
    if (request !== null) request.name = name;
  }

  /** A new, empty port set; MACH_PORT_NULL when the space is full. */
  insertSet(): PortName {
    const name = this.insert(null, TYPE_PORT_SET, 0);
    if (name !== MACH_PORT_NULL) this.sets.set(indexOfNew(name), new PortSet(name));
    return name;
  }

  /** The same under a name of the task's choice. */
  insertSetAs(name: PortName): boolean {
    const made = this.insertSet();
    if (made === MACH_PORT_NULL) return false;
    this.rename(indexOfNew(made), name);
    return true;
  }

  /** The send right that this space has under a name is one to `to` from now on; the counts are the
   *  caller's business. */
  rebind(from: Port, to: Port): void {
    const index = this.sendEntries.get(from.index, NO_ENTRY);
    if (index === NO_ENTRY) return;
    this.sendEntries.delete(from.index);
    this.sendEntries.set(to.index, index);
    this.ports[index] = to;
  }

  /** Destroys the set; its members stay. */
  removeSet(index: number): void {
    destroySet(this.setAt(index));
    this.release(index);
  }

  // --- requests ---------------------------------------------------------------------------------

  requestAt(index: number): DeadNameRequest | null {
    return this.requests[index]!;
  }

  /** Puts a dead-name request on an entry that has a port; `notify` holds a send-once right. */
  setRequest(index: number, notify: Port): void {
    assert(this.requests[index] === null);
    this.requests[index] = new DeadNameRequest(this.ports[index]!, this.nameAt(index), notify);
  }

  /** Takes the request off; the caller gets its send-once right. */
  takeRequest(index: number): Port | null {
    const request = this.requests[index]!;
    if (request === null) return null;
    this.requests[index] = null;
    return request.withdraw() ? request.notify : null;
  }

  acceptAt(index: number): AcceptRequest | null {
    return this.accepts.get(index) ?? null;
  }

  setAccept(index: number, request: AcceptRequest): void {
    this.accepts.set(index, request);
  }

  /** The message of the request was taken: the name may force another one. Returns the name, or
   *  MACH_PORT_NULL if it has gone away meanwhile. */
  clearAccept(request: AcceptRequest): PortName {
    for (const [index, held] of this.accepts) {
      if (held !== request) continue;
      this.accepts.delete(index);
      return this.nameAt(index);
    }
    return MACH_PORT_NULL;
  }

  // --- rights -----------------------------------------------------------------------------------

  /** Makes `port`'s receive right this space's, merged with a send right it may have. */
  insertReceive(port: Port): PortName {
    const index = this.sendEntries.get(port.index, NO_ENTRY);
    if (index === NO_ENTRY) {
      const name = this.insert(port, TYPE_RECEIVE, 0);
      if (name !== MACH_PORT_NULL) this.own(port, name);
      return name;
    }
    this.types[index]! |= TYPE_RECEIVE;
    this.sendEntries.delete(port.index);
    const name = this.nameAt(index);
    this.own(port, name);
    return name;
  }

  /** The same under a name of the task's choice. */
  insertReceiveAs(name: PortName, port: Port): boolean {
    if (!this.insertAs(name, port, TYPE_RECEIVE, 0)) return false;
    this.own(port, name);
    return true;
  }

  private own(port: Port, name: PortName): void {
    if (port.state !== PORT_IN_SPACE) enterPortState(port, PORT_IN_SPACE);
    port.space = this;
    port.name = name;
    port.transitTo = null;
  }

  /** Takes the receive right out of the entry and out of its set; a send right under the same name
   *  stays. Whoever waits for a message at the port gets MACH_RCV_PORT_DIED: the next ones are not this
   *  task's. */
  removeReceive(index: number): Port {
    const port = this.ports[index]!;
    assert((this.types[index]! & TYPE_RECEIVE) !== 0 && port.space === this);
    if (port.set !== null) leaveSet(port);
    completeReceivers(port.queue, MACH_RCV_PORT_DIED);
    port.space = null;
    port.name = MACH_PORT_NULL;
    if ((this.types[index]! & TYPE_SEND) !== 0) {
      this.types[index] = TYPE_SEND;
      this.sendEntries.set(port.index, index);
    } else {
      this.release(index);
    }
    return port;
  }

  /** Adds a send right that the caller holds (counted in port.sendRights) to this space.
   *  Returns its name, or MACH_PORT_NULL when the space is full and nothing has changed. */
  insertSend(port: Port): PortName {
    const name = this.nameOf(port);
    if (name === MACH_PORT_NULL) return this.insert(port, TYPE_SEND, 1);
    const index = this.find(name);
    if ((this.types[index]! & TYPE_SEND) === 0) {
      this.types[index]! |= TYPE_SEND;
      this.references[index] = 1;
    } else {
      port.sendRights -= 1; // merged: the name's own right stands for both
      // Receiving pegs the count at its maximum (Mach 3.0 ipc_right_copyout).
      if (this.references[index]! < USER_REFERENCES_MAX - 1) this.references[index]! += 1;
    }
    return name;
  }

  /** Takes a right out of this space (or makes one) as `disposition` says.
   *  KERN_SUCCESS: `copied` is its port, which counts the right; null if the name is dead.
   *  KERN_INVALID_NAME, KERN_INVALID_RIGHT: nothing has changed. */
  copyinRight(name: PortName, disposition: number): number {
    const index = this.find(name);
    if (index === NO_ENTRY) return KERN_INVALID_NAME;
    return this.copyinEntry(index, disposition);
  }

  /** The same by index, just found; never KERN_INVALID_NAME. */
  copyinEntry(index: number, disposition: number): number {
    const type = this.types[index]!;
    const port = this.ports[index]!;
    switch (disposition) {
      case COPY_SEND:
        if ((type & TYPE_SEND) === 0) return this.copyinDead(index, type, false);
        port!.sendRights += 1;
        break;
      case MAKE_SEND_ONCE:
        if ((type & TYPE_RECEIVE) === 0) return KERN_INVALID_RIGHT;
        port!.sendOnceRights += 1;
        break;
      case MAKE_SEND:
        if ((type & TYPE_RECEIVE) === 0) return KERN_INVALID_RIGHT;
        port!.makeSendCount += 1;
        port!.sendRights += 1;
        break;
      case MOVE_SEND_ONCE:
        if (type !== TYPE_SEND_ONCE) return this.copyinDead(index, type, true);
        this.release(index);
        break;
      case MOVE_SEND:
        if ((type & TYPE_SEND) === 0) return this.copyinDead(index, type, true);
        this.moveSend(index, port!);
        break;
      case MOVE_RECEIVE:
        if ((type & TYPE_RECEIVE) === 0) return KERN_INVALID_RIGHT;
        this.removeReceive(index);
        enterPortState(port!, PORT_IN_TRANSIT);
        port!.makeSendCount = 0;
        port!.sequence = 0;
        break;
      default:
        return KERN_INVALID_RIGHT;
    }
    this.copied = port;
    return KERN_SUCCESS;
  }

  /** The name's last user reference takes the right along; an earlier one leaves it a copy. */
  private moveSend(index: number, port: Port): void {
    if (this.references[index]! > 1) {
      this.references[index]! -= 1;
      port.sendRights += 1;
      return;
    }
    this.removeSend(index);
  }

  /** Takes the send right out of the entry without changing the port's count. */
  private removeSend(index: number): void {
    this.references[index] = 0;
    if ((this.types[index]! & TYPE_RECEIVE) !== 0) {
      this.types[index] = TYPE_RECEIVE;
      return;
    }
    this.release(index);
  }

  private copyinDead(index: number, type: number, consume: boolean): number {
    if (type !== TYPE_DEAD_NAME) return KERN_INVALID_RIGHT;
    if (consume) this.dropReference(index);
    this.copied = null;
    return KERN_SUCCESS;
  }

  /** Gives a right held by the caller to this space. Returns its name, or MACH_PORT_NULL when the
   *  space is full: the caller still holds the right. */
  copyoutRight(port: Port, right: CarriedRight): PortName {
    switch (right) {
      case PORT_SEND:
        return this.insertSend(port);
      case PORT_SEND_ONCE:
        return this.insert(port, TYPE_SEND_ONCE, 1);
      case PORT_RECEIVE:
        return this.insertReceive(port);
    }
  }

  /** Drops user references of a send right. Returns the port whose right the caller must now release
   *  because the name's went with the last reference, or null. */
  dropSend(index: number, count: number): Port | null {
    const port = this.ports[index]!;
    assert((this.types[index]! & TYPE_SEND) !== 0 && count <= this.references[index]!);
    this.references[index]! -= count;
    if (this.references[index]! > 0) return null;
    this.removeSend(index);
    return port;
  }

  /** Adds user references to a send right or dead name. The caller has checked the maximum. */
  addReferences(index: number, count: number): void {
    this.references[index]! += count;
    assert(this.references[index]! <= USER_REFERENCES_MAX);
  }

  /** Drops one reference of a dead name or the send-once right; the name goes with the last. */
  dropReference(index: number): void {
    this.dropReferences(index, 1);
  }

  dropReferences(index: number, count: number): void {
    this.references[index]! -= count;
    if (this.references[index] === 0) this.release(index);
  }

  /** Forgets the entry. Rights have been moved elsewhere before. A dead-name request turns into a
   *  port-deleted notification that is due. */
  release(index: number): void {
    const port = this.ports[index]!;
    if (port !== null && this.types[index] === TYPE_SEND) this.sendEntries.delete(port.index);
    if (this.requests[index] !== null) this.detach(index);
    if (this.accepts.size > 0) this.accepts.delete(index);
    if (this.types[index] === TYPE_PORT_SET) this.sets.delete(index);
    this.free(index);
  }

  private detach(index: number): void {
    const name = this.nameAt(index);
    const notify = this.takeRequest(index);
    if (notify !== null) this.detached.push({ name, notify });
  }

  protected override becomeDeadName(index: number, port: Port): void {
    if (this.types[index] === TYPE_SEND) {
      port.sendRights -= 1;
      this.sendEntries.delete(port.index);
    } else {
      assert(this.types[index] === TYPE_SEND_ONCE, "a dead port has no receiver");
      port.sendOnceRights -= 1;
    }
    this.ports[index] = null;
    this.types[index] = TYPE_DEAD_NAME;
    // The dead-name notification has been sent: its name stands for a reference.
    if (this.requests[index] !== null) {
      this.requests[index] = null;
      this.references[index]! += 1;
    }
    this.table.collectIfGone(port);
  }
}
