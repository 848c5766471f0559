// The simulator's clock.

import { expect, test } from "@jest/globals";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";

test("virtual clock: time passes only when it is told to", () => {
  const clock = new VirtualClock();
  expect(clock.now()).toBe(0);
  clock.pass(150);
  clock.reach(120);
  expect(clock.now()).toBe(150);
  clock.reach(400);
  expect(clock.now()).toBe(400);
});

test("virtual clock: time does not go back", () => {
  expect(() => new VirtualClock().pass(-1)).toThrow("time does not go back");
});
