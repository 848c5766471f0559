// Times a micro case with the `benchmark` package and gives back our kind of result.
//
// Single-threaded and synchronous work only: benchmark does not await, and it knows nothing of a
// second thread. It is never given setup code, because it would then decompile the function.

import { createRequire } from "node:module";
import Benchmark from "benchmark";
import { type Result, resultOfValues } from "../harness/report.ts";
import type { MicroCase } from "./micro-case.ts";

export interface StopwatchEffort {
  /** How long one case is sampled. */
  readonly maxSeconds: number;
  readonly minSamples: number;
  /** How long one sample takes at least. */
  readonly sampleSeconds: number;
}

/** Where the values go that the optimiser must not think unused. */
let sink = 0;

/** A result in ns per operation; its samples are the means of benchmark's cycles. */
export function timeCase(
  suite: string,
  micro: MicroCase,
  seed: number,
  effort: StopwatchEffort,
): Result {
  requireLodash();
  const operate = micro.prepare(seed);
  const bench = new Benchmark(
    micro.name,
    () => {
      sink = (sink + operate()) | 0;
    },
    {
      async: false,
      maxTime: effort.maxSeconds,
      minSamples: effort.minSamples,
      minTime: effort.sampleSeconds,
    },
  );
  bench.run({ async: false });
  if (bench.error !== undefined) throw new Error(`${micro.name} failed`, { cause: bench.error });
  const nsPerOperation = bench.stats.sample.map((seconds) => (seconds * 1e9) / micro.operations);
  const batch = bench.count * micro.operations;
  return resultOfValues(
    { suite, name: micro.name, params: {}, unit: "ns", batch },
    nsPerOperation,
    { errorPercent: bench.stats.rme },
  );
}

/** Without lodash the benchmark package half works and says nothing; say it for it. */
function requireLodash(): void {
  try {
    createRequire(import.meta.url).resolve("lodash");
  } catch (cause) {
    throw new Error("suite micro needs the package lodash beside benchmark", { cause });
  }
}
