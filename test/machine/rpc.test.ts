// RPC between real threads: every pair of nodes, every size, every way of placing nodes on workers.

import { describe, expect, test } from "@jest/globals";
import type { ThreadMachine } from "../../src/machine/thread-machine.ts";
import { boot, program, runOn, within } from "../support/machines.ts";

const INTERCONNECTS = ["direct-connect", "store-and-forward"] as const;

const INLINE = Array.from({ length: 193 }, (_, i) => i);
const PAGES = [193, 194, 255, 256, 1000, 1024, 2047, 2048, 3000, 4095, 4096];

/** Every node serves; every node calls every node, its own too, with each size. */
const allPairs = async (machine: ThreadMachine, sizes: readonly number[]): Promise<void> => {
  const { nodes } = machine;
  const everyone = Array.from({ length: nodes }, (_, node) => node);
  const servers = await Promise.all(everyone.map((node) => machine.spawn(node, program("echo"))));
  const args = { servers: everyone, sizes, stop: true };
  const calls = await Promise.all(
    everyone.map((node) => runOn(machine, node, program("call-echo"), { ...args, stop: false })),
  );
  expect(calls).toEqual(everyone.map(() => nodes * sizes.length));
  // One more round, one node at a time, in which the last caller ends the servers.
  expect(await runOn(machine, 0, program("call-echo"), { ...args, sizes: [8] })).toBe(nodes);
  const answered = servers.map((server) => within(30_000, "server", server.exited));
  expect(await Promise.all(answered)).toEqual(everyone.map(() => nodes * sizes.length + 1));
};

describe.each(INTERCONNECTS)("%s", (kind) => {
  test.each([1, 16])(
    "rpc: across every ordered pair of 8 nodes, a worker each, receive ring of %d",
    async (ringLength) => {
      await using test = await boot({
        dimension: 3,
        processors: { workers: 8 },
        interconnect: { kind, ringLength },
      });
      await allPairs(test.machine, [0, 4, 64, 192, 193, 4096]);
    },
  );

  test("rpc: across every ordered pair of 16 nodes on 2 workers", async () => {
    await using test = await boot({
      dimension: 4,
      processors: { workers: 2 },
      interconnect: { kind },
    });
    await allPairs(test.machine, [0, 64, 4096]);
  });

  test("rpc: every inline size and many page sizes between two nodes", async () => {
    await using test = await boot({ dimension: 1, interconnect: { kind } });
    await test.machine.spawn(1, program("echo"));
    const sizes = [...INLINE, ...PAGES];
    const args = { servers: [1], sizes };
    expect(await runOn(test.machine, 0, program("call-echo"), args)).toBe(sizes.length);
  });

  test.each([1024, 16_384])("rpc: with pages of %d bytes", async (pageBytes) => {
    await using test = await boot({ dimension: 1, memory: { pageBytes }, interconnect: { kind } });
    await test.machine.spawn(1, program("echo"));
    const sizes = [0, 192, 193, 1024, 4096].filter((size) => size <= pageBytes);
    const args = { servers: [1], sizes };
    expect(await runOn(test.machine, 0, program("call-echo"), args)).toBe(sizes.length);
  });
});

test.each(["adaptive", "spin", "yield", "park"] as const)("rpc: idle policy %s", async (idle) => {
  await using test = await boot({ dimension: 1, processors: { idle } });
  await test.machine.spawn(1, program("echo"));
  const args = { servers: [1, 1, 1], sizes: [0, 64, 4096] };
  expect(await runOn(test.machine, 0, program("call-echo"), args)).toBe(9);
});

test("rpc: with the Sync calls on both sides", async () => {
  await using test = await boot({ dimension: 1 });
  const server = await test.machine.spawn(1, program("echo"), { args: { sync: true } });
  const args = { servers: [1], sizes: [...INLINE, ...PAGES], sync: true, stop: true };
  expect(await runOn(test.machine, 0, program("call-echo"), args)).toBe(args.sizes.length);
  expect(await within(30_000, "server", server.exited)).toBe(args.sizes.length);
});

test("rpc: the Sync calls are refused where a worker is shared, and the sentence says what to do", async () => {
  await using test = await boot({ dimension: 1, processors: { workers: 1 } });
  await test.machine.spawn(1, program("echo"));
  const args = { servers: [1], sizes: [0], sync: true };
  await expect(runOn(test.machine, 0, program("call-echo"), args)).rejects.toThrow(
    /rpcSync blocks its worker thread, which node 0 shares .*processors.workers = the number of nodes/,
  );
});

test("rpc: window 1, as in the paper", async () => {
  await using test = await boot({ dimension: 2, transport: { windowPackets: 1 } });
  await allPairs(test.machine, [0, 64, 4096]);
});

test("rpc: nothing is left after many calls: no message, no frame, no right", async () => {
  await using test = await boot({ dimension: 2 });
  const { machine } = test;
  const before = await Promise.all([0, 1, 2, 3].map((node) => machine.census(node)));
  await allPairs(machine, [0, 100, 4096]);
  await machine.runTokenPeriods(6); // identifiers of dead ports are forgotten, too
  for (let node = 0; node < 4; node++) {
    const { proxies, ...left } = await within(10_000, "quiet", settledCensus(machine, node));
    const { proxies: none, ...had } = before[node]!;
    expect(none).toBe(0);
    expect(proxies).toBeGreaterThan(0); // collected by a later protocol
    expect(left).toEqual(had);
  }
});

/** The census once every packet is acknowledged. */
const settledCensus = async (machine: ThreadMachine, node: number) => {
  for (;;) {
    const census = await machine.census(node);
    if (census.unacknowledged === 0 && census.names === 0) return census;
  }
};
