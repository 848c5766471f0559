// Conformance: mach_port_request_notification, and the notifications themselves: dead-name, port-deleted,
// port-destroyed, no-senders, send-once.

import { expect } from "@jest/globals";
import {
  MACH_PORT_DEAD,
  MACH_PORT_NULL,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MOVE_SEND,
  MOVE_SEND_ONCE,
  NOTIFY_DEAD_NAME,
  NOTIFY_NO_SENDERS,
  NOTIFY_PORT_DESTROYED,
  PORT_RECEIVE,
  RIGHT_DEAD_NAME,
  RIGHT_RECEIVE,
  RIGHT_SEND,
  RIGHT_SEND_ONCE,
  TYPE_DEAD_NAME,
  TYPE_DNREQUEST,
  TYPE_RECEIVE,
  TYPE_SEND,
  TYPE_SEND_ONCE,
} from "../../src/ipc/rights.ts";
import { conform } from "../support/conform.ts";
import {
  deadName,
  expectNotice,
  nameIn,
  noSenders,
  portAndNotify,
  portDeleted,
  receiveIds,
} from "../support/conformance-steps.ts";
import { right } from "../support/peer-letter.ts";
import { fails } from "../support/worlds.ts";

conform("N1 the holder of a send right is told of its port's death", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const notify = await client.ports.allocate();
  await client.ports.modRefs(send, RIGHT_SEND, 2);
  expect(await client.ports.requestNotification(send, NOTIFY_DEAD_NAME, 0, notify)).toBe(0);
  expect(await client.ports.type(send)).toBe(TYPE_SEND + TYPE_DNREQUEST);
  await server.ports.destroy(receive);
  await expectNotice(client, notify, deadName(send));
  expect(await client.ports.type(send)).toBe(TYPE_DEAD_NAME);
  expect(await client.ports.getRefs(send, RIGHT_DEAD_NAME)).toBe(4);
});

conform("N2 each task is told at its own port", async (world) => {
  const { client, server, third } = world;
  const port = await server.ports.allocate();
  const holders = [];
  for (const peer of [client, third]) {
    const send = await world.give(server, port, MAKE_SEND, peer);
    const notify = await peer.ports.allocate();
    await peer.ports.requestNotification(send, NOTIFY_DEAD_NAME, 0, notify);
    holders.push({ peer, send, notify });
  }
  await server.ports.destroy(port);
  for (const { peer, send, notify } of holders) await expectNotice(peer, notify, deadName(send));
});

conform("N3 a second request gives the first one's right back, and null cancels", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const { ports } = client;
  const [first, second] = [await ports.allocate(), await ports.allocate()];
  expect(await ports.requestNotification(send, NOTIFY_DEAD_NAME, 0, first)).toBe(MACH_PORT_NULL);
  const previous = await ports.requestNotification(send, NOTIFY_DEAD_NAME, 0, second);
  expect(await ports.type(previous)).toBe(TYPE_SEND_ONCE);
  await client.send({ remote: previous, remoteDisposition: MOVE_SEND_ONCE, id: 6 });
  expect(await client.receive(first)).toMatchObject({ id: 6 });
  const last = await ports.requestNotification(send, NOTIFY_DEAD_NAME, 0, MACH_PORT_NULL);
  await client.send({ remote: last, remoteDisposition: MOVE_SEND_ONCE, id: 7 });
  expect(await client.receive(second)).toMatchObject({ id: 7 });
  expect(await ports.type(send)).toBe(TYPE_SEND);
  await server.ports.destroy(receive);
  await world.expectNoMessage(client, second);
});

conform("N4 a dead name is told at once with sync, and refused without", async ({ client }) => {
  const { ports } = client;
  const dead = await ports.allocate("dead-name");
  const notify = await ports.allocate();
  const request = (sync: number, at: number): Promise<number> =>
    ports.requestNotification(dead, NOTIFY_DEAD_NAME, sync, at);
  await fails(request(0, notify), "KERN_INVALID_ARGUMENT");
  await fails(request(1, MACH_PORT_NULL), "KERN_INVALID_ARGUMENT");
  expect(await ports.getReceiveStatus(notify)).toMatchObject({ sorights: 0 });
  expect(await request(1, notify)).toBe(MACH_PORT_NULL);
  await expectNotice(client, notify, deadName(dead));
  expect(await ports.getRefs(dead, RIGHT_DEAD_NAME)).toBe(2);
  await ports.modRefs(dead, RIGHT_DEAD_NAME, 65533);
  await fails(request(1, notify), "KERN_UREFS_OVERFLOW");
});

conform("N5 a watched name that goes away is told as port-deleted", async (world) => {
  const { client, server } = world;
  const notify = await client.ports.allocate();
  const ways: ((name: number) => Promise<unknown>)[] = [
    (name) => client.ports.deallocate(name),
    (name) => client.ports.destroy(name),
    (name) => client.ports.modRefs(name, RIGHT_SEND, -1),
    (name) => client.send({ remote: name, remoteDisposition: MOVE_SEND }),
  ];
  for (const goAway of ways) {
    const { send } = await world.door(client, server);
    await client.ports.requestNotification(send, NOTIFY_DEAD_NAME, 0, notify);
    await goAway(send);
    await expectNotice(client, notify, portDeleted(send));
    await fails(client.ports.type(send), "KERN_INVALID_NAME");
  }
});

conform(
  "N6 a watched send-once right that is used, dropped or moved goes away too",
  async (world) => {
    const { client, server, third } = world;
    const port = await server.ports.allocate();
    const notify = await client.ports.allocate();
    const toThird = await world.door(client, third);
    const ways: ((name: number) => Promise<unknown>)[] = [
      (name) => client.send({ remote: name, remoteDisposition: MOVE_SEND_ONCE }),
      (name) => client.ports.modRefs(name, RIGHT_SEND_ONCE, -1),
      (name) => client.send({ remote: toThird.send, items: [right(name, MOVE_SEND_ONCE)] }),
    ];
    for (const goAway of ways) {
      const once = await world.give(server, port, MAKE_SEND_ONCE, client);
      await client.ports.requestNotification(once, NOTIFY_DEAD_NAME, 0, notify);
      expect(await client.ports.type(once)).toBe(TYPE_SEND_ONCE + TYPE_DNREQUEST);
      await goAway(once);
      await expectNotice(client, notify, portDeleted(once));
    }
    const once = await world.give(server, port, MAKE_SEND_ONCE, client);
    await client.ports.requestNotification(once, NOTIFY_DEAD_NAME, 0, notify);
    await server.ports.destroy(port);
    await expectNotice(client, notify, deadName(once));
    expect(await client.ports.getRefs(once, RIGHT_DEAD_NAME)).toBe(2);
  },
);

conform("N7 what cannot be watched, and requests that are wrong", async (world) => {
  const { client, server } = world;
  const { send } = await world.door(client, server);
  const { ports } = client;
  const { port, notify } = await portAndNotify(client);
  const set = await ports.allocate("port-set");
  const dead = await ports.allocate("dead-name");
  for (const [name, id, sync, at, code] of [
    [set, NOTIFY_DEAD_NAME, 0, notify, "KERN_INVALID_RIGHT"],
    [0x4242, NOTIFY_DEAD_NAME, 0, notify, "KERN_INVALID_NAME"],
    [send, NOTIFY_NO_SENDERS, 0, notify, "KERN_INVALID_RIGHT"],
    [set, NOTIFY_NO_SENDERS, 0, notify, "KERN_INVALID_RIGHT"],
    [0x4242, NOTIFY_NO_SENDERS, 0, notify, "KERN_INVALID_NAME"],
    [send, NOTIFY_PORT_DESTROYED, 0, notify, "KERN_INVALID_RIGHT"],
    [0x4242, NOTIFY_PORT_DESTROYED, 0, notify, "KERN_INVALID_NAME"],
    [port, NOTIFY_PORT_DESTROYED, 1, notify, "KERN_INVALID_VALUE"],
    [port, 64, 0, notify, "KERN_INVALID_VALUE"],
    [port, 71, 0, notify, "KERN_INVALID_VALUE"],
    [send, NOTIFY_DEAD_NAME, 0, MACH_PORT_DEAD, "KERN_INVALID_CAPABILITY"],
    [send, NOTIFY_DEAD_NAME, 0, dead, "KERN_INVALID_CAPABILITY"],
  ] as const) {
    await fails(ports.requestNotification(name, id, sync, at), code);
  }
  expect(await ports.getReceiveStatus(notify)).toMatchObject({ sorights: 0 });
});

conform("N8 a request may move a send-once right that the task was given", async (world) => {
  const { client, server, third } = world;
  const { send, receive } = await world.door(client, server);
  const watcher = await third.ports.allocate();
  const once = await world.give(third, watcher, MAKE_SEND_ONCE, client);
  const { ports } = client;
  await ports.requestNotification(send, NOTIFY_DEAD_NAME, 0, once, MOVE_SEND_ONCE);
  await fails(ports.type(once), "KERN_INVALID_NAME");
  await server.ports.destroy(receive);
  await expectNotice(third, watcher, deadName(send));
});

conform(
  "N8 a watched receive right without send rights goes away as port-deleted",
  async (world) => {
    const { client } = world;
    const { ports } = client;
    const { port, notify } = await portAndNotify(client);
    await ports.deallocate(port);
    await ports.requestNotification(port, NOTIFY_DEAD_NAME, 0, notify);
    expect(await ports.type(port)).toBe(TYPE_RECEIVE + TYPE_DNREQUEST);
    await ports.modRefs(port, RIGHT_RECEIVE, -1);
    await expectNotice(client, notify, portDeleted(port));
  },
);

conform(
  "N9 a receive right with a port-destroyed request is mailed, not destroyed",
  async (world) => {
    const { client } = world;
    const { ports } = client;
    for (const destroy of [
      (name: number) => ports.destroy(name),
      (name: number) => ports.modRefs(name, RIGHT_RECEIVE, -1),
    ]) {
      const { port, notify } = await portAndNotify(client);
      await client.send({ remote: port, id: 5 });
      await ports.requestNotification(port, NOTIFY_PORT_DESTROYED, 0, notify);
      expect(await ports.getReceiveStatus(port)).toMatchObject({ pdrequest: true });
      await destroy(port);
      const notice = await client.receive(notify);
      expect(notice).toMatchObject({ id: 69, items: [{ disposition: PORT_RECEIVE }] });
      const mailed = nameIn(notice);
      const status = { pdrequest: false, msgcount: 1 };
      expect(await ports.getReceiveStatus(mailed)).toMatchObject(status);
      expect(await client.receive(mailed)).toMatchObject({ id: 5 });
    }
  },
);

conform("N10 a port-destroyed request to itself does not keep a port alive", async ({ client }) => {
  const { ports } = client;
  const { port } = await portAndNotify(client);
  await ports.requestNotification(port, NOTIFY_PORT_DESTROYED, 0, port);
  await ports.modRefs(port, RIGHT_RECEIVE, -1);
  expect(await ports.type(port)).toBe(TYPE_DEAD_NAME);
});

conform("N24 what a task had when it ended is released and told", async (world) => {
  const { client, server, third } = world;
  const watcher = await client.ports.allocate();
  const toThird = await world.door(client, third);
  const dying = await world.door(client, third);
  const notify = await client.ports.allocate();
  await client.ports.requestNotification(dying.send, NOTIFY_DEAD_NAME, 0, notify);
  await world.give(client, watcher, MAKE_SEND_ONCE, third);
  const local = { local: watcher, localDisposition: MAKE_SEND_ONCE };
  await client.send({ remote: toThird.send, ...local });
  const serverDoor = await world.door(third, server);
  const once = await world.give(client, watcher, MAKE_SEND_ONCE, third);
  const { ports } = third;
  // Its send right goes with it, and the name was watched.
  await ports.requestNotification(serverDoor.send, NOTIFY_DEAD_NAME, 0, once, MOVE_SEND_ONCE);
  await world.settled();
  await world.end(third);
  const ids = await receiveIds(client, watcher, 3);
  expect(ids.sort()).toEqual([65, 71, 71]);
  await expectNotice(client, notify, deadName(dying.send));
  await world.expectNoMessage(server, serverDoor.receive);
});

conform("N26 a notification to a dead port disappears", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const notify = await client.ports.allocate();
  await client.ports.requestNotification(send, NOTIFY_DEAD_NAME, 0, notify);
  await client.ports.destroy(notify);
  await server.ports.destroy(receive);
  await world.settled();
  expect(await client.ports.getRefs(send, RIGHT_DEAD_NAME)).toBe(2);
});

conform("N25 a receive right with a port-destroyed request outlives its task", async (world) => {
  const { client, server, third } = world;
  const { send, receive } = await world.door(client, third);
  const heir = await server.ports.allocate();
  const once = await world.give(server, heir, MAKE_SEND_ONCE, third);
  await third.ports.requestNotification(receive, NOTIFY_PORT_DESTROYED, 0, once, MOVE_SEND_ONCE);
  await client.send({ remote: send, id: 5 });
  await world.settled();
  await world.end(third);
  const mailed = nameIn(await server.receive(heir));
  await client.send({ remote: send, id: 6 });
  expect(await receiveIds(server, mailed, 2)).toEqual([5, 6]);
});

conform("N22 the last send right gone is told before the name", async ({ client }) => {
  const { ports } = client;
  const { port, notify } = await portAndNotify(client);
  await ports.requestNotification(port, NOTIFY_NO_SENDERS, 0, notify);
  await ports.requestNotification(port, NOTIFY_DEAD_NAME, 0, notify);
  await ports.destroy(port);
  await expectNotice(client, notify, noSenders(1));
  await expectNotice(client, notify, portDeleted(port));
});
