// Conformance: rights put into another task and taken out of it, by RPC to its kernel port
// (mach_port_insert_right, mach_port_extract_right). Names under which they lie are the server's.

import { expect } from "@jest/globals";
import {
  COPY_SEND,
  type Disposition,
  MACH_PORT_DEAD,
  MACH_PORT_NULL,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MOVE_RECEIVE,
  MOVE_SEND,
  MOVE_SEND_ONCE,
  PORT_RECEIVE,
  PORT_SEND,
  PORT_SEND_ONCE,
  RIGHT_SEND,
  TYPE_DEAD_NAME,
  TYPE_RECEIVE,
  TYPE_SEND,
  TYPE_SEND_ONCE,
} from "../../src/ipc/rights.ts";
import { TYPE_PORT_NAME } from "../../src/ipc/typed-item.ts";
import { conform } from "../support/conform.ts";
import { expectNotice, sendOnceGone } from "../support/conformance-steps.ts";
import { fails, type World } from "../support/worlds.ts";

const FREE = 0x345600;
const UNKNOWN = 0xdead00;
const UREFS_MAX = 65535;

/** The client's calls on the server; insert() makes a right from a name of the client's. */
const control = async ({ client, server, give }: World) => {
  const port = await give(server, await server.self(), COPY_SEND, client);
  const calls = client.kernel("machPort", port);
  return {
    ports: server.ports,
    insert: (name: number, right: number, disposition: Disposition) =>
      calls.insertRight({ name, poly: { right, disposition } }),
    extract: async (name: number, disposition: number) =>
      (await calls.extractRight({ name, disposition })).poly,
  };
};

conform("R13 insert_right(task): the same insert again is another reference", async (world) => {
  const { client, server } = world;
  const { insert, ports } = await control(world);
  const own = await client.ports.allocate();
  for (const count of [1, 2]) {
    await insert(FREE, own, MAKE_SEND);
    expect(await ports.type(FREE)).toBe(TYPE_SEND);
    expect(await ports.getRefs(FREE, RIGHT_SEND)).toBe(count);
    expect(await client.ports.getReceiveStatus(own)).toMatchObject({ mscount: count });
  }
  await server.send({ remote: FREE, id: 5 });
  expect(await client.receive(own)).toMatchObject({ id: 5 });
});

conform("R14 insert_right(task) refuses a second name for a port", async (world) => {
  const { client } = world;
  const { insert, ports } = await control(world);
  const own = await client.ports.allocate();
  await insert(FREE, own, MAKE_SEND);
  await fails(insert(FREE + 256, own, MAKE_SEND), "KERN_RIGHT_EXISTS");
  expect(await ports.getRefs(FREE, RIGHT_SEND)).toBe(1);
  await fails(ports.type(FREE + 256), "KERN_INVALID_NAME");
});

conform("R15 insert_right(task) refuses a name that denotes something else", async (world) => {
  const { client } = world;
  const { insert, ports } = await control(world);
  const own = await client.ports.allocate();
  const used = [
    await ports.allocate(),
    await ports.allocate("port-set"),
    await ports.allocate("dead-name"),
  ];
  for (const name of used) {
    await fails(insert(name, own, MAKE_SEND), "KERN_NAME_EXISTS");
    await fails(insert(name, own, MAKE_SEND_ONCE), "KERN_NAME_EXISTS");
    await expectNotice(client, own, sendOnceGone());
  }
  await insert(FREE, own, MAKE_SEND);
  for (const name of used) await fails(insert(name, own, MAKE_SEND), "KERN_RIGHT_EXISTS");
});

conform("R17 insert_right(task) refuses null and dead names and rights", async (world) => {
  const { client } = world;
  const { insert, ports } = await control(world);
  const own = await client.ports.allocate();
  for (const name of [MACH_PORT_NULL, MACH_PORT_DEAD]) {
    await fails(insert(name, own, MAKE_SEND_ONCE), "KERN_INVALID_VALUE");
    await expectNotice(client, own, sendOnceGone());
    await fails(insert(FREE, name, COPY_SEND), "KERN_INVALID_CAPABILITY");
    await fails(insert(FREE, name, MOVE_SEND_ONCE), "KERN_INVALID_CAPABILITY");
  }
  await fails(ports.type(FREE), "KERN_INVALID_NAME");
});

conform("R18 insert_right(task): a set has no rights to give", async (world) => {
  const { insert, ports } = await control(world);
  const set = await world.client.ports.allocate("port-set");
  await fails(insert(FREE, set, MAKE_SEND), "MACH_SEND_INVALID_RIGHT");
  await fails(insert(FREE, UNKNOWN, COPY_SEND), "MACH_SEND_INVALID_RIGHT");
  await fails(ports.type(FREE), "KERN_INVALID_NAME");
});

conform("mach_port_insert_right(task) moves send and send-once rights", async (world) => {
  const { client, server, third } = world;
  const { insert, ports } = await control(world);
  const { send, receive } = await world.door(client, third);
  await insert(FREE, send, MOVE_SEND);
  await fails(client.ports.type(send), "KERN_INVALID_NAME");
  const once = await world.give(third, receive, MAKE_SEND_ONCE, client);
  await insert(FREE + 256, once, MOVE_SEND_ONCE);
  await fails(client.ports.type(once), "KERN_INVALID_NAME");
  expect(await ports.type(FREE + 256)).toBe(TYPE_SEND_ONCE);
  await server.send({ remote: FREE, id: 5 });
  await server.send({ remote: FREE + 256, remoteDisposition: MOVE_SEND_ONCE, id: 6 });
  expect((await third.receive(receive)).id).toBe(5);
  expect((await third.receive(receive)).id).toBe(6);
});

conform("mach_port_insert_right(task) does not exceed the references of a name", async (world) => {
  const { insert, ports } = await control(world);
  const own = await world.client.ports.allocate();
  await insert(FREE, own, MAKE_SEND);
  await ports.modRefs(FREE, RIGHT_SEND, UREFS_MAX - 2);
  await fails(insert(FREE, own, MAKE_SEND), "KERN_UREFS_OVERFLOW");
  expect(await ports.getRefs(FREE, RIGHT_SEND)).toBe(UREFS_MAX - 1);
});

conform("mach_port_insert_right(task) says when the task has no more names", async (world) => {
  const { client, server } = world;
  const { insert } = await control(world);
  const own = await client.ports.allocate();
  await server.fillNames(0);
  await fails(insert(FREE, own, MAKE_SEND_ONCE), "KERN_NO_SPACE");
  await expectNotice(client, own, sendOnceGone());
});

conform("mach_port_insert_right(task) moves a receive right with its queue", async (world) => {
  const { client, server } = world;
  const { insert, ports } = await control(world);
  const own = await client.ports.allocate();
  await client.ports.insertRight(own, own, MAKE_SEND);
  await client.send({ remote: own, id: 7 });
  await insert(FREE, own, MOVE_RECEIVE);
  expect(await client.ports.type(own)).toBe(TYPE_SEND);
  expect(await ports.type(FREE)).toBe(TYPE_RECEIVE);
  expect(await server.receive(FREE)).toMatchObject({ id: 7 });
});

conform("R19 extract_right(task) copies a send right, and leaves one behind", async (world) => {
  const { client, server, third } = world;
  const { extract, ports } = await control(world);
  const { send, receive } = await world.door(server, third);
  const { right, kind } = await extract(send, COPY_SEND);
  expect(kind).toBe(PORT_SEND);
  expect(await client.ports.type(right)).toBe(TYPE_SEND);
  expect(await ports.getRefs(send, RIGHT_SEND)).toBe(1);
  await client.send({ remote: right, id: 8 });
  expect(await third.receive(receive)).toMatchObject({ id: 8 });
});

conform("mach_port_extract_right(task) moves rights, whose names are free then", async (world) => {
  const { client, server, third } = world;
  const { extract, ports } = await control(world);
  const { send, receive } = await world.door(server, third);
  const once = await world.give(third, receive, MAKE_SEND_ONCE, server);
  expect(await extract(send, MOVE_SEND)).toMatchObject({ kind: PORT_SEND });
  const moved = await extract(once, MOVE_SEND_ONCE);
  expect(moved.kind).toBe(PORT_SEND_ONCE);
  for (const name of [send, once]) await fails(ports.type(name), "KERN_INVALID_NAME");
  await client.send({ remote: moved.right, remoteDisposition: MOVE_SEND_ONCE, id: 4 });
  expect(await third.receive(receive)).toMatchObject({ id: 4 });
});

conform("mach_port_extract_right(task) makes rights from a receive right", async (world) => {
  const { client, server } = world;
  const { extract, ports } = await control(world);
  const theirs = await ports.allocate();
  const send = await extract(theirs, MAKE_SEND);
  const once = await extract(theirs, MAKE_SEND_ONCE);
  expect([send.kind, once.kind]).toEqual([PORT_SEND, PORT_SEND_ONCE]);
  expect(await ports.getReceiveStatus(theirs)).toMatchObject({ mscount: 1 });
  await client.send({ remote: send.right, id: 1 });
  await client.send({ remote: once.right, remoteDisposition: MOVE_SEND_ONCE, id: 2 });
  expect((await server.receive(theirs)).id).toBe(1);
  expect((await server.receive(theirs)).id).toBe(2);
});

conform("R20 extract_right(task) takes a receive right from its send rights", async (world) => {
  const { extract, ports } = await control(world);
  const theirs = await ports.allocate();
  await ports.insertRight(theirs, theirs, MAKE_SEND);
  const { right, kind } = await extract(theirs, MOVE_RECEIVE);
  expect(kind).toBe(PORT_RECEIVE);
  expect(await ports.type(theirs)).toBe(TYPE_SEND);
  await world.server.send({ remote: theirs, id: 3 });
  expect(await world.client.receive(right)).toMatchObject({ id: 3 });
});

conform("R21 extract_right(task): missing names, wrong kinds, no disposition", async (world) => {
  const { extract, ports } = await control(world);
  const theirs = await ports.allocate();
  const { send } = await world.door(world.server, world.third);
  const [set, dead] = [await ports.allocate("port-set"), await ports.allocate("dead-name")];
  for (const disposition of [MAKE_SEND, COPY_SEND, MOVE_SEND_ONCE]) {
    await fails(extract(UNKNOWN, disposition), "KERN_INVALID_NAME");
  }
  for (const disposition of [0, TYPE_PORT_NAME, 99, -1]) {
    await fails(extract(theirs, disposition), "KERN_INVALID_VALUE");
  }
  await fails(extract(theirs, COPY_SEND), "KERN_INVALID_RIGHT");
  await fails(extract(theirs, MOVE_SEND_ONCE), "KERN_INVALID_RIGHT");
  for (const name of [send, set, dead]) {
    await fails(extract(name, MAKE_SEND), "KERN_INVALID_RIGHT");
    await fails(extract(name, MOVE_RECEIVE), "KERN_INVALID_RIGHT");
  }
  expect([await ports.type(theirs), await ports.type(send), await ports.type(dead)]).toEqual([
    TYPE_RECEIVE,
    TYPE_SEND,
    TYPE_DEAD_NAME,
  ]);
});
