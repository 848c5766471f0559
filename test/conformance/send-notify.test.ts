// Conformance: the notify argument of a send: messages forced into a full queue, and port-deleted notifications
// that are not wanted (MACH_SEND_NOTIFY, MACH_SEND_CANCEL).

import { expect } from "@jest/globals";
import { MACH_SEND_WILL_NOTIFY } from "../../src/base/status.ts";
import {
  MAKE_SEND,
  MOVE_SEND,
  NOTIFY_DEAD_NAME,
  PORT_SEND,
  RIGHT_SEND,
  TYPE_MAREQUEST,
  TYPE_SEND,
} from "../../src/ipc/rights.ts";
import { conform } from "../support/conform.ts";
import {
  expectNotice,
  fullDoor,
  LIMIT,
  MS,
  msgAccepted,
  portDeleted,
  receiveIds,
  sendMany,
  sendOnceGone,
} from "../support/conformance-steps.ts";
import { fails } from "../support/worlds.ts";

conform(
  "S35 SEND_NOTIFY forces the message in, and msg-accepted tells of its taking",
  async (world) => {
    const { client, server } = world;
    const { send, receive } = await fullDoor(world);
    const notify = await client.ports.allocate();
    const forced = await client.send({ remote: send, id: 7 }, { willNotify: notify });
    expect(forced).toBe(MACH_SEND_WILL_NOTIFY);
    expect(await client.ports.type(send)).toBe(TYPE_SEND + TYPE_MAREQUEST);
    await world.settled();
    expect(await server.ports.getReceiveStatus(receive)).toMatchObject({ msgcount: LIMIT + 1 });
    await receiveIds(server, receive, LIMIT);
    await world.expectNoMessage(client, notify);
    expect(await server.receive(receive)).toMatchObject({ id: 7 });
    await expectNotice(client, notify, msgAccepted(send));
    expect(await client.ports.type(send)).toBe(TYPE_SEND);
  },
);

conform("S35 SEND_NOTIFY is not needed where there is room", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const notify = await client.ports.allocate();
  expect(await client.send({ remote: send }, { willNotify: notify })).toBe(0);
  await server.receive(receive);
  await world.expectNoMessage(client, notify);
});

conform("S36 a second forced message by the same name is given back", async (world) => {
  const { client, server } = world;
  const { send, receive } = await fullDoor(world);
  const notify = await client.ports.allocate();
  await client.send({ remote: send, id: 7 }, { willNotify: notify });
  const second = client.send({ remote: send, id: 8 }, { willNotify: notify });
  const error = await fails(second, "MACH_SEND_NOTIFY_IN_PROGRESS");
  expect(error.letter).toMatchObject({ remote: send, remoteDisposition: PORT_SEND, id: 8 });
  expect(await client.ports.getRefs(send, RIGHT_SEND)).toBe(2);
  await receiveIds(server, receive, LIMIT + 1);
  await expectNotice(client, notify, msgAccepted(send));
  await client.sendAgain(error, { willNotify: notify });
  expect(await server.receive(receive)).toMatchObject({ id: 8 });
});

conform("S37 msg-accepted has no name when the send right has gone", async (world) => {
  const { client, server } = world;
  const { send, receive } = await fullDoor(world);
  const notify = await client.ports.allocate();
  await client.send({ remote: send, id: 7 }, { willNotify: notify });
  await client.ports.deallocate(send);
  await receiveIds(server, receive, LIMIT + 1);
  await expectNotice(client, notify, msgAccepted(0));
});

conform(
  "S38 a forced message that dies with its port gives a send-once notification",
  async (world) => {
    const { client, server } = world;
    const { send, receive } = await fullDoor(world);
    const notify = await client.ports.allocate();
    await client.send({ remote: send, id: 7 }, { willNotify: notify });
    await world.settled();
    await server.ports.destroy(receive);
    await expectNotice(client, notify, sendOnceGone());
  },
);

conform("S39 SEND_NOTIFY to what is no receive right is refused, message back", async (world) => {
  const { client } = world;
  const { send } = await fullDoor(world);
  for (const willNotify of [send, 0x4242, await client.ports.allocate("port-set")]) {
    const call = client.send({ remote: send, id: 7 }, { willNotify });
    const error = await fails(call, "MACH_SEND_INVALID_NOTIFY");
    expect(error.letter).toMatchObject({ remote: send, remoteDisposition: PORT_SEND, id: 7 });
  }
  expect(await client.ports.getRefs(send, RIGHT_SEND)).toBe(4);
});

conform("S40 SEND_CANCEL to the port of the request silences port-deleted", async (world) => {
  const { client, server } = world;
  const notify = await client.ports.allocate();
  const other = await client.ports.allocate();
  for (const cancelNotify of [notify, other]) {
    const { send, receive } = await world.door(client, server);
    await client.ports.requestNotification(send, NOTIFY_DEAD_NAME, 0, notify);
    await client.send({ remote: send, remoteDisposition: MOVE_SEND, id: 5 }, { cancelNotify });
    expect(await server.receive(receive)).toMatchObject({ id: 5 });
    if (cancelNotify === other) await expectNotice(client, notify, portDeleted(send));
    else await world.expectNoMessage(client, notify);
  }
  expect(await client.ports.getReceiveStatus(notify)).toMatchObject({ sorights: 0 });
});

conform("S40 SEND_CANCEL with what is no receive right does nothing at all", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const call = client.send({ remote: send, remoteDisposition: MOVE_SEND }, { cancelNotify: send });
  await fails(call, "MACH_SEND_INVALID_NOTIFY");
  expect(await client.ports.getRefs(send, RIGHT_SEND)).toBe(1);
  await world.expectNoMessage(server, receive);
});

conform("S35 SEND_NOTIFY with a timeout waits so long before it forces", async (world) => {
  const { client, server } = world;
  const { send, receive } = await fullDoor(world);
  const notify = await client.ports.allocate();
  const options = { willNotify: notify, timeoutNs: 20 * MS };
  const beginNs = await client.now();
  expect(await client.send({ remote: send, id: 7 }, options)).toBe(MACH_SEND_WILL_NOTIFY);
  expect((await client.now()) - beginNs).toBeGreaterThanOrEqual(20 * MS);
  expect(await receiveIds(server, receive, LIMIT + 1)).toEqual([100, 101, 102, 103, 104, 7]);
  await expectNotice(client, notify, msgAccepted(send));
  await sendMany(world, client, send, LIMIT);
  const patient = { willNotify: notify, timeoutNs: 5000 * MS };
  const waiting = client.send({ remote: send, id: 8 }, patient);
  await server.after(5 * MS).receive(receive);
  expect(await waiting).toBe(0);
  await receiveIds(server, receive, LIMIT);
  await world.expectNoMessage(client, notify);
});

conform(
  "S36 messages forced by rights that are moved away have no limit and no name",
  async (world) => {
    const { client, server } = world;
    const { receive } = await fullDoor(world);
    const notify = await client.ports.allocate();
    for (const id of [7, 8]) {
      const name = await world.give(server, receive, MAKE_SEND, client);
      await client.ports.modRefs(
        name,
        RIGHT_SEND,
        1 - (await client.ports.getRefs(name, RIGHT_SEND)),
      );
      const letter = { remote: name, remoteDisposition: MOVE_SEND, id };
      expect(await client.send(letter, { willNotify: notify })).toBe(MACH_SEND_WILL_NOTIFY);
      await fails(client.ports.type(name), "KERN_INVALID_NAME");
    }
    expect(await receiveIds(server, receive, LIMIT + 2)).toEqual([100, 101, 102, 103, 104, 7, 8]);
    for (let i = 0; i < 2; i++) await expectNotice(client, notify, msgAccepted(0));
  },
);
