// Names: generations, merging, dead names, user references, exhaustion.

import { expect, test } from "@jest/globals";
import { USER_REFERENCES_MAX } from "../../src/base/limits.ts";
import {
  COPY_SEND,
  MACH_PORT_DEAD,
  MACH_PORT_NULL,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MOVE_RECEIVE,
  MOVE_SEND,
  PORT_RECEIVE,
  PORT_SEND,
  RIGHT_DEAD_NAME,
  RIGHT_RECEIVE,
  RIGHT_SEND,
  TYPE_DEAD_NAME,
  TYPE_RECEIVE,
  TYPE_SEND,
  TYPE_SEND_ONCE,
} from "../../src/ipc/rights.ts";
import { give, openDoor } from "../support/doors.ts";
import { letter, parcel } from "../support/letters.ts";
import { LoneNodes, machError } from "../support/lone-node.ts";

test("space: names of a task are unique, and one more name is in names() after each allocation", async () => {
  const nodes = new LoneNodes();
  const task = nodes.task();
  const seen = new Set<number>();
  for (let i = 1; i <= 300; i++) {
    seen.add(task.ports.allocate());
    expect(task.ports.names()).toHaveLength(i);
  }
  expect(seen.size).toBe(300);
  expect(new Set(task.ports.names())).toEqual(seen);
  await nodes.expectNothingLeaked();
});

test("space: a name kept too long is invalid though its index is used again, 256 times over", async () => {
  const nodes = new LoneNodes();
  const task = nodes.task();
  const first = task.ports.allocate();
  task.ports.destroy(first);
  for (let i = 0; i < 255; i++) {
    const name = task.ports.allocate();
    expect(name >>> 8).toBe(first >>> 8);
    expect(name).not.toBe(first);
    machError(() => task.ports.type(first), "KERN_INVALID_NAME");
    task.ports.destroy(name);
  }
  await nodes.expectNothingLeaked();
});

test("space: names that nobody gave out are invalid", async () => {
  const nodes = new LoneNodes();
  const task = nodes.task();
  const port = task.ports.allocate();
  const strangers = [MACH_PORT_NULL, MACH_PORT_DEAD, port + 1, port + 256, port | 0x80000000, 0xff];
  for (const name of strangers) {
    const error = machError(() => task.ports.type(name), "KERN_INVALID_NAME");
    if (name !== 0) expect(error.message).toContain(`0x${name.toString(16)}`);
  }
});

test("space: a send right to one's own port comes under the receive right's name (R37)", async () => {
  const nodes = new LoneNodes();
  const task = nodes.task();
  const port = task.ports.allocate();
  await nodes.run(task.send(parcel(port, MAKE_SEND, port, MAKE_SEND)));
  const message = await nodes.run(task.receive(port));
  expect(message.takeRight()).toEqual({ name: port, right: PORT_SEND });
  expect(message.local).toBe(port);
  expect(task.ports.type(port)).toBe(TYPE_SEND | TYPE_RECEIVE);
  await nodes.expectNothingLeaked();
});

test.each([
  ["receive last", ["send", "send", "receive"]],
  ["receive between", ["send", "receive", "send"]],
  ["receive first", ["receive", "send", "send"]],
])("space: two send rights and the receive right merge, %s (R38)", async (_order, order) => {
  const nodes = new LoneNodes();
  const [owner, heir] = [nodes.task(), nodes.task()];
  const door = await openDoor(nodes, owner, heir);
  const port = owner.ports.allocate();
  owner.ports.insertRight(port, port, MAKE_SEND);
  for (const right of order) {
    const disposition = right === "send" ? COPY_SEND : MOVE_RECEIVE;
    await nodes.run(owner.send(parcel(door.send, COPY_SEND, port, disposition)));
  }
  const names = new Set<number>();
  for (const right of order) {
    const taken = (await nodes.run(heir.receive(door.receive))).takeRight();
    expect(taken.right).toBe(right === "send" ? PORT_SEND : PORT_RECEIVE);
    names.add(taken.name);
  }
  expect(names.size).toBe(1);
  const [name] = [...names];
  expect(heir.ports.type(name!)).toBe(TYPE_SEND | TYPE_RECEIVE);
  expect(heir.ports.getRefs(name!, RIGHT_SEND)).toBe(2);
  await nodes.expectNothingLeaked();
});

test("space: two send-once rights to one port have two names (R39)", async () => {
  const nodes = new LoneNodes();
  const [owner, other] = [nodes.task(), nodes.task()];
  const port = owner.ports.allocate();
  const first = await give(nodes, owner, port, MAKE_SEND_ONCE, other);
  const second = await give(nodes, owner, port, MAKE_SEND_ONCE, other);
  expect(first).not.toBe(second);
  expect([first, second].map((name) => other.ports.type(name))).toEqual([
    TYPE_SEND_ONCE,
    TYPE_SEND_ONCE,
  ]);
  await nodes.expectNothingLeaked();
});

test("space: a right whose port died is a dead name when touched, with its references (R31)", async () => {
  const nodes = new LoneNodes();
  const [owner, other] = [nodes.task(), nodes.task()];
  const port = owner.ports.allocate();
  const send = await give(nodes, owner, port, MAKE_SEND, other);
  expect(await give(nodes, owner, port, MAKE_SEND, other)).toBe(send);
  const once = await give(nodes, owner, port, MAKE_SEND_ONCE, other);
  owner.ports.destroy(port);
  expect(other.ports.type(send)).toBe(TYPE_DEAD_NAME);
  expect(other.ports.getRefs(send, RIGHT_DEAD_NAME)).toBe(2);
  expect(other.ports.getRefs(send, RIGHT_SEND)).toBe(0);
  expect(other.ports.type(once)).toBe(TYPE_DEAD_NAME);
  other.ports.deallocate(send);
  expect(other.ports.getRefs(send, RIGHT_DEAD_NAME)).toBe(1);
  other.ports.deallocate(send);
  machError(() => other.ports.type(send), "KERN_INVALID_NAME");
  await nodes.expectNothingLeaked();
});

test("space: destroying the receive right alone leaves its own send right as a dead name", async () => {
  const nodes = new LoneNodes();
  const task = nodes.task();
  const port = task.ports.allocate();
  task.ports.insertRight(port, port, MAKE_SEND);
  task.ports.modRefs(port, RIGHT_SEND, 2);
  task.ports.modRefs(port, RIGHT_RECEIVE, -1);
  expect(task.ports.type(port)).toBe(TYPE_DEAD_NAME);
  expect(task.ports.getRefs(port, RIGHT_DEAD_NAME)).toBe(3);
  await nodes.expectNothingLeaked();
});

test("space: a port is forgotten when the last name for it, long dead, goes", async () => {
  const nodes = new LoneNodes();
  const [owner, other] = [nodes.task(), nodes.task()];
  const [kernel] = nodes.kernels;
  const before = kernel!.ipc.ports.count;
  const port = owner.ports.allocate();
  const name = await give(nodes, owner, port, MAKE_SEND, other);
  owner.ports.destroy(port);
  other.ports.deallocate(name);
  expect(other.ports.names()).not.toContain(name);
  // The tasks' reply ports for the name server are still there.
  expect(kernel!.ipc.ports.count).toBe(
    before + owner.ports.names().length + other.ports.names().length,
  );
  await nodes.expectNothingLeaked();
});

test("space: user references stop at 65534 for a send right, 65535 for a dead name", async () => {
  const nodes = new LoneNodes();
  const task = nodes.task();
  const port = task.ports.allocate();
  task.ports.insertRight(port, port, MAKE_SEND);
  task.ports.modRefs(port, RIGHT_SEND, USER_REFERENCES_MAX - 2);
  expect(task.ports.getRefs(port, RIGHT_SEND)).toBe(65_534);
  machError(() => task.ports.modRefs(port, RIGHT_SEND, 1), "KERN_UREFS_OVERFLOW");
  machError(() => task.ports.insertRight(port, port, MAKE_SEND), "KERN_UREFS_OVERFLOW");
  const dead = task.ports.allocate("dead-name");
  task.ports.modRefs(dead, RIGHT_DEAD_NAME, USER_REFERENCES_MAX - 1);
  expect(task.ports.getRefs(dead, RIGHT_DEAD_NAME)).toBe(65_535);
  machError(() => task.ports.modRefs(dead, RIGHT_DEAD_NAME, 1), "KERN_UREFS_OVERFLOW");
  await nodes.expectNothingLeaked();
});

test("space: receiving pegs the references of a send right at their maximum", async () => {
  const nodes = new LoneNodes();
  const task = nodes.task();
  const port = task.ports.allocate();
  task.ports.insertRight(port, port, MAKE_SEND);
  task.ports.modRefs(port, RIGHT_SEND, USER_REFERENCES_MAX - 2);
  await nodes.run(task.send(parcel(port, COPY_SEND, port, COPY_SEND)));
  expect((await nodes.run(task.receive(port))).takeRight().name).toBe(port);
  expect(task.ports.getRefs(port, RIGHT_SEND)).toBe(65_534);
  await nodes.expectNothingLeaked();
});

test("space: a full name space is KERN_NO_SPACE, and the task goes on (R41)", async () => {
  const nodes = new LoneNodes({ kernel: { namesPerTask: 16 } });
  const task = nodes.task();
  const names: number[] = [];
  for (let i = 0; i < 16; i++) names.push(task.ports.allocate());
  machError(() => task.ports.allocate(), "KERN_NO_SPACE");
  machError(() => task.ports.allocate("dead-name"), "KERN_NO_SPACE");
  expect(task.ports.names()).toEqual(names);
  await nodes.run(task.send(letter(names[3]!, MAKE_SEND, 42)));
  expect((await nodes.run(task.receive(names[3]!))).id).toBe(42);
  task.ports.destroy(names[7]!);
  expect(task.ports.type(task.ports.allocate())).toBe(TYPE_RECEIVE);
  await nodes.expectNothingLeaked();
});

test("space: rights that arrive at a full name space are released, and the status says so", async () => {
  const nodes = new LoneNodes({ kernel: { namesPerTask: 16 } });
  const task = nodes.task();
  const names: number[] = [];
  for (let i = 0; i < 16; i++) names.push(task.ports.allocate());
  const [door, gift, witness] = names as [number, number, number];
  // The witness's send-once right has no room; the gift's send right merges, and needs none.
  const message = parcel(door, MAKE_SEND, witness, MAKE_SEND_ONCE, 7).addRight(gift, MAKE_SEND);
  await nodes.run(task.send(message));
  const into = letter(0, 0);
  await expect(nodes.run(task.receive(door, { into }))).rejects.toMatchObject({
    code: "MACH_RCV_BODY_ERROR",
  });
  expect(into.id).toBe(7);
  expect(into.takeRight().name).toBe(MACH_PORT_NULL);
  expect(into.takeRight().name).toBe(gift);
  expect((await nodes.run(task.receive(witness))).id).toBe(71);
  await nodes.expectNothingLeaked();
});

test("space: the receive right can be given away while the send right stays under the name (R20)", async () => {
  const nodes = new LoneNodes();
  const [owner, heir] = [nodes.task(), nodes.task()];
  const port = owner.ports.allocate();
  owner.ports.insertRight(port, port, MAKE_SEND);
  const taken = await give(nodes, owner, port, MOVE_RECEIVE, heir);
  expect(owner.ports.type(port)).toBe(TYPE_SEND);
  await nodes.run(owner.send(letter(port, MOVE_SEND, 5)));
  expect((await nodes.run(heir.receive(taken))).id).toBe(5);
  machError(() => owner.ports.type(port), "KERN_INVALID_NAME");
  await nodes.expectNothingLeaked();
});
