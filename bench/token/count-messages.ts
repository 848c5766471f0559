// Parts of suite token that count, in one thread: messages and bytes of a period by the number of questions that are
// open, and one history of rights counted in three ways. Counts do not depend on the machine that runs this.

import { Random } from "../../src/base/random.ts";
import type { Point } from "../harness/contender.ts";
import { dimensionOf } from "../harness/options.ts";
import { type Ratio, type Result, resultOfValues, type SuiteOutcome } from "../harness/report.ts";
import { median, quantile } from "../harness/statistics.ts";
import { Cube } from "./cube.ts";
import { replayTrace } from "./replay-trace.ts";
import { creditMessages, naiveMessages } from "./right-schemes.ts";
import { randomTrace } from "./right-trace.ts";
import { ScatteredPorts } from "./scattered-ports.ts";
import type { TokenPlan } from "./token-plan.ts";

/** Ports whose rights move about. */
const TRACE_PORTS = 16;

/** Memory of a node: 128 nodes are in one process here. */
const MEMORY = { bytesPerNode: 1 << 20, swapBytes: 0 };

/** A machine of `nodes` nodes whose token goes round when it is told to. */
export const manualCube = (nodes: number, bytesPerNode = MEMORY.bytesPerNode): Cube =>
  new Cube({
    dimension: dimensionOf(nodes),
    kernel: { tokenPauseNs: "manual" },
    memory: { ...MEMORY, bytesPerNode },
  });

/** Bytes of each period, and the messages of all, from the moment that `open` questions are there until all are
 *  answered. Throws if a period has other than three messages for each node. */
export async function countPeriods(suite: string, nodes: number, open: number): Promise<Result> {
  const cube = manualCube(nodes);
  const ports = await ScatteredPorts.make(cube, nodes - 1, open);
  await ports.settle();
  ports.drop();
  const messagesBefore = cube.count("tokenMessages");
  const bytes: number[] = [];
  for (let told = -1; told < open; told = ports.told) {
    const before = cube.count("tokenBytes");
    await cube.runTokenPeriods(1);
    bytes.push(cube.count("tokenBytes") - before);
  }
  const messages = cube.count("tokenMessages") - messagesBefore;
  const periods = bytes.length;
  if (messages !== 3 * nodes * periods) {
    throw new Error(`${messages} messages in ${periods} periods of ${nodes} nodes`);
  }
  const about = { suite, name: "period-bytes", params: { nodes, open }, unit: "bytes" } as const;
  return resultOfValues(about, bytes, { periods, messagesPerPeriod: messages / periods });
}

/** Messages of each period for one history of rights: the token's, which happen, and what the naive and the credit
 *  scheme would have had. The last period, in which everything is dropped, does not count. */
export async function countSchemes(
  suite: string,
  { seed, tracePeriods }: TokenPlan,
  nodes: number,
  rate: number,
): Promise<SuiteOutcome> {
  const random = new Random(seed).fork(`rights ${nodes} ${rate}`);
  const trace = randomTrace(random, nodes, TRACE_PORTS, rate, tracePeriods);
  const schemes: Record<string, number[]> = {
    token: await replayTrace(manualCube(nodes), trace),
    naive: naiveMessages(trace),
    credit: creditMessages(trace),
  };
  const params = { nodes, movements: rate };
  const counts = Object.entries(schemes).map(
    ([name, messages]) => [name, messages.slice(0, tracePeriods)] as const,
  );
  const results = counts.map(([name, messages]) =>
    resultOfValues({ suite, name, params, unit: "messages" }, messages),
  );
  const [token, ...others] = counts;
  const ratios = others.map((other) => ratioOfCounts(suite, params, other, token!));
  return { results, ratios };
}

function ratioOfCounts(
  suite: string,
  params: Point,
  [over, overs]: readonly [string, readonly number[]],
  [under, unders]: readonly [string, readonly number[]],
): Ratio {
  const perPeriod = overs.map((value, period) => value / unders[period]!);
  return {
    suite,
    name: `${over}/${under}`,
    params,
    value: median(perPeriod),
    ofMedians: quantile(overs, 0.5) / quantile(unders, 0.5),
    low: quantile(perPeriod, 0.25),
    high: quantile(perPeriod, 0.75),
  };
}
