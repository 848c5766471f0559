// "normacube/stress": plans of stress runs, for those who run them from programs and tests of their own; faults out of a file.

export { parseFaults } from "../config/fault-options.ts";
export { makePlan, PlanError, parsePlan, type StressPlan, type StressPlanInput } from "./plan.ts";
export { planOfSeed } from "./plan-of-seed.ts";
export { type RunHooks, runPlan } from "./run-plan.ts";
export { simulatePlan } from "./simulate-plan.ts";
export type { StressResult, Verdict } from "./stress-result.ts";
