// Loopback proxies: rights between tasks of one node that lead through the network (option
// kernel.loopback). The conformance cases run through them; here is what only they have.

import { expect, test } from "@jest/globals";
import { COUNTERS } from "../../src/base/counters.ts";
import {
  COPY_SEND,
  MAKE_SEND,
  MOVE_RECEIVE,
  RIGHT_SEND,
  TYPE_DEAD_NAME,
  TYPE_RECEIVE,
  TYPE_SEND,
} from "../../src/ipc/rights.ts";
import { give, openDoor } from "../support/doors.ts";
import { letter, parcel } from "../support/letters.ts";
import { LoneNodes } from "../support/lone-node.ts";

const LOOPBACK = { kernel: { loopback: true } };

test("loopback: a message between two tasks of a node is sent and received as a packet", async () => {
  const nodes = new LoneNodes(LOOPBACK);
  const [from, to] = [nodes.task(), nodes.task()];
  const door = await openDoor(nodes, from, to);
  const { counters } = nodes.kernels[0]!.memory;
  const before = [COUNTERS.messagesRemote, COUNTERS.packetsReceived].map(
    ({ index }) => counters[index]!,
  );
  await nodes.run(from.send(letter(door.send, COPY_SEND, 7)));
  expect((await nodes.run(to.receive(door.receive))).id).toBe(7);
  expect(counters[COUNTERS.messagesRemote.index]).toBe(before[0]! + 1);
  expect(counters[COUNTERS.packetsReceived.index]).toBeGreaterThan(before[1]!);
  await nodes.expectNothingLeaked();
});

test("loopback: without it no packet is sent on a node by itself", async () => {
  const nodes = new LoneNodes();
  const [from, to] = [nodes.task(), nodes.task()];
  const door = await openDoor(nodes, from, to);
  await nodes.run(from.send(letter(door.send, COPY_SEND, 7)));
  expect(nodes.kernels[0]!.memory.counters[COUNTERS.packetsSent.index]).toBe(0);
  await nodes.expectNothingLeaked();
});

test("loopback: a right that comes to the task with the receive right joins it, and so the other way round", async () => {
  const nodes = new LoneNodes(LOOPBACK);
  const [owner, other] = [nodes.task(), nodes.task()];
  const port = owner.ports.allocate();
  const lent = await give(nodes, owner, port, MAKE_SEND, other);
  expect(await give(nodes, other, lent, COPY_SEND, owner)).toBe(port);
  expect(owner.ports.type(port)).toBe(TYPE_SEND | TYPE_RECEIVE);
  expect(await give(nodes, owner, port, MOVE_RECEIVE, other)).toBe(lent);
  expect(other.ports.type(lent)).toBe(TYPE_SEND | TYPE_RECEIVE);
  expect(other.ports.getRefs(lent, RIGHT_SEND)).toBe(1);
  await nodes.run(owner.send(letter(port, COPY_SEND, 3)));
  expect((await nodes.run(other.receive(lent))).id).toBe(3);
  await nodes.expectNothingLeaked();
});

test("loopback: two receive rights sent into each other's queues are a circle, and destroyed (S44)", async () => {
  const nodes = new LoneNodes(LOOPBACK);
  const [first, second] = [nodes.task(), nodes.task()];
  const there = await openDoor(nodes, first, second);
  const back = await openDoor(nodes, second, first);
  await nodes.run(first.send(parcel(there.send, COPY_SEND, back.receive, MOVE_RECEIVE)));
  await nodes.run(second.send(parcel(back.send, COPY_SEND, there.receive, MOVE_RECEIVE)));
  await nodes.quiet();
  expect(first.ports.type(there.send)).toBe(TYPE_DEAD_NAME);
  expect(second.ports.type(back.send)).toBe(TYPE_DEAD_NAME);
  await nodes.expectNothingLeaked();
});
