// Packets that no kernel would have sent: the message in them is refused, and nothing moves.

import { expect, test } from "@jest/globals";
import { COUNTERS } from "../../src/base/counters.ts";
import { PACKET_BODY, PACKET_INLINE } from "../../src/hardware/packet-layout.ts";
import { COPY_SEND, MACH_PORT_DEAD, MACH_PORT_NULL, MOVE_RECEIVE } from "../../src/ipc/rights.ts";
import { takeCensus } from "../../src/node/census.ts";
import { makeIdentifier } from "../../src/norma/identifier.ts";
import { WIRE_BITS, WIRE_LOCAL, WIRE_REMOTE, WIRE_SIZE } from "../../src/norma/wire-layout.ts";
import { WIRE_COMPLEX, WIRE_OVERFLOW } from "../../src/norma/wire-values.ts";
import { openDoor } from "../support/doors.ts";
import { letter } from "../support/letters.ts";
import { LoneNodes } from "../support/lone-node.ts";

const SEND_ONLY = 17 | (17 << 8);
const INLINE_ITEM = 1 << 28;

const put = (words: Int32Array, at: number, word: number, value: number): void => {
  words[at + word] = value;
};

/** Sends a message of 12 bytes from node 0 to node 1, after `damage` has changed its packet in the
 *  descriptor where it arrived. */
const receiveDamaged = async (damage: (words: Int32Array, at: number) => void) => {
  const nodes = new LoneNodes({ dimension: 1 });
  const [sender, receiver] = [nodes.task(0), nodes.task(1)];
  const door = await openDoor(nodes, sender, receiver);
  await nodes.quiet();
  const [, kernel] = nodes.kernels;
  const before = takeCensus(kernel!);
  const message = letter(door.send, COPY_SEND, 0xc0ffee);
  message.size = 12;
  await sender.send(message);
  const at = kernel!.network.poll();
  expect(at).toBeGreaterThan(0);
  damage(kernel!.memory.words, at);
  await nodes.quiet();
  const damaged = kernel!.memory.counters[COUNTERS.damaged.index]!;
  return { nodes, kernel: kernel!, receiver, door, damaged, before };
};

test.each<[string, (words: Int32Array, at: number) => void]>([
  ["a reserved bit", (w, at) => put(w, at, WIRE_BITS, SEND_ONLY | (1 << 26))],
  ["a destination right that is none", (w, at) => put(w, at, WIRE_BITS, 19 | (17 << 8))],
  ["a receive right as destination", (w, at) => put(w, at, WIRE_BITS, 16 | (17 << 8))],
  ["a receive right as reply", (w, at) => put(w, at, WIRE_BITS, 17 | (16 << 8))],
  ["no rights at all", (w, at) => put(w, at, WIRE_BITS, 0)],
  ["a size of more than was carried", (w, at) => put(w, at, WIRE_SIZE, 13)],
  ["a size of less than was carried", (w, at) => put(w, at, WIRE_SIZE, 8)],
  ["a negative size", (w, at) => put(w, at, WIRE_SIZE, -12)],
  [
    "a body that is to follow and is here as well",
    (w, at) => {
      w[at + WIRE_BITS] = SEND_ONLY | WIRE_OVERFLOW;
      w[at + WIRE_SIZE] = 100_000;
    },
  ],
  ["an overflow and no items", (w, at) => put(w, at, WIRE_BITS, SEND_ONLY | WIRE_OVERFLOW)],
  [
    "a body of typed items that is none",
    (w, at) => {
      w[at + WIRE_BITS] = SEND_ONLY | WIRE_COMPLEX;
      w[at + PACKET_BODY] = -1;
    },
  ],
  [
    "a receive right in the body",
    (w, at) => {
      w[at + WIRE_BITS] = SEND_ONLY | WIRE_COMPLEX;
      w.set([16 | (32 << 8) | (2 << 16) | INLINE_ITEM, 0, 0x400021], at + PACKET_BODY);
    },
  ],
  [
    "a disposition in the body that only tasks use",
    (w, at) => {
      w[at + WIRE_BITS] = SEND_ONLY | WIRE_COMPLEX;
      w.set([20 | (32 << 8) | (2 << 16) | INLINE_ITEM, 0, 0], at + PACKET_BODY);
    },
  ],
])("network ipc: a message with %s is refused and counted", async (_what, damage) => {
  const { nodes, kernel, damaged, before } = await receiveDamaged(damage);
  expect(damaged).toBe(1);
  expect(takeCensus(kernel)).toEqual(before);
  await nodes.expectNothingLeaked();
});

test("network ipc: a destination that this node never gave out, or that is not here, costs nothing", async () => {
  for (const identifier of [
    0,
    -1,
    makeIdentifier(1, 5000),
    makeIdentifier(1, 9),
    makeIdentifier(0, 40),
  ]) {
    const { nodes, kernel, damaged, before } = await receiveDamaged((words, at) => {
      words[at + WIRE_REMOTE] = identifier;
    });
    expect(damaged).toBe(0);
    expect(takeCensus(kernel)).toEqual(before);
    await nodes.expectNothingLeaked();
  }
});

test("network ipc: a reply right to a port of a node that does not exist arrives as dead", async () => {
  const { nodes, receiver, door } = await receiveDamaged((words, at) => {
    words[at + WIRE_LOCAL] = makeIdentifier(900, 40);
  });
  expect((await nodes.run(receiver.receive(door.receive))).remote).toBe(0xffffffff);
  await nodes.expectNothingLeaked();
});

test("network ipc: what the interface counted as inline is what the checks see", async () => {
  const { nodes, damaged } = await receiveDamaged((words, at) => {
    words[at + PACKET_INLINE] = 196;
  });
  // The transport refuses this one before it looks at the message, and then never sees it again: on a
  // reliable network nothing is damaged, and nobody waits for what was.
  expect(damaged).toBe(1);
  await nodes.quiet();
});

test("network ipc: a receive right that is none (null, dead) goes to another node", async () => {
  const nodes = new LoneNodes({ dimension: 1 });
  const [sender, receiver] = [nodes.task(0), nodes.task(1)];
  const door = await openDoor(nodes, sender, receiver);
  const message = letter(door.send, COPY_SEND).addRight(MACH_PORT_NULL, MOVE_RECEIVE);
  await nodes.run(sender.send(message.addRight(MACH_PORT_DEAD, MOVE_RECEIVE)));
  const received = await nodes.run(receiver.receive(door.receive, { timeoutNs: 0 }));
  expect(received.takeRight()).toEqual({ name: MACH_PORT_NULL, right: MOVE_RECEIVE });
  expect(received.takeRight()).toEqual({ name: MACH_PORT_DEAD, right: MOVE_RECEIVE });
  await nodes.expectNothingLeaked();
});
