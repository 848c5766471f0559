// Suite peers: how does the machine compare with Open MPI between two processes of this computer? Latency one way
// (half of a ping-pong) of a small message and of a page; bandwidth of a stream of 1 MiB messages. Where
// Open MPI is not installed its rows are left out, and the report says so.

import { BenchMachine } from "../contenders/bench-machine.ts";
import { largeMemory, pingPong, stream } from "../contenders/page-shapes.ts";
import { PageStreams } from "../contenders/page-streams.ts";
import { BANDWIDTH } from "../harness/bandwidth.ts";
import type { Contender, Point } from "../harness/contender.ts";
import { dimensionOf } from "../harness/options.ts";
import type { Progress } from "../harness/progress.ts";
import type { BenchOptions, SuiteOutcome } from "../harness/report.ts";
import { type Comparison, largeEffortOf, measureSuite, type Suite } from "../harness/suite.ts";
import { missingForOpenMpi, type OpenMpiKind, OpenMpiPeer } from "../peers/openmpi.ts";
import type { PageShape } from "../programs/page-args.ts";
import { CLIENT_NODE } from "../programs/slice-args.ts";

const LATENCY_BYTES = [64, 4096];
const BANDWIDTH_BYTES = [1_048_576];

const RATIOS = [
  ["openmpi", "mach"],
  ["openmpi", "mach-sync"],
] as const;

export const peersSuite: Suite = {
  name: "peers",
  question: "How do latency and bandwidth compare with Open MPI on this computer?",
  run,
};

async function run(options: BenchOptions, progress: Progress): Promise<SuiteOutcome> {
  const missing = missingForOpenMpi();
  const part = (kind: OpenMpiKind, sizes: readonly number[]): Comparison => {
    const shapeAt = ({ bytes = 0 }: Point) =>
      kind === "latency" ? pingPong(bytes) : stream(bytes);
    return {
      suite: peersSuite.name,
      contenders: contendersOf(options, kind, shapeAt, missing === null),
      points: sizes.map((bytes) => ({ bytes })),
      ratios: RATIOS,
      effort: largeEffortOf(options),
      ...(kind === "bandwidth" ? { figure: BANDWIDTH } : {}),
    };
  };
  const latency = await measureSuite(part("latency", LATENCY_BYTES), options, progress);
  const bandwidth = await measureSuite(part("bandwidth", BANDWIDTH_BYTES), options, progress);
  return {
    results: [...latency.results, ...bandwidth.results],
    ratios: [...latency.ratios, ...bandwidth.ratios],
    notes: missing === null ? [] : [`peers: openmpi is left out: ${missing}`],
  };
}

function contendersOf(
  { nodes, hops, seed }: BenchOptions,
  kind: OpenMpiKind,
  shapeAt: (point: Point) => PageShape,
  withOpenMpi: boolean,
): Contender[] {
  const bench = new BenchMachine(dimensionOf(nodes), hops, seed, nodes, largeMemory(nodes));
  const pairs = [{ from: CLIENT_NODE, to: bench.serverNode }];
  const ours = (name: string, sync: boolean) =>
    new PageStreams(bench, { name, pairs, sync, shapeAt });
  const countAt = (point: Point) => {
    const { batch, window } = shapeAt(point);
    return kind === "latency" ? batch : window;
  };
  const contenders: Contender[] = [ours("mach", false), ours("mach-sync", true)];
  if (withOpenMpi) contenders.push(new OpenMpiPeer(kind, countAt));
  return contenders;
}
