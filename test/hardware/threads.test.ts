// Interfaces in real threads: two nodes send each other streams of packets as fast as they can, every
// byte is checked. What the interleaving tests cannot see, the order in which plain stores become
// visible, would show here.

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "@jest/globals";
import { MACHINE_AWAKE, WORKER_HALT, workerWord } from "../../src/hardware/machine-layout.ts";
import { createMachineMemory, prepareMachineMemory } from "../../src/node/machine-memory.ts";
import type { HammerPlan, HammerResult } from "../support/hammer.ts";
import { MEMORY_KINDS, testLayout } from "../support/machine-memory.ts";

const HAMMER = new URL("../support/hammer.js", import.meta.url);
const PACKETS = 200_000;
/** On a host that is busy otherwise a test ends with what it has done by then. */
const LIMIT_MS = 3_000;
const PACKETS_MIN = 1_000;

const KINDS = ["direct-connect", "store-and-forward"] as const;

describe.each(MEMORY_KINDS)("threads on %s memory", (memoryKind) => {
  const CASES = KINDS.flatMap((kind) => [1, 8].map((ringLength) => ({ kind, ringLength })));

  test.each(CASES)(
    "$kind: two nodes exchange up to 200,000 packets each way, all intact (ring length $ringLength)",
    async ({ kind, ringLength }) => {
      await hammer(kind, ringLength, PACKETS, 2_000);
    },
  );

  test.each(KINDS)(
    "%s: workers that park at once are always woken (ring length 1)",
    async (kind) => {
      const [a, b] = await hammer(kind, 1, 5_000, 0);
      expect(a!.parks + b!.parks).toBeGreaterThan(100);
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
    const words = new Int32Array(memory.buffer);
    const stop = (): void => {
      for (const node of [0, 1]) Atomics.store(words, workerWord(layout, node) + WORKER_HALT, 1);
    };
    const limit = setTimeout(stop, LIMIT_MS); // a bound on the whole run, not a wait
    const results = await Promise.all(
      [0, 1].map(async (node) => {
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
        const worker = new Worker(HAMMER, { workerData: plan });
        const [result] = (await once(worker, "message")) as [HammerResult];
        await worker.terminate();
        return result;
      }),
    );
    clearTimeout(limit);
    expect(results[0]!.received).toBe(results[1]!.sent);
    expect(results[1]!.received).toBe(results[0]!.sent);
    for (const { received } of results) expect(received).toBeGreaterThanOrEqual(PACKETS_MIN);
    expect(words[MACHINE_AWAKE]).toBe(2);
    return results;
  };
});
