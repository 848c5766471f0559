// A receive right goes to another node in a message: what goes with it, what follows it, and what becomes of the
// identifiers.

import { nextTick } from "node:process";
import { expect, test } from "@jest/globals";
import { COUNTERS } from "../../src/base/counters.ts";
import { KERN_MEMORY_ERROR } from "../../src/base/status.ts";
import { WORD_BYTES } from "../../src/base/words.ts";
import {
  COPY_SEND,
  MACH_PORT_DEAD,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MOVE_RECEIVE,
  MOVE_SEND_ONCE,
  NOTIFY_NO_SENDERS,
  NOTIFY_PORT_DESTROYED,
  type PortName,
  TYPE_DEAD_NAME,
  TYPE_RECEIVE,
  TYPE_SEND,
  TYPE_SEND_ONCE,
} from "../../src/ipc/rights.ts";
import type { Lineage } from "../../src/norma/lineage.ts";
import { RECORD_WORDS } from "../../src/norma/token-records.ts";
import type { Task } from "../../src/task/task.ts";
import { give, openDoor } from "../support/doors.ts";
import { letter, parcel } from "../support/letters.ts";
import { LoneNodes } from "../support/lone-node.ts";

const PAUSE_NS = 2e9;

/** Periods of the token in which a move is announced, settled and forgotten, and some more. */
const settle = async (nodes: LoneNodes): Promise<void> => {
  for (let period = 0; period < 8; period++) await nodes.pass(PAUSE_NS);
};

/** Ends all tasks; then nothing is left, of identifiers neither, and the token rests. */
const expectNothingLeft = async (nodes: LoneNodes): Promise<void> => {
  await settle(nodes);
  await nodes.expectNothingLeaked();
  await settle(nodes);
  const periods = (): number => nodes.kernels[0]!.memory.counters[COUNTERS.tokenPeriods.index]!;
  const before = periods();
  await settle(nodes);
  expect(periods()).toBe(before);
  for (const { identifiers, ipc } of nodes.kernels) {
    expect(identifiers.deadCount).toBe(0);
    for (const port of ipc.ports) expect([port.lineage, port.held]).toEqual([null, false]);
  }
};

/** Resolves when the microtasks of calls that need no stepping have run. */
const drained = (): Promise<void> => new Promise((resolve) => nextTick(resolve));

const idsAt = async (nodes: LoneNodes, task: Task, port: PortName, count: number) => {
  const ids: number[] = [];
  for (let i = 0; i < count; i++) ids.push((await nodes.run(task.receive(port))).id);
  return ids;
};

/** A counter, of all nodes. */
const sum = (nodes: LoneNodes, counter: number): number =>
  nodes.kernels.reduce((all, { memory }) => all + memory.counters[counter]!, 0);

/** A port of node 0 with a send right at node 1 and one at node 2; node 3 is to have it. */
const cube = async (limit = 16) => {
  const nodes = new LoneNodes({ dimension: 2 });
  const [home, second, third, heir] = [0, 1, 2, 3].map((node) => nodes.task(node));
  const door = await openDoor(nodes, second!, home!);
  const known = await give(nodes, home!, door.receive, MAKE_SEND, third!);
  home!.ports.setQlimit(door.receive, limit);
  return {
    nodes,
    home: home!,
    second: second!,
    third: third!,
    heir: heir!,
    port: door.receive,
    atSecond: door.send,
    atThird: known,
  };
};

test("migration: five messages queued before and two sent after arrive in order, and are all (D37)", async () => {
  const { nodes, home, second, heir, port, atSecond } = await cube();
  for (let id = 1; id <= 5; id++) await nodes.run(second.send(letter(atSecond, COPY_SEND, id)));
  await nodes.quiet();
  const name = await give(nodes, home, port, MOVE_RECEIVE, heir);
  for (let id = 6; id <= 7; id++) await nodes.run(second.send(letter(atSecond, COPY_SEND, id)));
  expect(heir.ports.type(name)).toBe(TYPE_RECEIVE);
  expect(await idsAt(nodes, heir, name, 7)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  await expectNothingLeft(nodes);
});

test("migration: the queue limit moves along, make-send count and sequence number begin again", async () => {
  const { nodes, home, second, heir, port, atSecond } = await cube(3);
  await nodes.run(second.send(letter(atSecond, COPY_SEND)));
  await nodes.run(home.receive(port));
  const name = await give(nodes, home, port, MOVE_RECEIVE, heir);
  expect(heir.ports.getReceiveStatus(name)).toMatchObject({
    qlimit: 3,
    mscount: 0,
    seqno: 0,
    srights: true,
  });
  await expectNothingLeft(nodes);
});

test("migration: identifiers change hands in three steps, and the old one is forgotten (D40)", async () => {
  const { nodes, home, second, third, heir, port, atSecond, atThird } = await cube();
  const space = nodes.spaceOf(third);
  const proxy = space.portAt(space.find(atThird))!;
  const old = proxy.identifier;
  await give(nodes, home, port, MOVE_RECEIVE, heir);
  expect(proxy.identifier).toBe(old);
  expect(proxy.home).toBe(0);
  await nodes.pass(PAUSE_NS);
  expect(proxy.identifier).not.toBe(old);
  expect(proxy.home).toBe(3);
  expect(proxy.lineage).not.toBeNull();
  await settle(nodes);
  expect(proxy.lineage).toBeNull();
  for (const { identifiers } of nodes.kernels) expect(identifiers.known(old)).toBeNull();
  const again = await give(nodes, second, atSecond, COPY_SEND, third);
  expect(again).toBe(atThird);
  await expectNothingLeft(nodes);
});

test("migration: rights merge whichever identifier they come by", async () => {
  const { nodes, home, second, third, heir, port, atSecond, atThird } = await cube();
  const name = await give(nodes, home, port, MOVE_RECEIVE, heir);
  expect(await give(nodes, second, atSecond, COPY_SEND, third)).toBe(atThird);
  expect(await give(nodes, heir, name, MAKE_SEND, third)).toBe(atThird);
  expect(await give(nodes, second, atSecond, COPY_SEND, heir)).toBe(name);
  await settle(nodes);
  expect(await give(nodes, heir, name, MAKE_SEND, third)).toBe(atThird);
  expect(await give(nodes, third, atThird, COPY_SEND, heir)).toBe(name);
  expect(heir.ports.type(name)).toBe(TYPE_RECEIVE | TYPE_SEND);
  await expectNothingLeft(nodes);
});

test("migration: a receive right that comes to a node with a send right gets its name (D44)", async () => {
  const { nodes, home, third, port, atThird } = await cube();
  const name = await give(nodes, home, port, MOVE_RECEIVE, third);
  expect(name).toBe(atThird);
  expect(third.ports.type(name)).toBe(TYPE_RECEIVE | TYPE_SEND);
  const back = await give(nodes, third, name, MOVE_RECEIVE, home);
  expect(third.ports.type(atThird)).toBe(TYPE_SEND);
  await nodes.run(third.send(letter(atThird, COPY_SEND, 9)));
  expect(await idsAt(nodes, home, back, 1)).toEqual([9]);
  await expectNothingLeft(nodes);
});

test("migration: round the machine and back, with what is queued and what is asked (D41)", async () => {
  const { nodes, home, second, third, port, atSecond, atThird } = await cube();
  const notify = home.ports.allocate();
  const tasks = [third, nodes.task(3), nodes.task(1), home];
  let [name, from] = [port, home];
  for (let id = 1; id <= 3; id++) await nodes.run(second.send(letter(atSecond, COPY_SEND, id)));
  for (const [i, to] of tasks.entries()) {
    await nodes.run(second.send(letter(atSecond, COPY_SEND, 4 + i)));
    name = await give(nodes, from, name, MOVE_RECEIVE, to);
    from = to;
  }
  home.ports.requestNotification(name, NOTIFY_NO_SENDERS, 0, notify);
  expect(await idsAt(nodes, home, name, 7)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  second.ports.deallocate(atSecond);
  third.ports.deallocate(atThird);
  await settle(nodes);
  expect((await nodes.run(home.receive(notify))).id).toBe(NOTIFY_NO_SENDERS);
  await expectNothingLeft(nodes);
});

test("migration: a no-senders request moves along, and fires when the last right anywhere is gone", async () => {
  const { nodes, home, second, third, heir, port, atSecond, atThird } = await cube();
  const notify = home.ports.allocate();
  home.ports.requestNotification(port, NOTIFY_NO_SENDERS, 0, notify);
  const name = await give(nodes, home, port, MOVE_RECEIVE, heir);
  expect(heir.ports.getReceiveStatus(name).nsrequest).toBe(true);
  second.ports.deallocate(atSecond);
  await settle(nodes);
  expect(heir.ports.getReceiveStatus(name).nsrequest).toBe(true);
  third.ports.deallocate(atThird);
  await settle(nodes);
  expect(heir.ports.getReceiveStatus(name).nsrequest).toBe(false);
  expect((await nodes.run(home.receive(notify))).id).toBe(NOTIFY_NO_SENDERS);
  await expectNothingLeft(nodes);
});

test("migration: a port-destroyed notification mails the receive right to another node (D45)", async () => {
  const { nodes, home, heir, port } = await cube();
  const notify = heir.ports.allocate();
  const once = await give(nodes, heir, notify, MAKE_SEND_ONCE, home);
  expect(home.ports.type(once)).toBe(TYPE_SEND_ONCE);
  home.ports.requestNotification(port, NOTIFY_PORT_DESTROYED, 0, once, MOVE_SEND_ONCE);
  home.ports.destroy(port);
  const notice = await nodes.run(heir.receive(notify));
  expect(notice.id).toBe(NOTIFY_PORT_DESTROYED);
  const { name } = notice.takeRight();
  expect(heir.ports.type(name)).toBe(TYPE_RECEIVE);
  await expectNothingLeft(nodes);
});

test("migration: the port dies at its new home, before and after its identifier is announced", async () => {
  for (const announced of [false, true]) {
    const { nodes, home, second, third, heir, port, atSecond, atThird } = await cube();
    const once = await give(nodes, home, port, MAKE_SEND_ONCE, third);
    const name = await give(nodes, home, port, MOVE_RECEIVE, heir);
    if (announced) await settle(nodes);
    heir.ports.destroy(name);
    await settle(nodes);
    expect(second.ports.type(atSecond)).toBe(TYPE_DEAD_NAME);
    expect(third.ports.type(atThird)).toBe(TYPE_DEAD_NAME);
    expect(third.ports.type(once)).toBe(TYPE_DEAD_NAME);
    await expectNothingLeft(nodes);
  }
});

test("migration: senders that wait at the old home, and at their own node, go on in order", async () => {
  const { nodes, home, second, heir, port, atSecond } = await cube(2);
  home.ports.insertRight(port, port, MAKE_SEND);
  const own = port;
  for (let id = 1; id <= 2; id++) await nodes.run(second.send(letter(atSecond, COPY_SEND, id)));
  const waiting = [
    second.send(letter(atSecond, COPY_SEND, 3)),
    home.send(letter(own, COPY_SEND, 11)),
    second.send(letter(atSecond, COPY_SEND, 4)),
    home.send(letter(own, COPY_SEND, 12)),
  ];
  await drained();
  await nodes.quiet();
  const name = await give(nodes, home, port, MOVE_RECEIVE, heir);
  const ids = await idsAt(nodes, heir, name, 6);
  for (const sent of waiting) await nodes.run(sent);
  expect(ids.filter((id) => id < 10)).toEqual([1, 2, 3, 4]);
  expect(ids.filter((id) => id > 10)).toEqual([11, 12]);
  await expectNothingLeft(nodes);
});

test("migration: what a node sends by the new way does not overtake what it sent by the old one", async () => {
  const { nodes, home, third, heir, port, atThird } = await cube();
  const [atHome, , atThirdNode, atHeir] = nodes.kernels;
  await nodes.run(third.send(letter(atThird, COPY_SEND, 1)));
  const name = await give(nodes, home, port, MOVE_RECEIVE, heir);
  await nodes.pass(PAUSE_NS);
  for (let id = 2; id <= 6; id++) {
    const sent = third.send(letter(atThird, COPY_SEND, id));
    await drained();
    // The old home is slower than everybody else.
    for (let i = 0; i < 5; i++) for (const kernel of [atThirdNode!, atHeir!]) kernel.step();
    await drained();
    if (id % 2 === 0) atHome!.step();
    await nodes.run(sent);
  }
  expect(await idsAt(nodes, heir, name, 6)).toEqual([1, 2, 3, 4, 5, 6]);
  await expectNothingLeft(nodes);
});

test("migration: ports that are sent into each other's queues from two nodes are destroyed, not chased for ever", async () => {
  const nodes = new LoneNodes({ dimension: 1 });
  const [left, right] = [nodes.task(0), nodes.task(1)];
  const toRight = await openDoor(nodes, left, right);
  const toLeft = await openDoor(nodes, right, left);
  const one = left.send(parcel(toRight.send, COPY_SEND, toLeft.receive, MOVE_RECEIVE));
  const two = right.send(parcel(toLeft.send, COPY_SEND, toRight.receive, MOVE_RECEIVE));
  await nodes.run(one);
  await nodes.run(two);
  await settle(nodes);
  expect(left.ports.type(toRight.send)).toBe(TYPE_DEAD_NAME);
  expect(right.ports.type(toLeft.send)).toBe(TYPE_DEAD_NAME);
  await expectNothingLeft(nodes);
});

test("migration: a thousand receive rights in an array out of line arrive as what they were", async () => {
  const nodes = new LoneNodes({ dimension: 1, memory: { bytesPerNode: 4 << 20 } });
  const [from, to] = [nodes.task(0), nodes.task(1)];
  const door = await openDoor(nodes, from, to);
  const ports = Array.from({ length: 1000 }, () => from.ports.allocate());
  for (const [i, port] of ports.entries()) from.ports.setQlimit(port, i % 17);
  const address = from.vm.allocate(4 * ports.length);
  for (const [i, port] of ports.entries()) from.memory.store32(address + 4 * i, port);
  const message = letter(door.send, COPY_SEND);
  message.addRightsRegion(address, ports.length, MOVE_RECEIVE);
  await nodes.run(from.send(message));
  const letterIn = await nodes.run(to.receive(door.receive));
  const { address: arrived, count } = letterIn.takeRightsRegion();
  const names = Array.from({ length: count }, (_, i) => to.memory.load32(arrived + 4 * i));
  const limits = names.map((name) => to.ports.getReceiveStatus(name).qlimit);
  expect(limits).toEqual(ports.map((_, i) => i % 17));
  await expectNothingLeft(nodes);
});

test("migration: rights in a large message whose data cannot be read half-way are given up over there", async () => {
  const { nodes, home, second, heir, port, atSecond } = await cube();
  const door = await openDoor(nodes, home, heir);
  const { vm } = nodes.kernels[0]!;
  const { bringIn } = vm;
  vm.bringIn = (list, page) => (page === 1 ? KERN_MEMORY_ERROR : bringIn.call(vm, list, page));
  const other = home.ports.allocate();
  const pages = 3 * home.vm.pageBytes;
  const address = home.vm.allocate(pages);
  home.memory.fill(address, pages, 7);
  const names = home.vm.allocate(home.vm.pageBytes);
  home.memory.store32(names, other);
  const message = letter(door.send, COPY_SEND).addRegion(address, pages);
  message.addRight(port, MOVE_RECEIVE).addRightsRegion(names, 1, MAKE_SEND);
  await nodes.run(home.send(message));
  await settle(nodes);
  expect(heir.ports.getReceiveStatus(door.receive).msgcount).toBe(0);
  expect(second.ports.type(atSecond)).toBe(TYPE_DEAD_NAME);
  const notify = home.ports.allocate();
  home.ports.requestNotification(other, NOTIFY_NO_SENDERS, 0, notify);
  await settle(nodes);
  expect((await nodes.run(home.receive(notify))).id).toBe(NOTIFY_NO_SENDERS);
  await expectNothingLeft(nodes);
});

test("migration: a circle of receive rights whose queues lie on two nodes is seen where it closes", async () => {
  const nodes = new LoneNodes({ dimension: 1 });
  const [left, right] = [nodes.task(0), nodes.task(1)];
  const toRight = await openDoor(nodes, left, right);
  const toLeft = await openDoor(nodes, right, left);
  await nodes.run(left.send(parcel(toRight.send, COPY_SEND, toLeft.receive, MOVE_RECEIVE)));
  await nodes.quiet();
  await nodes.run(right.send(parcel(toLeft.send, COPY_SEND, toRight.receive, MOVE_RECEIVE)));
  await settle(nodes);
  expect(left.ports.type(toRight.send)).toBe(TYPE_DEAD_NAME);
  expect(right.ports.type(toLeft.send)).toBe(TYPE_DEAD_NAME);
  await expectNothingLeft(nodes);
});

/** A port that wanders to and fro, once in a period, while a right is on its way by its first identifier: none is forgotten. */
const wanderWhileInUse = async (moves: number) => {
  const [cutNs, healNs] = [1e9, 1e10];
  const nodes = new LoneNodes({
    dimension: 2,
    kernel: { tokenPauseNs: "manual" },
    faults: { cuts: [{ from: 1, to: 2, atNs: cutNs, forNs: healNs }] },
  });
  const [first, sender, heir, last] = [0, 1, 2, 3].map((node) => nodes.task(node));
  const { send, receive } = await openDoor(nodes, sender!, first!);
  const way = await openDoor(nodes, sender!, heir!);
  await nodes.pass(cutNs);
  await nodes.run(sender!.send(parcel(way.send, COPY_SEND, send, COPY_SEND))); // does not arrive
  const records = async (periods: number): Promise<number> => {
    const before = sum(nodes, COUNTERS.tokenBytes.index);
    await nodes.run(nodes.kernels[0]!.runTokenPeriods(periods));
    const bytes = sum(nodes, COUNTERS.tokenBytes.index) - before;
    return bytes / (periods * 3 * 4 * RECORD_WORDS * WORD_BYTES);
  };
  let name = receive;
  let most = 0;
  for (let move = 0; move < moves; move++) {
    const [from, to] = move % 2 === 0 ? [first!, last!] : [last!, first!];
    name = await give(nodes, from, name, MOVE_RECEIVE, to);
    most = Math.max(most, await records(1));
  }
  const { lineage } = [...nodes.kernels[0]!.ipc.ports].find((port) => port.lineage !== null)!;
  expect((lineage as Lineage).tallies.size).toBe(moves + 1);
  const receiver = moves % 2 === 0 ? first! : last!;
  return { nodes, heir: heir!, way: way.receive, receiver, name, most, records, healNs };
};

test("migration: while an old identifier stays in use, the token does not ask about each of those after it", async () => {
  const moves = 40;
  const { nodes, heir, way, receiver, name, most, healNs } = await wanderWhileInUse(moves);
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThan(8); // the move, the two oldest, and what the doors leave
  await nodes.pass(healNs);
  const right = (await nodes.run(heir.receive(way))).takeRight().name;
  await nodes.run(heir.send(letter(right, COPY_SEND, 7)));
  expect(await idsAt(nodes, receiver, name, 1)).toEqual([7]);
  await nodes.run(nodes.kernels[0]!.runTokenPeriods(moves + 8)); // one in each
  for (const { ipc } of nodes.kernels)
    for (const port of ipc.ports) expect(port.lineage).toBe(null);
  await nodes.expectNothingLeaked();
});

test("migration: nor when the port has died, and nobody knows which are older", async () => {
  const moves = 40;
  const { nodes, heir, way, receiver, name, records, healNs } = await wanderWhileInUse(moves);
  receiver.ports.destroy(name);
  await records(60); // questions in vain become fewer
  expect(await records(34)).toBeLessThan(moves / 8);
  await nodes.pass(healNs);
  expect((await nodes.run(heir.receive(way))).takeRight().name).toBe(MACH_PORT_DEAD);
  await nodes.run(nodes.kernels[0]!.runTokenPeriods(3 * moves + 20)); // three for each: no two at a time
  expect(nodes.kernels.map(({ identifiers }) => identifiers.deadCount)).toEqual([0, 0, 0, 0]);
  await nodes.expectNothingLeaked();
});
