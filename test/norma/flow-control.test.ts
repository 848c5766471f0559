// Queue limits across nodes, at the edges: turns that nobody wants any more, lines of senders of several
// nodes, limits that change, and what the two sides have counted when all is over.

import { expect, test } from "@jest/globals";
import type { Port } from "../../src/ipc/port.ts";
import { COPY_SEND, MAKE_SEND, type PortName } from "../../src/ipc/rights.ts";
import type { NetworkIpc } from "../../src/norma/network-ipc.ts";
import { abroadOf, flowOf } from "../../src/norma/port-abroad.ts";
import { OPEN_ALLOWANCE } from "../../src/norma/visitors.ts";
import { allowanceWord, NOTE_ALLOWANCE } from "../../src/norma/wire-values.ts";
import type { Task } from "../../src/task/task.ts";
import { type Door, give, openDoor } from "../support/doors.ts";
import { letter } from "../support/letters.ts";
import { LoneNodes, watch } from "../support/lone-node.ts";

/** The queue limit of a new port. */
const LIMIT = 5;
const SOON = 1e6;

const portOf = (nodes: LoneNodes, task: Task, name: PortName): Port => {
  const space = nodes.spaceOf(task);
  return space.portAt(space.find(name))!;
};

/** Senders in line at a port, those of other nodes among them. */
const inLine = (port: Port): number => {
  let count = 0;
  for (let wait = port.senderFirst; wait !== null; wait = wait.next) count += 1;
  return count;
};

const receiveIds = async (nodes: LoneNodes, at: Task, door: Door, count: number) => {
  const ids: number[] = [];
  for (let i = 0; i < count; i++) {
    ids.push((await nodes.run(at.receive(door.receive, { timeoutNs: 0 }))).id);
    await nodes.quiet();
  }
  return ids;
};

/** A port of node 0 that a task of node 1 and one of node 0 itself can send to. */
const twoSenders = async () => {
  const nodes = new LoneNodes({ dimension: 1 });
  const [home, remote, local] = [nodes.task(0), nodes.task(1), nodes.task(0)];
  const door = await openDoor(nodes, remote, home);
  const near = await give(nodes, home, door.receive, MAKE_SEND, local);
  await nodes.quiet();
  const port = portOf(nodes, home, door.receive);
  const proxy = portOf(nodes, remote, door.send);
  const far = (id: number, timeoutNs?: number) =>
    remote.send(letter(door.send, COPY_SEND, id), timeoutNs === undefined ? {} : { timeoutNs });
  const here = (id: number) => local.send(letter(near, COPY_SEND, id));
  /** Fills the queue from the other node, ids from 100. */
  const fill = async (count = LIMIT): Promise<void> => {
    for (let i = 0; i < count; i++) await nodes.run(far(100 + i));
    await nodes.quiet();
    expect(port.messageCount).toBe(count);
  };
  const failsAtOnce = (id: number) =>
    expect(nodes.run(far(id, 0))).rejects.toMatchObject({ code: "MACH_SEND_TIMED_OUT" });
  const take = (count: number) => receiveIds(nodes, home, door, count);
  return { nodes, home, door, port, proxy, far, here, fill, failsAtOnce, take };
};

/** What must hold when all that was sent has been received and nobody waits. */
const expectNothingOwed = (port: Port, proxy: Port): void => {
  expect(port).toMatchObject({ messageCount: 0, promised: 0, senderFirst: null });
  for (const visitor of abroadOf(port).visitors) expect(visitor.promised).toBe(0);
  expect(flowOf(proxy)).toMatchObject({ inFlight: 0, wanted: 0 });
  expect(abroadOf(port).visitor(1)!.received).toBe(flowOf(proxy).sent);
};

// --- turns ----------------------------------------------------------------------------------------

test("flow control: a turn of a sender that has given up goes to the next in line", async () => {
  const { nodes, port, proxy, far, here, fill, failsAtOnce, take } = await twoSenders();
  await fill();
  const givesUp = far(1, SOON);
  const refused = expect(givesUp).rejects.toMatchObject({ code: "MACH_SEND_TIMED_OUT" });
  await nodes.quiet();
  expect(inLine(port)).toBe(1);
  await nodes.pass(2 * SOON);
  await refused;
  const local = watch(here(2));
  await nodes.quiet();
  expect(await take(1)).toEqual([100]);
  expect(local.settled).toBe(true);
  expect(port).toMatchObject({ messageCount: LIMIT, promised: 0, senderFirst: null });
  await failsAtOnce(3); // the place that it was told of is gone
  expect(await take(LIMIT)).toEqual([101, 102, 103, 104, 2]);
  expectNothingOwed(port, proxy);
  await nodes.expectNothingLeaked();
});

test("flow control: a turn that comes when nobody waits is given back once, and the node may send again", async () => {
  const { nodes, port, proxy, far, fill, take } = await twoSenders();
  await fill();
  for (let tries = 0; tries < 3; tries++) {
    const refused = expect(far(1, SOON)).rejects.toMatchObject({ code: "MACH_SEND_TIMED_OUT" });
    await nodes.quiet();
    await nodes.pass(2 * SOON);
    await refused;
  }
  expect(await take(LIMIT)).toEqual([100, 101, 102, 103, 104]);
  expectNothingOwed(port, proxy);
  const again = Array.from({ length: LIMIT }, (_, i) => watch(far(200 + i)));
  await nodes.quiet();
  expect(again.every((one) => one.settled)).toBe(true);
  expect(await take(LIMIT)).toEqual([200, 201, 202, 203, 204]);
  expectNothingOwed(port, proxy);
  await nodes.expectNothingLeaked();
});

test("flow control: each waiting sender has one place in line, however often the limit is told", async () => {
  const { nodes, home, door, port, proxy, far, fill, take } = await twoSenders();
  await fill();
  const waiting = [watch(far(1)), watch(far(2)), watch(far(3))];
  await nodes.quiet();
  for (let i = 0; i < 3; i++) {
    home.ports.setQlimit(door.receive, LIMIT);
    await nodes.quiet();
    expect(inLine(port)).toBe(waiting.length);
    expect(flowOf(proxy).wanted).toBe(waiting.length);
  }
  expect(await take(LIMIT + 3)).toEqual([100, 101, 102, 103, 104, 1, 2, 3]);
  expectNothingOwed(port, proxy);
  await nodes.expectNothingLeaked();
});

test("flow control: senders of this node and of another get in oldest first, each for one message taken", async () => {
  const { nodes, port, proxy, far, here, fill, take } = await twoSenders();
  await fill();
  const sent = [];
  for (const [id, send] of [far, here, far, here].entries()) {
    sent.push(watch(send(id)));
    await nodes.quiet();
  }
  for (let taken = 0; taken < sent.length; taken++) {
    expect(await take(1)).toEqual([100 + taken]);
    expect(sent.map((one) => one.settled)).toEqual(sent.map((_, i) => i <= taken));
    expect(port.messageCount + port.promised).toBe(LIMIT);
  }
  expect(await take(LIMIT)).toEqual([104, 0, 1, 2, 3]);
  expectNothingOwed(port, proxy);
  await nodes.expectNothingLeaked();
});

test("flow control: of many that wait at a node, sixteen have a place in line; all get in, in order", async () => {
  const { nodes, port, proxy, far, fill, take } = await twoSenders();
  await fill();
  const ids = Array.from({ length: 40 }, (_, i) => 200 + i);
  const sent = Promise.all(ids.map((id) => far(id)));
  await nodes.quiet();
  expect([inLine(proxy), inLine(port), flowOf(proxy).wanted]).toEqual([40, 16, 16]);
  expect(await take(LIMIT + 10)).toEqual([100, 101, 102, 103, 104, ...ids.slice(0, 10)]);
  expect([inLine(port), flowOf(proxy).wanted]).toEqual([16, 16]);
  expect(await take(30)).toEqual(ids.slice(10));
  await nodes.run(sent);
  expect([inLine(proxy), inLine(port), flowOf(proxy).wanted]).toEqual([0, 0, 0]);
});

test("flow control: a raised limit lets those in line in and nobody past them", async () => {
  const { nodes, home, door, port, proxy, far, here, fill, take } = await twoSenders();
  await fill();
  const first = watch(here(1));
  await nodes.quiet();
  const second = watch(far(2));
  await nodes.quiet();
  home.ports.setQlimit(door.receive, LIMIT + 1);
  await nodes.quiet();
  expect([first.settled, second.settled]).toEqual([true, false]);
  expect(port).toMatchObject({ messageCount: LIMIT + 1, promised: 0 });
  home.ports.setQlimit(door.receive, LIMIT + 4);
  await nodes.quiet();
  expect(second.settled).toBe(true);
  expect(port).toMatchObject({ messageCount: LIMIT + 2, promised: 0 });
  expect(await take(LIMIT + 2)).toEqual([100, 101, 102, 103, 104, 1, 2]);
  expectNothingOwed(port, proxy);
  await nodes.expectNothingLeaked();
});

test("flow control: a limit of 0 stops every node, and a raised one starts them again", async () => {
  const { nodes, home, door, port, proxy, far, failsAtOnce, take } = await twoSenders();
  await nodes.run(far(1));
  await nodes.quiet();
  expect(await take(1)).toEqual([1]);
  home.ports.setQlimit(door.receive, 0);
  await nodes.quiet();
  await failsAtOnce(2);
  const waits = watch(far(3));
  await nodes.quiet();
  expect([waits.settled, port.messageCount]).toEqual([false, 0]);
  home.ports.setQlimit(door.receive, 1);
  await nodes.quiet();
  expect([waits.settled, port.messageCount]).toEqual([true, 1]);
  await failsAtOnce(4);
  expect(await take(1)).toEqual([3]);
  expectNothingOwed(port, proxy);
  await nodes.expectNothingLeaked();
});

test.each([
  ["one by one", 1],
  ["two at once", 2],
])(
  "flow control: two nodes get in by turns as messages are taken %s, and the limit holds",
  async (_how, limit) => {
    const nodes = new LoneNodes({ dimension: 2 });
    const [home, second, third, local] = [
      nodes.task(0),
      nodes.task(1),
      nodes.task(2),
      nodes.task(0),
    ];
    const door = await openDoor(nodes, second, home);
    const name = await give(nodes, home, door.receive, MAKE_SEND, third);
    const near = await give(nodes, home, door.receive, MAKE_SEND, local);
    const port = portOf(nodes, home, door.receive);
    const fromSecond = (id: number) => second.send(letter(door.send, COPY_SEND, id));
    const fromThird = (id: number) => third.send(letter(name, COPY_SEND, id));
    for (const send of [fromSecond, fromThird]) {
      await nodes.run(send(0));
      await nodes.quiet();
      expect(await receiveIds(nodes, home, door, 1)).toEqual([0]);
    }
    for (let i = 0; i < limit; i++) await nodes.run(local.send(letter(near, COPY_SEND, 100 + i)));
    home.ports.setQlimit(door.receive, limit); // now that it is full: no node may send unasked
    await nodes.quiet();
    for (let i = 0; i < 4; i++) {
      watch(fromSecond(10 + i));
      await nodes.quiet();
      watch(fromThird(20 + i));
      await nodes.quiet();
    }
    const ids: number[] = [];
    while (port.messageCount > 0) {
      // Both before anything else can happen: then the queue is empty, and places in it are promised.
      for (let i = 0; i < limit; i++) ids.push((await home.receive(door.receive)).id);
      await nodes.quiet();
      expect(port.messageCount + port.promised).toBeLessThanOrEqual(limit);
    }
    const sent = [0, 1, 2, 3];
    expect(ids.splice(0, limit)).toEqual(Array.from({ length: limit }, (_, i) => 100 + i));
    expect(ids.filter((id) => id < 20)).toEqual(sent.map((i) => 10 + i));
    expect(ids.filter((id) => id >= 20)).toEqual(sent.map((i) => 20 + i));
    if (limit === 1) expect(ids).toEqual(sent.flatMap((i) => [10 + i, 20 + i]));
    await nodes.expectNothingLeaked();
  },
);

// --- allowances -----------------------------------------------------------------------------------

test("flow control: an open allowance is no more than fits the queue, and ends when a message is queued", async () => {
  const { nodes, port, proxy, far, take } = await twoSenders();
  await nodes.run(far(1));
  await nodes.quiet();
  const limit = flowOf(proxy).limit;
  expect([limit, flowOf(proxy).allowed]).toEqual([LIMIT, LIMIT]);
  expect(await take(1)).toEqual([1]);
  for (let i = 0; i < LIMIT + 1; i++) watch(far(10 + i));
  await nodes.quiet();
  expect(port.messageCount).toBe(LIMIT);
  expect(await take(LIMIT + 1)).toEqual([10, 11, 12, 13, 14, 15]);
  expectNothingOwed(port, proxy);
  await nodes.expectNothingLeaked();
});

test("flow control: a message that a receiver takes at once leaves the allowance open", async () => {
  const { nodes, home, door, port, proxy, far } = await twoSenders();
  for (let id = 0; id < 3 * LIMIT; id++) {
    const received = home.receive(door.receive);
    await nodes.quiet();
    await nodes.run(far(id));
    expect((await nodes.run(received)).id).toBe(id);
  }
  await nodes.quiet();
  expect(flowOf(proxy).allowed).toBe(OPEN_ALLOWANCE);
  expectNothingOwed(port, proxy);
  await nodes.expectNothingLeaked();
});

test("flow control: senders that wait at the proxy of a port that dies are let go, and nothing is owed", async () => {
  const { nodes, home, door, far, fill } = await twoSenders();
  await fill();
  const waiting = [watch(far(1)), watch(far(2))];
  await nodes.quiet();
  expect(waiting.some((one) => one.settled)).toBe(false);
  home.ports.destroy(door.receive);
  await nodes.quiet();
  expect(waiting.every((one) => one.settled)).toBe(true);
  await nodes.expectNothingLeaked();
});

test("flow control: what is told of an earlier tenure is not believed of this one", async () => {
  const nodes = new LoneNodes({ dimension: 1 });
  const [home, sender] = [nodes.task(0), nodes.task(1)];
  const { send } = await openDoor(nodes, sender, home);
  const proxy = portOf(nodes, sender, send);
  const network = nodes.kernels[1]!.ipc.remote as NetworkIpc;
  const tell = (tenure: number): void =>
    network.noteArrived(0, NOTE_ALLOWANCE, proxy.identifier, 100, allowanceWord(tenure, 5, false));
  tell(proxy.moves + 1);
  expect([flowOf(proxy).told, flowOf(proxy).allowed]).toEqual([false, 1]);
  tell(proxy.moves);
  expect([flowOf(proxy).told, flowOf(proxy).allowed]).toEqual([true, 100]);
});
