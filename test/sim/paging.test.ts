// Messages that are larger than the memory of either node: the list goes on as a continuation, pages that arrive go to
// the swap file and come back, and the network and paging do not starve each other.

import { expect, test } from "@jest/globals";
import { SimulatedMachine } from "../../src/sim/simulated-machine.ts";
import { program } from "../support/machines.ts";

const MEMORY_BYTES = 1 << 20;
const PAGE_BYTES = 4096;

test.each<[string, object]>([
  ["nothing lost", {}],
  ["packets lost", { faults: { drop: 0.02 } }],
  ["one receive descriptor", { interconnect: { ringLength: 1 } }],
  ["store and forward", { interconnect: { kind: "store-and-forward" } }],
  ["held senders", { kernel: { protection: "hold" } }],
])("paging: messages larger than a node's memory arrive whole (%s)", async (_what, options) => {
  await using machine = await SimulatedMachine.boot({
    dimension: 1,
    seed: 11,
    checkRounds: 101,
    memory: { bytesPerNode: MEMORY_BYTES, poison: true },
    ...options,
  });
  const pages = (2 * MEMORY_BYTES) / PAGE_BYTES;
  const args = { port: "racing", node: 1, messages: 3, pages };
  const receiver = await machine.spawn(1, program("racing-receiver"), { args });
  const sender = await machine.spawn(0, program("racing-sender"), { args });
  const [words] = await Promise.all([receiver.exited, sender.exited]);
  expect(words).toBe((3 * pages * PAGE_BYTES) / 4);
  await machine.drained();
  expect(machine.violations.slice(0, 3)).toEqual([]);
  const { nodes } = machine.stats();
  for (const { counters } of nodes) {
    expect(counters.pageOuts).toBeGreaterThan(0);
    expect(counters.pageIns).toBeGreaterThan(0);
  }
});

test("paging: without a swap file what does not fit is a shortage, and nothing else goes wrong", async () => {
  await using machine = await SimulatedMachine.boot({
    dimension: 1,
    memory: { bytesPerNode: MEMORY_BYTES, swapBytes: 0 },
  });
  const pages = (2 * MEMORY_BYTES) / PAGE_BYTES;
  const args = { port: "nobody", node: 1, messages: 1, pages };
  await machine.spawn(1, program("racing-receiver"), { args });
  const sender = await machine.spawn(0, program("racing-sender"), { args });
  await expect(sender.exited).rejects.toMatchObject({ code: "KERN_RESOURCE_SHORTAGE" });
  const again = await machine.spawn(0, program("racing-sender"), { args: { ...args, pages: 4 } });
  await expect(again.exited).resolves.toBe((4 * PAGE_BYTES) / 4);
});
