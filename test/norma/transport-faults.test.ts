// The transport over an interconnect that loses, repeats, reorders and damages packets, in simulation:
// exactly once and in order per pair of nodes (I-3), whatever the seed; and when it is over, nothing is
// left anywhere (I-11). A failing seed prints the options that replay it.

import { expect, test } from "@jest/globals";
import { Machine } from "../../src/index.ts";
import { KERNEL_SEND_RIGHTS } from "../../src/node/kernel.ts";
import type { SimulatedMachineInput } from "../../src/sim/simulated-machine.ts";
import type { StreamArgs } from "../sim/programs/stream.ts";

const STREAM = new URL("../sim/programs/stream.js", import.meta.url);

/** Runs the all-to-all stream to its end, checks that nothing is left, returns the counters. */
const runStream = async (options: SimulatedMachineInput, args: StreamArgs) => {
  await using machine = await Machine.simulate(options);
  const replay = `replay with Machine.simulate(${JSON.stringify(options)})`;
  const tasks = [];
  for (let node = 0; node < machine.nodes; node++) {
    tasks.push(await machine.spawn(node, STREAM, { args }));
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
    throw new Error(`${replay}: ${String(error)}`, { cause: error });
  }
  return machine.stats().total;
};

const small = { bytesPerNode: 524_288 };

test("transport: without faults nothing is sent twice and no timer fires", async () => {
  const total = await runStream(
    { dimension: 3, seed: 1, memory: small },
    { count: 20, maxBytes: 192 },
  );
  expect(total.retransmitted).toBe(0);
  expect(total.duplicates).toBe(0);
  expect(total.outOfOrder).toBe(0);
});

const faultCases = [
  ["drop", { drop: 0.1 }],
  ["duplicate", { duplicate: 0.2 }],
  ["reorder", { delay: 0.2, delayNs: [100, 20_000] as [number, number] }],
  ["flip", { flip: 0.1 }],
  [
    "everything at once",
    {
      drop: 0.2,
      duplicate: 0.05,
      delay: 0.1,
      delayNs: [100, 50_000] as [number, number],
      flip: 0.01,
    },
  ],
] as const;

for (const [name, faults] of faultCases) {
  test(`transport: ${name}: exactly once and in order, 40 seeds (N=4, window 8)`, async () => {
    const sum = { retransmitted: 0, duplicates: 0, outOfOrder: 0, damaged: 0 };
    for (let seed = 1; seed <= 40; seed++) {
      const total = await runStream(
        { dimension: 2, seed, memory: small, faults },
        { count: 12, maxBytes: seed % 4 === 0 ? 4096 : 192 },
      );
      for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += total[key];
    }
    // The faults really happened, and it was this protocol that mended them.
    if (name !== "duplicate") expect(sum.retransmitted).toBeGreaterThan(0);
    if (name === "duplicate") expect(sum.duplicates).toBeGreaterThan(0);
    if (name === "flip") expect(sum.damaged).toBeGreaterThan(0);
    if (name === "reorder") expect(sum.outOfOrder).toBeGreaterThan(0);
  });

  test(`transport: ${name}: exactly once and in order over store-and-forward, 10 seeds`, async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const interconnect = { kind: "store-and-forward" as const, ringLength: 2 };
      await runStream(
        { dimension: 3, seed, memory: small, faults, interconnect },
        { count: 5, maxBytes: 192 },
      );
    }
  });

  test(`transport: ${name}: exactly once and in order with the paper's window of 1`, async () => {
    for (let seed = 1; seed <= 10; seed++) {
      await runStream(
        { dimension: 1, seed, memory: small, faults, transport: { windowPackets: 1 } },
        { count: 20, maxBytes: 192 },
      );
    }
  });
}

test("transport: a tiny message pool refuses packets and owes NACKs; all arrives, no timer needed", async () => {
  let nacks = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const total = await runStream(
      { dimension: 3, seed, memory: small, kernel: { messages: 8, receiveReserve: 4 } },
      { count: 12, maxBytes: 192 },
    );
    nacks += total.nacksSent;
    expect(total.duplicates).toBe(0);
  }
  expect(nacks).toBeGreaterThan(0);
});

test("transport: a tiny message pool under loss: NACKs and timeouts together lose nothing", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    await runStream(
      {
        dimension: 3,
        seed,
        memory: small,
        kernel: { messages: 8, receiveReserve: 4 },
        faults: { drop: 0.1, duplicate: 0.1, delay: 0.1 },
      },
      { count: 6, maxBytes: 192 },
    );
  }
});

test("transport: links cut, nodes paused and starved, clocks that are off: exactly once and in order, 12 seeds", async () => {
  const sum = {
    faultsCut: 0,
    faultsPaused: 0,
    faultsStarved: 0,
    faultsReordered: 0,
    quenchesSent: 0,
  };
  for (let seed = 1; seed <= 12; seed++) {
    const total = await runStream(
      {
        dimension: 2,
        seed,
        memory: small,
        faults: {
          reorder: 0.1,
          cuts: [{ node: 1, forNs: 30_000, everyNs: 100_000, chance: 0.7 }],
          pauses: [{ forNs: 10_000, everyNs: 50_000, chance: 0.5 }],
          starve: [{ forNs: 40_000, everyNs: 80_000, chance: 0.7 }],
          clocks: [
            { node: 2, rate: 0.2 },
            { node: 3, rate: 5 },
          ],
        },
      },
      { count: 12, maxBytes: 192 },
    );
    for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += total[key];
  }
  for (const count of Object.values(sum)) expect(count).toBeGreaterThan(0);
});

test("transport: healed in the middle: nothing is injected any more, and all arrives", async () => {
  const faults = { drop: 0.5, duplicate: 0.2, delay: 0.2, pauses: [{ forNs: 1e9 }] };
  await using machine = await Machine.simulate({ dimension: 2, seed: 3, memory: small, faults });
  const tasks = [];
  for (let node = 0; node < machine.nodes; node++) {
    tasks.push(await machine.spawn(node, STREAM, { args: { count: 12, maxBytes: 192 } }));
  }
  await machine.heal();
  const { total: before } = machine.stats();
  await Promise.all(tasks.map(({ exited }) => exited));
  await machine.drained();
  const { total: after } = machine.stats();
  expect([after.faultsDropped, after.faultsDuplicated, after.faultsDelayed]).toEqual([
    before.faultsDropped,
    before.faultsDuplicated,
    before.faultsDelayed,
  ]);
  await machine.heal(); // again: nothing to do
});

test.each(["nacksSent", "syncsSent"] as const)(
  "transport: all of %s are lost, and one packet of ten, at nodes with few buffers: all arrives",
  async (counter) => {
    const kinds = { nacksSent: "nack", syncsSent: "sync" } as const;
    let lost = 0;
    for (let seed = 1; seed <= 10; seed++) {
      const faults = { drop: 0.1, links: [{ packets: [kinds[counter]], drop: 1 }] };
      const kernel = { messages: 8, receiveReserve: 4 };
      const total = await runStream(
        { dimension: 2, seed, memory: small, kernel, faults },
        { count: 12, maxBytes: 192 },
      );
      lost += total[counter];
    }
    expect(lost).toBeGreaterThan(0);
  },
);

test("transport: every second control is lost, whoever asks whom first: all arrives, 40 seeds", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const faults = { drop: { every: 2 } };
    await runStream({ dimension: 2, seed, memory: small, faults }, { count: 12, maxBytes: 192 });
  }
});
