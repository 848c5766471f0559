// Faults that need a node's own time, in threads: pauses, starvation, cut links, clocks that are off; and their end.

import { expect, test } from "@jest/globals";
import { boot, program, within } from "../support/machines.ts";

const STREAM = new URL("../sim/programs/stream.js", import.meta.url);

test("faults in threads: a stream survives them, and nothing is injected after heal()", async () => {
  await using booted = await boot({
    dimension: 2,
    faults: {
      drop: 0.01,
      cuts: [{ node: 1, forNs: 2e6, everyNs: 10e6, chance: 0.5 }],
      pauses: [{ forNs: 1e6, everyNs: 10e6, chance: 0.5 }],
      starve: [{ forNs: 2e6, everyNs: 10e6, chance: 0.5 }],
      clocks: [{ node: 2, rate: 0.5 }],
    },
  });
  const { machine } = booted;
  const stream = async (count: number): Promise<void> => {
    const tasks = [];
    for (let node = 0; node < machine.nodes; node++) {
      tasks.push(await machine.spawn(node, STREAM, { args: { count, maxBytes: 4096 } }));
    }
    await within(30_000, "the stream", Promise.all(tasks.map(({ exited }) => exited)));
  };
  await stream(300);
  const { faultsDropped, faultsPaused } = machine.stats().total;
  expect([faultsDropped > 0, faultsPaused > 0]).toEqual([true, true]);
  await machine.heal();
  const injected = (): number[] => {
    const { total } = machine.stats();
    return [total.faultsDropped, total.faultsCut, total.faultsPaused, total.faultsStarved];
  };
  const before = injected();
  await stream(50);
  expect(injected()).toEqual(before);
});

test("faults in threads: a node whose interface stands still from the beginning is there when healed", async () => {
  await using booted = await boot({ dimension: 1, faults: { pauses: [{ node: 1, forNs: 1e10 }] } });
  const { machine } = booted;
  await machine.spawn(1, program("echo"));
  const client = await machine.spawn(0, program("call-echo"), {
    args: { servers: [1], sizes: [0, 64] },
  });
  await machine.heal();
  expect(await within(10_000, "the client", client.exited)).toBe(2);
});
