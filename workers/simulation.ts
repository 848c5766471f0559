// A worker thread that runs plans in simulation: a piscina task each.

import type { StressPlan } from "../src/stress/plan.ts";
import { simulatePlan } from "../src/stress/simulate-plan.ts";
import type { StressResult } from "../src/stress/stress-result.ts";

export const simulation = (plan: StressPlan): Promise<StressResult> => simulatePlan(plan);
