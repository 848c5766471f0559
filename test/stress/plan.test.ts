// Plans: defaults, what a text may hold, and a clear error for what it may not.

import { expect, test } from "@jest/globals";
import { makePlan, PlanError, parsePlan } from "../../src/stress/plan.ts";

const good = makePlan({
  workloads: [{ name: "rpc", steps: 5 }],
  machine: { dimension: 1, seed: 7 },
});

const withField = (path: readonly (string | number)[], value: unknown): string => {
  const copy = structuredClone(good) as unknown as Record<string | number, unknown>;
  let at = copy;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>;
  at[path.at(-1)!] = value;
  return JSON.stringify(copy);
};

test("plan: what is left out has defaults, and a plan is what it is written as", () => {
  expect(good).toMatchObject({ schema: "normacube.plan/1", healAfter: null, limitMs: null });
  expect(good.workloads).toEqual([{ name: "rpc", steps: 5, programsPerNode: 1 }]);
  expect(parsePlan(JSON.stringify(good))).toEqual(good);
});

test.each<[string, string, string]>([
  ["no JSON", "{", "plan: it is no JSON document"],
  ["no object", "[1]", "plan: it is [1]; it must be an object"],
  [
    "another schema",
    withField(["schema"], "x/2"),
    'plan: schema is "x/2"; it must be "normacube.plan/1"',
  ],
  [
    "another version",
    withField(["version"], "9.9.9"),
    'version is "9.9.9": it was made by another version',
  ],
  [
    "no workload",
    withField(["workloads"], []),
    "plan: field workloads is []; it must have at least one",
  ],
  [
    "an unknown workload",
    withField(["workloads", 0, "name"], "tango"),
    'plan: field workloads.0.name is "tango"; it must be one of rpc, ',
  ],
  [
    "no steps",
    withField(["workloads", 0, "steps"], 0),
    "plan: field workloads.0.steps is 0; it must be an integer from 1 to",
  ],
  [
    "a share over 1",
    withField(["healAfter"], 2),
    "plan: field healAfter is 2; it must be a share from 0 to 1, or null",
  ],
  ["an unknown field", withField(["extra"], 2), "plan: unknown field extra"],
  ["no machine", withField(["machine"], 3), "plan: field machine is 3; it must be an object"],
  [
    "an option out of range",
    withField(["machine", "dimension"], 99),
    "plan: machine: option dimension is 99; it must be",
  ],
])("plan: %s is refused, by name", (_what, text, message) => {
  expect(() => parsePlan(text)).toThrow(PlanError);
  expect(() => parsePlan(text)).toThrow(message);
});
