// task.ports: the codes of the mach_port calls, and what each does.

import { expect, test } from "@jest/globals";
import {
  COPY_SEND,
  type Disposition,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MOVE_SEND,
  MOVE_SEND_ONCE,
  NOTIFY_DEAD_NAME,
  NOTIFY_PORT_DELETED,
  RIGHT_DEAD_NAME,
  RIGHT_PORT_SET,
  RIGHT_RECEIVE,
  RIGHT_SEND,
  RIGHT_SEND_ONCE,
  type Right,
} from "../../src/ipc/rights.ts";
import { give } from "../support/doors.ts";
import { LoneNodes, machError } from "../support/lone-node.ts";

const furnish = async () => {
  const nodes = new LoneNodes();
  const [task, other] = [nodes.task(), nodes.task()];
  const foreign = other.ports.allocate();
  const receive = task.ports.allocate();
  const both = task.ports.allocate();
  task.ports.insertRight(both, both, MAKE_SEND);
  const send = await give(nodes, other, foreign, MAKE_SEND, task);
  const once = await give(nodes, other, foreign, MAKE_SEND_ONCE, task);
  const dead = task.ports.allocate("dead-name");
  return { nodes, task, other, foreign, names: { receive, both, send, once, dead } };
};

test("ports: allocate makes receive rights, port sets and dead names, nothing else (R7)", async () => {
  const { task } = await furnish();
  for (const right of ["send", "send-once", 5]) {
    const allocate = () => task.ports.allocate(right as "receive");
    expect(machError(allocate, "KERN_INVALID_VALUE").message).toContain(`right is ${right}`);
  }
});

test("ports: get_refs counts per right, 0 for one that the name lacks (R22)", async () => {
  const { nodes, task, names } = await furnish();
  const counts = (name: number) =>
    [RIGHT_SEND, RIGHT_RECEIVE, RIGHT_SEND_ONCE, RIGHT_PORT_SET, RIGHT_DEAD_NAME].map((right) =>
      task.ports.getRefs(name, right as Right),
    );
  expect(counts(names.receive)).toEqual([0, 1, 0, 0, 0]);
  expect(counts(names.both)).toEqual([1, 1, 0, 0, 0]);
  expect(counts(names.send)).toEqual([1, 0, 0, 0, 0]);
  expect(counts(names.once)).toEqual([0, 0, 1, 0, 0]);
  expect(counts(names.dead)).toEqual([0, 0, 0, 0, 1]);
  for (const right of [5, -1, 1.5]) {
    machError(() => task.ports.getRefs(names.both, right as Right), "KERN_INVALID_VALUE");
    machError(() => task.ports.modRefs(names.both, right as Right, 0), "KERN_INVALID_VALUE");
  }
  await nodes.expectNothingLeaked();
});

test("ports: mod_refs of a right that the name lacks is KERN_INVALID_RIGHT (R23)", async () => {
  const { nodes, task, names } = await furnish();
  for (const right of [RIGHT_SEND, RIGHT_SEND_ONCE, RIGHT_PORT_SET, RIGHT_DEAD_NAME] as const) {
    machError(() => task.ports.modRefs(names.receive, right, -1), "KERN_INVALID_RIGHT");
  }
  machError(() => task.ports.modRefs(0xbad00, RIGHT_SEND, 1), "KERN_INVALID_NAME");
  task.ports.modRefs(names.receive, RIGHT_RECEIVE, -1);
  machError(() => task.ports.type(names.receive), "KERN_INVALID_NAME");
  await nodes.expectNothingLeaked();
});

test("ports: mod_refs of receive and send-once rights takes 0 and -1 only (R26, R27)", async () => {
  const { nodes, task, other, foreign, names } = await furnish();
  for (const [name, right] of [
    [names.receive, RIGHT_RECEIVE],
    [names.once, RIGHT_SEND_ONCE],
  ] as const) {
    for (const delta of [1, -2, 0.5, Number.NaN]) {
      machError(() => task.ports.modRefs(name, right, delta), "KERN_INVALID_VALUE");
    }
    task.ports.modRefs(name, right, 0);
    expect(task.ports.getRefs(name, right)).toBe(1);
  }
  task.ports.modRefs(names.once, RIGHT_SEND_ONCE, -1);
  expect((await nodes.run(other.receive(foreign))).id).toBe(71);
  await nodes.expectNothingLeaked();
});

test("ports: mod_refs of send rights and dead names goes up and down, never below 0", async () => {
  const { nodes, task, names } = await furnish();
  for (const [name, right] of [
    [names.send, RIGHT_SEND],
    [names.dead, RIGHT_DEAD_NAME],
  ] as const) {
    task.ports.modRefs(name, right, 9);
    expect(task.ports.getRefs(name, right)).toBe(10);
    task.ports.modRefs(name, right, -7);
    expect(task.ports.getRefs(name, right)).toBe(3);
    machError(() => task.ports.modRefs(name, right, -4), "KERN_INVALID_VALUE");
    machError(() => task.ports.modRefs(name, right, 0.5), "KERN_INVALID_VALUE");
    task.ports.modRefs(name, right, -3);
    machError(() => task.ports.type(name), "KERN_INVALID_NAME");
  }
  await nodes.expectNothingLeaked();
});

test("ports: deallocate drops one reference; of a bare receive right there is none to drop", async () => {
  const { nodes, task, names } = await furnish();
  machError(() => task.ports.deallocate(names.receive), "KERN_INVALID_RIGHT");
  machError(() => task.ports.deallocate(0), "KERN_INVALID_NAME");
  task.ports.modRefs(names.send, RIGHT_SEND, 1);
  task.ports.deallocate(names.send);
  expect(task.ports.getRefs(names.send, RIGHT_SEND)).toBe(1);
  task.ports.deallocate(names.both);
  expect(task.ports.getRefs(names.both, RIGHT_RECEIVE)).toBe(1);
  machError(() => task.ports.deallocate(names.both), "KERN_INVALID_RIGHT");
  await nodes.expectNothingLeaked();
});

test("ports: destroy takes everything under a name, however many references", async () => {
  const { nodes, task, names } = await furnish();
  task.ports.modRefs(names.both, RIGHT_SEND, 5);
  task.ports.modRefs(names.dead, RIGHT_DEAD_NAME, 5);
  for (const name of Object.values(names)) {
    task.ports.destroy(name);
    machError(() => task.ports.destroy(name), "KERN_INVALID_NAME");
  }
  await nodes.expectNothingLeaked();
});

test("ports: insert_right with MAKE_SEND again and again adds references (R13)", async () => {
  const { nodes, task, names } = await furnish();
  for (let i = 1; i <= 3; i++) {
    task.ports.insertRight(names.receive, names.receive, MAKE_SEND);
    expect(task.ports.getRefs(names.receive, RIGHT_SEND)).toBe(i);
    expect(task.ports.getReceiveStatus(names.receive).mscount).toBe(i);
  }
  task.ports.insertRight(names.receive, names.receive, COPY_SEND);
  expect(task.ports.getRefs(names.receive, RIGHT_SEND)).toBe(4);
  expect(task.ports.getReceiveStatus(names.receive)).toMatchObject({ mscount: 3, srights: true });
  await nodes.expectNothingLeaked();
});

test("ports: insert_right that moves a send right to where it is changes nothing, not even its name", async () => {
  const { nodes, task, names } = await furnish();
  const before = task.ports.names();
  for (const name of [names.send, names.both]) {
    task.ports.insertRight(name, name, MOVE_SEND);
    expect(task.ports.getRefs(name, RIGHT_SEND)).toBe(1);
  }
  expect(task.ports.names()).toEqual(before);
  machError(
    () => task.ports.insertRight(names.receive, names.receive, MOVE_SEND),
    "KERN_INVALID_RIGHT",
  );
  await nodes.expectNothingLeaked();
});

test("ports: insert_right under a wrong name, or of a wrong right (R14, R15, R17)", async () => {
  const { nodes, task, names } = await furnish();
  const { both, receive, send, once, dead } = names;
  const before = task.ports.names();
  for (const [name, from, disposition, code] of [
    [0, both, MAKE_SEND, "KERN_INVALID_VALUE"],
    [0xffffffff, both, MAKE_SEND, "KERN_INVALID_VALUE"],
    [both, 0, MAKE_SEND, "KERN_INVALID_CAPABILITY"],
    [both, 0xffffffff, MAKE_SEND, "KERN_INVALID_CAPABILITY"],
    [dead, dead, COPY_SEND, "KERN_INVALID_CAPABILITY"],
    [both, 0xbad00, MAKE_SEND, "KERN_INVALID_NAME"],
    [both, both, 0, "KERN_INVALID_VALUE"],
    [both, both, 15, "KERN_INVALID_VALUE"],
    [0xc0ffee, both, MAKE_SEND, "KERN_RIGHT_EXISTS"],
    [receive, both, MAKE_SEND, "KERN_RIGHT_EXISTS"],
    [dead, both, MAKE_SEND, "KERN_RIGHT_EXISTS"],
    [dead, once, MOVE_SEND_ONCE, "KERN_NAME_EXISTS"],
    [send, send, MAKE_SEND, "KERN_INVALID_RIGHT"],
    [once, once, COPY_SEND, "KERN_INVALID_RIGHT"],
    [receive, receive, COPY_SEND, "KERN_INVALID_RIGHT"],
  ] as const) {
    machError(() => task.ports.insertRight(name, from, disposition as Disposition), code);
  }
  expect(task.ports.names()).toEqual(before);
  expect(task.ports.getReceiveStatus(both)).toMatchObject({ mscount: 1 });
  await nodes.expectNothingLeaked();
});

test("ports: a queue limit is 0 to 16 (R35)", async () => {
  const { nodes, task, names } = await furnish();
  for (const limit of [0, 1, 16]) {
    task.ports.setQlimit(names.receive, limit);
    expect(task.ports.getReceiveStatus(names.receive).qlimit).toBe(limit);
  }
  for (const limit of [-1, 17, 2.5, Number.NaN]) {
    const set = () => task.ports.setQlimit(names.receive, limit);
    expect(machError(set, "KERN_INVALID_VALUE").message).toContain(`limit is ${limit}; 0 to 16`);
  }
  await nodes.expectNothingLeaked();
});

test("ports: status and limit need a receive right (R34)", async () => {
  const { nodes, task, names } = await furnish();
  for (const name of [names.send, names.once, names.dead]) {
    machError(() => task.ports.getReceiveStatus(name), "KERN_INVALID_RIGHT");
    machError(() => task.ports.setQlimit(name, 5), "KERN_INVALID_RIGHT");
  }
  machError(() => task.ports.getReceiveStatus(0xbad00), "KERN_INVALID_NAME");
  await nodes.expectNothingLeaked();
});

test("ports: names of one's own choice, all 256 of an index among them, are never given out again", async () => {
  const nodes = new LoneNodes();
  const task = nodes.task();
  const [first] = [task.ports.allocate()];
  const index = (first >>> 8) + 1;
  const chosen = Array.from({ length: 256 }, (_, generation) => (index << 8) | generation);
  for (const name of chosen) task.ports.allocateName(name, "dead-name");
  const given = Array.from({ length: 600 }, () => task.ports.allocate("dead-name"));
  expect(new Set([...given, ...chosen]).size).toBe(600 + 256);
  expect(task.ports.names()).toHaveLength(600 + 256 + 1);
  for (const name of chosen) task.ports.destroy(name);
  for (const name of given) expect(task.ports.getRefs(name, RIGHT_DEAD_NAME)).toBe(1);
  await nodes.expectNothingLeaked();
});

test("ports: a name that extract_right takes away tells whoever asked about it", async () => {
  const { nodes, task, names } = await furnish();
  const watcher = task.ports.allocate();
  task.ports.requestNotification(names.send, NOTIFY_DEAD_NAME, 0, watcher);
  const moved = task.ports.extractRight(names.send, MOVE_SEND);
  const deleted = await nodes.run(task.receive(watcher, { timeoutNs: 0 }));
  expect([deleted.id, deleted.takePortName()]).toEqual([NOTIFY_PORT_DELETED, names.send]);
  expect(task.ports.getRefs(moved, RIGHT_SEND)).toBe(1);
  await nodes.expectNothingLeaked();
});
