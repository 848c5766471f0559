// Interfaces in real threads: two nodes, or four that share a medium, send each other streams of packets
// as fast as they can, every byte is checked. What the interleaving tests cannot see, the order in which plain stores become
// visible, would show here.

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "@jest/globals";
import { readCounters } from "../../src/base/counters.ts";
import type { MachineMemory } from "../../src/hardware/dma-engine.ts";
import {
  MACHINE_AWAKE,
  type MachineLayout,
  WORKER_HALT,
  workerWord,
} from "../../src/hardware/machine-layout.ts";
import { PhysicalMemory } from "../../src/hardware/physical-memory.ts";
import { createMachineMemory, prepareMachineMemory } from "../../src/node/machine-memory.ts";
import type { HammerPlan, HammerResult } from "../support/hammer.ts";
import { MEMORY_KINDS, testLayout } from "../support/machine-memory.ts";
import type { MediumPlan, MediumResult } from "../support/medium-hammer.ts";

const HAMMER = new URL("../support/hammer.js", import.meta.url);
const MEDIUM_HAMMER = new URL("../support/medium-hammer.js", import.meta.url);
const PACKETS = 200_000;
/** On a host that is busy otherwise a test ends with what it has done by then. */
const LIMIT_MS = 3_000;
const PACKETS_MIN = 1_000;

const CHANNELS = ["direct-connect", "store-and-forward"] as const;
const MEDIA = ["ethernet", "token-ring"] as const;

describe.each(MEMORY_KINDS)("threads on %s memory", (memoryKind) => {
  const CASES = CHANNELS.flatMap((kind) => [1, 8].map((ringLength) => ({ kind, ringLength })));
  const MEDIUM_CASES = MEDIA.flatMap((kind) => [0, 2_000].map((patience) => ({ kind, patience })));

  test.each(CASES)(
    "$kind: two nodes exchange up to 200,000 packets each way, all intact (ring length $ringLength)",
    async ({ kind, ringLength }) => {
      await hammer(kind, ringLength, PACKETS, 2_000);
    },
  );

  test.each([...CHANNELS, "token-ring"] as const)(
    "%s: workers that park at once are always woken (ring length 1)",
    async (kind) => {
      const [a, b] = await hammer(kind, 1, 5_000, 0);
      expect(a!.parks + b!.parks).toBeGreaterThan(100);
    },
  );

  test.each(MEDIUM_CASES)(
    "$kind: four nodes contend for the medium, all arrives intact or is counted (patience $patience)",
    async ({ kind, patience }) => {
      const reassemblies = kind === "ethernet" ? 2 : 0; // fewer than there are sources
      const layout = testLayout({ dimension: 2, channels: 0, pageBytes: 4096, reassemblies });
      const memory = createMachineMemory(layout.totalBytes, memoryKind);
      prepareMachineMemory(memory, layout, (node) => node);
      const results = await runWorkers<MediumResult>(MEDIUM_HAMMER, memory, layout, (node) => {
        const plan: MediumPlan = {
          memory,
          layout,
          kind,
          node,
          packets: 10_000,
          packetsMin: PACKETS_MIN,
          patience,
        };
        return plan;
      });
      const sum = (of: (result: MediumResult) => number) =>
        results.reduce((total, result) => total + of(result), 0);
      const { noDescriptor, noReassembly, ...others } = lossesOf(memory, layout);
      const lost = noDescriptor + noReassembly;
      expect(sum(({ received }) => received)).toBe(sum(({ sent }) => sent) - lost);
      expect(others).toEqual({ collisionsGivenUp: 0, reassembliesGivenUp: 0 });
      if (kind === "token-ring") expect(lost).toBe(0);
      for (const { received } of results) expect(received).toBeGreaterThan(0);
    },
  );

  /** Two threads send each other packets, and look around so often before they park. */
  const hammer = async (
    kind: HammerPlan["kind"],
    ringLength: number,
    packets: number,
    patience: number,
  ): Promise<HammerResult[]> => {
    const layout = testLayout({ dimension: 1, ringLength, channelSlots: ringLength });
    const memory = createMachineMemory(layout.totalBytes, memoryKind);
    prepareMachineMemory(memory, layout, (node) => node);
    const results = await runWorkers<HammerResult>(HAMMER, memory, layout, (node) => {
      const plan: HammerPlan = {
        memory,
        layout,
        kind,
        node,
        peer: 1 - node,
        packets,
        packetsMin: PACKETS_MIN,
        patience,
      };
      return plan;
    });
    expect(results[0]!.received).toBe(results[1]!.sent);
    expect(results[1]!.received).toBe(results[0]!.sent);
    for (const { received } of results) expect(received).toBeGreaterThanOrEqual(PACKETS_MIN);
    return results;
  };
});

/** Runs a worker for each node with the plan made for it; tells them to stop when the time is over. */
const runWorkers = async <Result>(
  module: URL,
  memory: MachineMemory,
  layout: MachineLayout,
  planOf: (node: number) => unknown,
): Promise<Result[]> => {
  const words = new Int32Array(memory.buffer);
  const nodes = Array.from({ length: layout.nodes }, (_, node) => node);
  const stop = (): void => {
    for (const node of nodes) Atomics.store(words, workerWord(layout, node) + WORKER_HALT, 1);
  };
  const limit = setTimeout(stop, LIMIT_MS); // a bound on the whole run, not a wait
  const results = await Promise.all(
    nodes.map(async (node) => {
      const worker = new Worker(module, { workerData: planOf(node) });
      const [result] = (await once(worker, "message")) as [Result];
      await worker.terminate();
      return result;
    }),
  );
  clearTimeout(limit);
  expect(words[MACHINE_AWAKE]).toBe(layout.nodes);
  return results;
};

/** What all nodes together have counted as lost: for want of a descriptor, of a place to put fragments
 *  together, after collisions; and what they have given up. */
const lossesOf = (memory: MachineMemory, layout: MachineLayout) => {
  const sums = { noDescriptor: 0, noReassembly: 0, collisionsGivenUp: 0, reassembliesGivenUp: 0 };
  for (let node = 0; node < layout.nodes; node++) {
    const values = readCounters(new PhysicalMemory(memory.buffer, layout, node).counters);
    for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] += values[key];
  }
  return sums;
};
