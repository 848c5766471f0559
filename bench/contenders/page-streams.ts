// The contender of the large-message suites: one or several pairs of programs, each a client that sends from
// one node to a server on another, all at once. A sample is the time per message of all together:
// with one pair the pair's own, with more the one that the sum of their rates makes.

import type { Machine } from "../../src/index.ts";
import type { Contender, Point } from "../harness/contender.ts";
import type { PageShape, PageSlice } from "../programs/page-args.ts";
import { newGate } from "../programs/start-gate.ts";
import type { BenchMachine } from "./bench-machine.ts";

type MachineTask = Awaited<ReturnType<Machine["spawn"]>>;

/** From which node to which. */
export interface PagePair {
  readonly from: number;
  readonly to: number;
}

export interface PageStreamsParts {
  readonly name: string;
  readonly pairs: readonly PagePair[];
  /** One pair only, and one worker per node. */
  readonly sync: boolean;
  readonly shapeAt: (point: Point) => PageShape;
  readonly deallocate?: boolean;
  readonly rewrite?: boolean;
}

/** What counters() tells, per message and summed over all nodes. */
const COUNTED = ["dmaBytes", "dataCopiedBytes", "copiedBytes"] as const;

/** Samples behind the counters. */
const COUNTED_SAMPLES = 4;

export class PageStreams implements Contender {
  readonly name: string;
  private readonly parts: PageStreamsParts;
  private readonly bench: BenchMachine;
  private servers: readonly MachineTask[] = [];
  private shape: PageShape | null = null;
  private slices = 0;

  constructor(bench: BenchMachine, parts: PageStreamsParts) {
    if (parts.sync && parts.pairs.length > 1) {
      throw new RangeError(`${parts.name}: synchronous programs keep their nodes to themselves`);
    }
    this.name = parts.name;
    this.parts = parts;
    this.bench = bench;
  }

  /** Messages behind a sample, of each pair. */
  get batch(): number {
    return this.shape === null ? 1 : this.shape.batch * this.shape.messagesPerRound;
  }

  async prepare(point: Point): Promise<void> {
    this.shape = this.parts.shapeAt(point);
    if (this.servers.length > 0) return;
    const machine = await this.bench.running();
    const { pairs, sync } = this.parts;
    const program = new URL("../programs/page-server.js", import.meta.url);
    this.servers = await Promise.all(
      pairs.map(({ to }, i) =>
        machine.spawn(to, program, { args: { name: this.nameOf(i), sync } }),
      ),
    );
    // Their end is seen by the slice that is open then; without one, nobody needs to know.
    for (const server of this.servers) server.exited.catch(() => {});
  }

  async slice(samples: number): Promise<Float64Array> {
    const { shape, parts, servers } = this;
    if (shape === null) throw new Error(`${this.name}: slice() before prepare()`);
    const machine = await this.bench.running();
    const program = new URL("../programs/page-client.js", import.meta.url);
    const gate = newGate();
    const { sync, deallocate = false, rewrite = false, pairs } = parts;
    const salt = ++this.slices & 0xff;
    const clients = await Promise.all(
      pairs.map(({ from, to }, i) => {
        const about = { name: this.nameOf(i), serverNode: to, gate, clients: pairs.length };
        const args: PageSlice = { ...shape, ...about, samples, sync, deallocate, rewrite, salt };
        return machine.spawn(from, program, { args });
      }),
    );
    const ends = servers.map(async (server) => {
      await server.exited;
      throw new Error(`${this.name}: a server ended`);
    });
    // A server that found something wrong says more than its client, which only lost it.
    const times = await Promise.race([...ends, Promise.all(clients.map((one) => one.exited))]);
    return together(times as Float64Array[]);
  }

  /** Counted by the difference of a short and a longer slice, so that what a slice costs beside its
   *  messages is left out. Several pairs send more than they are asked for: nothing is told of them. */
  async counters(): Promise<Record<string, number>> {
    if (this.parts.pairs.length > 1) return {};
    const short = await this.countSlice(COUNTED_SAMPLES);
    const long = await this.countSlice(2 * COUNTED_SAMPLES);
    const messages = COUNTED_SAMPLES * this.batch;
    const perMessage = COUNTED.map((key) => [key, (long[key] - short[key]) / messages] as const);
    return Object.fromEntries(perMessage);
  }

  async close(): Promise<void> {
    await this.bench.halt();
  }

  private async countSlice(samples: number): Promise<Record<(typeof COUNTED)[number], number>> {
    const machine = await this.bench.running();
    const before = machine.stats().total;
    await this.slice(samples);
    const after = machine.stats().total;
    const { dmaBytes, dataCopiedBytes, copiedBytes } = before;
    return {
      dmaBytes: after.dmaBytes - dmaBytes,
      dataCopiedBytes: after.dataCopiedBytes - dataCopiedBytes,
      copiedBytes: after.copiedBytes - copiedBytes,
    };
  }

  private nameOf(pair: number): string {
    return `bench pages ${this.name} ${pair}`;
  }
}

/** Of times per message of several pairs: per sample, the time between two messages of any of them. */
export function together(times: readonly Float64Array[]): Float64Array {
  const [first] = times;
  if (first === undefined) throw new RangeError("no pairs");
  if (times.length === 1) return first;
  return first.map((_, sample) => 1 / times.reduce((rate, own) => rate + 1 / own[sample]!, 0));
}
