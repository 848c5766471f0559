// Tasks of a node that talk only to each other do not keep their thread for themselves: other nodes of it, timers and the host go on.

import { expect, test } from "@jest/globals";
import { Machine } from "../../src/index.ts";
import type { ChatterArgs } from "../sim/programs/chatter.ts";
import type { NapArgs } from "../sim/programs/nap.ts";
import { boot, within } from "../support/machines.ts";

const program = (name: string): URL => new URL(`../sim/programs/${name}.js`, import.meta.url);
const SOON_MS = 20_000;

test.each([
  ["one worker for four nodes", 1],
  ["a worker for each node", 4],
])(
  "quantum: %s: others sleep, call and are counted while two tasks talk",
  async (_what, workers) => {
    const stop = new Int32Array(new SharedArrayBuffer(4));
    await using booted = await boot({ dimension: 2, processors: { workers } });
    const { machine } = booted;
    const args: ChatterArgs = { stop, untilNs: Number.POSITIVE_INFINITY };
    const talks = [await machine.spawn(0, program("chatter"), { args })];
    const go = async (): Promise<void> => {
      talks.push(await machine.spawn(1, program("chatter"), { args }));
      const naps: NapArgs = { naps: 3, ns: 1e6 };
      for (let node = 0; node < machine.nodes; node++) {
        const { exited } = await machine.spawn(node, program("nap"), { args: naps });
        expect(await exited).toHaveLength(3);
        await machine.census(node);
      }
      await machine.spawn(3, program("echo-server"));
      const call = { server: 3, calls: 50, bytes: 64 };
      const client = await machine.spawn(2, program("echo-client"), { args: call });
      expect(await client.exited).toHaveLength(50);
    };
    try {
      await within(SOON_MS, "what goes on beside the talk", go());
    } finally {
      Atomics.store(stop, 0, 1);
    }
    for (const { exited } of talks) expect(await exited).toBeGreaterThan(100);
  },
);

test("quantum: in simulation time passes while two tasks talk", async () => {
  await using machine = await Machine.simulate({ dimension: 1, seed: 2 });
  const args: ChatterArgs = { stop: new Int32Array(new SharedArrayBuffer(4)), untilNs: 1e5 };
  const { exited } = await machine.spawn(0, program("chatter"), { args });
  expect(await exited).toBeGreaterThan(1000);
  expect(machine.now()).toBeGreaterThan(1e5);
});
