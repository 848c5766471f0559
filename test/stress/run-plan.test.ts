// The runner: what is planted is found and reported as what it is, in simulation and in threads; a run ends when it is
// told to; the same plan is the same run.

import { expect, test } from "@jest/globals";
import { Machine } from "../../src/index.ts";
import { makePlan, PlanError, type StressPlanInput } from "../../src/stress/plan.ts";
import { type RunHooks, runPlan } from "../../src/stress/run-plan.ts";
import type { StressResult } from "../../src/stress/stress-result.ts";

const planted = (name: string, steps = 3) => ({
  name,
  steps,
  module: new URL(`./programs/${name}.js`, import.meta.url).href,
});
const memory = { bytesPerNode: 1 << 20, kind: "shared-array-buffer" as const };

const run = async (
  driver: "simulate" | "boot",
  input: StressPlanInput,
  hooks: RunHooks = {},
): Promise<StressResult> => {
  const plan = makePlan(input);
  const make = driver === "boot" ? Machine.boot : Machine.simulate;
  await using machine = await make(plan.machine);
  return await runPlan(machine, plan, hooks);
};

test("stress: a payload that is changed in one bit is wrong, and the finding says what and where", async () => {
  const machine = { dimension: 1, memory };
  const result = await run("simulate", { workloads: [planted("wrong-payload")], machine });
  expect(result.verdict).toBe("wrong");
  expect(result.findings[0]).toMatch(
    /^wrong-payload, place 0 on node 0: payload 0 of 64 bytes from place 1 to place 0, channel 0: damaged at byte 48: /,
  );
});

test("stress: a right that is left behind is a leak, by node and count", async () => {
  const machine = { dimension: 1, memory };
  const result = await run("simulate", { workloads: [planted("leaked-right")], machine });
  expect(result.verdict).toBe("leak");
  expect(result.findings).toContain("node 0: names checked in: 1, were 0");
  expect(result.findings.every((finding) => finding.startsWith("node 0: "))).toBe(true);
  expect(result.explanation).toContainEqual(
    expect.stringMatching(
      /^node 0: token: in period \d+; waiting for it: 0 identifiers of ports that have moved, 0 deaths, 0 questions for senders$/,
    ),
  );
});

test("stress: a program that waits for what nobody sends is stuck, and port and node are told", async () => {
  const machine = { dimension: 1, memory };
  const result = await run("simulate", { workloads: [planted("never-answered")], machine });
  expect(result.verdict).toBe("stuck");
  expect(result.findings).toEqual([
    "never-answered, place 1 on node 1: no progress after 3 steps and 0 messages",
  ]);
  expect(result.explanation[0]).toBe("task 1.0 is never-answered, place 1: 3 steps, 0 messages");
  const waits = result.explanation.filter((line) => line.includes(" waits "));
  expect(waits).toEqual([
    expect.stringMatching(/^node 1: task 1\.0 waits for a message at port \d+ name [0-9a-f]+$/),
  ]);
});

test("stress: a workload that stands still is stuck, whatever others do, and only it is told of", async () => {
  const result = await run("simulate", {
    workloads: [planted("never-answered"), { name: "rpc", steps: 1_000_000 }],
    machine: { dimension: 1, memory },
    stuckAfterNs: 5e6,
  });
  expect(result.verdict).toBe("stuck");
  expect(result.findings).toEqual([
    "never-answered, place 1 on node 1: no progress after 3 steps and 0 messages",
  ]);
  expect(result.workloads[1]!.steps).toBeGreaterThan(100);
});

test("stress: in threads: a program that waits for ever is stuck after the patience of the plan", async () => {
  const result = await run("boot", {
    workloads: [planted("never-answered")],
    machine: { dimension: 1, memory, processors: { workers: 1 } },
    stuckAfterMs: 100,
  });
  expect(result.verdict).toBe("stuck");
  expect(result.explanation).toContainEqual(
    expect.stringMatching(/^node 1: task 1\.0 waits for a message at port/),
  );
});

test("stress: in threads: a worker whose loop is dead does not answer, and the host says so", async () => {
  const result = await run(
    "boot",
    {
      workloads: [planted("dead-loop")],
      machine: { dimension: 1, memory, processors: { workers: 2 }, host: { haltMs: 100 } },
      stuckAfterMs: 300,
    },
    { answerMs: 300 },
  );
  expect(result.verdict).toBe("stuck");
  expect(result.explanation).toContainEqual(
    expect.stringMatching(/^node 1: does not answer within 300 ms/),
  );
  expect(result.explanation).toContainEqual(
    expect.stringMatching(/^node 0: pool: \d+ messages free/),
  );
});

test("stress: in threads: workloads side by side, packets lost, come to a good end", async () => {
  const result = await run("boot", {
    workloads: ["rpc", "mixed", "migration"].map((name) => ({ name, steps: 5 })),
    machine: {
      dimension: 1,
      processors: { workers: 2 },
      kernel: { tokenPauseNs: 1e6 },
      faults: { drop: 0.05 },
    },
  });
  expect(result).toMatchObject({ verdict: "good", findings: [], steps: 30, simulated: null });
  expect(result.counters.faultsDropped).toBeGreaterThan(0);
});

test("stress: told to stop, programs begin no further step and the run ends well", async () => {
  const stop = new AbortController();
  const endless = {
    workloads: [{ name: "hot-spot", steps: 1e9 }],
    machine: { dimension: 1, memory },
  };
  const result = await run("simulate", endless, {
    signal: stop.signal,
    progress: ({ steps }) => {
      if (steps > 20) stop.abort();
    },
  });
  expect(result).toMatchObject({ verdict: "good", findings: [] });
  expect(result.steps).toBeGreaterThan(20);
});

test("stress: the machine time of a plan ends the steps", async () => {
  const result = await run("simulate", {
    workloads: [{ name: "rpc", steps: 1e9 }],
    machine: { dimension: 1, memory },
    limitMs: 1,
  });
  expect(result.verdict).toBe("good");
  expect(result.steps).toBeGreaterThan(0);
  expect(result.simulated!.ns).toBeGreaterThan(1e6);
});

test("stress: a plan is the same run every time, another seed another one", async () => {
  const input = (seed: number): StressPlanInput => ({
    workloads: [
      { name: "migration", steps: 5 },
      { name: "rpc", steps: 5 },
    ],
    machine: { dimension: 2, seed, memory, faults: { drop: 0.05 } },
  });
  const first = await run("simulate", input(3));
  expect(await run("simulate", input(3))).toEqual(first);
  const other = await run("simulate", input(4));
  expect(other.simulated!.packets).not.toEqual(first.simulated!.packets);
  expect(other.simulated!.draws).not.toEqual(first.simulated!.draws);
});

test("stress: a module that cannot be loaded is the plan's mistake", async () => {
  const workloads = [{ name: "missing", steps: 1, module: "file:///nowhere/missing.js" }];
  const running = run("simulate", { workloads, machine: { dimension: 0, memory } });
  await expect(running).rejects.toThrow(PlanError);
});

test("stress: what loses everything is stuck; the faults stopped on the way, it comes to a good end, the same every time", async () => {
  const deaf: StressPlanInput = {
    workloads: [{ name: "mixed", steps: 20 }],
    machine: { dimension: 2, seed: 6, memory, kernel: { tokenPauseNs: 1e6 }, faults: { drop: 1 } },
    stuckAfterNs: 1e9,
  };
  const stuck = await run("simulate", deaf);
  expect(stuck).toMatchObject({ verdict: "stuck", healed: false });
  const healed = await run("simulate", { ...deaf, healAfter: 0 });
  expect(healed).toMatchObject({ verdict: "good", findings: [], steps: 80, healed: true });
  expect(await run("simulate", { ...deaf, healAfter: 0 })).toEqual(healed);
});

test("stress: a plan heals at the same moment every time", async () => {
  const faults = { drop: 0.2, duplicate: 0.1, reorder: 0.2, flip: 0.05 };
  const halfway: StressPlanInput = {
    workloads: [
      { name: "migration", steps: 8 },
      { name: "all-to-all", steps: 8 },
    ],
    machine: { dimension: 2, seed: 8, memory, faults },
    healAfter: 0.5,
  };
  const first = await run("simulate", halfway);
  expect(first).toMatchObject({ verdict: "good", findings: [], healed: true });
  expect(await run("simulate", halfway)).toEqual(first);
  const never = await run("simulate", { ...halfway, healAfter: null });
  expect(never.counters.faultsDropped).toBeGreaterThan(first.counters.faultsDropped);
});

test("stress: as long as identifiers of dead ports become fewer, a run is being drained", async () => {
  // They take several pauses of the token, more than the patience.
  const result = await run("simulate", {
    workloads: [{ name: "mixed", steps: 100 }],
    machine: { dimension: 2, seed: 3, memory, kernel: { messages: 256, tokenPauseNs: 5e5 } },
    stuckAfterNs: 2e6,
  });
  expect(result).toMatchObject({ verdict: "good", findings: [] });
});
