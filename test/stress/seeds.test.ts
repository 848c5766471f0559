// Runs of seeds in simulation: the same seed is the same run, here and in another thread; seeds are good; a failing plan is made
// smaller.

import { expect, test } from "@jest/globals";
import { runSeeds } from "../../src/stress/many-seeds.ts";
import { minimise, smallerPlans } from "../../src/stress/minimise.ts";
import { parsePlan, type StressPlan } from "../../src/stress/plan.ts";
import { planOfSeed } from "../../src/stress/plan-of-seed.ts";
import { replayTest } from "../../src/stress/replay-test.ts";
import { simulatePlan } from "../../src/stress/simulate-plan.ts";
import type { StressResult, Verdict } from "../../src/stress/stress-result.ts";

const SEEDS = 40;

test("seeds: all are good, and the same seed is the same run, packet by packet and draw by draw, in any thread", async () => {
  const runs = new Map<number, StressResult["simulated"]>();
  const healed = new Set<boolean>();
  const bad = await runSeeds(1, SEEDS, planOfSeed, 2, ({ seed, result }) => {
    runs.set(seed, result.simulated);
    healed.add(result.healed);
  });
  expect(
    bad.map(({ seed, result: { verdict, findings } }) => ({ seed, verdict, findings })),
  ).toEqual([]);
  expect(new Set([...runs.values()].map((run) => run!.packets.digest)).size).toBe(SEEDS);
  expect(new Set([...runs.values()].map((run) => run!.draws.digest)).size).toBe(SEEDS);
  expect(healed.size).toBe(2);
  // Other threads, another order, and what ran there before; and this thread, which has not loaded the workloads.
  await runSeeds(
    1,
    10,
    (seed) => planOfSeed(11 - seed),
    1,
    ({ seed, result }) => {
      expect({ seed, run: result.simulated }).toEqual({ seed, run: runs.get(11 - seed) });
    },
  );
  for (const seed of [3, 3, 14, 22]) {
    const { simulated } = await simulatePlan(planOfSeed(seed));
    expect({ seed, run: simulated }).toEqual({ seed, run: runs.get(seed) });
  }
});

test("seeds: plans go over all workloads, interconnects, faulty and clean networks", () => {
  const plans = Array.from({ length: 200 }, (_, seed) => planOfSeed(seed));
  const names = new Set(plans.flatMap(({ workloads }) => workloads.map(({ name }) => name)));
  expect(names.size).toBe(8);
  expect(new Set(plans.map(({ machine }) => machine.interconnect!.kind)).size).toBe(4);
  const faulty = plans.filter(({ machine }) => machine.faults !== undefined).length;
  expect(faulty).toBeGreaterThan(120);
  expect(faulty).toBeLessThan(180);
});

test("seeds: a pinned part does not change the others", () => {
  const { workloads, machine } = planOfSeed(9, { dimension: 1 });
  const drawn = planOfSeed(9);
  expect(workloads).toEqual(drawn.workloads);
  expect(machine).toEqual({ ...drawn.machine, dimension: 1 });
});

/** A plan with everything, for which a verdict is made up. */
const large = (): StressPlan => {
  for (let seed = 0; ; seed++) {
    const plan = planOfSeed(seed);
    if (plan.workloads.length === 3 && plan.machine.dimension === 3 && plan.machine.faults)
      return plan;
  }
};

test("minimise: what the failure needs stays, everything else goes", async () => {
  const plan = large();
  const { name } = plan.workloads[1]!;
  const fails = async ({ workloads, machine }: StressPlan): Promise<Verdict> => {
    const needed = workloads.find((one) => one.name === name);
    const isFaulty = machine.faults?.drop !== undefined;
    return needed !== undefined && needed.steps >= 3 && isFaulty ? "stuck" : "good";
  };
  const steps: StressPlan[] = [];
  const found = await minimise(plan, "stuck", fails, 500, (smaller) => steps.push(smaller));
  expect(found.plan.workloads).toEqual([{ ...plan.workloads[1]!, steps: 3 }]);
  expect(found.plan.machine).toMatchObject({
    dimension: 1,
    interconnect: { kind: "direct-connect" },
  });
  expect(Object.keys(found.plan.machine.faults!).sort()).toEqual(["delayNs", "drop"]);
  expect(steps.at(-1)).toEqual(found.plan);
});

test("minimise: no more runs than allowed, and no plan that is none", async () => {
  let runs = 0;
  const found = await minimise(
    large(),
    "stuck",
    async () => {
      runs += 1;
      return "stuck";
    },
    7,
  );
  expect([runs, found.runs]).toEqual([7, 7]);
  for (const smaller of smallerPlans(large())) expect(parsePlan(smaller)).toEqual(smaller);
});

test("minimise: the test that is written holds the plan", async () => {
  const plan = planOfSeed(5, { workloads: ["rpc"], steps: 2, dimension: 1 });
  const text = replayTest(plan, await simulatePlan(plan));
  expect(text).toContain("normacube/stress");
  const json = text.slice(text.indexOf("const PLAN = ") + 13, text.indexOf(";\n\ntest("));
  expect(parsePlan(json)).toEqual(plan);
});

test("simulation: a kernel that fails makes its run a crash, not an unhandled rejection", async () => {
  const { Transport } = await import("../../src/norma/transport.ts");
  const { tick } = Transport.prototype;
  let left = 200;
  Transport.prototype.tick = function (this: InstanceType<typeof Transport>) {
    left -= 1;
    if (left === 0) throw new Error("broken on purpose");
    return tick.call(this);
  };
  try {
    const { verdict, findings } = await simulatePlan(
      planOfSeed(5, { workloads: ["rpc"], steps: 50 }),
    );
    expect(verdict).toBe("crash");
    expect(findings[0]).toMatch(/the simulation crashed: broken on purpose/);
  } finally {
    Transport.prototype.tick = tick;
  }
});
