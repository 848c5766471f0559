// The second part of suite rights: one operation on spaces of all sizes, in one thread, interleaved.

import type { Effort, Measured } from "../harness/interleave.ts";
import { interleave, slicesPerPoint, toRatio, toResult } from "../harness/interleave.ts";
import type { SuiteOutcome } from "../harness/report.ts";
import { SPACE_OPERATIONS, SpaceContender, type SpaceSize } from "./space-operations.ts";

export const SPACE_NAMES = [10, 1000, 100_000] as const;

/** Names that are touched where the size of the space alone is to differ. */
const FEW = 10;

/** Each space with a few of its names touched, and with all of them; the smallest comes first. */
export function sizesOf(names: readonly number[]): SpaceSize[] {
  return names.flatMap((count) =>
    [...new Set([Math.min(count, FEW), count])].map((touched) => ({ names: count, touched })),
  );
}

/** How often measureSpace() calls `onSlice`. */
export function spaceSlices(names: readonly number[], effort: Effort): number {
  return SPACE_OPERATIONS.length * slicesPerPoint(sizesOf(names).length, effort);
}

/** A result per operation and size, and the ratios to the smallest size. */
export async function measureSpace(
  suite: string,
  names: readonly number[],
  seed: number,
  effort: Effort,
  onSlice: () => void = () => {},
): Promise<SuiteOutcome> {
  const sizes = sizesOf(names);
  const outcome: { results: SuiteOutcome["results"]; ratios: SuiteOutcome["ratios"] }[] = [];
  for (const operation of SPACE_OPERATIONS) {
    const contenders = sizes.map((size) => new SpaceContender(operation, size, seed));
    const measured = await interleave(contenders, {}, effort, 0, onSlice);
    for (const contender of contenders) await contender.close();
    outcome.push(outcomeOf(suite, sizes, measured));
  }
  return {
    results: outcome.flatMap(({ results }) => results),
    ratios: outcome.flatMap(({ ratios }) => ratios),
  };
}

function outcomeOf(
  suite: string,
  sizes: readonly SpaceSize[],
  measured: readonly Measured[],
): SuiteOutcome {
  const smallest = measured[0]!;
  const name = `${smallest.name}/${sizes[0]!.names}-names`;
  return {
    results: measured.map((entry, i) => toResult(suite, { ...sizes[i]! }, entry)),
    ratios: measured
      .map((entry, i) => ({ ...toRatio(suite, { ...sizes[i]! }, entry, smallest), name }))
      .slice(1),
  };
}
