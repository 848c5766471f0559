// Conformance: no-senders notifications.

import { expect } from "@jest/globals";
import {
  COPY_SEND,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MOVE_RECEIVE,
  MOVE_SEND,
  MOVE_SEND_ONCE,
  NOTIFY_NO_SENDERS,
  RIGHT_RECEIVE,
  RIGHT_SEND,
} from "../../src/ipc/rights.ts";
import { conform } from "../support/conform.ts";
import {
  expectNotice,
  noSenders,
  portAndNotify,
  sendOnceGone,
} from "../support/conformance-steps.ts";
import { right } from "../support/peer-letter.ts";

conform("N11 no-senders comes with the count when the last send right goes", async (world) => {
  const { client, server } = world;
  const { port, notify } = await portAndNotify(server);
  const once = await world.give(client, await client.ports.allocate(), MAKE_SEND_ONCE, server);
  await server.ports.requestNotification(port, NOTIFY_NO_SENDERS, 0, notify);
  expect(await server.ports.getReceiveStatus(port)).toMatchObject({ nsrequest: true });
  await server.ports.deallocate(port);
  await expectNotice(server, notify, noSenders(1));
  expect(await server.ports.getReceiveStatus(port)).toMatchObject({ nsrequest: false });
  await server.ports.destroy(once);
});

conform("N11 no-senders can be sent to another task", async (world) => {
  const { client, server } = world;
  const watcher = await client.ports.allocate();
  const once = await world.give(client, watcher, MAKE_SEND_ONCE, server);
  const { port } = await portAndNotify(server);
  const { ports } = server;
  await ports.requestNotification(port, NOTIFY_NO_SENDERS, 0, once, MOVE_SEND_ONCE);
  await ports.deallocate(port);
  await expectNotice(client, watcher, noSenders(1));
});

conform("N11 no-senders comes when the last send right goes at another task", async (world) => {
  const { client, server } = world;
  const notify = await server.ports.allocate();
  const port = await server.ports.allocate();
  const send = await world.give(server, port, MAKE_SEND, client);
  await server.ports.requestNotification(port, NOTIFY_NO_SENDERS, 0, notify);
  await world.expectNoMessage(server, notify);
  await client.ports.deallocate(send);
  await expectNotice(server, notify, noSenders(1));
});

conform("N12 without send rights it comes at once", async ({ client }) => {
  const { ports } = client;
  const [port, notify] = [await ports.allocate(), await ports.allocate()];
  await ports.requestNotification(port, NOTIFY_NO_SENDERS, 0, notify);
  await expectNotice(client, notify, noSenders(0));
});

conform("N13 a request that expects more make-sends waits for them", async (world) => {
  const { client } = world;
  const { ports } = client;
  const [port, notify] = [await ports.allocate(), await ports.allocate()];
  await ports.requestNotification(port, NOTIFY_NO_SENDERS, 1, notify);
  await world.expectNoMessage(client, notify);
  await ports.insertRight(port, port, MAKE_SEND);
  await ports.deallocate(port);
  await expectNotice(client, notify, noSenders(1));
  await ports.requestNotification(port, NOTIFY_NO_SENDERS, 1, notify);
  await expectNotice(client, notify, noSenders(1));
});

conform("N14 one request, one notification", async (world) => {
  const { client } = world;
  const { ports } = client;
  const { port, notify } = await portAndNotify(client);
  await ports.requestNotification(port, NOTIFY_NO_SENDERS, 0, notify);
  await ports.deallocate(port);
  await expectNotice(client, notify, noSenders(1));
  await ports.insertRight(port, port, MAKE_SEND);
  await ports.deallocate(port);
  await world.expectNoMessage(client, notify);
});

conform("N15 copies of send rights are not counted", async ({ client }) => {
  const { ports } = client;
  const { port, notify } = await portAndNotify(client);
  await ports.requestNotification(port, NOTIFY_NO_SENDERS, 0, notify);
  for (let i = 0; i < 3; i++) await ports.insertRight(port, port, COPY_SEND);
  await ports.modRefs(port, RIGHT_SEND, -4);
  await expectNotice(client, notify, noSenders(1));
});

conform("N16 a send right in a queued message is a sender still", async (world) => {
  const { client } = world;
  const { ports } = client;
  for (const taken of [true, false]) {
    const { port, notify } = await portAndNotify(client);
    const carrier = await ports.allocate();
    await ports.requestNotification(port, NOTIFY_NO_SENDERS, 0, notify);
    const letter = { remote: carrier, remoteDisposition: MAKE_SEND };
    await client.send({ ...letter, items: [right(port, MOVE_SEND)] });
    await world.expectNoMessage(client, notify);
    if (taken) {
      await client.receive(carrier);
      await world.expectNoMessage(client, notify);
      await ports.deallocate(port);
    } else {
      await ports.destroy(carrier);
    }
    await expectNotice(client, notify, noSenders(1));
  }
});

conform("N17 the last right used as destination goes when the message is taken", async (world) => {
  const { client } = world;
  const { ports } = client;
  const { port, notify } = await portAndNotify(client);
  await ports.requestNotification(port, NOTIFY_NO_SENDERS, 0, notify);
  await client.send({ remote: port, remoteDisposition: MOVE_SEND, id: 3 });
  await world.expectNoMessage(client, notify);
  expect(await client.receive(port)).toMatchObject({ id: 3 });
  await expectNotice(client, notify, noSenders(1));
});

conform("N18 a port that dies gives up its no-senders request", async (world) => {
  const { client, server } = world;
  const watcher = await client.ports.allocate();
  const { ports } = server;
  for (const sendsFirst of [true, false]) {
    const port = await ports.allocate();
    await ports.insertRight(port, port, MAKE_SEND);
    await ports.setMscount(port, 5);
    const once = await world.give(client, watcher, MAKE_SEND_ONCE, server);
    await ports.requestNotification(port, NOTIFY_NO_SENDERS, 0, once, MOVE_SEND_ONCE);
    // mach_port_destroy drops the send right first: there are no senders before there is no port.
    if (sendsFirst) await ports.destroy(port);
    else await ports.modRefs(port, RIGHT_RECEIVE, -1);
    await expectNotice(client, watcher, sendsFirst ? noSenders(5) : sendOnceGone());
  }
});

conform(
  "N19 a port without send rights that dies gives a send-once notification",
  async (world) => {
    const { client, server } = world;
    const watcher = await client.ports.allocate();
    const once = await world.give(client, watcher, MAKE_SEND_ONCE, server);
    const port = await server.ports.allocate();
    const { ports } = server;
    await ports.requestNotification(port, NOTIFY_NO_SENDERS, 1, once, MOVE_SEND_ONCE);
    await ports.destroy(port);
    await expectNotice(client, watcher, sendOnceGone());
  },
);

conform("N21 a no-senders request goes along with the receive right", async (world) => {
  const { client, server } = world;
  const { port, notify } = await portAndNotify(client);
  await client.ports.requestNotification(port, NOTIFY_NO_SENDERS, 0, notify);
  const moved = await world.give(client, port, MOVE_RECEIVE, server);
  const status = { nsrequest: true, mscount: 0 };
  expect(await server.ports.getReceiveStatus(moved)).toMatchObject(status);
  await client.ports.deallocate(port);
  await expectNotice(client, notify, noSenders(0));
});
