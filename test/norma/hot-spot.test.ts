// Everybody sends to one node whose pools are tiny (D20): no deadlock, nobody is left behind; on a reliable network by
// positive and negative acknowledgements alone (D18).

import { expect, test } from "@jest/globals";
import { Machine } from "../../src/index.ts";
import type { SimulatedMachineInput } from "../../src/sim/simulated-machine.ts";

const CROWD = new URL("../sim/programs/crowd.js", import.meta.url);
const COUNT = 80;

/** Runs the crowd to its end. Returns what each sender had got through at half-time, and the counters. */
const crowd = async (options: SimulatedMachineInput, workNs = 0) => {
  await using machine = await Machine.simulate({
    dimension: 4,
    memory: { bytesPerNode: 262_144 },
    kernel: { messages: 8, receiveReserve: 4, tokenPauseNs: "manual" },
    ...options,
  });
  const tasks = [];
  for (let node = 0; node < machine.nodes; node++) {
    tasks.push(await machine.spawn(node, CROWD, { args: { count: COUNT, workNs } }));
  }
  const [half] = (await Promise.all(tasks.map(({ exited }) => exited))) as [number[]];
  await machine.drained();
  for (let node = 0; node < machine.nodes; node++) {
    const { unacknowledged, messagesFree, messagesTotal } = await machine.census(node);
    expect([unacknowledged, messagesFree]).toEqual([0, messagesTotal]);
  }
  return { half: half.slice(1), total: machine.stats().total };
};

/** What the slowest sender has got through, as a share of what the average has. */
const shareOfSlowest = (half: readonly number[]): number => {
  const average = half.reduce((sum, one) => sum + one, 0) / half.length;
  return Math.min(...half) / average;
};

const expectFair = (half: readonly number[], share: number): void => {
  expect(shareOfSlowest(half)).toBeGreaterThanOrEqual(share);
};

test.each([1, 2, 3])("hot spot: reliable: ACK and NACK alone, and fair (seed %d)", async (seed) => {
  const { half, total } = await crowd({ seed });
  expectFair(half, 1 / 2);
  const { syncsSent, quenchesSent, outOfOrder, nacksSent, noBuffer } = total;
  expect([syncsSent, quenchesSent]).toEqual([0, 0]);
  expect([nacksSent > 0, noBuffer > 0, outOfOrder > 0]).toEqual([true, true, true]);
});

test("hot spot: who is called sends one packet, not its window, to be thrown away behind it", async () => {
  const { total } = await crowd({ seed: 1 }, 20_000);
  expect(total.outOfOrder).toBeLessThan(total.noBuffer / 5);
});

test("hot spot: packets lost: QUENCH instead of a storm, and fair", async () => {
  const worst: number[] = [];
  for (let seed = 1; seed <= 5; seed++) {
    const { half, total } = await crowd({ seed, faults: { drop: 0.05 } }, 20_000);
    expect(total.quenchesSent).toBeGreaterThan(0);
    expectFair(half, 1 / 5); // nobody is left behind
    worst.push(shareOfSlowest(half));
  }
  // Who loses a packet at the wrong time waits for some periods more: that depends on the seed.
  const [, , median] = worst.sort((a, b) => a - b);
  expect(median).toBeGreaterThanOrEqual(1 / 2);
});

test.each(["nack", "quench"] as const)(
  "hot spot: every %s is lost, all the time: all arrives",
  async (kind) => {
    const faults = { drop: 0.05, links: [{ packets: [kind], drop: 1 }] };
    const { total } = await crowd({ seed: 1, faults }, 20_000);
    expect(kind === "nack" ? total.nacksSent : total.quenchesSent).toBeGreaterThan(0);
  },
);

test.each([2, 3, 5, 20])("hot spot: every %d-th packet lost (D11)", async (every) => {
  const { total } = await crowd({ seed: every, faults: { drop: { every } } });
  expect(total.faultsDropped).toBeGreaterThan(0);
});
