// The interleaved runner. On a machine that other people use, a minute is as long as a change of
// weather: measuring first one contender and then the next compares two weathers. Here every
// contender takes a short slice per round, so that all of them see the same weather, and whatever
// is common to a round cancels in a ratio taken within it.
//
// - Warm-up: two slices that do not count; the first tells how many samples fill a slice.
// - Every contender gets the same time per slice, so slow ones take fewer samples.
// - The order rotates from round to round, so nobody always runs after the same neighbour.
// - Contenders never run at the same time: the cores belong to one of them.

import type { Contender, Point } from "./contender.ts";
import { LatencyHistogram } from "./latency-histogram.ts";
import { perSecondOf, type Ratio, type Result } from "./report.ts";
import { median, quantile } from "./statistics.ts";

/** How hard to try. */
export interface Effort {
  readonly rounds: number;
  /** Time that one slice should take. */
  readonly sliceNs: number;
  readonly samplesMin: number;
  readonly samplesMax: number;
  /** Samples of the first warm-up slice: by default enough to be past the interpreter for batched
   *  contenders; fewer where one sample may take milliseconds. */
  readonly probeSamples?: number;
  /** Warm-up slices go on for so long, each to fill half of it at the pace of the one before: until code is
   *  compiled it may be 30 times slower, and a slice sized by that would never see it compiled.
   *  By default there is one, as long as the others. */
  readonly warmUpNs?: number;
}

export const FULL_EFFORT: Effort = {
  rounds: 15, // odd, so that the median over rounds is a round that happened
  sliceNs: 20e6,
  samplesMin: 32, // a round's p50 of fewer is noise
  samplesMax: 8192,
};

export const QUICK_EFFORT: Effort = { rounds: 5, sliceNs: 5e6, samplesMin: 16, samplesMax: 1024 };

/** The same where a sample may be megabytes: few of them fill a slice. */
export const LARGE_EFFORT: Effort = {
  ...FULL_EFFORT,
  samplesMin: 4,
  probeSamples: 8,
  warmUpNs: 500e6,
};

export const LARGE_QUICK_EFFORT: Effort = {
  rounds: 3,
  sliceNs: 4e6,
  samplesMin: 2,
  samplesMax: 1024,
  probeSamples: 4,
  warmUpNs: 150e6,
};

const PROBE_SAMPLES = 64;

export interface Measured {
  readonly name: string;
  readonly batch: number;
  readonly histogram: LatencyHistogram;
  /** p50 of each round's slice, by round number: what ratios are made from. */
  readonly roundP50s: readonly number[];
  readonly counters: Record<string, number>;
}

/** Measures all contenders at one point; `onSlice` is called after each slice, for progress. */
export async function interleave(
  contenders: readonly Contender[],
  point: Point,
  effort: Effort,
  firstInOrder = 0,
  onSlice: () => void = () => {},
): Promise<Measured[]> {
  const tracks = [];
  for (const contender of contenders) {
    await contender.prepare(point);
    const samples = await warmUp(contender, effort);
    const roundP50s: number[] = [];
    tracks.push({ contender, samples, roundP50s, histogram: new LatencyHistogram() });
    onSlice();
  }
  for (let round = 0; round < effort.rounds; round++) {
    for (const index of orderOfRound(tracks.length, round + firstInOrder)) {
      const track = tracks[index]!;
      const slice = await track.contender.slice(track.samples);
      track.histogram.record(slice);
      track.roundP50s.push(quantile(slice, 0.5));
      onSlice();
    }
  }
  const measured: Measured[] = [];
  for (const { contender, histogram, roundP50s } of tracks) {
    const counters = (await contender.counters?.()) ?? {};
    measured.push({ name: contender.name, batch: contender.batch, histogram, roundP50s, counters });
  }
  return measured;
}

/** How often interleave() calls `onSlice`. */
export function slicesPerPoint(contenderCount: number, effort: Effort): number {
  return contenderCount * (effort.rounds + 1);
}

/** Contender indices in the order of a round: everybody once, each round starts one further on. */
export function orderOfRound(contenderCount: number, round: number): number[] {
  return Array.from({ length: contenderCount }, (_, i) => (i + round) % contenderCount);
}

export function toResult(suite: string, point: Point, measured: Measured): Result {
  const { name, batch, counters } = measured;
  const summary = measured.histogram.summary();
  const perSecond = perSecondOf("ns", summary.mean);
  return { suite, name, params: point, unit: "ns", batch, ...summary, perSecond, counters };
}

/** The ratio over/under of two contenders that were interleaved at `point`. */
export function toRatio(suite: string, point: Point, over: Measured, under: Measured): Ratio {
  if (over.roundP50s.length !== under.roundP50s.length) {
    throw new RangeError(`${over.name} and ${under.name} did not run the same rounds`);
  }
  const perRound = over.roundP50s.map((p50, round) => p50 / under.roundP50s[round]!);
  return {
    suite,
    name: `${over.name}/${under.name}`,
    params: point,
    value: median(perRound),
    ofMedians: over.histogram.summary().p50 / under.histogram.summary().p50,
    low: quantile(perRound, 0.25),
    high: quantile(perRound, 0.75),
  };
}

/** Returns how many samples fill a slice. */
async function warmUp(contender: Contender, effort: Effort): Promise<number> {
  const { probeSamples = PROBE_SAMPLES, warmUpNs, samplesMax } = effort;
  const start = performance.now();
  const probe = await contender.slice(Math.min(probeSamples, samplesMax));
  let sampleNs = sampleTime(probe, contender);
  if (warmUpNs === undefined) {
    await contender.slice(samplesIn(effort.sliceNs, sampleNs, effort));
    return samplesIn(effort.sliceNs, sampleNs, effort);
  }
  do {
    const slice = await contender.slice(samplesIn(warmUpNs / 2, sampleNs, effort));
    sampleNs = sampleTime(slice, contender);
  } while ((performance.now() - start) * 1e6 < warmUpNs);
  return samplesIn(effort.sliceNs, sampleNs, effort);
}

/** ns per sample of a slice: the median, because the first samples of a probe pay for compilation. */
function sampleTime(slice: Float64Array, contender: Contender): number {
  const sampleNs = quantile(slice, 0.5) * contender.batch;
  if (sampleNs > 0) return sampleNs;
  throw new RangeError(`${contender.name}: not a round-trip time: ${sampleNs} ns`);
}

/** Samples that take `ns`, within the limits of the effort. */
function samplesIn(ns: number, sampleNs: number, { samplesMin, samplesMax }: Effort): number {
  return Math.min(samplesMax, Math.max(samplesMin, Math.round(ns / sampleNs)));
}
