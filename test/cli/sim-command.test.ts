// `normacube sim`: what the command line asks for, and what is refused. The runs themselves: test/stress.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { UsageError } from "../../src/cli/exit-code.ts";
import { readSeeds, type SimFlags } from "../../src/cli/sim-command.ts";
import { planOfSeed } from "../../src/stress/plan-of-seed.ts";

const SCRATCH = mkdtempSync(join(tmpdir(), "normacube-sim-"));
afterAll(() => rmSync(SCRATCH, { recursive: true }));

test("cli sim: without anything, seed 1; a range of seeds; pins go into every plan", () => {
  expect(readSeeds({})).toMatchObject({ first: 1, last: 1 });
  const { first, last, planOf } = readSeeds({
    seeds: "3..9",
    workload: "rpc,pages",
    dimension: 2,
    interconnect: "ethernet",
    window: 4,
    faults: "lossy",
  });
  expect([first, last]).toEqual([3, 9]);
  expect(planOf(5)).toMatchObject({
    workloads: [{ name: "rpc" }, { name: "pages" }],
    machine: {
      seed: 5,
      dimension: 2,
      interconnect: { kind: "ethernet" },
      transport: { windowPackets: 4 },
      faults: { drop: 0.05 },
    },
  });
});

test("cli sim: a plan file is the run", () => {
  const path = join(SCRATCH, "plan.json");
  const plan = planOfSeed(77);
  writeFileSync(path, JSON.stringify(plan));
  const { first, last, planOf } = readSeeds({ plan: path });
  expect([first, last, planOf(77)]).toEqual([77, 77, plan]);
});

test.each<[SimFlags, string]>([
  [{ seeds: "9..3" }, "--seeds is 9..3; it must be A..B"],
  [{ seeds: "1-5" }, "--seeds is 1-5; it must be A..B"],
  [{ seeds: "1..99999999999999999999" }, "two seeds from 0 to"],
  [{ seed: 1, seeds: "1..2" }, "--seed, --seeds and --plan: one of them"],
  [{ workload: "rpc,chess" }, "no workload called chess"],
  [{ faults: '{ "drop": 7 }' }, "--faults: field drop is 7"],
  [{ interconnect: "pigeons" }, "interconnect.kind"],
  [{ plan: "/nowhere/plan.json" }, "--plan: cannot read /nowhere/plan.json (ENOENT)"],
])("cli sim: %j is bad usage", (flags, sentence) => {
  expect(() => readSeeds(flags)).toThrow(UsageError);
  expect(() => readSeeds(flags)).toThrow(sentence);
});

test("cli sim: a plan of another version says so", () => {
  const path = join(SCRATCH, "old.json");
  writeFileSync(path, JSON.stringify({ ...planOfSeed(1), version: "0.0.1" }));
  expect(() => readSeeds({ plan: path })).toThrow(/made by another version/);
});
