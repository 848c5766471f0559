// Where the last send right of a port may be while the token looks for it: in a message that nobody receives, in one
// whose destination dies, on its way through third nodes; and what its home may do meanwhile. Each is driven step by step.

import { expect, test } from "@jest/globals";
import {
  COPY_SEND,
  MAKE_SEND,
  MOVE_SEND,
  NOTIFY_NO_SENDERS,
  type PortName,
} from "../../src/ipc/rights.ts";
import type { Task } from "../../src/task/task.ts";
import { give, openDoor } from "../support/doors.ts";
import { parcel } from "../support/letters.ts";
import { LoneNodes } from "../support/lone-node.ts";

const PAUSE_NS = 2e9;
/** Steps of one node after the other in which two periods are over. */
const MOMENTS = 120;

/** Time for two whole periods, and the rest of one that is under way. */
const twoPeriods = async (nodes: LoneNodes): Promise<void> => {
  for (let i = 0; i < 4; i++) await nodes.pass(PAUSE_NS);
};

/** A port of node 0 whose only send right is at node 1; its receiver has asked for no-senders, or will. */
const world = async (asks = true, tokenPauseNs = PAUSE_NS) => {
  const nodes = new LoneNodes({ dimension: 2, kernel: { tokenPauseNs } });
  const tasks = [0, 1, 2, 3].map((node) => nodes.task(node)) as [Task, Task, Task, Task];
  const [home, holder] = tasks;
  const port = home.ports.allocate();
  const notify = home.ports.allocate();
  const right = await give(nodes, home, port, MAKE_SEND, holder);
  const ask = (): PortName => home.ports.requestNotification(port, NOTIFY_NO_SENDERS, 0, notify);
  if (asks) ask();
  const told = (): number => home.ports.getReceiveStatus(notify).msgcount;
  return { nodes, tasks, home, holder, port, right, ask, told };
};

test("sender variants: a right in a message that nobody receives is a sender", async () => {
  const { nodes, tasks, holder, right, told } = await world();
  const keeper = tasks[2];
  const door = await openDoor(nodes, holder, keeper);
  await nodes.run(holder.send(parcel(door.send, COPY_SEND, right, MOVE_SEND)));
  await twoPeriods(nodes);
  await twoPeriods(nodes);
  expect(told()).toBe(0);
  keeper.ports.deallocate((await nodes.run(keeper.receive(door.receive))).takeRight().name);
  await twoPeriods(nodes);
  expect(told()).toBe(1);
  await nodes.expectNothingLeaked();
});

test("sender variants: a right goes with the message when its destination dies, queued or on its way", async () => {
  for (const queued of [true, false]) {
    const { nodes, tasks, holder, right, told } = await world();
    const mortal = tasks[3];
    const door = await openDoor(nodes, holder, mortal);
    const sent = nodes.run(holder.send(parcel(door.send, COPY_SEND, right, MOVE_SEND)));
    if (queued) await sent;
    mortal.ports.destroy(door.receive);
    await sent;
    await twoPeriods(nodes);
    expect(told()).toBe(1);
    await nodes.expectNothingLeaked();
  }
});

test("sender variants: a right that moves on to a third and a fourth node is a sender until it is dropped", async () => {
  const { nodes, tasks, holder, right, told } = await world();
  const second = await give(nodes, holder, right, MOVE_SEND, tasks[3]);
  await twoPeriods(nodes);
  const third = await give(nodes, tasks[3], second, MOVE_SEND, tasks[2]);
  await twoPeriods(nodes);
  expect(told()).toBe(0);
  tasks[2].ports.deallocate(third);
  await twoPeriods(nodes);
  expect(told()).toBe(1);
  await nodes.expectNothingLeaked();
});

test("sender variants: a request that comes after the last right has gone is answered", async () => {
  const { nodes, holder, right, ask, told } = await world(false);
  holder.ports.deallocate(right);
  await twoPeriods(nodes);
  expect(told()).toBe(0);
  ask();
  await twoPeriods(nodes);
  expect(told()).toBe(1);
  await nodes.expectNothingLeaked();
});

test("sender variants: a right that is made and sent at any moment of the period keeps no-senders away", async () => {
  let untold = 0;
  for (let moment = 0; moment < MOMENTS; moment++) {
    const { nodes, tasks, home, holder, port, right, told } = await world(true, 0);
    const door = await openDoor(nodes, home, tasks[3]);
    holder.ports.deallocate(right);
    for (let step = 0; step < moment; step++) {
      nodes.clock.pass(1000);
      nodes.kernels[3 - (step % 4)]!.step();
    }
    const before = told();
    await nodes.run(home.send(parcel(door.send, COPY_SEND, port, MAKE_SEND)));
    await nodes.run(tasks[3].receive(door.receive));
    await twoPeriods(nodes);
    // Had it fired, it was before there was a right again.
    expect(told()).toBe(before);
    if (before === 0) untold += 1;
    await nodes.expectNothingLeaked();
  }
  // Early moments keep it away, late ones come when it has been told.
  expect(untold).toBeGreaterThan(10);
  expect(untold).toBeLessThan(MOMENTS);
});
