// Queue limits across nodes as senders meet them: bursts, polls, turns given up. What notes do to the two
// sides of flow control is in flow-control.test.ts.

import { expect, test } from "@jest/globals";
import { COUNTERS } from "../../src/base/counters.ts";
import { COPY_SEND, MAKE_SEND_ONCE } from "../../src/ipc/rights.ts";
import { flowOf } from "../../src/norma/port-abroad.ts";
import { OPEN_ALLOWANCE } from "../../src/norma/visitors.ts";
import { openDoor } from "../support/doors.ts";
import { letter } from "../support/letters.ts";
import { LoneNodes, watch } from "../support/lone-node.ts";

/** A port on node 0 and a sender on node 1. */
const furnish = async () => {
  const nodes = new LoneNodes({ dimension: 1 });
  const [owner, sender] = [nodes.task(0), nodes.task(1)];
  const door = await openDoor(nodes, sender, owner);
  const space = nodes.spaceOf(sender);
  const proxy = space.portAt(space.find(door.send))!;
  const count = (): number => owner.ports.getReceiveStatus(door.receive).msgcount;
  return { nodes, owner, sender, door, flow: () => flowOf(proxy), count };
};

test("flow control: a sender that only polls goes on once the queue has been emptied", async () => {
  const { nodes, owner, sender, door } = await furnish();
  for (let i = 0; i < 5; i++) await nodes.run(sender.send(letter(door.send, COPY_SEND, i)));
  const poll = () => nodes.run(sender.send(letter(door.send, COPY_SEND, 9), { timeoutNs: 0 }));
  await expect(poll()).rejects.toMatchObject({ code: "MACH_SEND_TIMED_OUT" });
  for (let i = 0; i < 5; i++) await nodes.run(owner.receive(door.receive));
  expect(await poll()).toBe(0);
  expect((await nodes.run(owner.receive(door.receive))).id).toBe(9);
  await nodes.expectNothingLeaked();
});

test("flow control: a poll at a queue that has room again asks, and the next one goes through", async () => {
  const { nodes, owner, sender, door, count } = await furnish();
  for (let i = 0; i < 5; i++) await nodes.run(sender.send(letter(door.send, COPY_SEND, i)));
  await nodes.run(owner.receive(door.receive));
  const poll = () => nodes.run(sender.send(letter(door.send, COPY_SEND, 9), { timeoutNs: 0 }));
  await expect(poll()).rejects.toMatchObject({ code: "MACH_SEND_TIMED_OUT" });
  expect(await poll()).toBe(0);
  await expect(poll()).rejects.toMatchObject({ code: "MACH_SEND_TIMED_OUT" });
  await nodes.quiet();
  expect(count()).toBe(5);
  await nodes.expectNothingLeaked();
});

test("flow control: a burst under an open allowance does not go over the limit", async () => {
  const { nodes, owner, sender, door, flow, count } = await furnish();
  for (let i = 0; i < 3; i++) {
    const received = owner.receive(door.receive);
    await nodes.run(sender.send(letter(door.send, COPY_SEND, i)));
    await nodes.run(received);
  }
  await nodes.quiet();
  expect(flow().allowed).toBe(OPEN_ALLOWANCE);
  const sends = Array.from({ length: 8 }, (_, i) => sender.send(letter(door.send, COPY_SEND, i)));
  await nodes.quiet();
  expect(count()).toBe(5);
  const waiting = sends.map(watch).filter(({ settled }) => !settled);
  await nodes.quiet();
  expect(waiting.length).toBeGreaterThan(0);
  for (let i = 0; i < 8; i++) expect((await nodes.run(owner.receive(door.receive))).id).toBe(i);
  await nodes.run(Promise.all(sends));
  await nodes.expectNothingLeaked();
});

test("flow control: a call to a server that waits costs one packet each way", async () => {
  const { nodes, owner, sender, door } = await furnish();
  const reply = sender.ports.allocate();
  const call = async (id: number) => {
    const request = owner.receive(door.receive);
    const answered = sender.rpc(letter(door.send, COPY_SEND, id, reply, MAKE_SEND_ONCE));
    const got = await nodes.run(request);
    await owner.send(letter(got.remote, 18, id + 100));
    await nodes.run(answered);
  };
  await call(1); // the first tells the allowance
  await nodes.quiet();
  const sent = () =>
    nodes.kernels.map(({ memory }) => memory.counters[COUNTERS.messagesRemote.index]!);
  const packets = () =>
    nodes.kernels.map(({ memory: { counters } }) => {
      const all = counters[COUNTERS.packetsSent.index]!;
      return all - counters[COUNTERS.acksSent.index]! - counters[COUNTERS.nacksSent.index]!;
    });
  const [messagesBefore, packetsBefore] = [sent(), packets()];
  for (let i = 2; i < 30; i++) await call(i);
  await nodes.quiet();
  const messages = sent().map((n, node) => n - messagesBefore[node]!);
  expect(messages).toEqual([28, 28]);
  expect(packets().map((n, node) => n - packetsBefore[node]!)).toEqual(messages);
  await nodes.expectNothingLeaked();
});

test("flow control: a place kept for a sender that has given up goes to the next", async () => {
  const { nodes, owner, sender, door } = await furnish();
  const other = nodes.task(1);
  const second = await openDoor(nodes, other, owner);
  owner.ports.destroy(second.receive);
  for (let i = 0; i < 5; i++) await nodes.run(sender.send(letter(door.send, COPY_SEND, i)));
  const impatient = sender.send(letter(door.send, COPY_SEND, 50), { timeoutNs: 1000 });
  const patient = sender.send(letter(door.send, COPY_SEND, 51));
  await expect(nodes.run(impatient)).rejects.toMatchObject({ code: "MACH_SEND_TIMED_OUT" });
  const ids: number[] = [];
  for (let i = 0; i < 6; i++) ids.push((await nodes.run(owner.receive(door.receive))).id);
  await nodes.run(patient);
  expect(ids).toEqual([0, 1, 2, 3, 4, 51]);
  await nodes.expectNothingLeaked();
});
