// Every workload in simulation, without faults and with them: everything arrives, once, in order and whole, and nothing
// is left behind.

import { describe, expect, test } from "@jest/globals";
import { Machine } from "../../src/index.ts";
import { makePlan, type StressPlanInput } from "../../src/stress/plan.ts";
import { runPlan } from "../../src/stress/run-plan.ts";
import type { StressResult } from "../../src/stress/stress-result.ts";
import { WORKLOADS } from "../../src/stress/workloads.ts";

const SEED = Number(process.env.NORMACUBE_SEED ?? 1);
const LOSSY = { drop: 0.1, duplicate: 0.05, delay: 0.05, flip: 0.01 };

const simulate = async (input: StressPlanInput): Promise<StressResult> => {
  const plan = makePlan(input);
  await using machine = await Machine.simulate(plan.machine);
  return await runPlan(machine, plan);
};

const memory = { bytesPerNode: 2 << 20, kind: "shared-array-buffer" as const };

describe.each([...WORKLOADS.keys()])("workload %s", (name) => {
  test.each([
    ["a reliable network", {}],
    ["loss, duplicates, delay and damage", { faults: LOSSY }],
  ])(`${name}: %s: everything arrives and nothing is left`, async (_what, options) => {
    const { programsPerNode } = WORKLOADS.get(name)!;
    const steps = name === "pages" ? 3 : 12; // of many packets each
    const result = await simulate({
      workloads: [{ name, steps, programsPerNode }],
      machine: { dimension: 2, seed: SEED, memory, kernel: { tokenPauseNs: 1e6 }, ...options },
    });
    expect({ seed: SEED, ...result }).toMatchObject({ verdict: "good", findings: [] });
    expect(result.steps).toBe(steps * 4 * programsPerNode);
    expect(result.workloads[0]!.received).toBeGreaterThan(0);
  });
});
