// The figure of suites that ask for bandwidth: what was measured as ns per message of point.bytes bytes is told
// as MB/s (10^6 bytes per second). Each value of a result is a round (its median), not a sample.

import type { Point } from "./contender.ts";
import { type Measured, toRatio } from "./interleave.ts";
import type { Progress } from "./progress.ts";
import {
  type BenchOptions,
  type Ratio,
  type Result,
  resultOfValues,
  type SuiteOutcome,
} from "./report.ts";
import { type Comparison, type Figure, largeEffortOf, measureSuite } from "./suite.ts";

export const BANDWIDTH: Figure = { result: toBandwidth, ratio: toBandwidthRatio };

/** measureSuite() for suites that ask for bandwidth. */
export function measureBandwidth(
  comparison: Omit<Comparison, "figure" | "effort">,
  options: BenchOptions,
  progress: Progress,
): Promise<SuiteOutcome> {
  const effort = largeEffortOf(options);
  return measureSuite({ ...comparison, figure: BANDWIDTH, effort }, options, progress);
}

/** MB/s of messages of `bytes` bytes, one every `ns` ns. */
export const megabytesPerSecond = (bytes: number, ns: number): number => (bytes * 1e3) / ns;

function toBandwidth(suite: string, point: Point, measured: Measured): Result {
  const { name, batch, counters, roundP50s } = measured;
  const bytes = bytesOf(point);
  const rates = roundP50s.map((ns) => megabytesPerSecond(bytes, ns));
  return resultOfValues({ suite, name, params: point, unit: "MB/s", batch }, rates, counters);
}

/** How many times the bandwidth of `under` is the one of `over`: the times the other way round. */
function toBandwidthRatio(suite: string, point: Point, over: Measured, under: Measured): Ratio {
  return { ...toRatio(suite, point, under, over), name: `${over.name}/${under.name}` };
}

function bytesOf(point: Point): number {
  const { bytes } = point;
  if (bytes === undefined) throw new RangeError("a bandwidth needs the point's bytes");
  return bytes;
}
