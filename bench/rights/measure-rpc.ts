// The first part of suite rights: the same RPC on an empty machine and on one whose two nodes are filled,
// both booted, slices alternating. Beside it the RPC in one thread, which a busy host disturbs less.

import { BenchMachine } from "../contenders/bench-machine.ts";
import { machContender } from "../contenders/mach.ts";
import { MachSyncContender } from "../contenders/mach-sync.ts";
import type { Contender, Point } from "../harness/contender.ts";
import {
  type Effort,
  interleave,
  type Measured,
  slicesPerPoint,
  toRatio,
  toResult,
} from "../harness/interleave.ts";
import type { Progress } from "../harness/progress.ts";
import { type Result, resultOfValues, type SuiteOutcome } from "../harness/report.ts";
import type { Fill } from "../programs/rights-args.ts";
import { type Before, checkFill, FILL_STEPS, fillNode, sendRightsOf } from "./fill-node.ts";
import { RpcInOneThread } from "./rpc-in-one-thread.ts";

/** Payload of the round trips: an inline message. */
const BYTES = 64;

const EMPTY: Fill = { ports: 0, holders: 0 };

/** Client and server; the machine has no other. */
const NODES = [0, 1] as const;

export interface RpcPlan {
  readonly suite: string;
  readonly fill: Fill;
  readonly seed: number;
  readonly effort: Effort;
}

/** Fills, measures, and looks again whether the fill is there. */
export async function measureRpc(plan: RpcPlan, progress: Progress): Promise<SuiteOutcome> {
  const { suite, seed, effort } = plan;
  const empty = new BenchMachine(1, 1, seed);
  const filled = new BenchMachine(1, 1, seed);
  const contenders = [
    ...contendersOn(empty, EMPTY, seed),
    ...contendersOn(filled, plan.fill, seed),
  ];
  try {
    await empty.running();
    const { before, results } = await fillMachine(filled, plan, progress);
    progress.start(suite, slicesPerPoint(contenders.length, effort));
    const onSlice = () => progress.step("rpc");
    const measured = await interleave(contenders, { bytes: BYTES }, effort, 0, onSlice);
    progress.stop();
    const machine = await filled.running();
    for (const node of NODES) checkFill(await machine.census(node), before[node]!, plan.fill);
    const outcome = outcomeOf(plan, measured);
    return { results: [...results, ...outcome.results], ratios: outcome.ratios };
  } finally {
    progress.stop();
    await Promise.all(contenders.map((contender) => contender.close()));
  }
}

function contendersOn(bench: BenchMachine, fill: Fill, seed: number): Contender[] {
  return [new MachSyncContender(bench), machContender(bench), new RpcInOneThread(fill, seed)];
}

async function fillMachine(
  bench: BenchMachine,
  { suite, fill }: RpcPlan,
  progress: Progress,
): Promise<{ before: readonly Before[]; results: readonly Result[] }> {
  const machine = await bench.running();
  const rssBefore = process.memoryUsage.rss();
  const before: Before[] = [];
  const times: number[] = [];
  progress.start(`${suite}: fill`, NODES.length * FILL_STEPS);
  for (const node of NODES) {
    const start = performance.now();
    before.push(await fillNode(machine, node, fill, () => progress.step(`node ${node}`)));
    times.push(performance.now() - start);
  }
  progress.stop();
  const residentBytes = process.memoryUsage.rss() - rssBefore;
  const bytesPerRight = residentBytes / (NODES.length * sendRightsOf(fill));
  const about = { suite, params: paramsOf(fill) };
  return {
    before,
    results: [
      resultOfValues({ ...about, name: "fill", unit: "ms" }, times),
      resultOfValues(
        { ...about, name: "resident", unit: "MiB" },
        [residentBytes / NODES.length / 2 ** 20],
        { bytesPerRight },
      ),
    ],
  };
}

/** Contenders are [empty's, filled's], of the same kinds in the same order. */
function outcomeOf({ suite, fill }: RpcPlan, measured: readonly Measured[]): SuiteOutcome {
  const kinds = measured.length / 2;
  const pointOf = (params: Point): Point => ({ bytes: BYTES, ...params });
  const filled = pointOf(paramsOf(fill));
  const empty = pointOf(paramsOf(EMPTY));
  return {
    results: measured.map((entry, i) => toResult(suite, i < kinds ? empty : filled, entry)),
    ratios: measured.slice(kinds).map((over, kind) => {
      const ratio = toRatio(suite, filled, over, measured[kind]!);
      return { ...ratio, name: `${over.name} filled/empty` };
    }),
  };
}

function paramsOf(fill: Fill): Point {
  return { ports: fill.ports, sendRights: sendRightsOf(fill) };
}
