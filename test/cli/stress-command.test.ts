// `normacube stress`: what the command line asks for, and how a run ends. The rounds themselves: test/stress.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "@jest/globals";
import { UsageError } from "../../src/cli/exit-code.ts";
import { EXIT_OF_VERDICT, readRun, type StressFlags } from "../../src/cli/stress-command.ts";
import { FAULT_PRESETS } from "../../src/config/fault-presets.ts";
import { makePlan, parsePlan } from "../../src/stress/plan.ts";
import { WORKLOADS } from "../../src/stress/workloads.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
const SCRATCH = mkdtempSync(join(tmpdir(), "normacube-stress-"));
afterAll(() => rmSync(SCRATCH, { recursive: true }));

const read = (names: string[], flags: Partial<StressFlags>) =>
  readRun(names, { seed: 1, protocol: "auto", ...flags });

test("cli stress: without anything, rounds go through workloads, topologies and faults for a minute", () => {
  const { rounds, seconds, planOf } = read([], {});
  expect([rounds, seconds]).toEqual([null, 60]);
  const plans = Array.from({ length: 90 }, (_, round) => planOf(round));
  const names = new Set(plans.flatMap(({ workloads }) => workloads.map(({ name }) => name)));
  expect([...names].sort()).toEqual([...WORKLOADS.keys()].sort());
  expect(plans.some(({ workloads }) => workloads.length === WORKLOADS.size)).toBe(true);
  expect(new Set(plans.map(({ machine }) => machine.interconnect!.kind)).size).toBe(4);
  expect(plans.filter(({ machine }) => machine.faults === undefined)).toHaveLength(45);
  expect(new Set(plans.map(({ machine }) => machine.seed)).size).toBe(90);
});

test("cli stress: --quick is two minutes of everything on 16 nodes under heavy faults", () => {
  const { rounds, seconds, planOf } = read([], { quick: true });
  expect([rounds, seconds]).toEqual([1, 120]);
  const { machine, workloads } = planOf(0);
  expect(machine).toMatchObject({ dimension: 4, faults: FAULT_PRESETS.harsh });
  expect(workloads).toHaveLength(WORKLOADS.size);
});

test("cli stress: options go into the plan", () => {
  const flags = {
    ...{ steps: 7, seed: 9, dimension: 1, workers: 2, window: 3, protocol: "unreliable" },
    ...{ interconnect: "store-and-forward", messages: 16, ring: 2, healAfter: 0.5 },
    ...{ faults: '{ "drop": 0.5, "flip": 0.1 }', drop: 0.2, reorder: 0.3 },
  };
  const { rounds, seconds, planOf } = read(["rpc"], flags);
  expect([rounds, seconds]).toEqual([1, null]);
  expect(planOf(0)).toMatchObject({
    workloads: [{ name: "rpc", steps: 7 }],
    healAfter: 0.5,
    machine: {
      ...{ dimension: 1, seed: 9, processors: { workers: 2 } },
      interconnect: { kind: "store-and-forward", ringLength: 2 },
      transport: { windowPackets: 3, unreliable: true },
      kernel: { messages: 16 },
      faults: { drop: 0.2, flip: 0.1, reorder: 0.3 },
    },
  });
});

test("cli stress: a plan in a file is run as it is, once", () => {
  const plan = makePlan({
    workloads: [{ name: "rpc", steps: 2 }],
    machine: { dimension: 1, seed: 5 },
  });
  const path = join(SCRATCH, "plan.json");
  writeFileSync(path, JSON.stringify(plan));
  const { seed, rounds, planOf } = read([], { plan: path });
  expect([seed, rounds, planOf(0)]).toEqual([5, 1, plan]);
});

test.each<[string[], Partial<StressFlags>, string]>([
  [["tango"], {}, "no workload called tango; workloads: rpc "],
  [[], { protocol: "hope" }, "--protocol is hope; it must be reliable, unreliable or auto"],
  [[], { faults: "{" }, "--faults is not JSON: "],
  [[], { faults: "/nowhere/x.json" }, "--faults: cannot read /nowhere/x.json (ENOENT)"],
  [[], { faults: '{ "drop": 7 }' }, "--faults: field drop is 7"],
  [[], { interconnect: "string" }, 'option interconnect.kind is "string"; it must be one of'],
  [[], { ring: 3 }, "option interconnect.ringLength is 3"],
  [[], { plan: "/nowhere/plan.json" }, "--plan: cannot read /nowhere/plan.json (ENOENT)"],
])("cli stress: %j %j is bad usage", (names, flags, message) => {
  expect(() => read(names, flags)).toThrow(UsageError);
  expect(() => read(names, flags)).toThrow(message);
});

test("cli stress: each class of ending has its exit code", () => {
  expect(EXIT_OF_VERDICT).toEqual({ good: 0, wrong: 1, leak: 1, crash: 3, stuck: 4 });
});

test("cli stress: --json prints one document and nothing else, and the plan that was run is written", () => {
  const out = join(SCRATCH, "out.json");
  const args = ["rpc", "--steps", "5", "--dimension", "1", "--drop", "0.05", "--seed", "3"];
  const run = spawnSync(process.execPath, [MAIN, "stress", ...args, "--json", "--out", out], {
    encoding: "utf8",
  });
  expect(run.status).toBe(0);
  expect(run.stderr).toMatch(/^SEED=3 /);
  const report = JSON.parse(run.stdout);
  expect(report).toMatchObject({
    schema: "normacube.stress/1",
    seed: 3,
    verdict: "good",
    steps: 10,
  });
  expect(report.rounds).toHaveLength(1);
  expect(parsePlan(readFileSync(out, "utf8"))).toEqual(report.rounds[0].plan);
});

test("cli stress: a program that waits for ever ends with exit code 4 and says where it waits", () => {
  const module = new URL("../stress/programs/never-answered.js", import.meta.url).href;
  const plan = makePlan({
    workloads: [{ name: "planted", steps: 1, module }],
    machine: { dimension: 1, processors: { workers: 1 } },
    stuckAfterMs: 100,
  });
  const path = join(SCRATCH, "stuck.json");
  writeFileSync(path, JSON.stringify(plan));
  const run = spawnSync(process.execPath, [MAIN, "stress", "--plan", path], { encoding: "utf8" });
  expect(run.status).toBe(4);
  expect(run.stdout).toMatch(/^stuck: /);
  expect(run.stdout).toMatch(/node 1: task 1\.0 waits for a message at port \d+ name/);
});
