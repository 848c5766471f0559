// The part of suite token that measures what a token on its way costs those who do something else: the RPC of suite rpc
// on machines that are alike but for their token, in slices that alternate. On each of them ports die all the time, so
// that a token that may go round does. A sample is so many calls that several periods fall into it: what they
// cost is in every sample, not in a few that a median leaves out.

import type { Machine } from "../../src/index.ts";
import { BenchMachine } from "../contenders/bench-machine.ts";
import { ProgramPair } from "../contenders/program-pair.ts";
import type { Point } from "../harness/contender.ts";
import {
  type Effort,
  interleave,
  type Measured,
  slicesPerPoint,
  toRatio,
  toResult,
} from "../harness/interleave.ts";
import { dimensionOf } from "../harness/options.ts";
import type { SuiteOutcome } from "../harness/report.ts";
import { type FeederArgs, STOP_WORD } from "../programs/token-args.ts";

/** Payload of the round trips: an inline message. */
const BYTES = 64;
/** Periods asked for in one call, where they follow each other without a pause. */
const PERIODS_AT_ONCE = 256;

export interface RpcEffort extends Effort {
  /** Calls behind one sample. */
  readonly calls: number;
}

export const RPC_EFFORT: RpcEffort = {
  calls: 8192,
  rounds: 15,
  sliceNs: 100e6,
  samplesMin: 4,
  samplesMax: 64,
  probeSamples: 2,
  warmUpNs: 300e6,
};

export const RPC_QUICK_EFFORT: RpcEffort = { ...RPC_EFFORT, rounds: 3, warmUpNs: 100e6 };

/** What the token does: nothing; a pause of 10 ms between periods; no pause, and always one after the other. */
const KINDS = {
  resting: { tokenPauseNs: "manual", driven: false },
  "pause-10ms": { tokenPauseNs: 10e6, driven: false },
  "back-to-back": { tokenPauseNs: "manual", driven: true },
} as const;
type Kind = keyof typeof KINDS;

export const rpcSlices = (effort: Effort): number =>
  slicesPerPoint(Object.keys(KINDS).length, effort);

/** Results of the three machines of `nodes` nodes each, and ratios to the one whose token rests. */
export async function measureRpcBesideToken(
  suite: string,
  nodes: number,
  seed: number,
  effort: RpcEffort,
  onSlice: () => void,
): Promise<SuiteOutcome> {
  const contenders = (Object.keys(KINDS) as Kind[]).map(
    (kind) => new RpcBesideToken(kind, nodes, seed, effort.calls),
  );
  const point: Point = { nodes, bytes: BYTES };
  try {
    const measured = await interleave(contenders, point, effort, 0, onSlice);
    const [resting, ...others] = measured as [Measured, ...Measured[]];
    return {
      results: measured.map((entry) => toResult(suite, point, entry)),
      ratios: others.map((over) => toRatio(suite, point, over, resting)),
    };
  } finally {
    await Promise.all(contenders.map((contender) => contender.close()));
  }
}

class RpcBesideToken extends ProgramPair {
  private readonly machine: BenchMachine;
  private readonly kind: Kind;
  private periods = 0;
  private ms = 0;

  constructor(kind: Kind, nodes: number, seed: number, calls: number) {
    const kernel = { tokenPauseNs: KINDS[kind].tokenPauseNs };
    const dimension = dimensionOf(nodes);
    const machine = new BenchMachine(dimension, dimension, seed, 2, { kernel });
    super(machine, {
      name: `rpc-${kind}`,
      batch: calls,
      server: new URL("../programs/mach-server.js", import.meta.url),
      client: new URL("../programs/mach-client.js", import.meta.url),
      sync: false,
    });
    this.machine = machine;
    this.kind = kind;
  }

  override async slice(samples: number): Promise<Float64Array> {
    const machine = await this.machine.running();
    const words = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const feeder = new URL("../programs/token-feeder.js", import.meta.url);
    const args: FeederArgs = { words, abroad: 0 };
    const feeding = await machine.spawn(machine.nodes - 1, feeder, { args });
    const driving = KINDS[this.kind].driven ? drive(machine, words) : Promise.resolve();
    const before = machine.stats().total.tokenPeriods;
    const start = performance.now();
    try {
      const slice = await super.slice(samples);
      this.ms += performance.now() - start;
      this.periods += machine.stats().total.tokenPeriods - before;
      return slice;
    } finally {
      Atomics.store(words, STOP_WORD, 1); // pairs with the loads in token-feeder.ts and drive()
      await Promise.all([feeding.exited, driving]);
    }
  }

  counters(): Record<string, number> {
    return { periodsPerSecond: (this.periods / this.ms) * 1000 };
  }
}

/** Sends the token round until the word says that it is enough. */
async function drive(machine: Machine, words: Int32Array<SharedArrayBuffer>): Promise<void> {
  while (Atomics.load(words, STOP_WORD) === 0) await machine.runTokenPeriods(PERIODS_AT_ONCE);
}
