// No-senders across nodes: random programs that make, copy, move, queue and drop send rights of one port while the
// token goes round, on two to eight nodes whose kernels are stepped in any order. The test knows where every right is:
// no-senders may not come while there is one, and must come when there is none.

import { nextTick } from "node:process";
import { expect, test } from "@jest/globals";
import { COUNTERS } from "../../src/base/counters.ts";
import { Random } from "../../src/base/random.ts";
import type { Message } from "../../src/ipc/message.ts";
import {
  COPY_SEND,
  type Disposition,
  MAKE_SEND,
  MOVE_SEND,
  NOTIFY_NO_SENDERS,
  type PortName,
} from "../../src/ipc/rights.ts";
import type { MachError } from "../../src/task/mach-error.ts";
import type { Task } from "../../src/task/task.ts";
import { openDoor } from "../support/doors.ts";
import { parcel } from "../support/letters.ts";
import { LoneNodes } from "../support/lone-node.ts";

const SEEDS = Number(process.env.NORMACUBE_RUNS ?? 100);
const FIRST_SEED = Number(process.env.NORMACUBE_SEED ?? 1);
const STEPS = 400;
/** Parcels that may wait at one task: fewer than its queue limit. */
const PARCELS_MAX = 3;

interface Holder {
  readonly task: Task;
  readonly inbox: PortName;
  /** Ways to the others, by number. */
  readonly ways: PortName[];
  /** Its name for the port, 0 without a send right. */
  name: PortName;
  /** Parcels sent to it that it has not opened. */
  parcels: number;
  /** Those of them that have come. */
  readonly arrived: Message[];
}

class Scattering {
  private readonly nodes: LoneNodes;
  private readonly random: Random;
  /** Rights are copied, too, not only moved. */
  private readonly copies: boolean;
  private readonly holders: Holder[] = [];
  private port: PortName = 0;
  private notify: PortName = 0;
  /** There is a request that has not fired. */
  private asked = false;
  private makes = 0;
  private readonly failures: unknown[] = [];
  private readonly notices: Message[] = [];
  readonly told: number[] = [];

  constructor(seed: number) {
    this.random = new Random(seed);
    const dimension = 1 + this.random.below(3);
    this.copies = this.random.below(3) === 0;
    const transport = { windowPackets: 1 + this.random.below(2) * 7 };
    this.nodes = new LoneNodes({ dimension, transport, kernel: { tokenPauseNs: 0 } });
  }

  async run(): Promise<void> {
    const { nodes, random } = this;
    for (let node = 0; node < nodes.kernels.length; node++) {
      const task = nodes.task(node);
      this.holders.push({ task, inbox: 0, ways: [], name: 0, parcels: 0, arrived: [] });
    }
    for (const [to, holder] of this.holders.entries()) {
      const inbox = holder.task.ports.allocate();
      this.holders[to] = { ...holder, inbox };
      await nodes.run(holder.task.names.checkIn(`inbox ${to}`, inbox));
    }
    for (const { task, ways } of this.holders) {
      for (let to = 0; to < this.holders.length; to++) {
        ways.push(await nodes.run(task.names.lookUp(`inbox ${to}`)));
      }
    }
    const home = this.home.task;
    this.port = home.ports.allocate();
    this.notify = home.ports.allocate();
    for (const { task, inbox, arrived } of this.holders) void collect(task, inbox, arrived);
    void collect(home, this.notify, this.notices);
    for (let step = 0; step < STEPS; step++) {
      await this.act(random.below(20));
      await this.stepSome();
      this.look();
    }
    await this.end();
  }

  private get home(): Holder {
    return this.holders[0]!;
  }

  /** Send rights at tasks, in messages and under way. */
  private get rights(): number {
    return this.holders.reduce((sum, { name, parcels }) => sum + parcels + (name === 0 ? 0 : 1), 0);
  }

  private async act(what: number): Promise<void> {
    const { random, holders } = this;
    const from = holders[random.below(holders.length)]!;
    const to = random.below(holders.length);
    if (what < 2) await this.make(1 + random.below(holders.length - 1));
    else if (what < 10) await this.pass(from, to);
    else if (what < 16) for (const holder of holders) this.take(holder);
    else if (this.copies || what < 17) this.drop(from);
  }

  private async make(to: number): Promise<void> {
    const heir = this.holders[to]!;
    if (heir.parcels === PARCELS_MAX || this.rights > 0) return;
    heir.parcels += 1;
    this.makes += 1;
    await this.send(this.home, to, this.port, MAKE_SEND);
    if (this.asked) return;
    this.asked = true;
    this.home.task.ports.requestNotification(this.port, NOTIFY_NO_SENDERS, this.makes, this.notify);
  }

  private async pass(from: Holder, to: number): Promise<void> {
    const heir = this.holders[to]!;
    if (from.name === 0 || heir.parcels === PARCELS_MAX) return;
    const { name } = from;
    const moves = !this.copies || this.random.below(4) > 0;
    if (moves) from.name = 0;
    heir.parcels += 1;
    await this.send(from, to, name, moves ? MOVE_SEND : COPY_SEND);
  }

  private async send(
    from: Holder,
    to: number,
    name: PortName,
    disposition: Disposition,
  ): Promise<void> {
    // It may have to wait at the proxy: the right is in the kernel's hands then.
    const sent = from.task.send(parcel(from.ways[to]!, COPY_SEND, name, disposition));
    sent.catch((error: unknown) => this.failures.push(error));
    await drained();
  }

  /** Opens a parcel that has come. A right to the port that its task has already is one right with that. */
  private take(holder: Holder): void {
    const message = holder.arrived.shift();
    if (message === undefined) return;
    const { name } = message.takeRight();
    holder.parcels -= 1;
    if (holder === this.home) {
      holder.task.ports.deallocate(name);
    } else if (holder.name !== 0) {
      expect(name).toBe(holder.name);
      holder.task.ports.deallocate(name);
    } else {
      holder.name = name;
    }
  }

  private drop(holder: Holder): void {
    if (holder.name === 0) return;
    holder.task.ports.deallocate(holder.name);
    holder.name = 0;
  }

  private async stepSome(): Promise<void> {
    const { kernels, clock } = this.nodes;
    for (let i = this.random.below(12); i > 0; i--) {
      kernels[this.random.below(kernels.length)]!.step();
      this.check();
    }
    clock.pass(this.random.below(20_000));
    await drained();
    expect(this.failures).toEqual([]);
  }

  /** The request is used up the moment that no-senders fires. */
  private check(): void {
    if (!this.asked) return;
    const { nsrequest } = this.home.task.ports.getReceiveStatus(this.port);
    if (!nsrequest && this.rights > 0) {
      throw new Error(`no-senders fired with ${this.rights} send rights`);
    }
  }

  private look(): void {
    this.check();
    const message = this.notices.shift();
    if (message === undefined) return;
    expect(message.id).toBe(NOTIFY_NO_SENDERS);
    this.asked = false;
    this.told.push(this.makes);
  }

  /** Everything is taken and dropped: if there is a request, it is answered. */
  private async end(): Promise<void> {
    const { nodes } = this;
    for (const holder of this.holders) {
      while (holder.parcels > 0) {
        await nodes.quiet();
        this.take(holder);
      }
      this.drop(holder);
    }
    if (this.asked) {
      // Two periods at most: the second brings the answer of the first home.
      for (let i = 0; i < 2 && this.notices.length === 0; i++) await nodes.pass(1);
      expect(this.notices.map(({ id }) => id)).toEqual([NOTIFY_NO_SENDERS]);
    }
    await nodes.expectNothingLeaked();
  }
}

/** Resolves when tasks that were resumed have run. */
const drained = (): Promise<void> => new Promise((resolve) => nextTick(resolve));

/** Receives whatever comes, until the task ends. */
const collect = async (task: Task, port: PortName, into: Message[]): Promise<void> => {
  try {
    for (;;) into.push(await task.receive(port));
  } catch (error) {
    expect((error as MachError).code).toBe("MACH_RCV_PORT_DIED");
  }
};

test("sender queries: no-senders comes when the last right is gone, and not before, in random programs", async () => {
  let told = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    const scattering = new Scattering(seed);
    try {
      await scattering.run();
    } catch (error) {
      throw new Error(`NORMACUBE_SEED=${seed}`, { cause: error });
    }
    told += scattering.told.length;
  }
  expect(told).toBeGreaterThan(SEEDS / 2);
});

test("sender queries: the token rests while nothing changes, and moves when the last right elsewhere goes", async () => {
  const nodes = new LoneNodes({ dimension: 2 });
  const [home, holder] = [nodes.task(0), nodes.task(3)];
  const { send, receive } = await openDoor(nodes, holder, home);
  const notify = home.ports.allocate();
  home.ports.requestNotification(receive, NOTIFY_NO_SENDERS, 0, notify);
  const messages = (): number =>
    nodes.kernels.reduce(
      (all, { memory }) => all + memory.counters[COUNTERS.tokenMessages.index]!,
      0,
    );
  for (let i = 0; i < 4; i++) await nodes.pass(2e9);
  // Three passes over four nodes for the answer, and one more first pass to bring it home.
  expect(messages()).toBe(16);
  for (let i = 0; i < 4; i++) await nodes.pass(2e9);
  expect(messages()).toBe(16);
  expect(home.ports.getReceiveStatus(receive).nsrequest).toBe(true);
  holder.ports.deallocate(send);
  for (let i = 0; i < 3; i++) await nodes.pass(2e9);
  expect((await nodes.run(home.receive(notify))).id).toBe(NOTIFY_NO_SENDERS);
  await nodes.pass(2e9);
  expect(messages()).toBe(32);
  await nodes.expectNothingLeaked();
});
