// Runs the plans of many seeds in simulation, on as many threads as there are cores.

import { Piscina } from "piscina";
import type { StressPlan } from "./plan.ts";
import type { StressResult } from "./stress-result.ts";

const SIMULATION_FILE = new URL("../../workers/simulation.js", import.meta.url).href;

export interface SeedResult {
  readonly seed: number;
  readonly plan: StressPlan;
  readonly result: StressResult;
}

/** Seeds `first` to `last`. `onResult` is told of each as it ends, in any order. Resolves with those that are not good, by
 *  seed. */
export const runSeeds = async (
  first: number,
  last: number,
  planOf: (seed: number) => StressPlan,
  threads: number,
  onResult: (result: SeedResult) => void,
): Promise<SeedResult[]> => {
  const pool = new Piscina({
    filename: SIMULATION_FILE,
    name: "simulation",
    minThreads: threads,
    maxThreads: threads,
    atomics: "disabled",
  });
  const bad: SeedResult[] = [];
  let next = first;
  const runner = async (): Promise<void> => {
    for (let seed = next++; seed <= last; seed = next++) {
      const plan = planOf(seed);
      const result: StressResult = await pool.run(plan);
      const done = { seed, plan, result };
      if (result.verdict !== "good") bad.push(done);
      onResult(done);
    }
  };
  try {
    await Promise.all(Array.from({ length: threads }, runner));
  } finally {
    await pool.destroy();
  }
  return bad.sort((a, b) => a.seed - b.seed);
};
