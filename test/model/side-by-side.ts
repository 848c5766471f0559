// The kernel's tasks and the model's, run side by side: after every call the names, types, references, sets and
// receive statuses of all tasks are the model's. Messages are in side-by-side-messages.ts.
// Every method makes one call, of arguments that its picks choose, and compares what comes back.

import { expect } from "@jest/globals";
import {
  type Disposition,
  type PortName,
  type Right,
  TYPE_DEAD_NAME,
  TYPE_DNREQUEST,
  TYPE_MAREQUEST,
  TYPE_PORT_SET,
  TYPE_RECEIVE,
  TYPE_SEND,
  TYPE_SEND_ONCE,
} from "../../src/ipc/rights.ts";
import type { Task } from "../../src/task/task.ts";
import { openDoor } from "../support/doors.ts";
import { LoneNodes } from "../support/lone-node.ts";
import {
  COPY,
  type Entry,
  IpcModel,
  MAKE,
  MAKE_ONCE,
  type ModelRight,
  type ModelTask,
  ONCE,
  RECEIVE,
  SEND,
} from "./ipc-model.ts";
import { DONE, type Kind, ModelCalls, references } from "./model-calls.ts";

/** Where tasks are, and how they are connected. */
export interface Place {
  readonly nodes: readonly number[];
  readonly loopback?: boolean;
}

export const DISPOSITIONS = [SEND, ONCE, COPY, MAKE, MAKE_ONCE, RECEIVE] as const;
const KINDS: readonly Kind[] = ["receive", "receive", "port-set", "dead-name"];
const RIGHTS = [0, 1, 2, 3, 4] as const;

/** Numbers that choose the arguments of a call. */
export class Picks {
  private readonly numbers: readonly number[];
  private at = 0;

  constructor(numbers: readonly number[]) {
    this.numbers = numbers;
  }

  below(limit: number): number {
    const number = this.numbers[this.at++ % this.numbers.length]!;
    return (number + this.at) % limit;
  }

  one<T>(of: readonly T[]): T {
    return of[this.below(of.length)]!;
  }
}

export class SideBySide {
  readonly nodes: LoneNodes;
  readonly tasks: Task[];
  readonly model: IpcModel;
  readonly calls: ModelCalls;
  readonly loopback: boolean;
  /** The calls so far, in words. */
  readonly log: string[] = [];
  private readonly place: Place;

  constructor(place: Place) {
    this.place = place;
    this.loopback = place.loopback ?? false;
    const dimension = Math.ceil(Math.log2(1 + Math.max(...place.nodes)));
    this.nodes = new LoneNodes({ dimension, kernel: { loopback: this.loopback } });
    this.tasks = place.nodes.map((node) => this.nodes.task(node));
    this.model = new IpcModel(place.nodes, !this.travels);
    this.calls = new ModelCalls(this.model);
  }

  /** Messages of one task reach another's through the network. */
  get travels(): boolean {
    return this.loopback || this.place.nodes.some((node) => node !== this.place.nodes[0]);
  }

  /** Gives each task a send right for a port of the next. */
  async introduce(): Promise<void> {
    const { tasks, model } = this;
    for (const [i, from] of tasks.entries()) {
      const next = (i + 1) % tasks.length;
      if (next === i) break;
      const door = await openDoor(this.nodes, from, tasks[next]!);
      this.calls.allocate(model.tasks[next]!, door.receive, "receive");
      const port = model.tasks[next]!.find(door.receive)!.port!;
      model.tasks[i]!.add({ name: door.send, port, send: 1 });
      port.mscount = 1;
      port.abroad = from.node !== tasks[next]!.node || this.loopback;
    }
    // The tasks' ports for replies of the name server take part in nothing.
    for (const [i, task] of tasks.entries()) {
      for (const name of task.ports.names()) {
        if (model.tasks[i]!.find(name) === undefined) task.ports.destroy(name);
      }
    }
    for (const [i, task] of tasks.entries()) this.furnish(task, model.tasks[i]!);
    await this.nodes.quiet();
  }

  /** Two ports with send rights and a set: something to begin with. */
  private furnish(task: Task, model: ModelTask): void {
    for (const kind of ["receive", "receive", "port-set"] as const) {
      const name = task.ports.allocate(kind);
      this.calls.allocate(model, name, kind);
      if (kind !== "receive") continue;
      task.ports.insertRight(name, name, MAKE);
      this.calls.insertRight(model, name, model.find(name)!, MAKE);
    }
  }

  // --- calls --------------------------------------------------------------------------------------

  note(task: Task, call: string, ...values: readonly unknown[]): void {
    const shown = values.map((value) =>
      typeof value === "number" && value > 99 ? value.toString(16) : String(value),
    );
    this.log.push(`${task.id} ${call} ${shown.join(" ")}`);
  }

  /** Any entry, mostly one that has what is wanted. */
  pickEntry(model: ModelTask, picks: Picks, wanted: (entry: Entry) => boolean): Entry | undefined {
    const fitting = model.entries.filter(wanted);
    const from = fitting.length === 0 || picks.below(8) === 0 ? model.entries : fitting;
    return from.length === 0 ? undefined : picks.one(from);
  }

  /** A name of the task's choice; mostly nothing has it. */
  private pickName(model: ModelTask, picks: Picks): PortName {
    if (picks.below(4) === 0 && model.entries.length > 0) return picks.one(model.entries).name;
    return picks.one([0x100, 0x101, 0x7001, 0x12345678, 0xfffffffe]) + picks.below(3) * 0x100;
  }

  allocate(task: Task, model: ModelTask, picks: Picks): void {
    const kind = picks.one(KINDS);
    if (picks.below(3) > 0) {
      this.note(task, "allocate", kind);
      expect(this.calls.allocate(model, task.ports.allocate(kind), kind)).toBe(DONE);
      return;
    }
    const name = this.pickName(model, picks) >>> 0;
    if (name === 0xffffffff || name < 0x100) return;
    this.note(task, "allocateName", name, kind);
    const code = attempt(() => task.ports.allocateName(name, kind));
    expect(code).toBe(this.calls.allocate(model, name, kind));
  }

  rename(task: Task, model: ModelTask, picks: Picks): void {
    const entry = this.pickEntry(model, picks, () => true);
    const name = this.pickName(model, picks) >>> 0;
    if (entry === undefined || name === 0xffffffff || name < 0x100) return;
    this.note(task, "rename", entry.name, name);
    const code = attempt(() => task.ports.rename(entry.name, name));
    expect(code).toBe(this.calls.rename(model, entry, name));
  }

  insert(task: Task, model: ModelTask, picks: Picks): void {
    const from = this.pickEntry(model, picks, ({ receive }) => receive);
    if (from === undefined || from.set !== null) return;
    const usual = from.receive ? MAKE : from.once ? ONCE : COPY;
    const disposition = picks.below(2) === 0 ? picks.one(DISPOSITIONS) : usual;
    const name = picks.below(2) === 0 ? from.name : this.pickName(model, picks) >>> 0;
    if (this.loopback && disposition === RECEIVE) return;
    this.note(task, "insertRight", name, from.name, disposition);
    const code = attempt(() => task.ports.insertRight(name, from.name, disposition as Disposition));
    expect(code).toBe(this.calls.insertRight(model, name, from, disposition));
  }

  extract(task: Task, model: ModelTask, picks: Picks): void {
    const from = this.pickEntry(model, picks, ({ port }) => port !== null);
    if (from === undefined) return;
    const disposition = picks.one(DISPOSITIONS);
    this.note(task, "extractRight", from.name, disposition);
    let name = 0;
    const code = attempt(() => {
      name = task.ports.extractRight(from.name, disposition as Disposition);
    });
    if (!IpcModel.canTake(from, disposition)) {
      expect(code).toBe("KERN_INVALID_RIGHT");
      return;
    }
    expect(code).toBe(DONE);
    const right = this.model.take(model, from, disposition);
    this.model.reportDeleted();
    if (right.port === null) expect(name).toBe(0xffffffff);
    else this.arrive(model, right, name);
  }

  /** A right has come under a name: the one that it should merge with, or a fresh one. */
  arrive(model: ModelTask, right: ModelRight, name: PortName): Entry {
    const known = right.right === ONCE ? undefined : model.entryOf(right.port!);
    if (known !== undefined) expect(name).toBe(known.name);
    else expect(model.find(name)).toBeUndefined();
    return this.calls.put(model, right, name);
  }

  deallocate(task: Task, model: ModelTask, picks: Picks): void {
    const entry = this.pickEntry(model, picks, ({ port, send }) => port === null || send > 0);
    if (entry === undefined) return;
    this.note(task, "deallocate", entry.name);
    const code = attempt(() => task.ports.deallocate(entry.name));
    expect(code).toBe(this.calls.deallocate(model, entry));
  }

  destroy(task: Task, model: ModelTask, picks: Picks): void {
    const entry = this.pickEntry(model, picks, () => true);
    if (entry === undefined) return;
    this.note(task, "destroy", entry.name);
    const code = attempt(() => task.ports.destroy(entry.name));
    expect(code).toBe(this.calls.destroy(model, entry));
  }

  modRefs(task: Task, model: ModelTask, picks: Picks): void {
    const entry = this.pickEntry(model, picks, () => true);
    if (entry === undefined) return;
    const has = RIGHTS.filter((right) => references(entry, right) > 0);
    const right = picks.below(4) === 0 ? picks.one(RIGHTS) : picks.one(has);
    const delta = picks.one([-1, -1, 1, 2, 0, -2, -3]);
    this.note(task, "modRefs", entry.name, right, delta);
    const code = attempt(() => task.ports.modRefs(entry.name, right as Right, delta));
    expect(code).toBe(this.calls.modRefs(model, entry, right, delta));
  }

  moveMember(task: Task, model: ModelTask, picks: Picks): void {
    const member = this.pickEntry(model, picks, ({ receive }) => receive);
    const into = this.pickEntry(model, picks, ({ set }) => set !== null);
    if (member === undefined) return;
    const after = picks.below(4) === 0 ? null : (into ?? null);
    this.note(task, "moveMember", member.name, after?.name ?? 0);
    const code = attempt(() => task.ports.moveMember(member.name, after?.name ?? 0));
    expect(code).toBe(this.calls.moveMember(member, after));
  }

  setNumber(task: Task, model: ModelTask, picks: Picks): void {
    const entry = this.pickEntry(model, picks, ({ receive }) => receive);
    if (entry === undefined) return;
    const { name, port, receive } = entry;
    const field = picks.one(["qlimit", "mscount", "seqno"] as const);
    const value = picks.one([0, 1, 2, 7, 16, 17]);
    this.note(task, `set ${field}`, name, value);
    const code = attempt(() => {
      if (field === "qlimit") task.ports.setQlimit(name, value);
      else if (field === "mscount") task.ports.setMscount(name, value);
      else task.ports.setSeqno(name, value);
    });
    const tooMuch = field === "qlimit" && value > 16;
    if (tooMuch || port === null || !receive) {
      expect(code).toBe(tooMuch ? "KERN_INVALID_VALUE" : "KERN_INVALID_RIGHT");
      return;
    }
    expect(code).toBe(DONE);
    port[field] = value;
  }

  request(task: Task, model: ModelTask, picks: Picks): void {
    const id = picks.one([69, 70, 72]);
    const entry = this.pickEntry(model, picks, ({ receive }) => receive || id === 72);
    const notify = this.pickEntry(model, picks, ({ receive }) => receive);
    if (entry === undefined || notify === undefined || notify.set !== null) return;
    // A receive right would be mailed to the other's node; here they stay on theirs.
    const isFar = notify.port !== null && notify.port.home !== entry.port?.home;
    if (id === 69 && (this.loopback || isFar)) return;
    const sync = picks.one([0, 0, 1, 2]);
    const cancels = picks.below(5) === 0;
    const disposition = notify.once && notify.deadName === null ? ONCE : MAKE_ONCE;
    this.note(task, "request", entry.name, id, sync, cancels ? 0 : notify.name, disposition);
    let name = 0;
    const code = attempt(() => {
      const to = cancels ? 0 : notify.name;
      name = task.ports.requestNotification(entry.name, id, sync, to, disposition);
    });
    if (!cancels && notify.port === null) return void expect(code).toBe("KERN_INVALID_CAPABILITY");
    if (!cancels && !IpcModel.canTake(notify, disposition)) {
      return void expect(code).toBe("KERN_INVALID_RIGHT");
    }
    // A send-once right that is about itself has gone by then.
    const gone = !cancels && disposition === ONCE && notify === entry;
    if (gone) {
      const first = id === 69 && sync !== 0 ? "KERN_INVALID_VALUE" : "KERN_INVALID_NAME";
      return void expect(code).toBe(first);
    }
    const to = cancels ? null : notify.port;
    const { code: expected, previous } = this.calls.request(entry, id, sync, to);
    expect(code).toBe(expected);
    if (code !== DONE) return;
    if (to !== null && disposition === ONCE) this.model.take(model, notify, ONCE);
    this.model.reportDeleted();
    if (previous === null) expect(name).toBe(0);
    else if (!previous.alive) expect(name).toBe(0xffffffff);
    else this.arrive(model, { right: ONCE, port: previous }, name);
  }

  kill(task: Task, model: ModelTask): void {
    if (this.model.tasks.filter(({ alive }) => alive).length === 1) return;
    this.note(task, "ends");
    const names = task.ports.names();
    this.nodes.end(task);
    this.calls.kill(model, names);
  }

  // --- what both have -----------------------------------------------------------------------------

  /** The kernel's tasks have what the model says, name by name. */
  check(): void {
    const has: string[] = [];
    const should: string[] = [];
    for (const [i, task] of this.tasks.entries()) {
      const model = this.model.tasks[i]!;
      for (const entry of model.entries) should.push(`${i} ${this.modelEntry(model, entry)}`);
      for (const name of task.ports.names()) has.push(`${i} ${kernelEntry(task, name)}`);
    }
    expect(has.sort()).toEqual(should.sort());
  }

  private modelEntry(model: ModelTask, entry: Entry): string {
    const { name, port, send, receive, once, dead, set } = entry;
    const type =
      (send > 0 ? TYPE_SEND : 0) |
      (receive ? TYPE_RECEIVE : 0) |
      (once ? TYPE_SEND_ONCE : 0) |
      (set !== null ? TYPE_PORT_SET : 0) |
      (dead > 0 ? TYPE_DEAD_NAME : 0) |
      (entry.deadName !== null ? TYPE_DNREQUEST : 0) |
      (entry.forced !== null ? TYPE_MAREQUEST : 0);
    const counts = RIGHTS.map((right) => (right === 2 && once ? 1 : references(entry, right)));
    const nameOf = (of: unknown): PortName =>
      model.entries.find((one) => one.set === of || (one.receive && one.port === of))!.name;
    const members = set === null ? [] : [...set.members].map(nameOf).sort();
    const shown = describe(name, type >>> 0, counts, members);
    if (!receive || port === null) return shown;
    return `${shown} ${JSON.stringify({
      pset: port.set === null ? 0 : nameOf(port.set),
      seqno: port.seqno,
      mscount: port.mscount,
      qlimit: port.qlimit,
      msgcount: port.queue.length,
      sorights: this.model.onceCount(port),
      srights: port.abroad || this.model.hasSend(port),
      pdrequest: port.destroyed !== null,
      nsrequest: port.noSenders !== null,
    })}`;
  }
}

const kernelEntry = (task: Task, name: PortName): string => {
  const type = task.ports.type(name);
  const counts = RIGHTS.map((right) => task.ports.getRefs(name, right));
  const members = (type & TYPE_PORT_SET) === 0 ? [] : task.ports.getSetStatus(name).sort();
  const shown = describe(name, type, counts, members);
  if ((type & TYPE_RECEIVE) === 0) return shown;
  return `${shown} ${JSON.stringify(task.ports.getReceiveStatus(name))}`;
};

const describe = (name: number, type: number, counts: number[], members: number[]): string =>
  `name ${name.toString(16)} type ${type.toString(16)} references ${counts} members ${members}`;

export const attempt = (call: () => void): string => {
  try {
    call();
    return DONE;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === undefined) throw error;
    return code;
  }
};
