// The token by itself: how it goes round, how much of it a period takes, and periods that are asked for.

import { expect, test } from "@jest/globals";
import { COUNTERS, type CounterKey } from "../../src/base/counters.ts";
import { bodyWord, bodyWords } from "../../src/ipc/kernel-message.ts";
import { Message } from "../../src/ipc/message.ts";
import { sendToPort } from "../../src/ipc/queueing.ts";
import {
  COPY_SEND,
  MAKE_SEND,
  NOTIFY_NO_SENDERS,
  PORT_SEND,
  type PortName,
  TYPE_DEAD_NAME,
} from "../../src/ipc/rights.ts";
import { TOKEN_SPECIAL_PORT } from "../../src/norma/token.ts";
import {
  PERIOD_RECORDS,
  PERIOD_RECORDS_MAX,
  RECORD_WORDS,
  TOKEN_HEADER_WORDS,
} from "../../src/norma/token-records.ts";
import type { Task } from "../../src/task/task.ts";
import { give, openDoor } from "../support/doors.ts";
import { LoneNodes, type LoneNodesInput, watch } from "../support/lone-node.ts";

const PAUSE_NS = 2e9;

const count = (nodes: LoneNodes, key: CounterKey): number =>
  nodes.kernels.reduce((all, { memory }) => all + memory.counters[COUNTERS[key].index]!, 0);

/** One period, or more, without time passing that anybody would notice. */
const runPeriods = (nodes: LoneNodes, periods: number): Promise<void> =>
  nodes.run(nodes.kernels[0]!.runTokenPeriods(periods));

/** Ports of `home` whose receiver wants to hear of no senders, each with its only send right at `holder`. */
const scatter = async (nodes: LoneNodes, home: Task, holder: Task, ports: number) => {
  const door = await openDoor(nodes, home, holder);
  const notify = home.ports.allocate();
  const receives = Array.from({ length: ports }, () => home.ports.allocate());
  for (const receive of receives) {
    home.ports.requestNotification(receive, NOTIFY_NO_SENDERS, 1, notify);
  }
  const message = new Message(8192).addRights(receives, MAKE_SEND);
  message.remote = door.send;
  message.remoteDisposition = COPY_SEND;
  await nodes.run(home.send(message));
  const sends = (await nodes.run(holder.receive(door.receive))).takeRights().names;
  home.ports.deallocate(door.send);
  return { notify, receives, sends };
};

/** Takes the no-senders notifications that have come. */
const takeNotices = async (nodes: LoneNodes, home: Task, notify: PortName): Promise<number> => {
  for (let notices = 0; ; notices++) {
    const message = await nodes.run(home.receive(notify, { timeoutNs: 0 }).catch(() => null));
    if (message === null) return notices;
    expect(message.id).toBe(NOTIFY_NO_SENDERS);
  }
};

const manual = (dimension: number, more: LoneNodesInput = {}): LoneNodes =>
  new LoneNodes({ dimension, kernel: { tokenPauseNs: "manual" }, ...more });

test("token: a period that is asked for makes three passes over every node, with nothing on it too", async () => {
  for (const dimension of [0, 1, 2, 4]) {
    const nodes = manual(dimension);
    await runPeriods(nodes, 1);
    expect(count(nodes, "tokenPeriods")).toBe(1);
    const messages = dimension === 0 ? 0 : 3 * 2 ** dimension;
    expect(count(nodes, "tokenMessages")).toBe(messages);
    await runPeriods(nodes, 5);
    expect(count(nodes, "tokenPeriods")).toBe(6);
    expect(count(nodes, "tokenMessages")).toBe(6 * messages);
  }
});

test("token: manual periods are the only ones, however much time passes", async () => {
  const nodes = manual(2);
  const [home, holder] = [nodes.task(0), nodes.task(3)];
  const { notify, sends } = await scatter(nodes, home, holder, 3);
  await runPeriods(nodes, 2); // they are watched now
  for (const send of sends) holder.ports.deallocate(send);
  for (let i = 0; i < 5; i++) await nodes.pass(PAUSE_NS);
  expect(count(nodes, "tokenPeriods")).toBe(2);
  expect(await takeNotices(nodes, home, notify)).toBe(0);
  await runPeriods(nodes, 2);
  expect(await takeNotices(nodes, home, notify)).toBe(3);
  for (let i = 0; i < 5; i++) await nodes.pass(PAUSE_NS);
  expect(count(nodes, "tokenPeriods")).toBe(4);
  await nodes.expectNothingLeaked();
});

test("token: periods asked for one after the other, before the first is over, are all run and told in order", async () => {
  const nodes = manual(1);
  const [kernel] = nodes.kernels;
  const order: string[] = [];
  const all = [
    kernel!.runTokenPeriods(2).then(() => order.push("two")),
    kernel!.runTokenPeriods(1).then(() => order.push("one")),
  ];
  await nodes.run(Promise.all(all));
  expect(order).toEqual(["two", "one"]);
  expect(count(nodes, "tokenPeriods")).toBe(3);
});

test("token: a period that is asked for does not wait for the pause, and the next pause begins after it", async () => {
  const nodes = new LoneNodes({ dimension: 1 });
  const [home, holder] = [nodes.task(0), nodes.task(1)];
  await scatter(nodes, home, holder, 1);
  await nodes.pass(PAUSE_NS); // the question is asked
  expect(count(nodes, "tokenPeriods")).toBe(1);
  const asked = watch(nodes.kernels[0]!.runTokenPeriods(1));
  await nodes.pass(1);
  expect([asked.settled, count(nodes, "tokenPeriods")]).toEqual([true, 2]);
  for (let i = 0; i < 3; i++) await nodes.pass(PAUSE_NS);
  expect(count(nodes, "tokenPeriods")).toBe(2); // the answer has come: it rests
});

test("token: a full period is followed by the next without a pause, until everybody has had a turn", async () => {
  const nodes = new LoneNodes({ dimension: 2 });
  const [home, holder] = [nodes.task(1), nodes.task(2)];
  const ports = (1 + 2 + 2 + 2) * PERIOD_RECORDS + 7; // after a full period one may take twice as much
  const { notify, sends } = await scatter(nodes, home, holder, ports);
  const drain = async (): Promise<void> => {
    for (let step = 0; step < 20; step++) await nodes.pass(1);
  };
  await nodes.pass(PAUSE_NS); // asked a pause after the first: now
  await drain();
  expect(count(nodes, "tokenPeriods")).toBe(5);
  await nodes.pass(PAUSE_NS); // the answers to the last seven
  expect(await takeNotices(nodes, home, notify)).toBe(0);
  for (const send of sends) holder.ports.deallocate(send);
  const before = count(nodes, "tokenPeriods");
  await nodes.pass(PAUSE_NS);
  let told = 0;
  for (let step = 0; step < 20; step++) {
    await nodes.pass(1);
    told += await takeNotices(nodes, home, notify);
  }
  expect(told).toBe(ports - 7);
  expect(count(nodes, "tokenPeriods") - before).toBe(5);
  await nodes.pass(PAUSE_NS);
  expect(await takeNotices(nodes, home, notify)).toBe(7);
  await nodes.expectNothingLeaked();
});

test("token: no message of it is longer than a period's records, whatever is open", async () => {
  const nodes = manual(3);
  const home = nodes.task(0);
  const holders = [1, 2, 3, 4].map((node) => nodes.task(node));
  const scattered = [];
  for (const holder of holders) scattered.push(await scatter(nodes, home, holder, 500));
  await runPeriods(nodes, Math.ceil(2000 / PERIOD_RECORDS_MAX) + 3);
  for (const [i, { sends }] of scattered.entries()) {
    for (const send of sends) holders[i]!.ports.deallocate(send);
  }
  // All four holders have 500 to tell; each may add one record even when the others have filled the token.
  const header = TOKEN_HEADER_WORDS * 4;
  const longest = header + (PERIOD_RECORDS_MAX + 4) * RECORD_WORDS * 4;
  let told = 0;
  let longestSeen = 0;
  for (let period = 0; period < 30; period++) {
    const before = count(nodes, "tokenBytes");
    await runPeriods(nodes, 1);
    longestSeen = Math.max(longestSeen, (count(nodes, "tokenBytes") - before) / 24);
    for (const { notify } of scattered) told += await takeNotices(nodes, home, notify);
  }
  expect(told).toBe(2000);
  expect(longestSeen).toBeGreaterThan(header + (PERIOD_RECORDS_MAX / 2) * RECORD_WORDS * 4);
  expect(longestSeen).toBeLessThanOrEqual(longest);
  await nodes.expectNothingLeaked();
});

test("token: a node with little to tell gets its turn beside one that fills the token period after period", async () => {
  const nodes = manual(2);
  const [greedy, modest, holder] = [nodes.task(0), nodes.task(1), nodes.task(3)];
  const many = [];
  for (let i = 0; i < 4; i++) many.push(await scatter(nodes, greedy, holder, PERIOD_RECORDS));
  const one = await scatter(nodes, modest, holder, 1);
  await runPeriods(nodes, 1); // four periods' worth at node 0, which comes first
  expect(count(nodes, "tokenBytes") / 12).toBeGreaterThan(PERIOD_RECORDS * RECORD_WORDS * 4);
  await runPeriods(nodes, 1);
  modest.ports.destroy(one.receives[0]!); // its death is told of at once
  holder.ports.deallocate(many[0]!.sends[0]!);
  await runPeriods(nodes, 1);
  expect(nodes.kernels[2]!.identifiers.deadCount).toBeGreaterThan(0);
  await runPeriods(nodes, 4);
  expect(nodes.kernels[2]!.identifiers.deadCount).toBe(0);
  await nodes.expectNothingLeaked();
});

test("token: the last in the ring gets as much into a period as the first, when both have more than fits", async () => {
  const nodes = manual(2);
  const [first, last, holder] = [nodes.task(0), nodes.task(2), nodes.task(3)];
  await scatter(nodes, first, holder, 10 * PERIOD_RECORDS);
  await scatter(nodes, last, holder, 2 * PERIOD_RECORDS + 2);
  // Each port is asked about, and its holder's node then watches it.
  const asked = (node: number): number =>
    [...nodes.kernels[3]!.ipc.ports].filter(({ home, watched }) => home === node && watched).length;
  await runPeriods(nodes, 1);
  expect([asked(0), asked(2)]).toEqual([PERIOD_RECORDS, 1]);
  await runPeriods(nodes, 1);
  expect([asked(0), asked(2)]).toEqual([2 * PERIOD_RECORDS, 1 + PERIOD_RECORDS]);
  await runPeriods(nodes, 1);
  expect([asked(0), asked(2)]).toEqual([3 * PERIOD_RECORDS, 1 + 2 * PERIOD_RECORDS]);
  await runPeriods(nodes, 2); // the last one is told now, and then the first has the token for itself
  expect([asked(0), asked(2)]).toEqual([6 * PERIOD_RECORDS, 2 + 2 * PERIOD_RECORDS]);
  await runPeriods(nodes, 3);
  expect(asked(0)).toBe(10 * PERIOD_RECORDS);
});

test("token: many ports that die at once are told of everywhere and forgotten, a period's worth at a time", async () => {
  const nodes = manual(2);
  const [home, holder, third] = [nodes.task(0), nodes.task(1), nodes.task(2)];
  const ports = 2 * PERIOD_RECORDS + 10;
  const { receives, sends } = await scatter(nodes, home, holder, ports);
  const passedOn = await give(nodes, holder, sends[0]!, COPY_SEND, third);
  for (const receive of receives) home.ports.destroy(receive);
  await runPeriods(nodes, 1);
  const remembered = (): number[] => nodes.kernels.map(({ identifiers }) => identifiers.deadCount);
  expect(third.ports.type(passedOn)).toBe(TYPE_DEAD_NAME);
  expect(remembered()[3]).toBeGreaterThanOrEqual(PERIOD_RECORDS);
  expect(remembered()[3]).toBeLessThan(ports);
  await runPeriods(nodes, 1);
  expect(remembered()[3]).toBeGreaterThan(PERIOD_RECORDS / 2);
  await runPeriods(nodes, 5);
  expect(remembered()).toEqual([0, 0, 0, 0]);
  await nodes.expectNothingLeaked();
});

test("token: it waits at a node that has no message for it, and goes on when there is one", async () => {
  const nodes = manual(1);
  const [kernel] = nodes.kernels;
  const { pool } = kernel!.ipc;
  const taken = [];
  for (let one = pool.takeForKernel(); one !== null; one = pool.takeForKernel()) taken.push(one);
  const period = watch(kernel!.runTokenPeriods(1));
  await nodes.quiet();
  expect([period.settled, count(nodes, "tokenMessages")]).toEqual([false, 0]);
  for (const one of taken) pool.put(one);
  await nodes.quiet();
  expect([period.settled, count(nodes, "tokenMessages")]).toEqual([true, 6]);
  await nodes.expectNothingLeaked();
});

test("token: what is no token is counted as damaged and destroyed, and the token goes on", async () => {
  const nodes = manual(1);
  const [, second] = nodes.kernels;
  // [message id, words of the body: period, pass, records, added, limit, ...]
  const forgeries: [number, number[]][] = [
    [4000, []],
    [4000, [1, 1, 0, 0]],
    [4000, [1, 1, -1, 0, 120]],
    [4000, [1, 1, 0, -1, 120]],
    [4000, [1, 1, 0, 0, 119]],
    [4000, [1, 1, 0, 0, 241]],
    [4000, [1, 1, 2, 0, 120, 1, 1, 1, 0, 0, 0, 0, 0]],
    [4001, [1, 1, 0, 0, 120]],
  ];
  for (const [id, body] of forgeries) {
    const { ipc } = second!;
    const message = ipc.pool.takeForKernel()!;
    const port = second!.specialPort(1, TOKEN_SPECIAL_PORT);
    port.sendRights += 1; // the message's
    message.remote = port;
    message.remoteRight = PORT_SEND;
    message.id = id;
    message.size = body.length * 4;
    bodyWords(ipc.memory, message).set(body, bodyWord(ipc.memory, message));
    sendToPort(ipc, message, true);
  }
  expect(count(nodes, "damaged")).toBe(forgeries.length);
  await runPeriods(nodes, 1);
  expect(count(nodes, "tokenMessages")).toBe(6);
  await nodes.expectNothingLeaked();
});
