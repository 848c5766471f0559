// Suite micro: what do the steps of a message cost one thread by itself? A case is one entry in a
// table under bench/micro/; nothing here crosses threads.

import { setImmediate as nextTurn } from "node:timers/promises";
import type { Progress } from "../harness/progress.ts";
import type { BenchOptions, Result, SuiteOutcome } from "../harness/report.ts";
import type { Suite } from "../harness/suite.ts";
import { HOST_COSTS } from "../micro/host-costs.ts";
import { KERNEL_COSTS } from "../micro/kernel-costs.ts";
import { MEMORY_COSTS } from "../micro/memory-costs.ts";
import type { MicroCase } from "../micro/micro-case.ts";
import { timeCase } from "../micro/stopwatch.ts";

const CASES: readonly MicroCase[] = [...HOST_COSTS, ...KERNEL_COSTS, ...MEMORY_COSTS];

const FULL = { maxSeconds: 1, minSamples: 30, sampleSeconds: 0.05 };
const QUICK = { maxSeconds: 0.05, minSamples: 5, sampleSeconds: 0.005 };

export const microSuite: Suite = {
  name: "micro",
  question: "What do the steps of a message cost one thread by itself?",
  run,
};

async function run(options: BenchOptions, progress: Progress): Promise<SuiteOutcome> {
  const results: Result[] = [];
  progress.start(microSuite.name, CASES.length);
  try {
    for (const micro of CASES) {
      results.push(timeCase(microSuite.name, micro, options.seed, options.quick ? QUICK : FULL));
      progress.step(micro.name);
      await nextTurn(); // benchmark blocks: let the progress bar be drawn
    }
  } finally {
    progress.stop();
  }
  return { results, ratios: [] };
}
