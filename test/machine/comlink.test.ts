// Comlink over ports in whole machines: node 0 uses an object on node 5, three hops away, in threads and in
// simulation, where the run is the same each time.

import { expect, test } from "@jest/globals";
import { SimulatedMachine } from "../../src/sim/simulated-machine.ts";
import { boot, program, runOn, within } from "../support/machines.ts";

const EXPECTED = [
  1,
  3,
  6,
  10,
  15,
  21,
  28,
  36,
  45,
  55,
  55,
  100_000,
  ["NETNAME_NOT_YOURS", 1000],
  60,
];

test.each([8, 2])("comlink: node 0 uses an object on node 5, with %d workers", async (workers) => {
  await using test = await boot({ dimension: 3, processors: { workers } });
  const server = await test.machine.spawn(5, program("comlink-server"));
  expect(await runOn(test.machine, 0, program("comlink-client"))).toEqual(EXPECTED);
  await test.machine.halt();
  expect(await within(10_000, "server", server.exited)).toBe("ended");
  expect(test.lines).toEqual([]);
});

test("comlink: in simulation the same, and packet by packet the same run", async () => {
  const runs: unknown[] = [];
  for (let i = 0; i < 2; i++) {
    await using machine = await SimulatedMachine.boot({ dimension: 3, seed: 7 });
    await machine.spawn(5, program("comlink-server"));
    const client = await machine.spawn(0, program("comlink-client"));
    expect(await within(30_000, "client", client.exited)).toEqual(EXPECTED);
    runs.push(machine.packets());
  }
  expect(runs[1]).toEqual(runs[0]);
});
