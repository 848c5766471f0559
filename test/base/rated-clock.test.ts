// A clock that is off.

import { expect, test } from "@jest/globals";
import { RatedClock } from "../../src/base/rated-clock.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";

test("rated clock: it runs at its rate, and tells the machine's time of its own", () => {
  const machine = new VirtualClock();
  const clock = new RatedClock(machine, 0.5);
  machine.pass(1000);
  expect([clock.now(), clock.machineNs(500), clock.machineNs(700)]).toEqual([500, 1000, 1400]);
  expect(clock.machineNs(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
});

test("rated clock: healed, it goes right without a jump", () => {
  const machine = new VirtualClock();
  const clock = new RatedClock(machine, 3);
  machine.pass(1000);
  clock.heal();
  expect(clock.now()).toBe(3000);
  machine.pass(10);
  expect([clock.now(), clock.machineNs(3020)]).toEqual([3010, 1020]);
});
