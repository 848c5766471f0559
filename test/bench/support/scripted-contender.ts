// A contender whose samples are written down beforehand: the runner's arithmetic without a clock.

import type { Contender, Point } from "../../../bench/harness/contender.ts";

export interface Script {
  readonly name: string;
  readonly batch?: number;
  /** The value of every sample of the n-th slice at a point, warm-up slices included. */
  readonly sampleNs: (slice: number) => number;
  readonly counters?: Record<string, number>;
  /** Receives "prepare a", "slice a 64", "close a" in the order of events. */
  readonly log?: string[];
}

export function scriptedContender(script: Script): Contender {
  const { name, batch = 1, sampleNs, counters = {}, log = [] } = script;
  let slices = 0;
  return {
    name,
    batch,
    prepare: async (_point: Point) => {
      slices = 0;
      log.push(`prepare ${name}`);
    },
    slice: async (samples) => {
      log.push(`slice ${name} ${samples}`);
      return new Float64Array(samples).fill(sampleNs(slices++));
    },
    counters: () => counters,
    close: async () => {
      log.push(`close ${name}`);
    },
  };
}
