// What Mach says should happen to names and rights, written down as plainly as possible: no sharing, no
// speed, no lazy dead names. test/ipc/rights-model.test.ts runs it beside the kernel.
// Two nodes at most: there everybody hears of a port's death, since every right came from its home.

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
  mscount = 0;
  seqno = 0;

  constructor(home: number) {
    this.home = home;
  }
}

export interface Entry {
  name: PortName;
  /** Null: a dead name. */
  port: ModelPort | null;
  receive: boolean;
  /** References of the send right, the send-once right or the dead name. */
  send: number;
  once: boolean;
  dead: number;
}

/** A right in a message; port null: it was dead. */
export interface ModelRight {
  readonly right: number;
  readonly port: ModelPort | null;
}

export interface ModelMessage {
  readonly id: number;
  readonly to: ModelPort;
  readonly destination: ModelRight;
  readonly reply: ModelRight | null;
  readonly body: ModelRight[];
}

export class ModelTask {
  readonly node: number;
  readonly entries: Entry[] = [];

  constructor(node: number) {
    this.node = node;
  }

  entryOf(port: ModelPort): Entry | undefined {
    return this.entries.find((entry) => entry.port === port && !entry.once);
  }

  add(entry: Partial<Entry> & { name: PortName }): Entry {
    const whole = { port: null, receive: false, send: 0, once: false, dead: 0, ...entry };
    this.entries.push(whole);
    return whole;
  }

  /** Forgets an entry that has nothing left. */
  tidy(entry: Entry): void {
    if (entry.receive || entry.once || entry.send > 0 || entry.dead > 0) return;
    const at = this.entries.indexOf(entry);
    if (at >= 0) this.entries.splice(at, 1);
  }
}

export class RightsModel {
  readonly tasks: ModelTask[];
  readonly ports: ModelPort[] = [];

  constructor(nodes: readonly number[]) {
    this.tasks = nodes.map((node) => new ModelTask(node));
  }

  allocate(task: ModelTask, name: PortName): void {
    const port = new ModelPort(task.node);
    this.ports.push(port);
    task.add({ name, port, receive: true });
  }

  /** Whether `disposition` can be used on `entry`. */
  static canTake(entry: Entry | undefined, disposition: number): boolean {
    if (entry === undefined) return false;
    if (entry.port === null) return disposition >= SEND && disposition <= COPY;
    if (disposition === SEND || disposition === COPY) return entry.send > 0;
    if (disposition === ONCE) return entry.once;
    return entry.receive;
  }

  /** Takes a right; canTake() holds. */
  take(task: ModelTask, entry: Entry, disposition: number): ModelRight {
    const { port } = entry;
    const right = disposition === COPY || disposition === MAKE ? SEND : disposition;
    if (port === null) {
      if (disposition !== COPY) entry.dead -= 1;
      task.tidy(entry);
      return { right: right === MAKE_ONCE ? ONCE : right, port: null };
    }
    if (disposition === SEND) entry.send -= 1;
    if (disposition === ONCE) entry.once = false;
    if (disposition === MAKE) port.mscount += 1;
    if (disposition === RECEIVE) {
      entry.receive = false;
      port.mscount = 0;
      port.seqno = 0;
    }
    task.tidy(entry);
    return { right: right === MAKE_ONCE ? ONCE : right, port };
  }

  /** Queues or destroys a copied-in message. */
  deliver(message: ModelMessage): void {
    const held = message.body.filter(({ right, port }) => right === RECEIVE && port !== null);
    const circular = held.some(({ port }) => this.isOutOfReach(port!, message.to));
    for (const { port } of held) port!.inside = message;
    if (circular || !message.to.alive) this.destroyMessage(message);
    else message.to.queue.push(message);
  }

  private isOutOfReach(port: ModelPort, to: ModelPort): boolean {
    for (let at: ModelPort | undefined = to; at !== undefined; at = at.inside?.to) {
      if (at === port) return true;
    }
    return false;
  }

  release({ right, port }: ModelRight): void {
    if (port === null || !port.alive) return;
    if (right === RECEIVE) this.destroyPort(port);
    if (right === ONCE) {
      const destination = { right: ONCE, port };
      port.queue.push({ id: 71, to: port, destination, reply: null, body: [] });
    }
  }

  destroyMessage(message: ModelMessage): void {
    // Receive rights first: nobody is notified on a port that goes with the same message.
    const rights = [message.reply, ...message.body].filter((right) => right !== null);
    for (const right of rights) if (right.right === RECEIVE) this.release(right);
    for (const right of rights) if (right.right !== RECEIVE) this.release(right);
    if (message.id !== 71) this.release(message.destination);
  }

  destroyPort(port: ModelPort): void {
    port.alive = false;
    port.inside = null;
    const queued = port.queue;
    port.queue = [];
    for (const task of this.tasks) {
      for (const entry of task.entries) {
        if (entry.port !== port) continue;
        entry.dead = entry.once ? 1 : entry.send;
        Object.assign(entry, { port: null, send: 0, once: false, receive: false });
      }
      for (const entry of [...task.entries]) task.tidy(entry);
    }
    for (const message of queued) this.destroyMessage(message);
  }

  /** Drops everything under a name. */
  destroy(task: ModelTask, entry: Entry): void {
    const { port, receive, once } = entry;
    task.entries.splice(task.entries.indexOf(entry), 1);
    if (port !== null && receive) this.destroyPort(port);
    if (port !== null && once) this.release({ right: ONCE, port });
  }

  /** How many send-once rights to `port` are anywhere. */
  onceCount(port: ModelPort): number {
    let count = 0;
    for (const task of this.tasks) {
      for (const entry of task.entries) if (entry.port === port && entry.once) count += 1;
    }
    for (const right of this.rightsInMessages()) {
      if (right.port === port && right.right === ONCE) count += 1;
    }
    return count;
  }

  hasSend(port: ModelPort): boolean {
    const named = this.tasks.some((task) => (task.entryOf(port)?.send ?? 0) > 0);
    return named || this.rightsInMessages().some((r) => r.port === port && r.right === SEND);
  }

  private rightsInMessages(): ModelRight[] {
    return this.ports
      .flatMap((port) => port.queue)
      .flatMap(({ destination, reply, body }) => [destination, reply, ...body])
      .filter((right) => right !== null);
  }
}
