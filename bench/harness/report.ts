// The report of a run: one JSON document, "normacube.bench/1". Scripts and CI jobs read it, so
// fields are added, never renamed or removed; anything else needs a new schema name.
//
// Reading guide: results of one document were taken interleaved, so ratios between them mean
// something even where the absolute values were disturbed. Prefer `ratios[].value`.

import type { Point } from "./contender.ts";
import type { Host } from "./host.ts";
import type { Summary } from "./latency-histogram.ts";
import { mean, quantile } from "./statistics.ts";

export const REPORT_SCHEMA = "normacube.bench/1";

/** What a value counts. Lower is better for times, higher for rates. */
export type Unit = "ns" | "ms" | "1/s" | "B/s" | "MB/s" | "MiB" | "%" | "messages" | "bytes";

export interface Result extends Summary {
  readonly suite: string;
  readonly name: string;
  readonly params: Point;
  readonly unit: Unit;
  /** Operations behind one sample; percentiles are those of means over so many. */
  readonly batch: number;
  /** Operations per second, where the unit is a time per operation or a rate; null elsewhere. */
  readonly perSecond: number | null;
  readonly counters: Readonly<Record<string, number>>;
}

export interface Ratio {
  readonly suite: string;
  /** "over/under": how many times `under` fits into `over`. */
  readonly name: string;
  readonly params: Point;
  /** Median over the rounds of (p50 of `over` / p50 of `under`) within the same round. */
  readonly value: number;
  /** The same from the two p50s of the whole run: noise between rounds does not cancel here. */
  readonly ofMedians: number;
  /** Quartiles over the rounds: a wide gap says that this machine was too noisy to tell. */
  readonly low: number;
  readonly high: number;
}

/** What the caller asked for; two documents compare if these are the same. */
export interface BenchOptions {
  readonly quick: boolean;
  /** Size of the machine, a power of two. */
  readonly nodes: number;
  /** Distance between client and server, in channels crossed. */
  readonly hops: number;
  readonly seed: number;
}

export interface Report {
  readonly schema: typeof REPORT_SCHEMA;
  readonly host: Host;
  readonly options: BenchOptions & { readonly suites: readonly string[] };
  readonly results: readonly Result[];
  readonly ratios: readonly Ratio[];
  /** What a reader must know of the run ("openmpi is left out: ..."); absent if there is nothing. */
  readonly notes?: readonly string[];
}

/** What one suite contributes. */
export interface SuiteOutcome {
  readonly results: readonly Result[];
  readonly ratios: readonly Ratio[];
  readonly notes?: readonly string[];
}

/** A result from a handful of values (boots, windows), each of which counts by itself. */
export function resultOfValues(
  about: Pick<Result, "suite" | "name" | "params" | "unit"> & Partial<Pick<Result, "batch">>,
  values: ArrayLike<number>,
  counters: Record<string, number> = {},
): Result {
  const summary: Summary = {
    p50: quantile(values, 0.5),
    p90: quantile(values, 0.9),
    p99: quantile(values, 0.99),
    p999: quantile(values, 0.999),
    min: quantile(values, 0),
    max: quantile(values, 1),
    mean: mean(values),
    samples: values.length,
  };
  const perSecond = perSecondOf(about.unit, summary.mean);
  return { batch: 1, ...about, ...summary, perSecond, counters };
}

/** How often something happens in a second whose mean is `value` of `unit`. */
export function perSecondOf(unit: Unit, value: number): number | null {
  switch (unit) {
    case "ns":
      return 1e9 / value;
    case "ms":
      return 1e3 / value;
    case "1/s":
    case "B/s":
      return value;
    case "MB/s":
    case "MiB":
    case "%":
    case "messages":
    case "bytes":
      return null;
  }
}

/** A one-line key: results of two documents belong together if theirs are the same. */
export function keyOf(entry: Pick<Result, "suite" | "name" | "params">): string {
  return `${entry.suite} ${entry.name} ${describePoint(entry.params)}`.trimEnd();
}

export function describePoint(point: Point): string {
  return Object.entries(point)
    .map(([key, value]) => `${key}=${value}`)
    .join(" ");
}
