// Conformance: receiving: names, timeouts, messages that are too large, what wakes a receiver, and how rights
// are copied out.

import { expect } from "@jest/globals";
import { MACH_MSG_IPC_SPACE } from "../../src/base/status.ts";
import {
  COPY_SEND,
  MACH_PORT_DEAD,
  MACH_PORT_NULL,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MOVE_RECEIVE,
  MOVE_SEND,
  MOVE_SEND_ONCE,
  PORT_SEND,
  PORT_SEND_ONCE,
  RIGHT_DEAD_NAME,
  RIGHT_RECEIVE,
  RIGHT_SEND,
  TYPE_DNREQUEST,
  TYPE_SEND,
  TYPE_SEND_ONCE,
} from "../../src/ipc/rights.ts";
import { conform } from "../support/conform.ts";
import {
  deadName,
  expectNotice,
  MS,
  nameIn,
  receiveIds,
  sendMany,
  sendOnceGone,
} from "../support/conformance-steps.ts";
import { pattern, right, rights } from "../support/peer-letter.ts";
import { fails } from "../support/worlds.ts";

conform("V1 only a receive right or a port set can be received from", async (world) => {
  const { client, server } = world;
  const { send } = await world.door(client, server);
  const dead = await client.ports.allocate("dead-name");
  for (const name of [0x4242, send, dead, MACH_PORT_NULL, MACH_PORT_DEAD]) {
    await fails(client.receive(name), "MACH_RCV_INVALID_NAME");
    await fails(client.receive(name, { timeoutNs: 0 }), "MACH_RCV_INVALID_NAME");
  }
});

conform("V2 a receive waits as long as it says", async ({ client }) => {
  const port = await client.ports.allocate();
  await fails(client.receive(port, { timeoutNs: 0 }), "MACH_RCV_TIMED_OUT");
  const beginNs = await client.now();
  await fails(client.receive(port, { timeoutNs: 50 * MS }), "MACH_RCV_TIMED_OUT");
  expect((await client.now()) - beginNs).toBeGreaterThanOrEqual(50 * MS);
});

conform("V3 a message that is too large stays queued with RCV_LARGE", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  await client.send({ remote: send, bytes: pattern(400), id: 5 });
  await world.settled();
  for (const capacity of [0, 396]) {
    const error = await fails(server.receive(receive, { capacity }), "MACH_RCV_TOO_LARGE");
    expect(error).toMatchObject({ neededBytes: 400, received: null });
  }
  expect(await server.ports.getReceiveStatus(receive)).toMatchObject({ msgcount: 1, seqno: 0 });
  const got = await server.receive(receive, { capacity: 400 });
  expect(got).toMatchObject({ id: 5, size: 400, bytes: pattern(400), sequence: 0 });
});

conform("V4 without RCV_LARGE it is destroyed, and its header is given", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const own = await client.ports.allocate();
  const local = { local: own, localDisposition: MAKE_SEND_ONCE };
  const items = [right(own, MAKE_SEND_ONCE), { kind: "bytes" as const, bytes: pattern(300) }];
  await client.send({ remote: send, ...local, id: 5, items });
  const call = server.receive(receive, { capacity: 64, large: false });
  const error = await fails(call, "MACH_RCV_TOO_LARGE");
  const header = { id: 5, local: receive, localDisposition: PORT_SEND, remote: MACH_PORT_NULL };
  expect(error.received).toMatchObject(header);
  await expectNotice(client, own, sendOnceGone());
  await expectNotice(client, own, sendOnceGone());
  await world.expectNoMessage(server, receive);
  expect(await server.ports.getReceiveStatus(receive)).toMatchObject({ msgcount: 0, seqno: 1 });
});

conform("V5 a receiver with too little room makes way for the next", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const small = server.receive(receive, { capacity: 8 });
  const large = server.receive(receive, { capacity: 400 });
  await world.settled();
  await client.send({ remote: send, bytes: pattern(400) });
  expect(await fails(small, "MACH_RCV_TOO_LARGE")).toMatchObject({ neededBytes: 400 });
  expect(await large).toMatchObject({ bytes: pattern(400) });
});

conform("V6 receivers of one port are served in the order of their calls", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const first = server.receive(receive);
  const second = server.receive(receive);
  await world.settled();
  await sendMany(world, client, send, 2);
  expect(await first).toMatchObject({ id: 100, sequence: 0 });
  expect(await second).toMatchObject({ id: 101, sequence: 1 });
});

conform("V7 a receiver learns that its port has joined a set", async ({ client, settled }) => {
  const port = await client.ports.allocate();
  const set = await client.ports.allocate("port-set");
  const waiting = client.receive(port);
  await settled();
  await client.ports.moveMember(port, set);
  await fails(waiting, "MACH_RCV_PORT_CHANGED");
  await fails(client.receive(port, { timeoutNs: 0 }), "MACH_RCV_IN_SET");
});

conform("V8 a receiver learns that its port has died, or its right has gone", async (world) => {
  const { client, settled } = world;
  const { ports } = client;
  const [destroyed, dropped, sent] = [
    await ports.allocate(),
    await ports.allocate(),
    await ports.allocate(),
  ];
  const away = await ports.allocate();
  await ports.insertRight(away, away, MAKE_SEND);
  const waiting = [destroyed, dropped, sent].map((port) => client.receive(port));
  await settled();
  await ports.destroy(destroyed);
  await ports.modRefs(dropped, RIGHT_RECEIVE, -1);
  await client.send({ remote: away, items: [right(sent, MOVE_RECEIVE)] });
  for (const call of waiting) await fails(call, "MACH_RCV_PORT_DIED");
});

conform("V9 an interrupted receive leaves others waiting", async ({ client, settled }) => {
  const port = await client.ports.allocate();
  await client.ports.insertRight(port, port, MAKE_SEND);
  const hasty = client.receive(port, { interruptible: true });
  const patient = client.receive(port);
  await settled();
  await client.abort();
  await fails(hasty, "MACH_RCV_INTERRUPTED");
  await client.send({ remote: port, id: 4 });
  expect(await patient).toMatchObject({ id: 4 });
});

conform("V10 RCV_NOTIFY asks for the death of a new reply right", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const notify = await server.ports.allocate();
  const own = await client.ports.allocate();
  for (const localDisposition of [MAKE_SEND, MAKE_SEND_ONCE]) {
    await client.send({ remote: send, local: own, localDisposition });
  }
  const first = (await server.receive(receive, { notify })).remote;
  const second = (await server.receive(receive, { notify })).remote;
  expect(await server.ports.type(first)).toBe(TYPE_SEND + TYPE_DNREQUEST);
  expect(await server.ports.type(second)).toBe(TYPE_SEND_ONCE + TYPE_DNREQUEST);
  await client.ports.destroy(own);
  const names = [];
  for (let i = 0; i < 2; i++) names.push((await server.receive(notify)).items[0]);
  expect(names).toEqual(
    expect.arrayContaining([
      { kind: "portName", name: first },
      { kind: "portName", name: second },
    ]),
  );
  expect(await server.ports.getRefs(first, RIGHT_DEAD_NAME)).toBe(2);
});

conform("V11 RCV_NOTIFY to what is no receive right destroys the message", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const own = await client.ports.allocate();
  const local = { local: own, localDisposition: MAKE_SEND_ONCE };
  await client.send({ remote: send, ...local, id: 5 });
  const call = server.receive(receive, { notify: 0x4242 });
  const error = await fails(call, "MACH_RCV_INVALID_NOTIFY");
  expect(error.received).toMatchObject({ id: 5, remote: MACH_PORT_NULL, local: receive });
  await expectNotice(client, own, sendOnceGone());
  await world.expectNoMessage(server, receive);
});

conform("V12 RCV_NOTIFY asks nothing of a reply right that is known already", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const notify = await server.ports.allocate();
  const own = await client.ports.allocate();
  const known = await world.give(client, own, MAKE_SEND, server);
  await client.send({ remote: send, local: own, localDisposition: MAKE_SEND });
  expect(await server.receive(receive, { notify })).toMatchObject({ remote: known });
  expect(await server.ports.type(known)).toBe(TYPE_SEND);
  await client.send({ remote: send });
  expect(await server.receive(receive, { notify })).toMatchObject({ remote: MACH_PORT_NULL });
  expect(await server.ports.getReceiveStatus(notify)).toMatchObject({ sorights: 0 });
});

conform("V13 messages are numbered as they are taken, from 0 or what was set", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  await sendMany(world, client, send, 4);
  expect(await server.receive(receive)).toMatchObject({ sequence: 0 });
  expect(await server.receive(receive)).toMatchObject({ sequence: 1 });
  await server.ports.setSeqno(receive, -1);
  expect(await server.receive(receive)).toMatchObject({ sequence: -1 });
  expect(await server.receive(receive)).toMatchObject({ sequence: 0 });
});

conform("V15 a reply port that has died meanwhile arrives as MACH_PORT_DEAD", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const own = await client.ports.allocate();
  for (const localDisposition of [MAKE_SEND, MAKE_SEND_ONCE]) {
    await client.send({ remote: send, local: own, localDisposition });
  }
  await world.settled();
  await client.ports.destroy(own);
  await world.settled();
  expect(await server.receive(receive)).toMatchObject({ remote: MACH_PORT_DEAD });
  expect(await server.receive(receive)).toMatchObject({ remote: MACH_PORT_DEAD });
});

conform("V16 rights in a body whose port has died arrive as MACH_PORT_DEAD", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const [dying, living] = [await client.ports.allocate(), await client.ports.allocate()];
  const items = [right(dying, MAKE_SEND_ONCE), rights([dying, living], MAKE_SEND)];
  await client.send({ remote: send, items });
  await world.settled();
  await client.ports.destroy(dying);
  await world.settled();
  expect((await server.receive(receive)).items).toEqual([
    right(MACH_PORT_DEAD, PORT_SEND_ONCE),
    rights([MACH_PORT_DEAD, expect.any(Number) as never], PORT_SEND),
  ]);
});

conform("V17 rights that find no name are lost: BODY_ERROR and IPC_SPACE", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const own = await client.ports.allocate();
  const items = [right(own, MAKE_SEND_ONCE), right(own, MAKE_SEND_ONCE)];
  await client.send({ remote: send, items, id: 5 });
  await server.fillNames(1);
  const error = await fails(server.receive(receive), "MACH_RCV_BODY_ERROR");
  expect(error.status & MACH_MSG_IPC_SPACE).toBe(MACH_MSG_IPC_SPACE);
  expect(error.received).toMatchObject({ id: 5 });
  expect(error.received!.items[1]).toEqual(right(MACH_PORT_NULL, PORT_SEND_ONCE));
  expect(await server.ports.type(nameIn(error.received!))).toBe(TYPE_SEND_ONCE);
  await expectNotice(client, own, sendOnceGone());
  await world.expectNoMessage(client, own);
});

conform("receive-codes a reply right that finds no name destroys the message", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const own = await client.ports.allocate();
  const local = { local: own, localDisposition: MAKE_SEND_ONCE };
  await client.send({ remote: send, ...local, id: 5, items: [right(own, MAKE_SEND_ONCE)] });
  await server.fillNames(0);
  const error = await fails(server.receive(receive), "MACH_RCV_HEADER_ERROR");
  expect(error.status & MACH_MSG_IPC_SPACE).toBe(MACH_MSG_IPC_SPACE);
  expect(error.received).toMatchObject({ id: 5, remote: MACH_PORT_NULL, local: receive });
  await expectNotice(client, own, sendOnceGone());
  await expectNotice(client, own, sendOnceGone());
  await world.expectNoMessage(server, receive);
});

conform(
  "copyout a send right that is known gains a reference, up to the maximum",
  async (world) => {
    const { client, server } = world;
    const { send, receive } = await world.door(client, server);
    const own = await client.ports.allocate();
    const name = await world.give(client, own, MAKE_SEND, server);
    await client.send({ remote: send, items: [right(own, MAKE_SEND)] });
    expect(nameIn(await server.receive(receive))).toBe(name);
    expect(await server.ports.getRefs(name, RIGHT_SEND)).toBe(2);
    await server.ports.modRefs(name, RIGHT_SEND, 65532);
    await client.send({ remote: send, items: [right(own, MAKE_SEND)] });
    expect(nameIn(await server.receive(receive))).toBe(name);
    expect(await server.ports.getRefs(name, RIGHT_SEND)).toBe(65534);
  },
);

conform("copyout header fields are swapped for the receiver", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const own = await client.ports.allocate();
  const local = { local: own, localDisposition: MAKE_SEND };
  await client.send({ remote: send, remoteDisposition: COPY_SEND, ...local, id: -7 });
  const got = await server.receive(receive);
  const header = { local: receive, localDisposition: PORT_SEND, remoteDisposition: PORT_SEND };
  expect(got).toMatchObject({ ...header, id: -7, size: 0, complex: false });
  await server.send({ remote: got.remote, remoteDisposition: MOVE_SEND, id: 93 });
  const answer = { id: 93, remote: MACH_PORT_NULL, remoteDisposition: 0, local: own };
  expect(await client.receive(own)).toMatchObject(answer);
});

conform("copyout a receive right joins the send rights that are known", async (world) => {
  const { client, server } = world;
  const port = await client.ports.allocate();
  const send = await world.give(client, port, MAKE_SEND, server);
  expect(await world.give(client, port, MOVE_RECEIVE, server)).toBe(send);
  await server.send({ remote: send, id: 8 });
  expect(await server.receive(send)).toMatchObject({ id: 8, local: send });
});

conform("V20 an rpc is answered through its send-once right", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const own = await client.ports.allocate();
  const letter = { remote: send, local: own, localDisposition: MAKE_SEND_ONCE, id: 5 };
  const answer = client.rpc(letter);
  const { remote } = await server.receive(receive);
  await server.send({ remote, remoteDisposition: MOVE_SEND_ONCE, id: 105 });
  expect(await answer).toMatchObject({ id: 105, localDisposition: PORT_SEND_ONCE });
  const lost = client.rpc(letter);
  await server.ports.deallocate((await server.receive(receive)).remote);
  await fails(lost, "MIG_SERVER_DIED");
  const late = client.rpc(letter, { timeoutNs: 20 * MS });
  await fails(late, "MACH_RCV_TIMED_OUT");
  expect(await receiveIds(server, receive, 1)).toEqual([5]);
});

conform(
  "V21 a dead-name request made by RCV_NOTIFY tells of the receiver's name",
  async (world) => {
    const { client, server } = world;
    const { send, receive } = await world.door(client, server);
    const notify = await server.ports.allocate();
    const own = await client.ports.allocate();
    await client.send({ remote: send, local: own, localDisposition: MAKE_SEND });
    const { remote } = await server.receive(receive, { notify });
    await client.ports.destroy(own);
    await expectNotice(server, notify, deadName(remote));
  },
);
