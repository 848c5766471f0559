// Runs a plan on a machine in simulation, with the invariants that can be recounted checked on the way.

import { SimulatedMachine } from "../sim/simulated-machine.ts";
import type { StressPlan } from "./plan.ts";
import { runPlan } from "./run-plan.ts";
import type { StressResult } from "./stress-result.ts";

/** Rounds of the simulator between two checks of the invariants. */
const CHECK_ROUNDS = 50;

export const simulatePlan = async (plan: StressPlan): Promise<StressResult> => {
  await using machine = await SimulatedMachine.boot({
    ...plan.machine,
    checkRounds: CHECK_ROUNDS,
    log: () => {},
  });
  const result = await runPlan(machine, plan);
  const { violations } = machine;
  if (violations.length === 0 || result.verdict === "crash") return result;
  return { ...result, verdict: "wrong", findings: [...violations.slice(0, 5), ...result.findings] };
};
