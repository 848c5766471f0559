// Copyout: what the receiver gets for the rights of a message, in cases that random tests have found.

import { expect, test } from "@jest/globals";
import { MACH_SEND_WILL_NOTIFY } from "../../src/base/status.ts";
import {
  COPY_SEND,
  MAKE_SEND,
  NOTIFY_DEAD_NAME,
  NOTIFY_MSG_ACCEPTED,
  NOTIFY_NO_SENDERS,
  type PortName,
  TYPE_DNREQUEST,
  TYPE_RECEIVE,
  TYPE_SEND,
} from "../../src/ipc/rights.ts";
import type { Task } from "../../src/task/task.ts";
import { openDoor } from "../support/doors.ts";
import { letter } from "../support/letters.ts";
import { LoneNodes } from "../support/lone-node.ts";

const LOOPBACK = { kernel: { loopback: true } };

/** A reply right to one's own port, from another task. */
const ownReply = async (prepared: boolean) => {
  const nodes = new LoneNodes(LOOPBACK);
  const [owner, other] = [nodes.task(), nodes.task()];
  const door = await openDoor(nodes, other, owner);
  const notify = owner.ports.allocate();
  if (prepared) owner.ports.requestNotification(door.receive, NOTIFY_DEAD_NAME, 0, notify);
  await nodes.run(other.send(letter(door.send, COPY_SEND, 1, door.send, COPY_SEND)));
  const received = await nodes.run(owner.receive(door.receive, { timeoutNs: 0, notify }));
  expect(received.remote).toBe(door.receive);
  return { nodes, type: owner.ports.type(door.receive) };
};

test("copyout: with loopback a reply right to the receiver's own port makes no dead-name request", async () => {
  const { nodes, type } = await ownReply(false);
  expect(type).toBe(TYPE_SEND | TYPE_RECEIVE);
  await nodes.expectNothingLeaked();
});

test("copyout: with loopback a reply right to the receiver's own port leaves the request there is", async () => {
  const { nodes, type } = await ownReply(true);
  expect(type).toBe((TYPE_SEND | TYPE_RECEIVE | TYPE_DNREQUEST) >>> 0);
  await nodes.expectNothingLeaked();
});

/** Ids of what is queued at a port of the task, in order. */
const idsAt = async (nodes: LoneNodes, task: Task, port: PortName): Promise<number[]> => {
  const ids: number[] = [];
  while (task.ports.getReceiveStatus(port).msgcount > 0) {
    ids.push((await nodes.run(task.receive(port, { timeoutNs: 0 }))).id);
  }
  return ids;
};

// Fails until acceptance is reported before copyout (MK83 ipc_mqueue_receive).
test("copyout: a forced message is reported as accepted before its destination right goes", async () => {
  const nodes = new LoneNodes();
  const task = nodes.task();
  const [port, notify] = [task.ports.allocate(), task.ports.allocate()];
  task.ports.setQlimit(port, 0);
  const forced = task.send(letter(port, MAKE_SEND), { willNotify: notify });
  expect(await nodes.run(forced)).toBe(MACH_SEND_WILL_NOTIFY);
  task.ports.requestNotification(port, NOTIFY_NO_SENDERS, 0, notify);
  await nodes.run(task.receive(port, { timeoutNs: 0 }));
  expect(await idsAt(nodes, task, notify)).toEqual([NOTIFY_MSG_ACCEPTED, NOTIFY_NO_SENDERS]);
  await nodes.expectNothingLeaked();
});
