// Suite loss with small numbers: that every machine gives a rate and times, and what is compared with what.

import { expect, test } from "@jest/globals";
import type { LossPlan } from "../../bench/loss/loss-plan.ts";
import { lossTurns, measureRpcUnderLoss } from "../../bench/loss/rpc-under-loss.ts";

const PLAN: LossPlan = {
  seed: 7,
  losses: [5],
  machines: 2,
  rounds: 2,
  windowMs: 5,
  warmMs: 5,
  windowTimeouts: 0,
};

test("loss: every machine has a rate and times; those that lose have ratios to the one that does not", async () => {
  const turns: string[] = [];
  const { results, ratios } = await measureRpcUnderLoss("loss", PLAN, (what) => turns.push(what));
  expect(turns).toHaveLength(lossTurns(PLAN));
  expect(turns[0]).toBe("lossless, 5 % lost");
  const names = ["adaptive", "fixed-20ms", "fixed-200ms"];
  const told = (name: string, loss: number) => [
    [name, "1/s", loss],
    [`${name}-time`, "ns", loss],
  ];
  expect(results.map(({ name, unit, params }) => [name, unit, params.lossPercent])).toEqual([
    ...told("lossless", 0),
    ...PLAN.losses.flatMap((loss) => names.flatMap((name) => told(name, loss))),
  ]);
  for (const { p50, samples } of results) {
    expect(p50).toBeGreaterThan(0);
    expect(samples).toBeGreaterThanOrEqual(PLAN.machines * PLAN.rounds);
  }
  expect(ratios.map(({ name, params }) => [name, params.lossPercent])).toEqual(
    PLAN.losses.flatMap((loss) =>
      names.flatMap((name) => [
        [`${name}/lossless`, loss],
        [`${name}-p99/lossless-p50`, loss],
      ]),
    ),
  );
  for (const { value, low, high, ofMedians } of ratios) {
    expect(Math.min(value, low, ofMedians)).toBeGreaterThan(0);
    expect(high).toBeGreaterThanOrEqual(low);
  }
});
