// The snapshot rule and the recounted invariants I-1 and I-2 while pages fly, under faults and when frames are short:
// every run replays from its seed.

import { expect, test } from "@jest/globals";
import { SimulatedMachine } from "../../src/sim/simulated-machine.ts";
import { program } from "../support/machines.ts";

const MESSAGES = 60;
const SEEDS = [1, 2, 3, 4, 5, 6];

test.each<[string, object]>([
  ["nothing lost", {}],
  ["packets lost, repeated and late", { faults: { drop: 0.05, duplicate: 0.05, delay: 0.05 } }],
  ["few frames and a swap file", { memory: { bytesPerNode: 1 << 18, poison: true } }],
  ["held senders", { kernel: { protection: "hold" } }],
  ["rendezvous", { kernel: { transfer: "rendezvous" } }],
  ["copy objects", { kernel: { transfer: "copy-object" } }],
  ["copies", { kernel: { transfer: "copy" } }],
  ["shared buffers", { kernel: { transfer: "shared-buffer" } }],
])("busy pages: snapshots and counts hold in simulation (%s)", async (_what, options) => {
  for (const seed of SEEDS) {
    await using machine = await SimulatedMachine.boot({
      dimension: 1,
      seed,
      checkRounds: 7,
      ...options,
    });
    const args = { port: "racing", node: 1, messages: MESSAGES, pages: 5 };
    const receiver = await machine.spawn(1, program("racing-receiver"), { args });
    const sender = await machine.spawn(0, program("racing-sender"), { args });
    await Promise.all([receiver.exited, sender.exited]);
    await machine.drained();
    expect({ seed, violations: machine.violations.slice(0, 3) }).toEqual({ seed, violations: [] });
    for (let node = 0; node < machine.nodes; node++) {
      const census = await machine.census(node);
      expect({ seed, ...census }).toMatchObject({ seed, framesInMessages: 0, unacknowledged: 0 });
    }
  }
});
