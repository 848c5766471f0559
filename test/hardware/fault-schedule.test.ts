// When windows of time are in effect.

import { expect, test } from "@jest/globals";
import { NEVER } from "../../src/base/clock.ts";
import { FaultSchedule, nodeSchedule } from "../../src/hardware/fault-schedule.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";

/** The moments, 0 to `untilNs` in steps, at which the schedule is in effect. */
const moments = (
  make: (clock: VirtualClock) => FaultSchedule,
  untilNs: number,
  stepNs = 1,
): number[] => {
  const clock = new VirtualClock();
  const schedule = make(clock);
  const found: number[] = [];
  for (let nowNs = 0; nowNs < untilNs; nowNs += stepNs) {
    if (schedule.isInEffect()) found.push(nowNs);
    clock.pass(stepNs);
  }
  return found;
};

test("fault schedule: without windows it never is", () => {
  const schedule = new FaultSchedule([], [], 1, new VirtualClock());
  expect([schedule.isEmpty, schedule.isInEffect(), schedule.nextChangeNs()]).toEqual([
    true,
    false,
    NEVER,
  ]);
});

test("fault schedule: a window lasts from its beginning to before its end, once", () => {
  const once = [{ atNs: 3, forNs: 2 }];
  expect(moments((clock) => new FaultSchedule(once, [0], 1, clock), 100)).toEqual([3, 4]);
});

test("fault schedule: or again in every period", () => {
  const again = [{ atNs: 3, forNs: 2, everyNs: 10 }];
  expect(moments((clock) => new FaultSchedule(again, [0], 1, clock), 30)).toEqual([
    3, 4, 13, 14, 23, 24,
  ]);
});

test("fault schedule: drawn, it is in some periods, as a whole and inside of them, by the seed", () => {
  const drawn = [{ atNs: 0, forNs: 100, everyNs: 1000, chance: 0.5 }];
  const of = (seed: number) =>
    moments((clock) => new FaultSchedule(drawn, [0], seed, clock), 400_000, 10);
  const found = of(1);
  const perPeriod = new Map<number, number>();
  for (const at of found) {
    const period = Math.floor(at / 1000);
    perPeriod.set(period, (perPeriod.get(period) ?? 0) + 1);
  }
  expect(perPeriod.size).toBeGreaterThan(150);
  expect(perPeriod.size).toBeLessThan(250);
  for (const count of perPeriod.values()) expect([9, 10, 11]).toContain(count);
  expect(of(1)).toEqual(found);
  expect(of(2)).not.toEqual(found);
});

test("fault schedule: it tells when to look again, and never too late", () => {
  const windows = [
    { atNs: 30, forNs: 20, everyNs: 100, chance: 0.5 },
    { atNs: 500, forNs: 7 },
  ];
  const clock = new VirtualClock();
  const schedule = new FaultSchedule(windows, [0, 1], 5, clock);
  let was = schedule.isInEffect();
  let next = schedule.nextChangeNs();
  for (let nowNs = 0; nowNs < 5000; nowNs++) {
    const is = schedule.isInEffect();
    if (is !== was) expect(next).toBeLessThanOrEqual(nowNs);
    if (nowNs >= next) next = schedule.nextChangeNs();
    was = is;
    clock.pass(1);
  }
});

test("fault schedule: nodes draw for themselves, and are only in windows that are theirs", () => {
  const windows = [
    { atNs: 0, forNs: 100, everyNs: 1000, chance: 0.5 },
    { node: 2, atNs: 0, forNs: 1 },
  ];
  const of = (node: number) =>
    moments((clock) => nodeSchedule(windows, 0, node, 1, clock), 100_000, 10);
  expect(of(0)).not.toEqual(of(1));
  expect(of(2)[0]).toBe(0);
  expect(of(3)[0]).not.toBe(0);
});
