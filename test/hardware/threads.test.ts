// Interfaces in real threads: two nodes send each other streams of packets as fast as they can, every
// byte is checked. What the interleaving tests cannot see, the order in which plain stores become
// visible, would show here.

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "@jest/globals";
import { MACHINE_AWAKE } from "../../src/hardware/machine-layout.ts";
import { createMachineMemory, prepareMachineMemory } from "../../src/node/machine-memory.ts";
import type { HammerPlan, HammerResult } from "../support/hammer.ts";
import { MEMORY_KINDS, testLayout } from "../support/machine-memory.ts";

const HAMMER = new URL("../support/hammer.js", import.meta.url);
const PACKETS = 200_000;

const KINDS = ["direct-connect", "store-and-forward"] as const;

describe.each(MEMORY_KINDS)("threads on %s memory", (memoryKind) => {
  test.each(
    KINDS.flatMap((kind) => [
      { kind, ringLength: 1, patience: 2000 },
      { kind, ringLength: 8, patience: 2000 },
    ]),
  )(
    "$kind: two nodes exchange 200,000 packets each way intact (ring length $ringLength)",
    async ({ kind, ringLength, patience }) => {
      const results = await hammer(kind, ringLength, PACKETS, patience);
      expect(results.map(({ received }) => received)).toEqual([PACKETS, PACKETS]);
    },
  );

  test.each(KINDS)(
    "%s: workers that park at once are always woken (ring length 1)",
    async (kind) => {
      const results = await hammer(kind, 1, 5_000, 0);
      expect(results.map(({ received }) => received)).toEqual([5_000, 5_000]);
      expect(results[0]!.parks + results[1]!.parks).toBeGreaterThan(100);
    },
  );

  const hammer = async (
    kind: HammerPlan["kind"],
    ringLength: number,
    packets: number,
    patience: number,
  ): Promise<HammerResult[]> => {
    const layout = testLayout({ dimension: 1, ringLength, channelSlots: ringLength });
    const memory = createMachineMemory(layout.totalBytes, memoryKind);
    prepareMachineMemory(memory, layout, (node) => node);
    const results = await Promise.all(
      [0, 1].map(async (node) => {
        const plan = { memory, layout, kind, node, peer: 1 - node, packets, patience };
        const worker = new Worker(HAMMER, { workerData: plan satisfies HammerPlan });
        const [result] = (await once(worker, "message")) as [HammerResult];
        await worker.terminate();
        return result;
      }),
    );
    expect(new Int32Array(memory.buffer)[MACHINE_AWAKE]).toBe(2);
    return results;
  };
});
