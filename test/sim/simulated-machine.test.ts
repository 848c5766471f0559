// The simulation driver: same seed, same run; and the interface of a machine in threads.

import { expect, test } from "@jest/globals";
import { Machine, OptionError } from "../../src/index.ts";
import type { Counted } from "../../src/node/machine-interface.ts";
import type { SimulatedMachineInput } from "../../src/sim/simulated-machine.ts";
import type { EchoArgs } from "./programs/echo-client.ts";

const program = (name: string): URL => new URL(`./programs/${name}.js`, import.meta.url);

/** Every node serves, every node calls the node opposite. */
const runEchoes = async (
  options: SimulatedMachineInput,
): Promise<Counted & { draws: Counted; endNs: number; times: number[] }> => {
  await using machine = await Machine.simulate(options);
  for (let node = 0; node < machine.nodes; node++)
    await machine.spawn(node, program("echo-server"));
  const clients = [];
  for (let node = 0; node < machine.nodes; node++) {
    const args: EchoArgs = { server: machine.nodes - 1 - node, calls: 20, bytes: 64 * (node + 1) };
    clients.push(await machine.spawn(node, program("echo-client"), { args }));
  }
  const times = (await Promise.all(clients.map((client) => client.exited))).flat() as number[];
  return { ...machine.packets(), draws: machine.draws(), endNs: machine.now(), times };
};

test("simulation: two runs with one seed send the same packets at the same times, and draw the same numbers", async () => {
  const first = await runEchoes({ dimension: 3, seed: 11 });
  const second = await runEchoes({ dimension: 3, seed: 11 });
  expect(second).toEqual(first);
  expect(first.count).toBeGreaterThan(2 * 8 * 20);
});

test("simulation: another seed gives another run", async () => {
  const first = await runEchoes({ dimension: 2, seed: 11 });
  const second = await runEchoes({ dimension: 2, seed: 12 });
  expect(second.digest).not.toBe(first.digest);
  expect(second.draws.digest).not.toBe(first.draws.digest);
});

test("simulation: a host that waits for virtual time has its turn then, and time stands still meanwhile", async () => {
  await using machine = await Machine.simulate({ dimension: 1, seed: 4 });
  await machine.spawn(1, program("echo-server"));
  const args: EchoArgs = { server: 1, calls: 200, bytes: 64 };
  const { exited } = await machine.spawn(0, program("echo-client"), { args });
  const startNs = machine.now();
  const seen: number[] = [];
  const waits = [30_000, 10_000, 20_000].map(async (ns) => {
    expect(await machine.after(ns)).toBe(true);
    const nowNs = machine.now();
    seen.push(nowNs - startNs);
    for (let turn = 0; turn < 50; turn++) await null;
    expect(machine.now()).toBe(nowNs);
  });
  await Promise.all(waits);
  const late = [10_000, 20_000, 30_000].map((ns, i) => seen[i]! - ns);
  for (const ns of late) expect(ns).toBeGreaterThanOrEqual(0);
  for (const ns of late) expect(ns).toBeLessThan(1000); // a round of two steps
  await exited;
});

test("simulation: when nothing is under way, nobody waits for time that will not pass", async () => {
  await using machine = await Machine.simulate({
    dimension: 1,
    kernel: { tokenPauseNs: "manual" },
  });
  await machine.drained();
  const beforeNs = machine.now();
  expect(await Promise.all([machine.after(1e9), machine.after(1)])).toEqual([false, false]);
  expect(machine.now()).toBe(beforeNs);
  expect(() => machine.after(0)).toThrow("ns is 0; it must be a number above 0");
  expect(() => machine.after(Number.NaN)).toThrow(OptionError);
  await machine.halt();
  expect(await machine.after(5)).toBe(false);
});

test("simulation: modelled latency is what a call takes in virtual time", async () => {
  const { times } = await runEchoes({
    dimension: 1,
    seed: 3,
    interconnect: { latencyNs: 1_000_000 },
  });
  for (const time of times) {
    expect(time).toBeGreaterThanOrEqual(2_000_000);
    expect(time).toBeLessThan(6_000_000);
  }
});

test("simulation: a dimension of 10 is allowed, 11 is not", async () => {
  await using machine = await Machine.simulate({
    dimension: 10,
    memory: { bytesPerNode: 262_144 },
    kernel: { messages: 32 },
  });
  expect(machine.nodes).toBe(1024);
  await expect(Machine.simulate({ dimension: 11 })).rejects.toThrow(OptionError);
});

test("simulation: halt interrupts a program that waits, and spawning afterwards is refused", async () => {
  const machine = await Machine.simulate({ dimension: 1, seed: 1 });
  const server = await machine.spawn(0, program("echo-server"));
  await machine.halt();
  await expect(server.exited).rejects.toThrow("MACH_RCV_INTERRUPTED");
  await expect(machine.spawn(0, program("echo-server"))).rejects.toThrow("halted");
  await machine.halt();
});

test("simulation: a program that cannot be loaded rejects the spawn and nothing else", async () => {
  await using machine = await Machine.simulate({ dimension: 1, seed: 1 });
  await expect(machine.spawn(0, program("no-such-program"))).rejects.toThrow("could not be loaded");
  await machine.spawn(0, program("echo-server"));
  const args: EchoArgs = { server: 0, calls: 3, bytes: 16 };
  const client = await machine.spawn(1, program("echo-client"), { args });
  expect(await client.exited).toHaveLength(3);
});
