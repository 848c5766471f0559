// Kernels over interconnects whose nodes share one medium, in simulation: the ethernet, which loses packets
// by itself, and the token ring, which does not. Everything arrives once and in order, small and large;
// nothing is left; the same seed gives the same run. A failing seed prints the options that replay it.

import { expect, test } from "@jest/globals";
import { Machine } from "../../src/index.ts";
import { KERNEL_SEND_RIGHTS } from "../../src/node/kernel.ts";
import { SimulatedMachine, type SimulatedMachineInput } from "../../src/sim/simulated-machine.ts";
import { program } from "../support/machines.ts";
import type { EchoArgs } from "./programs/echo-client.ts";
import type { StreamArgs } from "./programs/stream.ts";

const simProgram = (name: string): URL => new URL(`./programs/${name}.js`, import.meta.url);

const ETHERNET = { kind: "ethernet" as const };
const TOKEN_RING = { kind: "token-ring" as const };
/** The second testbed of the paper: 10 Mbit/s, a millisecond, and a timeout of 20 ms to begin with. */
const TESTBED = {
  interconnect: { ...ETHERNET, latencyNs: 1e6, bytesPerSecond: 1.25e6 },
  transport: { timeoutInitialNs: 20e6, timeoutMaxNs: 500e6 },
};

/** All send to all; checks that everything arrived and nothing is left. Returns the counters. */
const runStream = async (options: SimulatedMachineInput, args: StreamArgs) => {
  await using machine = await Machine.simulate(options);
  const tasks = [];
  for (let node = 0; node < machine.nodes; node++) {
    tasks.push(await machine.spawn(node, simProgram("stream"), { args }));
  }
  try {
    const received = await Promise.all(tasks.map((task) => task.exited));
    expect(received).toEqual(tasks.map(() => args.count * (machine.nodes - 1)));
    await machine.drained();
    for (let node = 0; node < machine.nodes; node++) {
      const census = await machine.census(node);
      expect(census.unacknowledged).toBe(0);
      expect(census.messagesFree).toBe(census.messagesTotal);
      expect(census.framesFree + census.framesArmed + census.framesOnWire).toBe(census.framesTotal);
      expect(census.sendRights).toBe(KERNEL_SEND_RIGHTS);
    }
  } catch (error) {
    const replay = `replay with Machine.simulate(${JSON.stringify(options)})`;
    throw new Error(`${replay}: ${String(error)}`, { cause: error });
  }
  return { ...machine.packets(), endNs: machine.now(), stats: machine.stats() };
};

const small = { bytesPerNode: 524_288 };

test.each<[string, SimulatedMachineInput]>([
  ["ethernet", { interconnect: ETHERNET }],
  ["ethernet with one descriptor", { interconnect: { ...ETHERNET, ringLength: 1 } }],
  ["ethernet with one reassembly", { interconnect: { ...ETHERNET, reassemblies: 1 } }],
  ["paced ethernet", TESTBED],
  ["token ring", { interconnect: TOKEN_RING }],
  ["token ring with one descriptor", { interconnect: { ...TOKEN_RING, ringLength: 1 } }],
  ["paced token ring", { interconnect: { ...TOKEN_RING, latencyNs: 1000, bytesPerSecond: 5e5 } }],
  [
    "ethernet under faults",
    { interconnect: ETHERNET, faults: { drop: 0.05, delay: 0.1, flip: 0.02 } },
  ],
  ["paced ethernet under faults", { ...TESTBED, faults: { drop: 0.05, duplicate: 0.05 } }],
  ["token ring under faults", { interconnect: TOKEN_RING, faults: { drop: 0.05, delay: 0.1 } }],
])("%s: everything arrives once and in order, 8 seeds (N=4)", async (_what, options) => {
  for (let seed = 1; seed <= 8; seed++) {
    const shape = { dimension: 2, seed, memory: small, ...options };
    const { stats } = await runStream(shape, { count: 10, maxBytes: seed % 2 === 0 ? 4096 : 192 });
    expect(stats.nodes.map(({ channels }) => channels)).toEqual([[], [], [], []]);
    if (options.interconnect?.kind === "ethernet" || options.faults !== undefined) continue;
    const { retransmitted, duplicates, noDescriptor, framesSent } = stats.total;
    expect([retransmitted, duplicates, noDescriptor, framesSent]).toEqual([0, 0, 0, 0]);
  }
});

test("ethernet: what it loses by itself is counted, and the transport mends it", async () => {
  const interconnect = { ...ETHERNET, ringLength: 1, reassemblies: 1 };
  const options = { dimension: 3, seed: 5, memory: small, interconnect };
  const { total } = (await runStream(options, { count: 10, maxBytes: 4096 })).stats;
  expect(total.noDescriptor).toBeGreaterThan(0);
  expect(total.retransmitted).toBeGreaterThan(0);
  expect(total.framesSent).toBeGreaterThan(total.packetsReceived);
});

test("paced ethernet: nodes collide, and one seed gives one run", async () => {
  const options = { dimension: 2, seed: 9, memory: small, ...TESTBED };
  const first = await runStream(options, { count: 6, maxBytes: 2000 });
  expect(first.stats.total.collisions).toBeGreaterThan(0);
  expect(await runStream(options, { count: 6, maxBytes: 2000 })).toEqual(first);
});

test.each<[string, SimulatedMachineInput]>([
  ["ethernet", { interconnect: ETHERNET }],
  ["paced ethernet", TESTBED],
  ["token ring", { interconnect: TOKEN_RING }],
])("%s: bodies of pages of 64 KiB, and messages of several pages", async (_what, options) => {
  for (let seed = 1; seed <= 2; seed++) {
    const memory = { pageBytes: 65_536, bytesPerNode: 1 << 23 };
    await runStream({ dimension: 1, seed, memory, ...options }, { count: 4, maxBytes: 65_536 });
  }
  const shape = { dimension: 1, seed: 3, checkRounds: 101, memory: { poison: true }, ...options };
  await using machine = await SimulatedMachine.boot(shape);
  const args = { port: "racing", node: 1, messages: 4, pages: 16 };
  const receiver = await machine.spawn(1, program("racing-receiver"), { args });
  const sender = await machine.spawn(0, program("racing-sender"), { args });
  const [words] = await Promise.all([receiver.exited, sender.exited]);
  expect(words).toBe((4 * 16 * 4096) / 4);
  await machine.drained();
  expect(machine.violations.slice(0, 3)).toEqual([]);
});

test("paced ethernet: a call takes two latencies and two frames, and a page what three frames take", async () => {
  const timesOf = async (bytes: number): Promise<number[]> => {
    await using machine = await Machine.simulate({
      dimension: 1,
      seed: 1,
      memory: small,
      ...TESTBED,
    });
    await machine.spawn(1, simProgram("echo-server"));
    const args: EchoArgs = { server: 1, calls: 8, bytes };
    const client = await machine.spawn(0, simProgram("echo-client"), { args });
    return (await client.exited) as number[];
  };
  // 64 bytes: a frame of 190 bytes with preamble and gap is 152 us. A page: 4362 bytes in three frames, 3.5 ms.
  for (const time of (await timesOf(64)).slice(1)) {
    expect(time).toBeGreaterThan(2.3e6);
    expect(time).toBeLessThan(3.5e6);
  }
  for (const time of (await timesOf(4096)).slice(1)) {
    expect(time).toBeGreaterThan(8.97e6);
    expect(time).toBeLessThan(11e6);
  }
});
