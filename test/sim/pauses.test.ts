// A node that is paused stands still as a whole: its timers as well as its interface.

import { expect, test } from "@jest/globals";
import { Machine, type MachineOptionsInput } from "../../src/index.ts";
import type { EchoArgs } from "./programs/echo-client.ts";
import type { NapArgs } from "./programs/nap.ts";

const program = (name: string): URL => new URL(`./programs/${name}.js`, import.meta.url);

/** Node 1 stands still from 2 ms to 5 ms. */
const options: MachineOptionsInput = {
  dimension: 1,
  seed: 3,
  faults: { pauses: [{ node: 1, atNs: 2e6, forNs: 3e6 }] },
};

/** Longest that a round of the simulator takes, ns. */
const ROUND_NS = 1000;

test("pauses: who sleeps on the node wakes when the pause is over, on another when it should", async () => {
  await using machine = await Machine.simulate(options);
  const args: NapArgs = { naps: 6, ns: 1e6 };
  const naps = await Promise.all(
    [0, 1].map((node) => machine.spawn(node, program("nap"), { args })),
  );
  const [other, paused] = (await Promise.all(naps.map(({ exited }) => exited))) as number[][];
  const near = (wakings: readonly number[], ms: readonly number[]): void => {
    for (const [i, ns] of wakings.entries()) {
      expect(ns).toBeGreaterThanOrEqual(ms[i]! * 1e6);
      expect(ns).toBeLessThan(ms[i]! * 1e6 + 20 * ROUND_NS);
    }
  };
  near(other!, [1, 2, 3, 4, 5, 6]);
  const duringPause = paused!.filter((ns) => ns > 2e6 + ROUND_NS && ns < 5e6);
  expect(duringPause).toEqual([]);
  expect(paused!.at(-1)!).toBeGreaterThan(8e6);
});

test("pauses: a call that meets one is answered after it, and the pause is counted once", async () => {
  await using machine = await Machine.simulate(options);
  await machine.spawn(1, program("echo-server"));
  const args: EchoArgs = { server: 1, calls: 10_000, bytes: 64 };
  const client = await machine.spawn(0, program("echo-client"), { args });
  const times = (await client.exited) as number[];
  expect(times.filter((ns) => ns > 2.9e6)).toHaveLength(1);
  expect(times.filter((ns) => ns > 100_000)).toHaveLength(1);
  expect(machine.now()).toBeGreaterThan(5e6);
  expect(machine.stats().total.faultsPaused).toBe(1);
});
