// Giving rights up: send-once notifications, ports that die with messages in them, chains, circles.

import { expect, test } from "@jest/globals";
import { Message } from "../../src/ipc/message.ts";
import {
  COPY_SEND,
  MACH_PORT_DEAD,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MOVE_RECEIVE,
  MOVE_SEND_ONCE,
  NOTIFY_PORT_DESTROYED,
  NOTIFY_SEND_ONCE,
  RIGHT_RECEIVE,
  RIGHT_SEND_ONCE,
  TYPE_DEAD_NAME,
  TYPE_SEND,
} from "../../src/ipc/rights.ts";
import type { Task } from "../../src/task/task.ts";
import { give, openDoor } from "../support/doors.ts";
import { letter, parcel } from "../support/letters.ts";
import { LoneNodes } from "../support/lone-node.ts";

const PLACES = [
  ["on its own node", 0],
  ["on another node", 1],
] as const;

const expectNotification = async (nodes: LoneNodes, owner: Task, port: number): Promise<void> => {
  const got = await nodes.run(owner.receive(port, { timeoutNs: 1e9 }));
  expect(got).toMatchObject({ id: NOTIFY_SEND_ONCE, size: 0, complex: false, remote: 0 });
  expect(got.localDisposition).toBe(MOVE_SEND_ONCE);
  expect(owner.ports.getReceiveStatus(port).sorights).toBe(0);
};

test.each(PLACES)(
  "release: a send-once right that is deallocated %s notifies its port (D7)",
  async (_where, node) => {
    const nodes = new LoneNodes({ dimension: 1 });
    const [owner, other] = [nodes.task(0), nodes.task(node)];
    const port = owner.ports.allocate();
    const actions = [
      (name: number) => other.ports.deallocate(name),
      (name: number) => other.ports.destroy(name),
      (name: number) => other.ports.modRefs(name, RIGHT_SEND_ONCE, -1),
    ];
    for (const giveUp of actions) {
      giveUp(await give(nodes, owner, port, MAKE_SEND_ONCE, other));
      await expectNotification(nodes, owner, port);
    }
    await nodes.expectNothingLeaked();
  },
);

test.each(PLACES)(
  "release: a task that ends %s gives up its send-once rights",
  async (_where, node) => {
    const nodes = new LoneNodes({ dimension: 1 });
    const [owner, other] = [nodes.task(0), nodes.task(node)];
    const port = owner.ports.allocate();
    await give(nodes, owner, port, MAKE_SEND_ONCE, other);
    nodes.end(other);
    await expectNotification(nodes, owner, port);
    await nodes.expectNothingLeaked();
  },
);

test.each(PLACES)(
  "release: a request that dies in a queue %s notifies the port that waits for a reply",
  async (_where, node) => {
    const nodes = new LoneNodes({ dimension: 1 });
    const [owner, other] = [nodes.task(0), nodes.task(node)];
    const door = await openDoor(nodes, owner, other);
    const reply = owner.ports.allocate();
    await nodes.run(owner.send(letter(door.send, COPY_SEND, 1, reply, MAKE_SEND_ONCE)));
    await nodes.quiet();
    nodes.end(other);
    await expectNotification(nodes, owner, reply);
    await nodes.expectNothingLeaked();
  },
);

test.each(PLACES)(
  "release: a message %s to a port that has died is destroyed, the sender succeeds (S34)",
  async (_where, node) => {
    const nodes = new LoneNodes({ dimension: 1 });
    const [owner, other] = [nodes.task(0), nodes.task(node)];
    const door = await openDoor(nodes, owner, other);
    const once = await give(nodes, other, door.receive, MAKE_SEND_ONCE, owner);
    const reply = owner.ports.allocate();
    if (node === 0) {
      owner.ports.setQlimit(reply, 16);
      other.ports.setQlimit(door.receive, 0);
      const blocked = owner.send(letter(door.send, COPY_SEND, 1, reply, MAKE_SEND_ONCE));
      await nodes.quiet();
      other.ports.destroy(door.receive);
      await nodes.run(blocked);
    } else {
      // Sent before the news of the death can have come.
      other.ports.destroy(door.receive);
      await owner.send(letter(door.send, COPY_SEND, 1, reply, MAKE_SEND_ONCE));
      await owner.send(letter(once, MOVE_SEND_ONCE, 2));
    }
    await expectNotification(nodes, owner, reply);
    await nodes.expectNothingLeaked();
  },
);

test.each(PLACES)(
  "release: rights in a message whose ports die on the way are received as dead, %s (V15, V16)",
  async (_where, node) => {
    const nodes = new LoneNodes({ dimension: 1 });
    const [owner, other] = [nodes.task(0), nodes.task(node)];
    const door = await openDoor(nodes, owner, other);
    const [reply, gift] = [other.ports.allocate(), other.ports.allocate()];
    const giftName = await give(nodes, other, gift, MAKE_SEND, owner);
    const replyName = await give(nodes, other, reply, MAKE_SEND_ONCE, owner);
    const message = letter(door.send, COPY_SEND, 1, replyName, MOVE_SEND_ONCE);
    await nodes.run(owner.send(message.addRight(giftName, COPY_SEND)));
    await nodes.quiet();
    other.ports.destroy(reply);
    other.ports.destroy(gift);
    const got = await nodes.run(other.receive(door.receive));
    expect(got.remote).toBe(MACH_PORT_DEAD);
    expect(got.takeRight().name).toBe(MACH_PORT_DEAD);
    await nodes.expectNothingLeaked();
  },
);

test("release: a receive right in a message is destroyed with it, and what is queued on it too", async () => {
  const nodes = new LoneNodes();
  const owner = nodes.task();
  const [box, inner, witness] = [0, 0, 0].map(() => owner.ports.allocate()) as [
    number,
    number,
    number,
  ];
  owner.ports.insertRight(inner, inner, MAKE_SEND);
  await nodes.run(owner.send(letter(inner, MAKE_SEND, 1, witness, MAKE_SEND_ONCE)));
  await nodes.run(owner.send(parcel(box, MAKE_SEND, inner, MOVE_RECEIVE)));
  await nodes.run(owner.send(letter(inner, COPY_SEND, 2, witness, MAKE_SEND_ONCE)));
  owner.ports.destroy(box);
  expect(owner.ports.type(inner)).toBe(TYPE_DEAD_NAME);
  for (let i = 0; i < 2; i++) expect((await nodes.run(owner.receive(witness))).id).toBe(71);
  await nodes.expectNothingLeaked();
});

test("release: a chain of 180 receive rights, each in a message queued on the next, comes down at once", async () => {
  const nodes = new LoneNodes();
  const owner = nodes.task();
  let port = owner.ports.allocate();
  for (let i = 0; i < 180; i++) {
    const next = owner.ports.allocate();
    await nodes.run(owner.send(parcel(next, MAKE_SEND, port, MOVE_RECEIVE)));
    port = next;
  }
  expect(owner.ports.names().filter((name) => owner.ports.type(name) === 0x20000)).toHaveLength(1);
  owner.ports.modRefs(port, RIGHT_RECEIVE, -1);
  await nodes.expectNothingLeaked();
});

test("release: many rights in one body are all given back", async () => {
  const nodes = new LoneNodes();
  const owner = nodes.task();
  const [box, port] = [owner.ports.allocate(), owner.ports.allocate()];
  owner.ports.insertRight(port, port, MAKE_SEND);
  const message = new Message(4096);
  message.remote = box;
  message.remoteDisposition = MAKE_SEND;
  for (let i = 0; i < 250; i++) message.addInteger(i).addRight(port, COPY_SEND);
  await nodes.run(owner.send(message));
  expect(nodes.spaceOf(owner).portAt(port >>> 8)!.sendRights).toBe(251);
  owner.ports.destroy(box);
  expect(nodes.spaceOf(owner).portAt(port >>> 8)!.sendRights).toBe(1);
  await nodes.expectNothingLeaked();
});

test("release: a receive right sent to its own port is destroyed, the sender succeeds (S43)", async () => {
  const nodes = new LoneNodes();
  const owner = nodes.task();
  const [port, witness] = [owner.ports.allocate(), owner.ports.allocate()];
  owner.ports.insertRight(port, port, MAKE_SEND);
  await nodes.run(owner.send(letter(port, COPY_SEND, 1, witness, MAKE_SEND_ONCE)));
  await nodes.run(owner.send(parcel(port, COPY_SEND, port, MOVE_RECEIVE)));
  expect(owner.ports.type(port)).toBe(TYPE_DEAD_NAME);
  expect((await nodes.run(owner.receive(witness))).id).toBe(71);
  await nodes.expectNothingLeaked();
});

test.each([2, 3, 10])(
  "release: %d receive rights, each sent to the next one's port, make a circle and vanish (S44)",
  async (count) => {
    const nodes = new LoneNodes();
    const owner = nodes.task();
    const ports = Array.from({ length: count }, () => owner.ports.allocate());
    for (const port of ports) owner.ports.insertRight(port, port, MAKE_SEND);
    for (const [i, port] of ports.entries()) {
      const next = ports[(i + 1) % count]!;
      await nodes.run(owner.send(parcel(next, COPY_SEND, port, MOVE_RECEIVE)));
      expect(owner.ports.type(port)).toBe(i === count - 1 ? TYPE_DEAD_NAME : TYPE_SEND);
    }
    for (const port of ports) expect(owner.ports.type(port)).toBe(TYPE_DEAD_NAME);
    await nodes.expectNothingLeaked();
  },
);

test("release: two receive rights in one message to the port of the first vanish together", async () => {
  const nodes = new LoneNodes();
  const owner = nodes.task();
  const [a, b, witness] = [0, 0, 0].map(() => owner.ports.allocate()) as [number, number, number];
  owner.ports.insertRight(a, a, MAKE_SEND);
  owner.ports.insertRight(b, b, MAKE_SEND);
  await nodes.run(owner.send(letter(b, COPY_SEND, 1, witness, MAKE_SEND_ONCE)));
  const message = parcel(a, COPY_SEND, a, MOVE_RECEIVE).addRight(b, MOVE_RECEIVE);
  await nodes.run(owner.send(message));
  expect([a, b].map((name) => owner.ports.type(name))).toEqual([TYPE_DEAD_NAME, TYPE_DEAD_NAME]);
  expect((await nodes.run(owner.receive(witness))).id).toBe(71);
  await nodes.expectNothingLeaked();
});

test("release: a receive right that was in transit once can be sent round again", async () => {
  const nodes = new LoneNodes();
  const owner = nodes.task();
  const [a, b] = [owner.ports.allocate(), owner.ports.allocate()];
  owner.ports.insertRight(a, a, MAKE_SEND);
  owner.ports.insertRight(b, b, MAKE_SEND);
  for (let i = 0; i < 3; i++) {
    await nodes.run(owner.send(parcel(b, COPY_SEND, a, MOVE_RECEIVE)));
    expect((await nodes.run(owner.receive(b))).takeRight().name).toBe(a);
    await nodes.run(owner.send(parcel(a, COPY_SEND, b, MOVE_RECEIVE)));
    expect((await nodes.run(owner.receive(a))).takeRight().name).toBe(b);
  }
  await nodes.expectNothingLeaked();
});

// Fails until destroyPort clears them first (CMU ipc_port_destroy).
test("release: a receive right that is mailed because its port was to be destroyed counts anew", async () => {
  const nodes = new LoneNodes();
  const task = nodes.task();
  const [port, notify] = [task.ports.allocate(), task.ports.allocate()];
  task.ports.insertRight(port, port, MAKE_SEND);
  task.ports.setSeqno(port, 7);
  task.ports.requestNotification(port, NOTIFY_PORT_DESTROYED, 0, notify);
  task.ports.destroy(port);
  const { name } = (await nodes.run(task.receive(notify, { timeoutNs: 0 }))).takeRight();
  expect(task.ports.getReceiveStatus(name)).toMatchObject({ mscount: 0, seqno: 0 });
  await nodes.expectNothingLeaked();
});
