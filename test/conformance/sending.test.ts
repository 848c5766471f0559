// Conformance: what a send needs, what it does to the sender's rights, and its return codes up to queueing
// (Mach 3.0 header and body copyin).

import { expect } from "@jest/globals";
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
  RIGHT_SEND,
  TYPE_DEAD_NAME,
  TYPE_RECEIVE,
  TYPE_SEND,
  TYPE_SEND_ONCE,
} from "../../src/ipc/rights.ts";
import { conform } from "../support/conform.ts";
import { expectNotice, nameIn, receiveIds, sendOnceGone } from "../support/conformance-steps.ts";
import { right, rights } from "../support/peer-letter.ts";
import { fails, type World } from "../support/worlds.ts";

/** Dispositions that take a right away or make one of what the sender has. */
const SENDS = [MOVE_SEND, COPY_SEND, MAKE_SEND, MOVE_SEND_ONCE, MAKE_SEND_ONCE] as const;

conform("S8 an unknown destination, or one without the right, is refused", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  await fails(client.send({ remote: 0x4242 }), "MACH_SEND_INVALID_DEST");
  await fails(client.send({ remote: MACH_PORT_NULL }), "MACH_SEND_INVALID_DEST");
  await fails(client.send({ remote: MACH_PORT_DEAD }), "MACH_SEND_INVALID_DEST");
  for (const remoteDisposition of [MAKE_SEND, MAKE_SEND_ONCE, MOVE_SEND_ONCE]) {
    await fails(client.send({ remote: send, remoteDisposition }), "MACH_SEND_INVALID_DEST");
  }
  for (const remoteDisposition of [COPY_SEND, MOVE_SEND, MOVE_SEND_ONCE]) {
    await fails(server.send({ remote: receive, remoteDisposition }), "MACH_SEND_INVALID_DEST");
  }
  const set = await client.ports.allocate("port-set");
  for (const remoteDisposition of SENDS) {
    await fails(client.send({ remote: set, remoteDisposition }), "MACH_SEND_INVALID_DEST");
  }
  await world.expectNoMessage(server, receive);
});

conform("S8 a send-once right is a destination by MOVE_SEND_ONCE alone", async (world) => {
  const { client, server } = world;
  const port = await server.ports.allocate();
  const once = await world.give(server, port, MAKE_SEND_ONCE, client);
  for (const remoteDisposition of [COPY_SEND, MOVE_SEND, MAKE_SEND, MAKE_SEND_ONCE]) {
    await fails(client.send({ remote: once, remoteDisposition }), "MACH_SEND_INVALID_DEST");
  }
  await client.send({ remote: once, remoteDisposition: MOVE_SEND_ONCE, id: 6 });
  expect(await server.receive(port)).toMatchObject({ id: 6, localDisposition: PORT_SEND_ONCE });
  await fails(client.ports.type(once), "KERN_INVALID_NAME");
});

conform("S9 a dead destination is refused, and its name stays", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  await server.ports.destroy(receive);
  await world.settled();
  for (const remoteDisposition of [COPY_SEND, MOVE_SEND, MOVE_SEND_ONCE]) {
    await fails(client.send({ remote: send, remoteDisposition }), "MACH_SEND_INVALID_DEST");
  }
  expect(await client.ports.getRefs(send, RIGHT_DEAD_NAME)).toBe(1);
});

conform("S10 a reply port that is unknown, or lacks the right, is refused", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const port = await client.ports.allocate();
  const wrong = [
    [0x4242, MAKE_SEND_ONCE],
    [port, COPY_SEND],
    [port, MOVE_SEND],
    [port, MOVE_SEND_ONCE],
    [await client.ports.allocate("port-set"), MAKE_SEND],
    [await client.ports.allocate("dead-name"), MAKE_SEND],
  ] as const;
  for (const [local, localDisposition] of wrong) {
    const letter = { remote: send, remoteDisposition: MOVE_SEND, local, localDisposition };
    await fails(client.send(letter), "MACH_SEND_INVALID_REPLY");
  }
  expect(await client.ports.getRefs(send, RIGHT_SEND)).toBe(1);
  await world.expectNoMessage(server, receive);
});

conform("header the destination must exist before the reply port is looked at", async (world) => {
  const { client, server } = world;
  const { send } = await world.door(client, server);
  const bad = { local: 0x4242, localDisposition: MAKE_SEND };
  await fails(client.send({ remote: 0x4343, ...bad }), "MACH_SEND_INVALID_DEST");
  // It exists, though without the right that is asked for: the reply port is next.
  const lacking = { remote: send, remoteDisposition: MAKE_SEND, ...bad };
  await fails(client.send(lacking), "MACH_SEND_INVALID_REPLY");
});

conform("S11 a dead reply port arrives as MACH_PORT_DEAD", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const dead = await client.ports.allocate("dead-name");
  await client.ports.modRefs(dead, RIGHT_DEAD_NAME, 1);
  const dispositions = [COPY_SEND, MOVE_SEND, MOVE_SEND_ONCE];
  for (const localDisposition of dispositions) {
    await client.send({ remote: send, local: dead, localDisposition });
    expect(await server.receive(receive)).toMatchObject({ remote: MACH_PORT_DEAD });
  }
  await fails(client.ports.type(dead), "KERN_INVALID_NAME");
  await client.send({ remote: send, local: MACH_PORT_DEAD, localDisposition: COPY_SEND });
  expect(await server.receive(receive)).toMatchObject({ remote: MACH_PORT_DEAD });
  await client.send({ remote: send, local: MACH_PORT_NULL, localDisposition: MAKE_SEND });
  expect(await server.receive(receive)).toMatchObject({ remote: MACH_PORT_NULL });
});

conform("S12 dispositions that cannot stand in a header are refused", async (world) => {
  const { client, server } = world;
  const { send } = await world.door(client, server);
  const port = await client.ports.allocate();
  for (const remoteDisposition of [0, MOVE_RECEIVE, 15, 22]) {
    await fails(client.send({ remote: send, remoteDisposition }), "MACH_SEND_INVALID_HEADER");
  }
  for (const localDisposition of [0, MOVE_RECEIVE, 15, 22]) {
    const letter = { remote: send, local: port, localDisposition };
    await fails(client.send(letter), "MACH_SEND_INVALID_HEADER");
  }
  const receiveOnly = { remote: send, localDisposition: MOVE_RECEIVE };
  await fails(client.send(receiveOnly), "MACH_SEND_INVALID_HEADER");
  expect(await client.ports.type(port)).toBe(TYPE_RECEIVE);
});

/** One name as destination and reply port: what is left of `references` afterwards. */
const sameName = async (
  { client, server, door }: World,
  remoteDisposition: number,
  localDisposition: number,
  references: number,
): Promise<number> => {
  const { send, receive } = await door(client, server);
  await client.ports.modRefs(send, RIGHT_SEND, references - 1);
  await client.send({ remote: send, remoteDisposition, local: send, localDisposition, id: 9 });
  // The reply right is one to the server's own port.
  const reply = { id: 9, remote: receive, remoteDisposition: PORT_SEND, local: receive };
  expect(await server.receive(receive)).toMatchObject(reply);
  await server.ports.deallocate(receive);
  const left = (await client.ports.names()).includes(send);
  return left ? await client.ports.getRefs(send, RIGHT_SEND) : 0;
};

conform("S13 one name as destination and reply: one of the two may move", async (world) => {
  expect(await sameName(world, MOVE_SEND, COPY_SEND, 1)).toBe(0);
  expect(await sameName(world, COPY_SEND, MOVE_SEND, 1)).toBe(0);
  expect(await sameName(world, COPY_SEND, COPY_SEND, 1)).toBe(1);
});

conform("S14 one name as destination and reply: two moves need two references", async (world) => {
  const { client, server } = world;
  const { send } = await world.door(client, server);
  const both = { remoteDisposition: MOVE_SEND, local: send, localDisposition: MOVE_SEND };
  await fails(client.send({ remote: send, ...both }), "MACH_SEND_INVALID_DEST");
  expect(await client.ports.getRefs(send, RIGHT_SEND)).toBe(1);
  expect(await sameName(world, MOVE_SEND, MOVE_SEND, 2)).toBe(0);
});

conform("S15 one name as destination and reply: not a send-once right", async (world) => {
  const { client, server } = world;
  const port = await server.ports.allocate();
  const once = await world.give(server, port, MAKE_SEND_ONCE, client);
  const pairs = [
    [MOVE_SEND_ONCE, MOVE_SEND_ONCE],
    [MOVE_SEND_ONCE, COPY_SEND],
    [COPY_SEND, MOVE_SEND_ONCE],
  ] as const;
  for (const [remoteDisposition, localDisposition] of pairs) {
    const letter = { remote: once, remoteDisposition, local: once, localDisposition };
    await fails(client.send(letter), "MACH_SEND_INVALID_DEST");
  }
  expect(await client.ports.type(once)).toBe(TYPE_SEND_ONCE);
});

conform("S16 destination and reply can be made of one receive right", async ({ client }) => {
  const port = await client.ports.allocate();
  const letter = { remote: port, local: port, id: 3 };
  await client.send({ ...letter, remoteDisposition: MAKE_SEND, localDisposition: MAKE_SEND_ONCE });
  const got = await client.receive(port);
  expect(got).toMatchObject({ id: 3, local: port, localDisposition: PORT_SEND });
  expect(got).toMatchObject({ remoteDisposition: PORT_SEND_ONCE });
  expect(await client.ports.type(got.remote)).toBe(TYPE_SEND_ONCE);
  expect(await client.ports.getReceiveStatus(port)).toMatchObject({ mscount: 1, sorights: 1 });
});

conform("S17 each disposition of the reply port gives the receiver its right", async (world) => {
  const { client, server, third } = world;
  const { send, receive } = await world.door(client, server);
  const { send: other, receive: port } = await world.door(client, third);
  const own = await client.ports.allocate();
  const once = await world.give(third, port, MAKE_SEND_ONCE, client);
  for (const [local, localDisposition, at, home] of [
    [other, COPY_SEND, third, port],
    [other, MOVE_SEND, third, port],
    [once, MOVE_SEND_ONCE, third, port],
    [own, MAKE_SEND, client, own],
    [own, MAKE_SEND_ONCE, client, own],
  ] as const) {
    await client.send({ remote: send, local, localDisposition, id: 1 });
    const { remote, remoteDisposition } = await server.receive(receive);
    const isOnce = localDisposition === MOVE_SEND_ONCE || localDisposition === MAKE_SEND_ONCE;
    expect(remoteDisposition).toBe(isOnce ? PORT_SEND_ONCE : PORT_SEND);
    expect(await server.ports.type(remote)).toBe(isOnce ? TYPE_SEND_ONCE : TYPE_SEND);
    await server.send({ remote, remoteDisposition, id: 77 });
    expect(await at.receive(home)).toMatchObject({ id: 77, localDisposition: remoteDisposition });
  }
  await fails(client.ports.type(other), "KERN_INVALID_NAME");
  await fails(client.ports.type(once), "KERN_INVALID_NAME");
});

conform("S18 null and dead names in place of rights are carried unchanged", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const dead = await client.ports.allocate("dead-name");
  const items = [
    right(MACH_PORT_NULL, COPY_SEND),
    rights([MACH_PORT_DEAD, MACH_PORT_NULL, dead], MOVE_SEND),
    right(MACH_PORT_NULL, MAKE_SEND_ONCE),
  ];
  await client.send({ remote: send, items });
  expect((await server.receive(receive)).items).toEqual([
    right(MACH_PORT_NULL, PORT_SEND),
    rights([MACH_PORT_DEAD, MACH_PORT_NULL, MACH_PORT_DEAD], PORT_SEND),
    right(MACH_PORT_NULL, PORT_SEND_ONCE),
  ]);
  await fails(client.ports.type(dead), "KERN_INVALID_NAME");
});

conform(
  "dispositions each disposition does its own to the sender, and carries its right",
  async (world) => {
    const { client, server, third } = world;
    const { send: remote, receive } = await world.door(client, server);
    const { send, receive: home } = await world.door(client, third);
    const once = await world.give(third, home, MAKE_SEND_ONCE, client);
    const own = await client.ports.allocate();
    await client.ports.modRefs(send, RIGHT_SEND, 1);
    const received = async (name: number, disposition: (typeof SENDS)[number]): Promise<number> => {
      await client.send({ remote, items: [right(name, disposition)] });
      const letter = await server.receive(receive);
      expect(letter.complex).toBe(true);
      return await server.ports.type(nameIn(letter));
    };
    expect(await received(own, MAKE_SEND)).toBe(TYPE_SEND);
    expect(await client.ports.getReceiveStatus(own)).toMatchObject({ mscount: 1, sorights: 0 });
    expect(await received(own, MAKE_SEND_ONCE)).toBe(TYPE_SEND_ONCE);
    expect(await client.ports.getReceiveStatus(own)).toMatchObject({ mscount: 1, sorights: 1 });
    expect(await client.ports.type(own)).toBe(TYPE_RECEIVE);
    expect(await received(send, COPY_SEND)).toBe(TYPE_SEND);
    expect(await client.ports.getRefs(send, RIGHT_SEND)).toBe(2);
    expect(await received(send, MOVE_SEND)).toBe(TYPE_SEND);
    expect(await client.ports.getRefs(send, RIGHT_SEND)).toBe(1);
    expect(await received(send, MOVE_SEND)).toBe(TYPE_SEND);
    await fails(client.ports.type(send), "KERN_INVALID_NAME");
    expect(await received(once, MOVE_SEND_ONCE)).toBe(TYPE_SEND_ONCE);
    await fails(client.ports.type(once), "KERN_INVALID_NAME");
  },
);

conform("dispositions MOVE_RECEIVE moves the queue along and resets the counts", async (world) => {
  const { client, server } = world;
  const { send: remote, receive } = await world.door(client, server);
  const port = await client.ports.allocate();
  await client.ports.insertRight(port, port, MAKE_SEND);
  await client.ports.setSeqno(port, 9);
  for (const id of [1, 2]) await client.send({ remote: port, id });
  await client.send({ remote, items: [right(port, MOVE_RECEIVE)] });
  const moved = nameIn(await server.receive(receive));
  const status = { mscount: 0, seqno: 0, msgcount: 2, qlimit: 5, srights: true };
  expect(await server.ports.getReceiveStatus(moved)).toMatchObject(status);
  expect(await client.ports.type(port)).toBe(TYPE_SEND);
  await client.send({ remote: port, id: 3 });
  expect(await receiveIds(server, moved, 3)).toEqual([1, 2, 3]);
});

conform("dispositions a right that the sender lacks destroys the message", async (world) => {
  const { client, server, third } = world;
  const { send: remote, receive } = await world.door(client, server);
  const { send, receive: home } = await world.door(client, third);
  const own = await client.ports.allocate();
  const set = await client.ports.allocate("port-set");
  const once = await world.give(third, home, MAKE_SEND_ONCE, client);
  const wrong = [
    [own, COPY_SEND],
    [own, MOVE_SEND],
    [own, MOVE_SEND_ONCE],
    [send, MAKE_SEND],
    [send, MAKE_SEND_ONCE],
    [send, MOVE_SEND_ONCE],
    [send, MOVE_RECEIVE],
    [once, COPY_SEND],
    [once, MOVE_SEND],
    [once, MAKE_SEND],
    [set, MAKE_SEND],
    [set, MOVE_RECEIVE],
    [0x4242, COPY_SEND],
  ] as const;
  for (const [name, disposition] of wrong) {
    const items = [right(name, disposition)];
    await fails(client.send({ remote, items }), "MACH_SEND_INVALID_RIGHT");
  }
  expect(await client.ports.type(send)).toBe(TYPE_SEND);
  expect(await client.ports.type(once)).toBe(TYPE_SEND_ONCE);
  // What had been taken when the bad right was met is destroyed: here a send-once right.
  const local = { local: own, localDisposition: MAKE_SEND_ONCE };
  const items = [right(once, MOVE_SEND_ONCE), right(0x4242, COPY_SEND)];
  await fails(client.send({ remote, ...local, items }), "MACH_SEND_INVALID_RIGHT");
  await expectNotice(third, home, sendOnceGone());
  await expectNotice(client, own, sendOnceGone());
  await world.expectNoMessage(server, receive);
});

conform("S1 a rejected header leaves every name as it was", async (world) => {
  const { client, server } = world;
  const { send } = await world.door(client, server);
  const dead = await client.ports.allocate("dead-name");
  const before = await client.ports.names();
  const letter = { remote: dead, remoteDisposition: MOVE_SEND };
  const reply = { local: send, localDisposition: MOVE_SEND };
  await fails(client.send({ ...letter, ...reply }), "MACH_SEND_INVALID_DEST");
  expect(await client.ports.names()).toEqual(before);
  expect(await client.ports.type(dead)).toBe(TYPE_DEAD_NAME);
  expect(await client.ports.getRefs(send, RIGHT_SEND)).toBe(1);
});
