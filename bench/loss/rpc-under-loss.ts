// The part of suite loss that measures small round trips while packets are lost. At every rate of loss four machines take turns:
// one that loses nothing, and three that lose so much and differ in their timeouts. The figure is a rate, calls in a window of
// time, since a median of round trips does not see the few that wait for a timeout; what those take is told as p99.

import type { Machine, MachineOptionsInput } from "../../src/index.ts";
import { BenchMachine } from "../contenders/bench-machine.ts";
import { orderOfRound } from "../harness/interleave.ts";
import { LatencyHistogram } from "../harness/latency-histogram.ts";
import { type Ratio, type Result, resultOfValues, type SuiteOutcome } from "../harness/report.ts";
import { median, quantile } from "../harness/statistics.ts";
import type { LossArgs } from "../programs/loss-args.ts";
import { CLIENT_NODE, type ServerArgs } from "../programs/slice-args.ts";
import type { LossPlan } from "./loss-plan.ts";

const NODES = 2;
const BYTES = 64;

/** Timeouts that do not follow the measured round trips, ms: the original's, and BSD TCP's. null: those of the product. */
const TIMEOUTS = { adaptive: null, "fixed-20ms": 20, "fixed-200ms": 200 } as const;
type TimeoutKind = keyof typeof TIMEOUTS;

/** Of one kind of machine: a value for each round. */
interface Rounds {
  readonly rates: number[];
  readonly p50s: number[];
  readonly p99s: number[];
  /** All calls. */
  readonly times: LatencyHistogram;
  calls: number;
  ns: number;
}

class LossyPair {
  readonly name: string;
  readonly lossPercent: number;
  readonly rounds: Rounds = {
    rates: [],
    p50s: [],
    p99s: [],
    times: new LatencyHistogram(),
    calls: 0,
    ns: 0,
  };
  private readonly windowMs: number;
  private readonly bench: BenchMachine;
  private machine: Machine | null = null;
  private retransmitted = 0;

  constructor(name: string, kind: TimeoutKind, lossPercent: number, plan: LossPlan) {
    this.name = name;
    this.lossPercent = lossPercent;
    const timeoutMs = TIMEOUTS[kind];
    this.windowMs = Math.max(plan.windowMs, (timeoutMs ?? 0) * plan.windowTimeouts);
    this.bench = new BenchMachine(1, 1, plan.seed, NODES, {
      ...(lossPercent > 0 ? { faults: { drop: lossPercent / 100 } } : {}),
      transport: { unreliable: true, ...timeoutsOf(timeoutMs) },
    });
  }

  /** Boots the machine, and lets code be compiled. */
  async open(warmMs: number): Promise<void> {
    this.machine = await this.bench.running();
    const server = new URL("../programs/mach-server.js", import.meta.url);
    const args: ServerArgs = { name: this.service, sync: false };
    const task = await this.machine.spawn(this.bench.serverNode, server, { args });
    task.exited.catch(() => {}); // the calls of its clients say so
    await this.call(warmMs);
  }

  async window(): Promise<void> {
    const { rounds } = this;
    const before = this.counted();
    const times = await this.call(this.windowMs);
    this.retransmitted += this.counted() - before;
    const ns = times.reduce((sum, each) => sum + each, 0);
    rounds.times.record(times);
    rounds.rates.push((times.length * 1e9) / ns);
    rounds.p50s.push(quantile(times, 0.5));
    rounds.p99s.push(quantile(times, 0.99));
    rounds.calls += times.length;
    rounds.ns += ns;
  }

  close(): Promise<void> {
    return this.bench.halt();
  }

  results(suite: string): Result[] {
    const { rates, times, calls } = this.rounds;
    const { lossPercent } = this;
    const params = { nodes: NODES, bytes: BYTES, lossPercent };
    const about = { suite, name: this.name, params };
    const counters = { retransmittedPerCall: this.retransmitted / calls };
    return [
      resultOfValues({ ...about, unit: "1/s" }, rates, counters),
      {
        ...about,
        name: `${this.name}-time`,
        unit: "ns",
        batch: 1,
        ...times.summary(),
        perSecond: null,
        counters: {},
      },
    ];
  }

  private async call(windowMs: number): Promise<Float64Array> {
    const client = new URL("../programs/loss-client.js", import.meta.url);
    const { serverNode } = this.bench;
    const args: LossArgs = { name: this.service, serverNode, bytes: BYTES, windowMs };
    const task = await this.machine!.spawn(CLIENT_NODE, client, { args });
    return (await task.exited) as Float64Array;
  }

  private counted(): number {
    return this.machine!.stats().total.retransmitted;
  }

  private get service(): string {
    return `bench loss ${this.name}`;
  }
}

/** Turns of windows that measureRpcUnderLoss() takes. */
export const lossTurns = ({ losses, machines, rounds }: LossPlan): number =>
  losses.length * machines * (rounds + 1) * (1 + Object.keys(TIMEOUTS).length);

/** Rates and times at every rate of loss, and what they are of those without loss. */
export async function measureRpcUnderLoss(
  suite: string,
  plan: LossPlan,
  onTurn: (what: string) => void,
): Promise<SuiteOutcome> {
  const results: Result[] = [];
  const ratios: Ratio[] = [];
  for (const loss of plan.losses) {
    const lossless = new LossyPair("lossless", "adaptive", 0, plan);
    const kinds = Object.keys(TIMEOUTS) as TimeoutKind[];
    const lossy = kinds.map((kind) => new LossyPair(kind, kind, loss, plan));
    const pairs = [lossless, ...lossy];
    const turn = (pair: LossyPair) => onTurn(`${pair.name}, ${loss} % lost`);
    for (let machine = 0; machine < plan.machines; machine++) await takeTurns(pairs, plan, turn);
    // The lossless one is measured anew beside every rate of loss; its results are told once.
    const told = results.length === 0 ? pairs : lossy;
    for (const pair of told) results.push(...pair.results(suite));
    for (const pair of lossy) ratios.push(...ratiosOf(suite, pair, lossless));
  }
  return { results, ratios };
}

/** Boots a machine for each, lets them take turns, and halts them. */
async function takeTurns(
  pairs: readonly LossyPair[],
  { warmMs, rounds }: LossPlan,
  onTurn: (pair: LossyPair) => void,
): Promise<void> {
  try {
    for (const pair of pairs) {
      await pair.open(warmMs);
      onTurn(pair);
    }
    for (let round = 0; round < rounds; round++) {
      for (const index of orderOfRound(pairs.length, round)) {
        await pairs[index]!.window();
        onTurn(pairs[index]!);
      }
    }
  } finally {
    await Promise.all(pairs.map((pair) => pair.close()));
  }
}

/** The rate of the one over that of the other, and its p99 over the other's median. */
function ratiosOf(suite: string, over: LossyPair, under: LossyPair): Ratio[] {
  const params = { nodes: NODES, bytes: BYTES, lossPercent: over.lossPercent };
  const [lossy, clean] = [over.rounds, under.rounds];
  const ratio = (name: string, top: readonly number[], bottom: readonly number[], all: number) => {
    const perRound = top.map((value, round) => value / bottom[round]!);
    const [low, high] = [quantile(perRound, 0.25), quantile(perRound, 0.75)];
    return { suite, name, params, value: median(perRound), ofMedians: all, low, high };
  };
  const rates = lossy.calls / lossy.ns / (clean.calls / clean.ns);
  const [p99, p50] = [lossy.times.summary().p99, clean.times.summary().p50];
  return [
    ratio(`${over.name}/lossless`, lossy.rates, clean.rates, rates),
    ratio(`${over.name}-p99/lossless-p50`, lossy.p99s, clean.p50s, p99 / p50),
  ];
}

const timeoutsOf = (ms: number | null): MachineOptionsInput["transport"] => {
  if (ms === null) return {};
  const ns = ms * 1e6;
  return { timeoutInitialNs: ns, timeoutMinNs: ns, timeoutMaxNs: ns };
};
