// A suite answers one question and lives in one file under bench/suites/. A suite that compares
// contenders at a list of points is a table, and measureSuite() below runs it; others (scale,
// micro) bring their own run().

import { Random } from "../../src/base/random.ts";
import type { Contender, Point } from "./contender.ts";
import {
  type Effort,
  FULL_EFFORT,
  interleave,
  LARGE_EFFORT,
  LARGE_QUICK_EFFORT,
  type Measured,
  QUICK_EFFORT,
  slicesPerPoint,
  toRatio,
  toResult,
} from "./interleave.ts";
import type { Progress } from "./progress.ts";
import {
  type BenchOptions,
  describePoint,
  type Ratio,
  type Result,
  type SuiteOutcome,
} from "./report.ts";

export interface Suite {
  readonly name: string;
  /** The question it answers, in one sentence. */
  readonly question: string;
  run(options: BenchOptions, progress: Progress): Promise<SuiteOutcome>;
}

/** What measureSuite() needs to know of a suite that compares contenders. */
export interface Comparison {
  readonly suite: string;
  readonly contenders: readonly Contender[];
  readonly points: readonly Point[];
  /** Pairs of contender names, [over, under]. */
  readonly ratios: readonly (readonly [string, string])[];
  /** What results and ratios tell; by default times. */
  readonly figure?: Figure;
  /** By default effortOf(). */
  readonly effort?: Effort;
  /** False if a contender has nothing to say at a point; by default all take part. */
  readonly takesPart?: (contender: Contender, point: Point) => boolean;
}

/** Makes results and ratios of what was measured. */
export interface Figure {
  result(suite: string, point: Point, measured: Measured): Result;
  ratio(suite: string, point: Point, over: Measured, under: Measured): Ratio;
}

const TIME: Figure = { result: toResult, ratio: toRatio };

export function effortOf(options: BenchOptions): Effort {
  return options.quick ? QUICK_EFFORT : FULL_EFFORT;
}

/** Of suites whose samples may take milliseconds. */
export function largeEffortOf(options: BenchOptions): Effort {
  return options.quick ? LARGE_QUICK_EFFORT : LARGE_EFFORT;
}

/** Runs every contender at every point, interleaved; closes them all, also after a failure. */
export async function measureSuite(
  comparison: Comparison,
  options: BenchOptions,
  progress: Progress,
): Promise<SuiteOutcome> {
  const { suite, contenders, points, figure = TIME, takesPart = () => true } = comparison;
  const effort = comparison.effort ?? effortOf(options);
  const presentAt = (point: Point) => contenders.filter((one) => takesPart(one, point));
  const slices = points.map((point) => slicesPerPoint(presentAt(point).length, effort));
  const random = new Random(options.seed).fork(suite);
  const results: Result[] = [];
  const ratios: Ratio[] = [];
  progress.start(
    suite,
    slices.reduce((sum, count) => sum + count, 0),
  );
  try {
    for (const point of points) {
      const onSlice = () => progress.step(describePoint(point));
      // The seed decides who goes first, so that runs with several seeds vary the order as well.
      const present = presentAt(point);
      const firstInOrder = random.below(present.length);
      const measured = await interleave(present, point, effort, firstInOrder, onSlice);
      const byName = new Map(measured.map((entry) => [entry.name, entry]));
      results.push(...measured.map((entry) => figure.result(suite, point, entry)));
      for (const [overName, underName] of comparison.ratios) {
        const over = byName.get(overName);
        const under = byName.get(underName);
        if (over && under) ratios.push(figure.ratio(suite, point, over, under));
      }
    }
  } finally {
    progress.stop();
    await closeAll(contenders);
  }
  return { results, ratios };
}

async function closeAll(contenders: readonly Contender[]): Promise<void> {
  const ends = await Promise.allSettled(contenders.map((contender) => contender.close()));
  const failure = ends.find((end) => end.status === "rejected");
  if (failure) throw failure.reason;
}
