// The message pool: reserves for arrivals, back-pressure for senders, nothing lost when all is taken.

import { expect, test } from "@jest/globals";
import { COPY_SEND, MAKE_SEND_ONCE } from "../../src/ipc/rights.ts";
import { openDoor } from "../support/doors.ts";
import { firstWrongByte, letter, patterned } from "../support/letters.ts";
import { LoneNodes, watch } from "../support/lone-node.ts";

test("message pool: senders leave the reserve to arrivals", () => {
  const [kernel] = new LoneNodes({ kernel: { messages: 16, receiveReserve: 6 } }).kernels;
  const { pool } = kernel!.ipc;
  let taken = 0;
  while (pool.takeToSend(0) !== null) taken += 1;
  expect(taken).toBe(16 - 6);
  expect(pool.roomToSend(0)).toBe(false);
  while (pool.takeToReceive(false) !== null) taken += 1;
  expect([taken, pool.freeCount]).toEqual([14, 0]);
  expect(pool.takeForKernel()).toBe(null);
});

test("message pool: arrivals leave as many to senders", () => {
  const [kernel] = new LoneNodes({ kernel: { messages: 16, receiveReserve: 6 } }).kernels;
  const { pool } = kernel!.ipc;
  let taken = 0;
  while (pool.takeToReceive(false) !== null) taken += 1;
  expect([taken, pool.roomToReceive, pool.roomToSend(0)]).toEqual([10, false, true]);
  while (pool.takeToSend(0) !== null) taken += 1;
  expect(taken).toBe(14);
});

test("message pool: a body beyond 192 bytes comes with a frame, and goes with it", () => {
  const [kernel] = new LoneNodes().kernels;
  const { pool, frames } = kernel!.ipc;
  const before = frames.freeCount;
  const small = pool.takeToSend(192)!;
  const large = pool.takeToSend(193)!;
  expect([small.frame, large.frame >= 0, frames.freeCount]).toEqual([-1, true, before - 1]);
  pool.put(large);
  expect(frames.freeCount).toBe(before);
  expect(() => pool.put(large)).toThrow("a message is freed once");
});

test("message pool: frames too have a reserve that only arrivals may take", () => {
  const [kernel] = new LoneNodes({
    memory: { bytesPerNode: 131_072 },
    kernel: { messages: 64 },
  }).kernels;
  const { pool, frames } = kernel!.ipc;
  const before = frames.freeCount;
  while (pool.takeToSend(4096) !== null);
  expect(frames.freeCount).toBe(before >> 2);
  expect([pool.roomToSend(4096), pool.roomToSend(192)]).toEqual([false, true]);
  expect(pool.takeToReceive(true)).not.toBe(null);
});

test("message pool: a remote port that nobody receives from stops its senders; later all arrive in order", async () => {
  const nodes = new LoneNodes({ dimension: 1, kernel: { messages: 16 } });
  const [sender, receiver] = [nodes.task(0), nodes.task(1)];
  const door = await openDoor(nodes, sender, receiver);
  let sent = 0;
  const sending = (async () => {
    for (; sent < 200; sent++) await sender.send(letter(door.send, COPY_SEND, sent));
  })();
  await nodes.quiet();
  expect(sent).toBe(5); // the queue limit
  for (let i = 0; i < 200; i++) {
    expect((await nodes.run(receiver.receive(door.receive))).id).toBe(i);
  }
  await nodes.run(sending);
  await nodes.expectNothingLeaked();
});

test("message pool: two nodes that fill each other with pages both go on as soon as they receive", async () => {
  const nodes = new LoneNodes({
    dimension: 1,
    memory: { bytesPerNode: 131_072 },
    kernel: { messages: 64 },
  });
  const [a, b] = [nodes.task(0), nodes.task(1)];
  const [toB, toA] = [await openDoor(nodes, a, b), await openDoor(nodes, b, a)];
  const sends: Promise<unknown>[] = [];
  for (let i = 0; i < 40; i++) {
    sends.push(a.send(patterned(toB.send, 4096, i)), b.send(patterned(toA.send, 4096, i)));
  }
  await nodes.quiet();
  for (let i = 0; i < 40; i++) {
    const [atB, atA] = await nodes.run(
      Promise.all([b.receive(toB.receive), a.receive(toA.receive)]),
    );
    expect([firstWrongByte(atB, i), firstWrongByte(atA, i)]).toEqual([-1, -1]);
  }
  await nodes.run(Promise.all(sends));
  await nodes.expectNothingLeaked();
});

test("message pool: a server whose pool is full of requests can still reply", async () => {
  const nodes = new LoneNodes({ dimension: 1, kernel: { messages: 16 } });
  const [client, server] = [nodes.task(0), nodes.task(1)];
  const door = await openDoor(nodes, client, server);
  const asked = Array.from({ length: 100 }, async (_, i) => {
    const reply = client.ports.allocate();
    return (await client.rpc(letter(door.send, COPY_SEND, i, reply, MAKE_SEND_ONCE))).id;
  });
  await nodes.quiet();
  const serving = (async () => {
    for (let i = 0; i < 100; i++) {
      const request = await server.receive(door.receive);
      await server.send(letter(request.remote, request.remoteDisposition, request.id + 100));
    }
  })();
  expect(await nodes.run(Promise.all(asked))).toEqual(asked.map((_, i) => i + 100));
  await nodes.run(serving);
  await nodes.expectNothingLeaked();
});

test("message pool: senders that wait for a frame do not hold up small messages, nor keep the node busy", async () => {
  const nodes = new LoneNodes({ memory: { bytesPerNode: 131_072 }, kernel: { messages: 64 } });
  const task = nodes.task();
  const large = task.ports.allocate();
  task.ports.insertRight(large, large, 20);
  task.ports.setQlimit(large, 16);
  const small = task.ports.allocate();
  task.ports.insertRight(small, small, 20);
  const pages = Array.from({ length: 15 }, (_, i) => task.send(patterned(large, 4096, i)));
  const seen = pages.map(watch);
  await nodes.quiet();
  expect(seen.filter((one) => one.settled).length).toBeLessThan(15);
  for (let i = 0; i < 10; i++) {
    await nodes.run(task.send(letter(small, COPY_SEND, i)));
    expect((await nodes.run(task.receive(small))).id).toBe(i);
  }
  for (let i = 0; i < 15; i++) {
    expect(firstWrongByte(await nodes.run(task.receive(large)), i)).toBe(-1);
  }
  await nodes.run(Promise.all(pages));
  await nodes.expectNothingLeaked();
});

test("message pool: a node that takes nothing stops the senders to it, and only those", async () => {
  const nodes = new LoneNodes({ dimension: 2, kernel: { messages: 32 } });
  const [flooder, neighbour] = [nodes.task(0), nodes.task(0)];
  const [full, other] = [nodes.task(1), nodes.task(2)];
  const dam = await openDoor(nodes, flooder, full);
  const door = await openDoor(nodes, neighbour, other);
  const back = await openDoor(nodes, other, flooder);
  let sent = 0;
  const flooding = (async () => {
    for (; sent < 300; sent++) await flooder.send(letter(dam.send, COPY_SEND, sent));
  })();
  await nodes.quiet();
  const stoppedAt = sent;
  for (let i = 0; i < 20; i++) {
    await nodes.run(neighbour.send(letter(door.send, COPY_SEND, i)));
    expect((await nodes.run(other.receive(door.receive))).id).toBe(i);
    await nodes.run(other.send(letter(back.send, COPY_SEND, i)));
    expect((await nodes.run(flooder.receive(back.receive))).id).toBe(i);
  }
  expect(sent).toBe(stoppedAt);
  for (let i = 0; i < 300; i++) expect((await nodes.run(full.receive(dam.receive))).id).toBe(i);
  await nodes.run(flooding);
  await nodes.expectNothingLeaked();
});

test("message pool: senders that wait for one node are let go in turn, each port's in order", async () => {
  const nodes = new LoneNodes({ dimension: 1, kernel: { messages: 32 } });
  const [sender, receiver] = [nodes.task(0), nodes.task(1)];
  const doors = [
    await openDoor(nodes, sender, receiver),
    await openDoor(nodes, sender, receiver),
    await openDoor(nodes, sender, receiver),
  ];
  const sends: Promise<unknown>[] = [];
  for (let i = 0; i < 60; i++) {
    for (const door of doors) sends.push(sender.send(letter(door.send, COPY_SEND, i)));
  }
  await nodes.quiet();
  // In turn: one port's messages alone could fill the receiver's pool.
  for (let i = 0; i < 60; i++) {
    for (const door of doors) {
      expect((await nodes.run(receiver.receive(door.receive))).id).toBe(i);
    }
  }
  await nodes.run(Promise.all(sends));
  await nodes.expectNothingLeaked();
});
