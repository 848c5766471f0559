// Random programs over ports that wander: rights are made, copied, moved, sent on and dropped; receive rights go from node
// to node with what is queued; messages are sent and received; ports are killed, tasks end; while the token goes round and the
// nodes are stepped in any order, over an interconnect that may delay and lose. The program knows where every right is,
// and after every step compares that with what the kernels know (PortWatch). It throws at the first difference.

import { nextTick } from "node:process";
import { COUNTERS } from "../../src/base/counters.ts";
import { Random } from "../../src/base/random.ts";
import type { Message } from "../../src/ipc/message.ts";
import {
  COPY_SEND,
  type Disposition,
  MAKE_SEND,
  MOVE_RECEIVE,
  MOVE_SEND,
  NOTIFY_NO_SENDERS,
  PORT_RECEIVE,
  type PortName,
} from "../../src/ipc/rights.ts";
import { MachError } from "../../src/task/mach-error.ts";
import type { Task } from "../../src/task/task.ts";
import { letter, parcel } from "./letters.ts";
import { LoneNodes } from "./lone-node.ts";
import { PortWatch } from "./port-watch.ts";

/** Parcels that may wait at one task: fewer than its queue limit. */
const PARCELS_MAX = 3;
/** Messages of one port that may be on their way or queued. */
const LETTERS_MAX = 4;
/** Ids of letters; parcels have the number of their port. */
const LETTER_ID = 1000;

/** Time passes in parts; after so many of them in which nothing happens the token rests. */
const PART_NS = 30_000;
const REST_PARTS = 60;

/** A port that wanders. */
export interface Wanderer {
  readonly number: number;
  alive: boolean;
  /** Who has its receive right; null: it is in a parcel. */
  receiver: Tramp | null;
  /** Send rights in parcels. */
  inParcels: number;
  /** Letters that were sent and not received; each holds a send right. */
  outstanding: number;
  /** A no-senders request has not fired yet. */
  asked: boolean;
  /** Whom the last request names. */
  notified: Tramp | null;
  makes: number;
}

/** A task and what it has. */
export interface Tramp {
  readonly number: number;
  readonly node: number;
  readonly task: Task;
  readonly inbox: PortName;
  readonly notify: PortName;
  /** Its names for the wanderers, 0 where it has no right. */
  readonly names: PortName[];
  /** Wanderers of which it has a send right. */
  readonly sends: boolean[];
  parcels: number;
  readonly arrived: Message[];
  readonly notices: Message[];
  /** Of each wanderer: letters sent, letters received by sender, and whether a send is under way. */
  readonly sent: number[];
  readonly sending: boolean[];
  /** Its task has ended. */
  gone: boolean;
}

export class WanderingPorts {
  readonly nodes: LoneNodes;
  readonly tramps: Tramp[] = [];
  readonly ports: Wanderer[] = [];
  /** No-senders notifications. */
  told = 0;
  moves = 0;
  private readonly random: Random;
  private readonly watch: PortWatch;
  private readonly failures: unknown[] = [];
  /** By port and sender: the last letter that was received. */
  private readonly received = new Map<string, number>();
  private readonly ways = new Map<Tramp, PortName[]>();

  constructor(seed: number) {
    this.random = new Random(seed);
    const { random } = this;
    const lossy = random.below(3) === 0;
    const faults = {
      drop: 0.03,
      duplicate: 0.02,
      delay: 0.1,
      delayNs: [100, 20_000] as [number, number],
    };
    this.nodes = new LoneNodes({
      dimension: random.below(12) === 0 ? 4 : 1 + random.below(3),
      seed,
      transport: { windowPackets: 1 + random.below(2) * 7 },
      kernel: { tokenPauseNs: random.below(2) * 20_000 },
      ...(lossy ? { faults } : {}),
    });
    this.watch = new PortWatch(this);
  }

  async run(steps: number): Promise<void> {
    await this.begin();
    for (let step = 0; step < steps; step++) {
      await this.act();
      await this.stepSome();
    }
    await this.end();
  }

  private async begin(): Promise<void> {
    const { nodes, random } = this;
    const wanderers = 1 + random.below(3);
    const count = nodes.kernels.length + random.below(3);
    for (let number = 0; number < count; number++) {
      const node = number % nodes.kernels.length;
      const task = nodes.task(node);
      this.tramps.push({
        number,
        node,
        task,
        inbox: task.ports.allocate(),
        notify: task.ports.allocate(),
        names: Array(wanderers).fill(0),
        sends: Array(wanderers).fill(false),
        parcels: 0,
        arrived: [],
        notices: [],
        sent: Array(wanderers).fill(0),
        sending: Array(wanderers).fill(false),
        gone: false,
      });
    }
    for (const from of this.tramps) {
      const ways: PortName[] = [];
      for (const to of this.tramps) ways.push(await openWay(nodes, from.task, to));
      this.ways.set(from, ways);
    }
    for (const { task, inbox, notify, arrived, notices } of this.tramps) {
      void collect(task, inbox, arrived);
      void collect(task, notify, notices);
    }
    for (let number = 0; number < wanderers; number++) {
      const receiver = this.tramps[random.below(count)]!;
      receiver.names[number] = receiver.task.ports.allocate();
      this.ports.push({
        number,
        alive: true,
        receiver,
        inParcels: 0,
        outstanding: 0,
        asked: false,
        notified: null,
        makes: 0,
      });
    }
  }

  // --- what happens -------------------------------------------------------------------------------

  private async act(): Promise<void> {
    const { random } = this;
    const living = this.tramps.filter(({ gone }) => !gone);
    const tramp = living[random.below(living.length)]!;
    const port = this.ports[random.below(this.ports.length)]!;
    const what = random.below(100);
    if (random.below(400) === 0 && living.length > 2) this.endTask(tramp);
    if (tramp.gone) return;
    if (what < 12) await this.make(port);
    else if (what < 36) await this.passOn(tramp, port);
    else if (what < 48) await this.migrate(port);
    else if (what < 66) this.openParcels(tramp);
    else if (what < 80) await this.write(tramp, port);
    else if (what < 90) await this.read(port);
    else if (what < 97) this.drop(tramp, port);
    else if (what < 98) this.kill(port);
    else this.ask(port);
  }

  private async make(port: Wanderer): Promise<void> {
    const { receiver } = port;
    const heir = this.heir();
    if (receiver === null || heir === null) return;
    port.makes += 1;
    port.inParcels += 1;
    await this.mail(receiver, heir, port, MAKE_SEND);
    this.ask(port);
  }

  private async passOn(from: Tramp, port: Wanderer): Promise<void> {
    const heir = this.heir();
    if (!from.sends[port.number] || heir === null) return;
    const moves = this.random.below(3) > 0;
    const name = from.names[port.number]!;
    if (moves) this.lost(from, port);
    port.inParcels += 1;
    await this.mailName(from, heir, port, name, moves ? MOVE_SEND : COPY_SEND);
  }

  private async migrate(port: Wanderer): Promise<void> {
    const { receiver } = port;
    const heir = this.heir();
    if (receiver === null || heir === null) return;
    this.moves += 1;
    port.receiver = null;
    const name = receiver.names[port.number]!;
    if (!receiver.sends[port.number]) receiver.names[port.number] = 0;
    await this.mailName(receiver, heir, port, name, MOVE_RECEIVE);
  }

  private heir(): Tramp | null {
    const heir = this.tramps[this.random.below(this.tramps.length)]!;
    return heir.parcels < PARCELS_MAX && !heir.gone ? heir : null;
  }

  private mail(from: Tramp, to: Tramp, port: Wanderer, disposition: Disposition): Promise<void> {
    return this.mailName(from, to, port, from.names[port.number]!, disposition);
  }

  private async mailName(
    from: Tramp,
    to: Tramp,
    port: Wanderer,
    name: PortName,
    disposition: Disposition,
  ): Promise<void> {
    to.parcels += 1;
    const way = this.ways.get(from)![to.number]!;
    // It may have to wait at the proxy: the right is in the kernel's hands then.
    const sent = from.task.send(parcel(way, COPY_SEND, name, disposition, port.number));
    sent.catch((error: unknown) => this.failures.push(error));
    await drained();
  }

  /** Opens all parcels that have come, oldest first. */
  private openParcels(tramp: Tramp): void {
    for (let one = tramp.arrived.shift(); one !== undefined; one = tramp.arrived.shift()) {
      this.openParcel(tramp, one);
    }
  }

  private openParcel(tramp: Tramp, message: Message): void {
    const port = this.ports[message.id]!;
    const { name, right } = message.takeRight();
    tramp.parcels -= 1;
    const known = tramp.names[port.number]!;
    if (!port.alive) {
      if (right !== PORT_RECEIVE) port.inParcels -= 1;
      return; // it may be a dead name; whatever it is goes with the task
    }
    if (known !== 0 && name !== known) {
      throw new Error(`task ${tramp.number} calls port ${port.number} ${known} and ${name}`);
    }
    tramp.names[port.number] = name;
    if (right === PORT_RECEIVE) {
      port.receiver = tramp;
      this.ask(port);
      return;
    }
    port.inParcels -= 1;
    if (tramp.sends[port.number]) tramp.task.ports.deallocate(name);
    tramp.sends[port.number] = true;
  }

  /** Sends a numbered letter to the port. */
  private async write(tramp: Tramp, port: Wanderer): Promise<void> {
    const { number } = port;
    if (!tramp.sends[number] || tramp.sending[number] || port.outstanding >= LETTERS_MAX) return;
    const message = letter(tramp.names[number]!, COPY_SEND, LETTER_ID + number);
    tramp.sent[number]! += 1;
    message.addIntegers([tramp.number, tramp.sent[number]!]);
    tramp.sending[number] = true;
    port.outstanding += 1;
    tramp.task.send(message).then(
      () => {
        tramp.sending[number] = false;
      },
      (error: unknown) => {
        tramp.sending[number] = false;
        const isDead = error instanceof MachError && error.code === "MACH_SEND_INVALID_DEST";
        if (port.alive || !isDead) this.failures.push(error);
      },
    );
    await drained();
  }

  /** Receives what has come for the port, in the order of each sender. */
  private async read(port: Wanderer): Promise<void> {
    const { receiver } = port;
    if (receiver === null || !port.alive) return;
    for (;;) {
      const message = await receiver.task
        .receive(receiver.names[port.number]!, { timeoutNs: 0 })
        .catch((error: unknown) => {
          if ((error as MachError).code !== "MACH_RCV_TIMED_OUT") throw error;
          return null;
        });
      if (message === null) return;
      if (message.id !== LETTER_ID + port.number) throw new Error(`port got ${message.id}`);
      const [sender, letterNumber] = message.takeIntegers();
      const key = `${port.number} ${sender}`;
      const before = this.received.get(key) ?? 0;
      if (letterNumber !== before + 1) {
        throw new Error(`port ${port.number}: letter ${letterNumber} after ${before} of ${sender}`);
      }
      this.received.set(key, letterNumber);
      port.outstanding -= 1;
    }
  }

  private drop(tramp: Tramp, port: Wanderer): void {
    if (!tramp.sends[port.number] || !port.alive) return;
    const name = tramp.names[port.number]!;
    this.lost(tramp, port);
    tramp.task.ports.deallocate(name);
  }

  /** The task has no send right any more. */
  private lost(tramp: Tramp, port: Wanderer): void {
    tramp.sends[port.number] = false;
    if (port.receiver !== tramp) tramp.names[port.number] = 0;
  }

  private kill(port: Wanderer): void {
    const { receiver } = port;
    if (receiver === null || this.random.below(3) > 0) return;
    receiver.task.ports.destroy(receiver.names[port.number]!);
    receiver.names[port.number] = 0;
    this.died(port);
  }

  private died(port: Wanderer): void {
    port.alive = false;
    port.asked = false;
    port.receiver = null;
    for (const tramp of this.tramps) tramp.sends[port.number] = false;
  }

  /** Ends a task, with all that it has, unless something is on its way to or from it. */
  private endTask(tramp: Tramp): void {
    if (tramp.parcels > 0 || tramp.sending.some((sending) => sending)) return;
    tramp.gone = true;
    for (const port of this.ports) {
      if (port.receiver === tramp) this.died(port);
      // Nobody is to be told: the request may be used up at any time.
      if (port.notified === tramp) port.asked = false;
      tramp.sends[port.number] = false;
      tramp.names[port.number] = 0;
    }
    this.nodes.end(tramp.task);
  }

  /** The receiver wants to know when there are no senders. */
  private ask(port: Wanderer): void {
    const { receiver } = port;
    if (receiver === null || port.asked || this.rightsOf(port) === 0) return;
    port.asked = true;
    port.notified = receiver;
    const { task, names, notify } = receiver;
    task.ports.requestNotification(names[port.number]!, NOTIFY_NO_SENDERS, 0, notify);
  }

  /** Send rights to the port: at tasks, in parcels under way, and those that letters hold. What a task has been given
   *  is one right with what it had, though it has not looked yet. */
  rightsOf(port: Wanderer): number {
    let rights = port.inParcels + port.outstanding;
    for (const { sends, arrived } of this.tramps) {
      const given = arrived.filter((message) => isSendTo(port, message)).length;
      rights += Number(sends[port.number] || given > 0) - given;
    }
    return rights;
  }

  // --- time ---------------------------------------------------------------------------------------

  private async stepSome(): Promise<void> {
    const { kernels, clock } = this.nodes;
    for (let i = this.random.below(12); i > 0; i--) {
      kernels[this.random.below(kernels.length)]!.step();
      await drained(); // a task that waited knows what it has been given
      this.watch.check();
    }
    if (this.random.below(4) === 0) for (const kernel of kernels) kernel.quiesce();
    clock.pass(this.random.below(20_000));
    await drained();
    this.look();
  }

  private look(): void {
    if (this.failures.length > 0) throw this.failures[0];
    this.watch.check();
    for (const { notices } of this.tramps) {
      for (let one = notices.shift(); one !== undefined; one = notices.shift()) {
        if (one.id === NOTIFY_NO_SENDERS) this.told += 1;
      }
    }
  }

  /** Everything is received and dropped: what was asked is answered, and nothing is left. */
  private async end(): Promise<void> {
    const { nodes } = this;
    for (let round = 0; this.isBusy(); round++) {
      if (round > 1000) throw new Error("parcels and letters do not come");
      await this.periods(1);
      for (const tramp of this.tramps) this.openParcels(tramp);
      for (const port of this.ports) await this.read(port);
    }
    for (const port of this.ports) for (const tramp of this.tramps) this.drop(tramp, port);
    await this.periods(3);
    this.look();
    for (const port of this.ports) {
      if (port.asked) throw new Error(`port ${port.number}: no-senders has not fired`);
    }
    await this.periods(1000); // as many as it takes
    this.watch.checkRest();
    for (const { task, gone } of this.tramps) if (!gone) nodes.end(task);
    await this.periods(8);
    await this.acknowledged();
    await nodes.expectNothingLeaked();
    const before = this.tokenPeriods();
    await this.periods(4);
    if (this.tokenPeriods() !== before) throw new Error("the token does not rest");
    for (const { memory, node } of nodes.kernels) {
      const rejected = memory.counters[COUNTERS.damaged.index];
      if (rejected !== 0) throw new Error(`node ${node} did not believe ${rejected} true packets`);
    }
    this.watch.checkRest();
  }

  /** What was lost last is sent again, however long its timeout has become. */
  private async acknowledged(): Promise<void> {
    for (let part = 0; part < 10_000; part++) {
      if (this.isAcknowledged()) return;
      await this.nodes.pass(PART_NS);
    }
    throw new Error("a packet is never acknowledged");
  }

  private isAcknowledged(): boolean {
    return this.nodes.kernels.every(({ transport }) => transport.unacknowledged() === 0);
  }

  private isBusy(): boolean {
    const letters = this.ports.some(({ alive, outstanding }) => alive && outstanding > 0);
    return letters || this.tramps.some(({ parcels }) => parcels > 0);
  }

  private tokenPeriods(): number {
    return this.nodes.kernels[0]!.memory.counters[COUNTERS.tokenPeriods.index]!;
  }

  /** Lets `count` periods of the token begin, or fewer if it comes to rest. */
  private async periods(count: number): Promise<void> {
    const end = this.tokenPeriods() + count;
    // Parts in which nothing has happened, and no lost packet waits for its timeout.
    for (let still = 0; still < REST_PARTS && this.tokenPeriods() < end; still++) {
      const before = this.tokenPeriods();
      await this.nodes.pass(PART_NS);
      if (this.tokenPeriods() > before || !this.isAcknowledged()) still = 0;
    }
  }
}

/** True of a parcel with a send right to the port. */
const isSendTo = (port: Wanderer, message: Message): boolean =>
  message.id === port.number && message.takeType() !== PORT_RECEIVE;

const openWay = async (nodes: LoneNodes, from: Task, to: Tramp): Promise<PortName> => {
  const label = `tramp ${to.number}`;
  await nodes.run(to.task.names.checkIn(label, to.inbox));
  const name = await nodes.run(from.names.lookUp(label));
  await nodes.run(to.task.names.checkOut(label));
  return name;
};

/** Resolves when tasks that were resumed have run. */
const drained = (): Promise<void> => new Promise((resolve) => nextTick(resolve));

/** Receives whatever comes, until the task ends. */
const collect = async (task: Task, port: PortName, into: Message[]): Promise<void> => {
  try {
    for (;;) into.push(await task.receive(port));
  } catch (error) {
    if ((error as MachError).code !== "MACH_RCV_PORT_DIED") throw error;
  }
};
