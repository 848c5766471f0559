// The timers of a node.

import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { NEVER, StepClock } from "../../src/base/clock.ts";
import { Timers } from "../../src/node/timers.ts";

const start = () => {
  const clock = new StepClock();
  const timers = new Timers(clock);
  const fired: number[] = [];
  return {
    timers,
    fired,
    set: (deadlineNs: number, label: number) => timers.set(deadlineNs, () => fired.push(label)),
    at: (nowNs: number): number => {
      clock.set(nowNs);
      return timers.isDue() ? timers.run() : 0;
    },
  };
};

test("timers: they fire in the order of their deadlines, those of one time in the order of setting", () => {
  const { fired, set, at } = start();
  for (const [label, deadlineNs] of [30, 10, 20, 10, 30, 0].entries()) set(deadlineNs, label);
  expect(at(9)).toBe(1);
  expect(at(30)).toBe(5);
  expect(fired).toEqual([5, 1, 3, 2, 0, 4]);
});

test("timers: nothing fires before its time, and nothing fires twice", () => {
  const { timers, fired, set, at } = start();
  set(100, 1);
  expect([timers.nextDeadlineNs(), at(99.9), at(100), at(1000)]).toEqual([100, 0, 1, 0]);
  expect([fired, timers.nextDeadlineNs()]).toEqual([[1], NEVER]);
});

test("timers: a cancelled one does not fire, before or after others were set", () => {
  const { timers, fired, set, at } = start();
  const entries = [5, 6, 7].map((deadlineNs) => set(deadlineNs, deadlineNs));
  timers.cancel(entries[1]!);
  set(6.5, 65);
  at(10);
  expect(fired).toEqual([5, 65, 7]);
  timers.cancel(entries[0]!); // long gone: no matter
  expect(at(20)).toBe(0);
});

test("timers: one that sets another, due already, in its firing", () => {
  const { timers, fired, at } = start();
  timers.set(1, () => {
    fired.push(1);
    timers.set(0, () => fired.push(0));
    timers.set(99, () => fired.push(99));
  });
  at(2);
  expect(fired).toEqual([1, 0]);
  expect(timers.nextDeadlineNs()).toBe(99);
});

test("timers: one that cancels its neighbour of the same time", () => {
  const { timers, fired, at } = start();
  timers.set(1, () => timers.cancel(second));
  const second = timers.set(1, () => fired.push(2));
  at(1);
  expect(fired).toEqual([]);
});

test("timers: a million long timeouts that never happen leave no heap behind", () => {
  const { timers, set, at } = start();
  for (let i = 0; i < 1_000_000; i++) timers.cancel(set(1e15 + i, i));
  expect(timers.count).toBeLessThan(1000);
  set(5, 7);
  expect(at(5)).toBe(1);
});

test("timers: any mixture of setting, cancelling and passing time agrees with a sorted list", () => {
  const action = fc.oneof(
    fc.record({ kind: fc.constant("set" as const), value: fc.nat(50) }),
    fc.record({ kind: fc.constant("cancel" as const), value: fc.nat(200) }),
    fc.record({ kind: fc.constant("pass" as const), value: fc.nat(10) }),
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
      const { timers, fired, set, at } = start();
      const entries: ReturnType<typeof set>[] = [];
      let waiting: { deadlineNs: number; label: number }[] = [];
      const expected: number[] = [];
      let nowNs = 0;
      for (const { kind, value } of actions) {
        if (kind === "set") {
          waiting.push({ deadlineNs: nowNs + value, label: entries.length });
          entries.push(set(nowNs + value, entries.length));
        } else if (kind === "cancel" && entries.length > 0) {
          const label = value % entries.length;
          timers.cancel(entries[label]!);
          waiting = waiting.filter((timer) => timer.label !== label);
        } else if (kind === "pass") {
          nowNs += value;
          at(nowNs);
          const due = waiting.filter(({ deadlineNs }) => deadlineNs <= nowNs);
          due.sort((a, b) => a.deadlineNs - b.deadlineNs || a.label - b.label);
          expected.push(...due.map(({ label }) => label));
          waiting = waiting.filter(({ deadlineNs }) => deadlineNs > nowNs);
        }
        expect(fired).toEqual(expected);
      }
    }),
    { seed: 0xc0ffee, numRuns: 300 },
  );
});
