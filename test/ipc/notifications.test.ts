// Notifications where other nodes come in: send rights that are elsewhere, and receive rights that would
// have to go there.

import { expect, test } from "@jest/globals";
import {
  COPY_SEND,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MOVE_SEND_ONCE,
  NOTIFY_DEAD_NAME,
  NOTIFY_NO_SENDERS,
  NOTIFY_PORT_DESTROYED,
  NOTIFY_SEND_ONCE,
} from "../../src/ipc/rights.ts";
import { give } from "../support/doors.ts";
import { letter } from "../support/letters.ts";
import { LoneNodes } from "../support/lone-node.ts";

test("notifications: no-senders does not come while another node has a send right", async () => {
  const nodes = new LoneNodes({ dimension: 1 });
  const [owner, beside, remote] = [nodes.task(0), nodes.task(0), nodes.task(1)];
  const [port, notify] = [owner.ports.allocate(), owner.ports.allocate()];
  const far = await give(nodes, owner, port, MAKE_SEND, remote);
  const near = await give(nodes, owner, port, MAKE_SEND, beside);
  owner.ports.requestNotification(port, NOTIFY_NO_SENDERS, 0, notify);
  beside.ports.deallocate(near);
  await nodes.quiet();
  expect(owner.ports.getReceiveStatus(port)).toMatchObject({ srights: true, nsrequest: true });
  expect(owner.ports.getReceiveStatus(notify).msgcount).toBe(0);
  await nodes.run(remote.send(letter(far, COPY_SEND, 7)));
  expect((await nodes.run(owner.receive(port))).id).toBe(7);
  await nodes.quiet();
  expect(owner.ports.getReceiveStatus(notify).msgcount).toBe(0); // that one's right was a copy
  await nodes.expectNothingLeaked();
});

test("notifications: a no-senders request made when only another node has send rights waits", async () => {
  const nodes = new LoneNodes({ dimension: 1 });
  const [owner, remote] = [nodes.task(0), nodes.task(1)];
  const [port, notify] = [owner.ports.allocate(), owner.ports.allocate()];
  await give(nodes, owner, port, MAKE_SEND, remote);
  owner.ports.requestNotification(port, NOTIFY_NO_SENDERS, 0, notify);
  await nodes.quiet();
  expect(owner.ports.getReceiveStatus(port)).toMatchObject({ srights: true, nsrequest: true });
  expect(owner.ports.getReceiveStatus(notify).msgcount).toBe(0);
  await nodes.expectNothingLeaked();
});

test("notifications: with loopback a receive right is not mailed to another node, its port dies and the request is used", async () => {
  const nodes = new LoneNodes({ dimension: 1, kernel: { loopback: true } });
  const [owner, beside, remote] = [nodes.task(0), nodes.task(0), nodes.task(1)];
  const [port, deaths] = [owner.ports.allocate(), beside.ports.allocate()];
  const watched = await give(nodes, owner, port, MAKE_SEND, beside);
  beside.ports.requestNotification(watched, NOTIFY_DEAD_NAME, 0, deaths);
  const wants = remote.ports.allocate();
  const once = await give(nodes, remote, wants, MAKE_SEND_ONCE, owner);
  owner.ports.requestNotification(port, NOTIFY_PORT_DESTROYED, 0, once, MOVE_SEND_ONCE);
  owner.ports.destroy(port);
  await nodes.quiet();
  expect((await nodes.run(remote.receive(wants, { timeoutNs: 1e9 }))).id).toBe(NOTIFY_SEND_ONCE);
  expect((await nodes.run(beside.receive(deaths, { timeoutNs: 1e9 }))).id).toBe(NOTIFY_DEAD_NAME);
  await nodes.expectNothingLeaked();
});

test("notifications: a receive right whose request goes to a port that died is destroyed", async () => {
  const nodes = new LoneNodes();
  const [owner, beside] = [nodes.task(), nodes.task()];
  const [port, wants] = [owner.ports.allocate(), owner.ports.allocate()];
  const deaths = beside.ports.allocate();
  const watched = await give(nodes, owner, port, MAKE_SEND, beside);
  beside.ports.requestNotification(watched, NOTIFY_DEAD_NAME, 0, deaths);
  owner.ports.requestNotification(port, NOTIFY_PORT_DESTROYED, 0, wants);
  owner.ports.destroy(wants);
  owner.ports.destroy(port);
  await nodes.quiet();
  expect((await nodes.run(beside.receive(deaths, { timeoutNs: 1e9 }))).id).toBe(NOTIFY_DEAD_NAME);
  await nodes.expectNothingLeaked();
});
