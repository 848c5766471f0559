// Sending and receiving, the kernel's task and the model's side by side.

import { expect } from "@jest/globals";
import { Message } from "../../src/ipc/message.ts";
import {
  type Disposition,
  MACH_PORT_DEAD,
  MACH_PORT_NULL,
  type PortName,
} from "../../src/ipc/rights.ts";
import type { ReceiveOptions, SendOptions } from "../../src/task/call-options.ts";
import type { MachError } from "../../src/task/mach-error.ts";
import type { Task } from "../../src/task/task.ts";
import {
  COPY,
  carried,
  type Entry,
  IpcModel,
  MAKE,
  type ModelItem,
  type ModelMessage,
  type ModelPort,
  type ModelRight,
  type ModelTask,
  ONCE,
  RECEIVE,
  SEND,
} from "./ipc-model.ts";
import { DONE } from "./model-calls.ts";
import { DISPOSITIONS, type Picks, SideBySide } from "./side-by-side.ts";

/** An item of a body that is to be sent. */
type Draft =
  | { kind: "rights" | "region"; disposition: number; names: PortName[]; deallocate: boolean }
  | { kind: "memory"; bytes: Uint8Array; deallocate: boolean }
  | { kind: "integer"; word: number };

interface Letter {
  readonly id: number;
  readonly entry: Entry;
  readonly disposition: number;
  readonly replyEntry: Entry | null;
  readonly reply: number;
  readonly drafts: Draft[];
  readonly remote: boolean;
}

const GIVEN_BACK = new Set([
  "MACH_SEND_TIMED_OUT",
  "MACH_SEND_NOTIFY_IN_PROGRESS",
  "MACH_SEND_INVALID_NOTIFY",
]);

export class MessagesSideBySide extends SideBySide {
  private nextId = 100;

  // --- send ---------------------------------------------------------------------------------------

  async send(task: Task, model: ModelTask, picks: Picks): Promise<void> {
    const entry = this.pickEntry(model, picks, ({ port }) => port !== null);
    if (entry === undefined) return;
    const usual = entry.receive ? MAKE : entry.once ? ONCE : COPY;
    const disposition = picks.below(5) === 0 ? picks.one(DISPOSITIONS) : usual;
    const replyEntry = picks.below(3) === 0 ? picks.one(model.entries) : null;
    const own = picks.below(4) === 0 ? entry : replyEntry;
    const reply = own === null ? 0 : this.replyDisposition(own, picks);
    const remote = this.isRemote(model, entry.port);
    const drafts = Array.from({ length: picks.one([0, 0, 1, 1, 2, 3]) }, () =>
      this.draft(model, picks, remote),
    );
    const id = this.nextId++;
    const letter = { id, entry, disposition, replyEntry: own, reply, drafts, remote };
    if (!this.maySend(model, letter)) return;
    const options = this.sendOptions(model, picks, letter);
    const message = this.write(task, letter);
    this.note(task, describeLetter(letter), JSON.stringify(options));
    const code = await this.nodes.run(
      task.send(message, options).then(
        (status) => (status === 0 ? DONE : "MACH_SEND_WILL_NOTIFY"),
        (error: MachError) => error.code ?? String(error),
      ),
    );
    expect(code).toBe(this.modelSend(task, model, letter, message, options, code));
  }

  /** What a task sends there goes through the network. */
  private isRemote(model: ModelTask, port: ModelPort | null): boolean {
    if (port === null) return false;
    return port.home !== model.node || (this.loopback && !model.entryOf(port)?.receive);
  }

  /** Mostly one that the reply right allows. */
  private replyDisposition(entry: Entry, picks: Picks): number {
    const fitting = DISPOSITIONS.filter((one) => one !== RECEIVE && IpcModel.canTake(entry, one));
    return picks.one(fitting.length === 0 || picks.below(8) === 0 ? DISPOSITIONS : fitting);
  }

  private draft(model: ModelTask, picks: Picks, remote: boolean): Draft {
    const deallocate = picks.below(2) === 0;
    const kind = picks.one(["rights", "rights", "rights", "region", "memory", "integer"] as const);
    if (kind === "integer") return { kind, word: picks.below(1000) };
    if (kind === "memory") {
      return {
        kind,
        bytes: new Uint8Array(picks.one([1, 100, 5000])).fill(picks.below(256)),
        deallocate,
      };
    }
    let disposition: number = picks.one(DISPOSITIONS);
    const fitting = model.entries.filter((entry) => IpcModel.canTake(entry, disposition));
    const from = fitting.length === 0 || picks.below(6) === 0 ? model.entries : fitting;
    const names = Array.from({ length: picks.one([1, 1, 1, 2, 3]) }, () =>
      picks.below(12) === 0 ? picks.one([MACH_PORT_NULL, MACH_PORT_DEAD]) : picks.one(from).name,
    );
    // Receive rights stay on their node here; wandering-ports.ts lets them go.
    if ((remote || this.loopback) && disposition === RECEIVE) disposition = MAKE;
    return { kind, disposition, names, deallocate };
  }

  /** A node learns of a port's death from the port's home if it has its right from there: with more nodes than
   *  two, rights travel only from and to their homes. */
  private maySend(model: ModelTask, { entry, replyEntry, drafts, remote }: Letter): boolean {
    if (!remote) return true;
    const homes = [model.node, entry.port!.home];
    const body = drafts.flatMap((draft) => ("names" in draft ? draft.names : []));
    const ports = [replyEntry?.port, ...body.map((name) => model.find(name)?.port)];
    return ports.every((port) => port == null || homes.includes(port.home));
  }

  private sendOptions(model: ModelTask, picks: Picks, letter: Letter): SendOptions {
    const { entry, remote, disposition } = letter;
    const queue = entry.port === null ? 0 : entry.port.queue.length + 3 - entry.port.qlimit;
    const isOnce = carried(disposition) === ONCE;
    const cancel = this.pickEntry(model, picks, ({ receive }) => receive)!;
    const cancels = picks.below(4) === 0 ? { cancelNotify: cancel.name } : {};
    const notify = this.pickEntry(model, picks, ({ receive }) => receive)!;
    if (picks.below(2) === 0) return { ...cancels, willNotify: notify.name };
    // Across nodes an allowance may be used up though there is room: waiting gets it in.
    if (isOnce || (remote && queue <= 0)) return cancels;
    return { ...cancels, timeoutNs: 0 };
  }

  private write(
    task: Task,
    { id, entry, disposition, replyEntry, reply, drafts }: Letter,
  ): Message {
    const message = new Message();
    message.id = id;
    message.remote = entry.name;
    message.remoteDisposition = disposition as Disposition;
    message.local = replyEntry?.name ?? MACH_PORT_NULL;
    message.localDisposition = reply as Disposition;
    for (const draft of drafts) {
      if (draft.kind === "integer") message.addInteger(draft.word);
      else if (draft.kind === "memory") {
        message.addRegion(place(task, draft.bytes), draft.bytes.length, draft.deallocate);
      } else if (draft.kind === "rights") {
        message.addRights(draft.names, draft.disposition as Disposition);
      } else {
        const { names, disposition: kind, deallocate } = draft;
        const at = place(task, new Uint8Array(Uint32Array.from(names).buffer));
        message.addRightsRegion(at, names.length, kind as Disposition, deallocate);
      }
    }
    return message;
  }

  /** What the send should do; returns the expected code. `code`: the kernel's, which decides where a queue
   *  of another node is full or not. */
  private modelSend(
    task: Task,
    model: ModelTask,
    letter: Letter,
    message: Message,
    options: SendOptions,
    code: string,
  ): string {
    const { cancelNotify, willNotify } = options;
    const cancel = cancelNotify === undefined ? null : model.find(cancelNotify)!;
    if (cancel !== null && !cancel.receive) return "MACH_SEND_INVALID_NOTIFY";
    const wrong = headerError(letter);
    if (wrong !== null) return wrong;
    const { name } = letter.entry; // before it goes
    const taken = this.takeHeader(model, letter, message.size);
    if (cancel !== null) this.model.cancelDeleted(cancel.port!, name);
    const whole = this.takeBody(model, letter, taken);
    this.model.hold(taken);
    this.model.reportDeleted();
    if (!whole) {
      this.model.destroyMessage(taken);
      return "MACH_SEND_INVALID_RIGHT";
    }
    this.model.later();
    const { to, destination } = taken;
    const ordinary = destination.right !== ONCE && !this.model.isCircular(taken);
    const full = letter.remote
      ? GIVEN_BACK.has(code) || code === "MACH_SEND_WILL_NOTIFY"
      : to.queue.length >= to.qlimit;
    if (!ordinary || !full) {
      this.deliver(model, letter, taken);
      return DONE;
    }
    const expected = this.force(model, taken, willNotify);
    if (expected === "MACH_SEND_WILL_NOTIFY") this.deliver(model, letter, taken);
    else this.giveBack(task, model, taken, message);
    return expected;
  }

  private takeHeader(model: ModelTask, letter: Letter, size: number): ModelMessage {
    const { id, entry, disposition, replyEntry, reply } = letter;
    const take = (from: Entry, how: number): ModelRight => this.model.take(model, from, how);
    // Under one name a move comes last.
    const first = replyEntry === entry && disposition === SEND ? take(entry, reply) : null;
    const message = this.model.newMessage(id, take(entry, disposition));
    message.reply = replyEntry === null ? null : (first ?? take(replyEntry, reply));
    message.size = size;
    return message;
  }

  /** False: a right was missing. */
  private takeBody(model: ModelTask, { drafts }: Letter, message: ModelMessage): boolean {
    for (const draft of drafts) {
      if (!("names" in draft)) {
        message.items.push(draft);
        continue;
      }
      const { kind, disposition, names } = draft;
      const rights: ModelRight[] = [];
      message.items.push({ kind, right: carried(disposition), rights });
      for (const name of names) {
        const right = this.takeBodyRight(model, name, disposition);
        if (right === null) return false;
        rights.push(right);
      }
    }
    return true;
  }

  private takeBodyRight(model: ModelTask, name: PortName, disposition: number): ModelRight | null {
    if (name === MACH_PORT_NULL || name === MACH_PORT_DEAD) {
      return { right: carried(disposition), port: null, none: name === MACH_PORT_NULL };
    }
    const entry = model.find(name);
    if (entry === undefined || !IpcModel.canTake(entry, disposition)) return null;
    return this.model.take(model, entry, disposition);
  }

  private deliver(model: ModelTask, { remote }: Letter, message: ModelMessage): void {
    for (const { right, port } of message.held) {
      if (remote && right === SEND && port?.home === model.node) port.abroad = true;
    }
    this.model.deliver(message);
  }

  /** There is no room: the message is forced, or else given back. */
  private force(model: ModelTask, message: ModelMessage, willNotify: PortName | undefined): string {
    if (willNotify === undefined) return "MACH_SEND_TIMED_OUT";
    const notify = model.find(willNotify);
    if (notify === undefined || !notify.receive) return "MACH_SEND_INVALID_NOTIFY";
    const entry = model.entryOf(message.to) ?? null;
    if (entry !== null && entry.forced !== null) return "MACH_SEND_NOTIFY_IN_PROGRESS";
    message.accept = { notify: notify.port!, entry };
    if (entry !== null) entry.forced = message;
    return "MACH_SEND_WILL_NOTIFY";
  }

  /** Pseudo-receive: the rights are the sender's own again. */
  private giveBack(task: Task, model: ModelTask, taken: ModelMessage, message: Message): void {
    expect(message.remoteDisposition).toBe(taken.destination.right);
    this.arrived(model, taken.destination, message.remote);
    expect(message.localDisposition).toBe(taken.reply?.right ?? 0);
    this.arrived(model, taken.reply ?? NO_RIGHT, message.local);
    this.takeItems(task, model, taken.items, message);
    this.model.spent(taken);
  }

  // --- receive ------------------------------------------------------------------------------------

  async receive(task: Task, model: ModelTask, picks: Picks): Promise<void> {
    const entry = this.pickEntry(model, picks, (one) => typeof this.nextOnes(one) !== "string");
    if (entry === undefined) return;
    const next = this.nextOnes(entry);
    const options = this.receiveOptions(model, picks, Array.isArray(next) && next.length === 1);
    this.note(task, "receive", entry.name, JSON.stringify(options));
    const result = await this.nodes.run(
      task.receive(entry.name, options).then(
        (message) => ({ code: DONE, message, neededBytes: message.size }),
        ({ code, received, neededBytes }: MachError) => ({ code, message: received, neededBytes }),
      ),
    );
    if (typeof next === "string") return void expect(result.code).toBe(next);
    const { maxBytes, large, notify } = options;
    const first = next[0]!;
    if (maxBytes !== undefined && first.size > maxBytes) {
      expect(result).toMatchObject({ code: "MACH_RCV_TOO_LARGE", neededBytes: first.size });
      if (large === true) expect(result.message).toBeNull();
      else this.refused(model, first, result.message!);
      return;
    }
    const told = notify === undefined ? null : model.find(notify)!;
    if (told !== null && !told.receive) {
      expect(result.code).toBe("MACH_RCV_INVALID_NOTIFY");
      this.refused(model, first, result.message!);
      return;
    }
    expect(result.code).toBe(DONE);
    const message = result.message!;
    // Of several that may come, the members of a set may have got some that look the same.
    const isIt = (one: ModelMessage): boolean =>
      isLike(one, message) && model.entryOf(one.to)!.name === message.local;
    const taken = next.length === 1 ? first : next.find(isIt);
    if (taken === undefined) throw new Error(`message ${message.id} came out of order`);
    this.received(task, model, taken, message, told?.port ?? null);
  }

  /** The messages of which one comes next, or why none can. */
  private nextOnes({ set, port, receive }: Entry): ModelMessage[] | string {
    if (set === null && !receive) return "MACH_RCV_INVALID_NAME";
    if (set === null && port!.set !== null) return "MACH_RCV_IN_SET";
    const ports = set === null ? [port!] : [...set.members];
    const queue = ports.flatMap((one) => one.queue).sort((a, b) => a.serial - b.serial);
    if (queue.length === 0) return "MACH_RCV_TIMED_OUT";
    const later = queue.findIndex(({ moment }) => moment !== queue[0]!.moment);
    return queue.slice(0, later < 0 ? queue.length : later);
  }

  /** `one`: it is known which message comes, so that it may be refused. */
  private receiveOptions(model: ModelTask, picks: Picks, one: boolean): ReceiveOptions {
    const notify = this.pickEntry(model, picks, ({ receive }) => receive)!;
    const notifies = picks.below(3) === 0 && (one || notify.receive) ? { notify: notify.name } : {};
    const limits = picks.below(3) === 0 && one ? { maxBytes: picks.one([0, 4, 8, 20]) } : {};
    return { timeoutNs: 0, large: picks.below(2) === 0, ...notifies, ...limits };
  }

  /** A message leaves its queue; whoever forced it is told first. */
  private dequeue(model: ModelTask, taken: ModelMessage, message: Message): void {
    const { to, destination } = taken;
    to.queue.splice(to.queue.indexOf(taken), 1);
    expect(message).toMatchObject({ id: taken.id, sequence: to.seqno, size: taken.size });
    expect(message.local).toBe(model.entryOf(to)!.name);
    expect(message.localDisposition).toBe(destination.right);
    to.seqno += 1;
    this.model.reportAccepted(taken, 66);
    this.model.later();
  }

  private received(
    task: Task,
    model: ModelTask,
    taken: ModelMessage,
    message: Message,
    notify: ModelPort | null,
  ): void {
    this.dequeue(model, taken, message);
    this.model.spent(taken);
    const { reply, destination, to } = taken;
    const isNew = reply?.port != null && (reply.right === ONCE || !model.entryOf(reply.port));
    const entry = this.arrived(model, reply ?? NO_RIGHT, message.remote);
    expect(message.remoteDisposition).toBe(reply?.right ?? 0);
    if (entry !== null && isNew && notify !== null) entry.deadName = notify;
    this.takeItems(task, model, taken.items, message);
    if (destination.right === SEND) this.model.senderGone(to);
  }

  /** Only the header is received; the destination right is used up all the same. */
  private refused(model: ModelTask, taken: ModelMessage, message: Message): void {
    this.dequeue(model, taken, message);
    expect(message).toMatchObject({ remote: MACH_PORT_NULL, remoteDisposition: 0 });
    const { destination } = taken;
    taken.held = taken.held.filter((right) => right !== destination);
    if (destination.right === SEND) taken.held.push(destination);
    this.model.destroyMessage(taken);
  }

  private takeItems(task: Task, model: ModelTask, items: ModelItem[], message: Message): void {
    for (const item of items) {
      if (item.kind === "integer") expect(message.takeInteger()).toBe(item.word);
      else if (item.kind === "name") expect(message.takePortName()).toBe(item.word);
      else if (item.kind === "memory") {
        const { address, bytes } = message.takeRegion();
        expect(task.memory.read(address, bytes)).toEqual(item.bytes);
        task.vm.deallocate(address, bytes);
      } else {
        const { names, right } =
          item.kind === "rights" ? message.takeRights() : takeRegionRights(task, message);
        expect(right).toBe(item.right);
        expect(names).toHaveLength(item.rights.length);
        for (const [i, name] of names.entries()) this.arrived(model, item.rights[i]!, name);
      }
    }
    expect(message.takeType()).toBe(-1);
  }

  private arrived(model: ModelTask, right: ModelRight, name: PortName): Entry | null {
    const { port, none } = right;
    if (none === true) expect(name).toBe(MACH_PORT_NULL);
    else if (port === null || !port.alive) expect(name).toBe(MACH_PORT_DEAD);
    else return this.arrive(model, right, name);
    return null;
  }
}

const NO_RIGHT: ModelRight = { right: 0, port: null, none: true };

const headerError = ({ entry, disposition, replyEntry, reply }: Letter): string | null => {
  if (disposition === RECEIVE || reply === RECEIVE) return "MACH_SEND_INVALID_HEADER";
  const same = replyEntry === entry;
  if (same && (disposition === ONCE || reply === ONCE)) return "MACH_SEND_INVALID_DEST";
  if (replyEntry !== null && !IpcModel.canTake(replyEntry, reply)) return "MACH_SEND_INVALID_REPLY";
  const { port, send } = entry;
  if (port === null || !IpcModel.canTake(entry, disposition)) return "MACH_SEND_INVALID_DEST";
  if (same && disposition === SEND && reply === SEND && send < 2) return "MACH_SEND_INVALID_DEST";
  return null;
};

/** New memory of the task with these bytes, not at the start of a page. */
const place = (task: Task, bytes: Uint8Array): number => {
  const at = task.vm.allocate(bytes.length + 3) + 3;
  task.memory.write(at, bytes);
  return at;
};

const takeRegionRights = (task: Task, message: Message): { names: PortName[]; right: number } => {
  const { address, count, right } = message.takeRightsRegion();
  const bytes = task.memory.read(address, count * 4);
  task.vm.deallocate(address, count * 4);
  return { names: [...new Uint32Array(bytes.buffer)], right };
};

/** Whether a received message is the one of the model. */
const isLike = ({ id, items }: ModelMessage, message: Message): boolean => {
  if (id !== message.id) return false;
  const [item] = items;
  const word = message.words[1]!;
  return item === undefined || !("word" in item) || item.word >>> 0 === word >>> 0;
};

const describeLetter = ({ id, entry, disposition, replyEntry, reply, drafts }: Letter): string => {
  const items = drafts.map((draft) => {
    if (!("names" in draft)) return draft.kind;
    const names = draft.names.map((name) => name.toString(16));
    return `${draft.kind} ${draft.disposition} ${names}`;
  });
  const to = `${entry.name.toString(16)} (${disposition})`;
  return `send ${id} to ${to} reply ${replyEntry?.name.toString(16)} (${reply}) body [${items.join("; ")}]`;
};
