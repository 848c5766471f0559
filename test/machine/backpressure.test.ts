// A program that does not receive stops its senders; nothing is lost, and the others go on meanwhile.

import { describe, expect, test } from "@jest/globals";
import type { ThreadMachine } from "../../src/machine/thread-machine.ts";
import { boot, eventually, program, runOn, within } from "../support/machines.ts";

/** More than all message pools of a machine hold. */
const COUNT = 600;

/** Node 3's drain takes nothing until it is told to; nodes flood it. */
const dam = async (machine: ThreadMachine, senders: number[], bytes: number) => {
  const args = { senders, count: COUNT, bytes };
  const drain = await machine.spawn(3, program("drain"), { args });
  const floods = [];
  for (const sender of senders) {
    const flood = { to: 3, count: COUNT, bytes };
    floods.push(await machine.spawn(sender, program("flood"), { args: flood }));
  }
  return { drain, floods };
};

/** Resolves when the machine sends nothing any more. */
const standstill = async (machine: ThreadMachine): Promise<void> => {
  let before = -1;
  await eventually("standstill", async () => {
    await new Promise((resolve) => setTimeout(resolve, 100)); // so long without a message is standstill
    const { messagesSent } = machine.stats().total;
    const still = messagesSent === before;
    before = messagesSent;
    return still;
  });
};

describe.each([
  ["small messages", 64],
  ["pages", 4096],
])("%s", (_what, bytes) => {
  test.each([1, 16])(
    "backpressure: senders of other nodes stop and then go on, receive ring of %d",
    async (ringLength) => {
      await using test = await boot({
        dimension: 3,
        kernel: { messages: 32 },
        processors: { workers: 8 },
        interconnect: { ringLength },
      });
      const { machine } = test;
      const { drain, floods } = await dam(machine, [0, 1, 2], bytes);
      await standstill(machine);
      expect(machine.stats().total.messagesSent).toBeLessThan(3 * COUNT);
      // Nodes that have nothing to do with it go on, across channels on the way to node 3 too.
      await machine.spawn(7, program("echo"));
      const args = { servers: [7], sizes: [0, 64, 4096, 0, 64, 4096] };
      for (const caller of [4, 5, 6]) {
        expect(await runOn(machine, caller, program("call-echo"), args)).toBe(6);
      }
      await runOn(machine, 3, program("start"));
      expect(await within(60_000, "drain", drain.exited)).toBe(3 * COUNT);
      for (const flood of floods) expect(await within(10_000, "flood", flood.exited)).toBe(COUNT);
    },
  );
});

test("backpressure: the queue limit stops a sender of the same node", async () => {
  await using test = await boot({ dimension: 2 });
  const { machine } = test;
  const { drain } = await dam(machine, [3], 64);
  await standstill(machine);
  expect((await machine.census(3)).queuedMessages).toBeLessThanOrEqual(6);
  await runOn(machine, 3, program("start"));
  expect(await within(30_000, "drain", drain.exited)).toBe(COUNT);
});

test("backpressure: with two workers for all the nodes", async () => {
  await using test = await boot({
    dimension: 3,
    kernel: { messages: 32 },
    processors: { workers: 2 },
  });
  const { machine } = test;
  const { drain } = await dam(machine, [0, 1, 2, 4, 5, 6, 7], 64);
  await standstill(machine);
  await runOn(machine, 3, program("start"));
  expect(await within(60_000, "drain", drain.exited)).toBe(7 * COUNT);
  await eventually("nothing left", async () => {
    const { framesInMessages, queuedMessages } = await machine.census(3);
    return framesInMessages === 0 && queuedMessages === 0;
  });
});

test("backpressure: a task of the sender's node that talks to another node goes on", async () => {
  await using test = await boot({ dimension: 2, processors: { workers: 4 } });
  const { machine } = test;
  const { drain, floods } = await dam(machine, [0], 64);
  await standstill(machine);
  await machine.spawn(1, program("echo"));
  const args = { servers: [1], sizes: [0, 64, 4096] };
  expect(await runOn(machine, 0, program("call-echo"), args)).toBe(3);
  await runOn(machine, 3, program("start"));
  expect(await within(60_000, "drain", drain.exited)).toBe(COUNT);
  expect(await within(10_000, "flood", floods[0]!.exited)).toBe(COUNT);
});
