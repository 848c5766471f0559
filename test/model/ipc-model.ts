// What Mach says should happen to names, rights, messages and notifications, written down as plainly as possible:
// no sharing, no speed, no counts (whoever wants one looks everywhere), no lazy dead names. test/model/*.test.ts runs
// it beside the kernel. Here is what the kernel does by itself; the calls of tasks are in model-calls.ts.
//
// Some orders are left open by Mach: which right of a destroyed message goes first, say. Messages that may
// come in any order have the same `moment`; later() begins the next one.

import type { PortName } from "../../src/ipc/rights.ts";

export const RECEIVE = 16;
export const SEND = 17;
export const ONCE = 18;
export const COPY = 19;
export const MAKE = 20;
export const MAKE_ONCE = 21;

export class ModelPort {
  readonly home: number;
  alive = true;
  /** The message that holds the receive right, if one does. */
  inside: ModelMessage | null = null;
  queue: ModelMessage[] = [];
  set: ModelSet | null = null;
  mscount = 0;
  seqno = 0;
  qlimit = 5;
  /** Whom the requests tell. */
  noSenders: ModelPort | null = null;
  destroyed: ModelPort | null = null;
  /** A send right has left the node: no-senders is not told any more. */
  abroad = false;

  constructor(home: number) {
    this.home = home;
  }
}

export class ModelSet {
  readonly members = new Set<ModelPort>();

  join(port: ModelPort): void {
    port.set?.leave(port);
    port.set = this;
    this.members.add(port);
  }

  leave(port: ModelPort): void {
    this.members.delete(port);
    port.set = null;
  }
}

export interface Entry {
  name: PortName;
  /** Null: a dead name or a set. */
  port: ModelPort | null;
  set: ModelSet | null;
  receive: boolean;
  /** References of the send right or the dead name. */
  send: number;
  once: boolean;
  dead: number;
  /** Whom the dead-name request tells. */
  deadName: ModelPort | null;
  /** The forced message that has not been taken yet. */
  forced: ModelMessage | null;
}

/** A right in a message; port null: it was dead, or `none`, MACH_PORT_NULL. */
export interface ModelRight {
  readonly right: number;
  readonly port: ModelPort | null;
  readonly none?: boolean;
}

export type ModelItem =
  | { readonly kind: "rights" | "region"; readonly right: number; readonly rights: ModelRight[] }
  | { readonly kind: "memory"; readonly bytes: Uint8Array }
  | { readonly kind: "name"; readonly word: number }
  | { readonly kind: "integer"; readonly word: number };

export interface ModelMessage {
  readonly id: number;
  readonly to: ModelPort;
  readonly destination: ModelRight;
  reply: ModelRight | null;
  readonly items: ModelItem[];
  /** The rights that it still holds, in the order in which they would be destroyed. */
  held: ModelRight[];
  size: number;
  /** It was forced into a full queue. */
  accept: { readonly notify: ModelPort; readonly entry: Entry | null } | null;
  /** Place in the order of arrival. */
  serial: number;
  moment: number;
}

export class ModelTask {
  readonly node: number;
  alive = true;
  entries: Entry[] = [];

  constructor(node: number) {
    this.node = node;
  }

  find(name: PortName): Entry | undefined {
    return this.entries.find((entry) => entry.name === name);
  }

  entryOf(port: ModelPort): Entry | undefined {
    return this.entries.find((entry) => entry.port === port && !entry.once);
  }

  add(entry: Partial<Entry> & { name: PortName }): Entry {
    const bare = { port: null, set: null, receive: false, send: 0, once: false, dead: 0 };
    const whole = { ...bare, deadName: null, forced: null, ...entry };
    this.entries.push(whole);
    return whole;
  }
}

export class IpcModel {
  readonly tasks: ModelTask[];
  readonly ports: ModelPort[] = [];
  /** False where messages travel: then all that one call brings about may come in any order. */
  private readonly ordered: boolean;
  private readonly loose = new Set<ModelMessage>();
  private readonly doomed: ModelMessage[] = [];
  private destroying = false;
  private readonly detached: { readonly notify: ModelPort; readonly name: PortName }[] = [];
  private serials = 0;
  moment = 0;

  constructor(nodes: readonly number[], ordered: boolean) {
    this.tasks = nodes.map((node) => new ModelTask(node));
    this.ordered = ordered;
  }

  newPort(node: number): ModelPort {
    const port = new ModelPort(node);
    this.ports.push(port);
    return port;
  }

  /** What follows comes later than what was. */
  later(): void {
    if (this.ordered && !this.destroying) this.moment += 1;
  }

  // --- names --------------------------------------------------------------------------------------

  /** Forgets an entry that has nothing left. */
  tidy(task: ModelTask, entry: Entry): void {
    const { receive, once, send, dead, set } = entry;
    if (receive || once || send > 0 || dead > 0 || set !== null) return;
    const at = task.entries.indexOf(entry);
    if (at < 0) return;
    task.entries.splice(at, 1);
    if (entry.deadName !== null) this.detached.push({ name: entry.name, notify: entry.deadName });
    entry.deadName = null;
  }

  /** The end of a call: the names that went away are reported. */
  reportDeleted(): void {
    this.later();
    for (const { notify, name } of this.detached.splice(0)) {
      this.notify(notify, 65, { kind: "name", word: name });
    }
  }

  /** Nobody is to be told at `notify` that `name` has gone away. */
  cancelDeleted(notify: ModelPort, name: PortName): void {
    const at = this.detached.findIndex((one) => one.notify === notify && one.name === name);
    if (at >= 0) this.detached.splice(at, 1);
  }

  // --- rights -------------------------------------------------------------------------------------

  /** Whether `disposition` can be used on `entry`. */
  static canTake(entry: Entry | undefined, disposition: number): boolean {
    if (entry === undefined || entry.set !== null) return false;
    if (entry.port === null) return disposition >= SEND && disposition <= COPY;
    if (disposition === SEND || disposition === COPY) return entry.send > 0;
    if (disposition === ONCE) return entry.once;
    return entry.receive;
  }

  /** Takes a right; canTake() holds. */
  take(task: ModelTask, entry: Entry, disposition: number): ModelRight {
    const { port } = entry;
    const right = carried(disposition);
    if (port === null) {
      if (disposition !== COPY) entry.dead -= 1;
      this.tidy(task, entry);
      return { right, port: null };
    }
    if (disposition === SEND) entry.send -= 1;
    if (disposition === ONCE) entry.once = false;
    if (disposition === MAKE) port.mscount += 1;
    if (disposition === RECEIVE) this.takeReceive(entry, port);
    this.tidy(task, entry);
    return { right, port };
  }

  takeReceive(entry: Entry, port: ModelPort): void {
    entry.receive = false;
    port.set?.leave(port);
    port.mscount = 0;
    port.seqno = 0;
  }

  release({ right, port }: ModelRight): void {
    if (port === null || !port.alive) return;
    if (right === RECEIVE) this.destroyPort(port);
    else if (right === ONCE) this.notify(port, 71, null);
    else this.senderGone(port);
  }

  /** A send right is gone: was it the last? */
  senderGone(port: ModelPort): void {
    const notify = port.noSenders;
    if (notify === null || port.abroad || this.hasSend(port)) return;
    port.noSenders = null;
    this.notify(notify, 70, { kind: "integer", word: port.mscount });
  }

  hasSend(port: ModelPort): boolean {
    const named = this.tasks.some((task) => (task.entryOf(port)?.send ?? 0) > 0);
    return named || this.rightsInMessages().some((r) => r.port === port && r.right === SEND);
  }

  /** How many send-once rights to `port` are anywhere. */
  onceCount(port: ModelPort): number {
    let count = 0;
    for (const { entries } of this.tasks) {
      for (const entry of entries) {
        if (entry.port === port && entry.once) count += 1;
        if (entry.deadName === port) count += 1;
      }
    }
    for (const { right, port: to } of this.rightsInMessages()) {
      if (to === port && right === ONCE) count += 1;
    }
    for (const other of this.ports) {
      if (other.noSenders === port) count += 1;
      if (other.destroyed === port) count += 1;
      for (const { accept } of other.queue) if (accept?.notify === port) count += 1;
    }
    return count;
  }

  private rightsInMessages(): ModelRight[] {
    const queued = this.ports.flatMap((port) => port.queue);
    return [...queued, ...this.loose].flatMap((message) => message.held);
  }

  // --- messages -----------------------------------------------------------------------------------

  /** A message without contents yet; it holds the rights that hold() gives it. */
  newMessage(id: number, destination: ModelRight): ModelMessage {
    const to = destination.port!;
    const fixed = {
      id,
      to,
      destination,
      reply: null,
      items: [],
      held: [destination],
      accept: null,
    };
    const message = { ...fixed, size: 0, serial: 0, moment: 0 };
    this.loose.add(message);
    return message;
  }

  /** The message's body is whole: order of destruction is body, destination, reply. */
  hold(message: ModelMessage): void {
    const body = message.items.flatMap((item) => ("rights" in item ? item.rights : []));
    message.held = [...body, message.destination];
    if (message.reply !== null) message.held.push(message.reply);
  }

  /** The message's rights are somebody's. */
  spent(message: ModelMessage): void {
    message.held = [];
    this.loose.delete(message);
  }

  notify(to: ModelPort, id: number, item: ModelItem | null): void {
    if (!to.alive) return;
    const message = this.newMessage(id, { right: ONCE, port: to });
    if (item !== null) {
      message.items.push(item);
      message.size = 8;
    }
    this.hold(message);
    this.enqueue(message);
  }

  enqueue(message: ModelMessage): void {
    this.loose.delete(message);
    message.serial = this.serials++;
    message.moment = this.moment;
    message.to.queue.push(message);
  }

  /** A port brings its messages into a set: they come after those that are there. */
  restamp(port: ModelPort): void {
    for (const message of port.queue) message.serial = this.serials++;
  }

  /** True if the message holds a receive right whose queue is, in the end, its own. */
  isCircular(message: ModelMessage): boolean {
    return receiveRights(message).some((port) => isOutOfReach(port, message.to));
  }

  /** Queues or destroys a copied-in message. A circle is never closed, not even until it is destroyed. */
  deliver(message: ModelMessage): void {
    const circular = this.isCircular(message);
    const within = receiveRights(message).filter((port) => !isOutOfReach(port, message.to));
    for (const port of within) port.inside = message;
    if (circular || !message.to.alive) this.destroyMessage(message);
    else this.enqueue(message);
  }

  destroyMessage(message: ModelMessage): void {
    this.loose.add(message);
    this.doomed.push(message);
    if (this.destroying) return;
    this.destroying = true;
    for (let next = this.doomed.shift(); next !== undefined; next = this.doomed.shift()) {
      for (let held = next.held.shift(); held !== undefined; held = next.held.shift()) {
        this.release(held);
      }
      this.loose.delete(next);
      this.reportAccepted(next, 71);
    }
    this.destroying = false;
  }

  /** The outcome of a forced message: 66, it was taken; 71, it never will be. */
  reportAccepted(message: ModelMessage, id: number): void {
    if (message.accept === null) return;
    const { notify, entry } = message.accept;
    message.accept = null;
    const has = entry !== null && this.tasks.some(({ entries }) => entries.includes(entry));
    if (has) entry.forced = null;
    this.notify(notify, id, id === 71 ? null : { kind: "name", word: has ? entry.name : 0 });
  }

  // --- the death of a port ------------------------------------------------------------------------

  destroyPort(port: ModelPort): void {
    port.mscount = 0;
    port.seqno = 0;
    if (port.destroyed !== null && this.mail(port, port.destroyed)) return;
    port.alive = false;
    port.inside = null;
    const { noSenders, queue } = port;
    port.noSenders = null;
    port.queue = [];
    for (const message of queue) this.loose.add(message);
    if (noSenders !== null) this.release({ right: ONCE, port: noSenders });
    this.later();
    for (const message of queue) {
      this.destroyMessage(message);
      this.later();
    }
    for (const task of this.tasks) {
      for (const entry of [...task.entries]) if (entry.port === port) this.die(task, entry);
    }
  }

  private die(task: ModelTask, entry: Entry): void {
    entry.dead = entry.once ? 1 : entry.send;
    Object.assign(entry, { port: null, send: 0, once: false });
    if (entry.deadName !== null) {
      entry.dead += 1; // it goes with the notification
      this.notify(entry.deadName, 72, { kind: "name", word: entry.name });
      entry.deadName = null;
    }
    this.tidy(task, entry);
  }

  /** Sends the receive right to whoever asked for it; false: the port is to be destroyed all the same. */
  private mail(port: ModelPort, to: ModelPort): boolean {
    port.destroyed = null;
    if (!to.alive || isOutOfReach(port, to)) {
      this.release({ right: ONCE, port: to });
      return false;
    }
    this.notify(to, 69, { kind: "rights", right: RECEIVE, rights: [{ right: RECEIVE, port }] });
    port.inside = to.queue.at(-1)!;
    return true;
  }
}

/** The right that a message carries for a disposition. */
export const carried = (disposition: number): number => {
  if (disposition === RECEIVE) return RECEIVE;
  return disposition === ONCE || disposition === MAKE_ONCE ? ONCE : SEND;
};

const receiveRights = ({ held }: ModelMessage): ModelPort[] =>
  held.flatMap(({ right, port }) => (right === RECEIVE && port !== null ? [port] : []));

/** Whether a message to `to` would take `port` where nobody can get at it. */
const isOutOfReach = (port: ModelPort, to: ModelPort): boolean => {
  for (let at: ModelPort | undefined = to; at !== undefined; at = at.inside?.to) {
    if (at === port) return true;
  }
  return false;
};
