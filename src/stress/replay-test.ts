// A jest test of a plan that failed: text, to be put beside the project's own tests.

import type { StressPlan } from "./plan.ts";
import type { StressResult } from "./stress-result.ts";

export const replayTest = (plan: StressPlan, { verdict, findings }: StressResult): string => {
  const seed = plan.machine.seed ?? 1;
  const names = plan.workloads.map(({ name }) => name).join(", ");
  return `// Seed ${seed} (${names}) was ${verdict} when this was written:
${findings.map((line) => `//   ${line.replaceAll("\n", " ")}`).join("\n")}

import { expect, test } from "@jest/globals";
import { parsePlan, simulatePlan } from "normacube/stress";

const PLAN = ${JSON.stringify(plan, null, 2)};

test("stress: seed ${seed} (${names})", async () => {
  const { verdict, findings } = await simulatePlan(parsePlan(PLAN));
  expect({ verdict, findings }).toEqual({ verdict: "good", findings: [] });
});
`;
};
