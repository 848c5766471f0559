// Queueing and dequeueing: order, limits, blocked senders, waiting receivers, sequence numbers.

import { expect, test } from "@jest/globals";
import { Message } from "../../src/ipc/message.ts";
import { COPY_SEND, MAKE_SEND, MAKE_SEND_ONCE, MOVE_RECEIVE } from "../../src/ipc/rights.ts";
import { give, openDoor } from "../support/doors.ts";
import { firstWrongByte, letter, patterned } from "../support/letters.ts";
import { LoneNodes, watch } from "../support/lone-node.ts";

/** 0 and 1: the receiver on the sender's own node, and on the other. */
const PLACES = [
  ["local", 0],
  ["remote", 1],
] as const;

test.each(PLACES)(
  "queueing: 1000 messages of one sender arrive in order, %s (S42)",
  async (_where, node) => {
    const nodes = new LoneNodes({ dimension: 1 });
    const [sender, receiver] = [nodes.task(0), nodes.task(node)];
    const door = await openDoor(nodes, sender, receiver);
    const sending = (async () => {
      for (let i = 0; i < 1000; i++) await sender.send(letter(door.send, COPY_SEND, i));
    })();
    const receiving = (async () => {
      for (let i = 0; i < 1000; i++) {
        expect(await receiver.receive(door.receive)).toMatchObject({ id: i, sequence: i });
      }
    })();
    await nodes.run(Promise.all([sending, receiving]));
    await nodes.expectNothingLeaked();
  },
);

test.each(PLACES)(
  "queueing: bodies of every size from 0 to a page arrive intact, %s",
  async (_where, node) => {
    const nodes = new LoneNodes({ dimension: 1 });
    const [sender, receiver] = [nodes.task(0), nodes.task(node)];
    const door = await openDoor(nodes, sender, receiver);
    const sizes = [...Array(205).keys(), 384, 385, 1000, 1023, 1024, 2047, 4092, 4093, 4095, 4096];
    for (const size of sizes) {
      await nodes.run(sender.send(patterned(door.send, size, size)));
      const got = await nodes.run(receiver.receive(door.receive));
      expect(got.size).toBe(size);
      expect(firstWrongByte(got, size)).toBe(-1);
    }
    await nodes.expectNothingLeaked();
  },
);

test("queueing: a full queue blocks senders; each received message lets the next in, first come first served (S31)", async () => {
  const nodes = new LoneNodes();
  const owner = nodes.task();
  const port = owner.ports.allocate();
  for (let i = 0; i < 5; i++) await nodes.run(owner.send(letter(port, MAKE_SEND, i)));
  const senders = [5, 6, 7].map((id) => {
    const sent = owner.send(letter(port, MAKE_SEND, id));
    return { sent, seen: watch(sent) };
  });
  const settled = () => senders.map(({ seen }) => seen.settled);
  await nodes.quiet();
  expect(settled()).toEqual([false, false, false]);
  expect(owner.ports.getReceiveStatus(port).msgcount).toBe(5);
  for (let i = 0; i < 3; i++) {
    expect((await nodes.run(owner.receive(port))).id).toBe(i);
    expect(settled()).toEqual([i >= 0, i >= 1, i >= 2]);
    expect(owner.ports.getReceiveStatus(port).msgcount).toBe(5);
  }
  for (let i = 3; i < 8; i++) expect((await nodes.run(owner.receive(port))).id).toBe(i);
  await nodes.expectNothingLeaked();
});

test("queueing: a limit raised by two lets two of three blocked senders in (S30)", async () => {
  const nodes = new LoneNodes();
  const owner = nodes.task();
  const port = owner.ports.allocate();
  owner.ports.setQlimit(port, 1);
  await nodes.run(owner.send(letter(port, MAKE_SEND, 0)));
  const seen = [1, 2, 3].map((id) => watch(owner.send(letter(port, MAKE_SEND, id))));
  await nodes.quiet();
  owner.ports.setQlimit(port, 3);
  await nodes.quiet();
  expect(seen.map((one) => one.settled)).toEqual([true, true, false]);
  for (let i = 0; i < 4; i++) expect((await nodes.run(owner.receive(port))).id).toBe(i);
  await nodes.expectNothingLeaked();
});

test("queueing: a limit of 0 stops every ordinary send, though a receiver waits, and none overtakes", async () => {
  const nodes = new LoneNodes();
  const owner = nodes.task();
  const port = owner.ports.allocate();
  owner.ports.setQlimit(port, 0);
  const first = watch(owner.send(letter(port, MAKE_SEND, 1)));
  const received = owner.receive(port);
  const second = watch(owner.send(letter(port, MAKE_SEND, 2)));
  await nodes.quiet();
  expect([first.settled, second.settled]).toEqual([false, false]);
  owner.ports.setQlimit(port, 1);
  expect((await nodes.run(received)).id).toBe(1);
  expect((await nodes.run(owner.receive(port))).id).toBe(2);
  await nodes.expectNothingLeaked();
});

test("queueing: a limit lowered below what is queued keeps it, and lets nobody in until it is below", async () => {
  const nodes = new LoneNodes();
  const owner = nodes.task();
  const port = owner.ports.allocate();
  for (let i = 0; i < 4; i++) await nodes.run(owner.send(letter(port, MAKE_SEND, i)));
  owner.ports.setQlimit(port, 2);
  const blocked = watch(owner.send(letter(port, MAKE_SEND, 4)));
  for (let i = 0; i < 3; i++) {
    expect(blocked.settled).toBe(false);
    expect((await nodes.run(owner.receive(port))).id).toBe(i);
  }
  expect(blocked.settled).toBe(true);
  await nodes.expectNothingLeaked();
});

test("queueing: a message to a send-once right is queued at once though the queue is full (S32)", async () => {
  const nodes = new LoneNodes();
  const owner = nodes.task();
  const port = owner.ports.allocate();
  for (let i = 0; i < 5; i++) await nodes.run(owner.send(letter(port, MAKE_SEND, i)));
  await nodes.run(owner.send(letter(port, MAKE_SEND_ONCE, 5)));
  expect(owner.ports.getReceiveStatus(port)).toMatchObject({ msgcount: 6, sorights: 1 });
  for (let i = 0; i < 6; i++) expect((await nodes.run(owner.receive(port))).id).toBe(i);
  await nodes.expectNothingLeaked();
});

test("queueing: the port is destroyed while senders are blocked: they succeed (S33)", async () => {
  const nodes = new LoneNodes();
  const owner = nodes.task();
  const port = owner.ports.allocate();
  const witness = owner.ports.allocate();
  const sends = [0, 1, 2, 3, 4, 5, 6].map((id) =>
    owner.send(letter(port, MAKE_SEND, id, witness, MAKE_SEND_ONCE)),
  );
  await nodes.quiet();
  owner.ports.destroy(port);
  await nodes.run(Promise.all(sends));
  // All seven reply rights tell that they were destroyed; the queue limit does not hold for that.
  expect(owner.ports.getReceiveStatus(witness).msgcount).toBe(7);
  for (let i = 0; i < 7; i++) expect((await nodes.run(owner.receive(witness))).id).toBe(71);
  await nodes.expectNothingLeaked();
});

test("queueing: waiting receivers are served in the order in which they came", async () => {
  const nodes = new LoneNodes();
  const owner = nodes.task();
  const port = owner.ports.allocate();
  const received = [owner.receive(port), owner.receive(port), owner.receive(port)];
  for (const id of [10, 11, 12]) await nodes.run(owner.send(letter(port, MAKE_SEND, id)));
  const messages = await nodes.run(Promise.all(received));
  expect(messages.map(({ id, sequence }) => [id, sequence])).toEqual([
    [10, 0],
    [11, 1],
    [12, 2],
  ]);
  await nodes.expectNothingLeaked();
});

test.each(PLACES)(
  "queueing: a receiver whose buffer is too small is told, the one behind it is served, %s (V5)",
  async (_where, node) => {
    const nodes = new LoneNodes({ dimension: 1 });
    const [sender, receiver] = [nodes.task(0), nodes.task(node)];
    const door = await openDoor(nodes, sender, receiver);
    const small = receiver.receive(door.receive, { into: new Message(8) });
    const large = receiver.receive(door.receive, { into: new Message(16) });
    small.catch(() => {});
    await nodes.quiet();
    await nodes.run(sender.send(patterned(door.send, 12, 1)));
    await expect(nodes.run(small)).rejects.toThrow(
      "MACH_RCV_TOO_LARGE: the message's body has 12 bytes, there is room for 8; it stays queued",
    );
    expect(firstWrongByte(await nodes.run(large), 1)).toBe(-1);
    await nodes.expectNothingLeaked();
  },
);

test("queueing: a message too large for the buffer stays first in the queue", async () => {
  const nodes = new LoneNodes();
  const owner = nodes.task();
  const port = owner.ports.allocate();
  owner.ports.insertRight(port, port, MAKE_SEND);
  await nodes.run(owner.send(patterned(port, 100, 1)));
  await nodes.run(owner.send(patterned(port, 4, 2)));
  const into = new Message(96);
  for (let i = 0; i < 2; i++) {
    await expect(nodes.run(owner.receive(port, { into }))).rejects.toMatchObject({
      code: "MACH_RCV_TOO_LARGE",
    });
    expect(owner.ports.getReceiveStatus(port)).toMatchObject({ msgcount: 2, seqno: 0 });
  }
  expect(await nodes.run(owner.receive(port))).toMatchObject({ id: 1, size: 100, sequence: 0 });
  expect(await nodes.run(owner.receive(port, { into }))).toMatchObject({ id: 2, sequence: 1 });
  await nodes.expectNothingLeaked();
});

test("queueing: sequence numbers count what was given out, and start again when the receive right moves", async () => {
  const nodes = new LoneNodes();
  const [owner, heir] = [nodes.task(), nodes.task()];
  const port = owner.ports.allocate();
  for (let i = 0; i < 3; i++) await nodes.run(owner.send(letter(port, MAKE_SEND, i)));
  expect((await nodes.run(owner.receive(port))).sequence).toBe(0);
  expect((await nodes.run(owner.receive(port))).sequence).toBe(1);
  expect(owner.ports.getReceiveStatus(port)).toMatchObject({ seqno: 2, mscount: 3 });
  const moved = await give(nodes, owner, port, MOVE_RECEIVE, heir);
  expect(heir.ports.getReceiveStatus(moved)).toMatchObject({ seqno: 0, mscount: 0, msgcount: 1 });
  expect(await nodes.run(heir.receive(moved))).toMatchObject({ id: 2, sequence: 0, local: moved });
  await nodes.expectNothingLeaked();
});

test("queueing: a fresh port's status (R33)", () => {
  const task = new LoneNodes().task();
  expect(task.ports.getReceiveStatus(task.ports.allocate())).toEqual({
    pset: 0,
    pdrequest: false,
    nsrequest: false,
    seqno: 0,
    mscount: 0,
    qlimit: 5,
    msgcount: 0,
    sorights: 0,
    srights: false,
  });
});

test("queueing: receiving needs a receive right (V1)", async () => {
  const nodes = new LoneNodes();
  const [owner, other] = [nodes.task(), nodes.task()];
  const port = owner.ports.allocate();
  const names = [
    await give(nodes, owner, port, MAKE_SEND, other),
    await give(nodes, owner, port, MAKE_SEND_ONCE, other),
    other.ports.allocate("dead-name"),
    0,
    0xffffffff,
    0xc0ffee,
  ];
  for (const name of names) {
    await expect(nodes.run(other.receive(name))).rejects.toMatchObject({
      code: "MACH_RCV_INVALID_NAME",
      status: 0x10004002,
    });
  }
  await nodes.expectNothingLeaked();
});

test("queueing: a receiver on a port that is destroyed or moved away is told so (V8)", async () => {
  const nodes = new LoneNodes();
  const [owner, heir] = [nodes.task(), nodes.task()];
  const door = await openDoor(nodes, owner, heir);
  const doomed = owner.ports.allocate();
  const waits = [owner.receive(doomed), owner.receive(doomed)];
  for (const wait of waits) wait.catch(() => {});
  owner.ports.destroy(doomed);
  for (const wait of waits) {
    await expect(nodes.run(wait)).rejects.toMatchObject({ code: "MACH_RCV_PORT_DIED" });
  }
  const moving = owner.ports.allocate();
  const wait = owner.receive(moving);
  wait.catch(() => {});
  await nodes.run(owner.send(letter(door.send, COPY_SEND).addRight(moving, MOVE_RECEIVE)));
  await expect(nodes.run(wait)).rejects.toMatchObject({ code: "MACH_RCV_PORT_DIED" });
  const { name } = (await nodes.run(heir.receive(door.receive))).takeRight();
  expect(heir.ports.getReceiveStatus(name).msgcount).toBe(0);
  await nodes.expectNothingLeaked();
});
