// Conformance: rights put into a task and taken out of it, and what can be told and set of a receive right
// (mach_port_insert_right, extract_right, get_receive_status, set_qlimit, set_mscount, set_seqno).

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
  RIGHT_SEND,
  TYPE_RECEIVE,
  TYPE_SEND,
  TYPE_SEND_ONCE,
} from "../../src/ipc/rights.ts";
import { TYPE_PORT_NAME } from "../../src/ipc/typed-item.ts";
import { conform } from "../support/conform.ts";
import { expectNotice, nameIn, sendMany, sendOnceGone } from "../support/conformance-steps.ts";
import { right } from "../support/peer-letter.ts";
import { fails } from "../support/worlds.ts";

const FREE = 0x345600;
const BOTH = TYPE_SEND + TYPE_RECEIVE;
const UREFS_MAX = 65535;

conform("R13 the same insert again makes another send right", async ({ client: { ports } }) => {
  const port = await ports.allocate();
  for (const count of [1, 2]) {
    await ports.insertRight(port, port, MAKE_SEND);
    expect(await ports.type(port)).toBe(BOTH);
    expect(await ports.getRefs(port, RIGHT_SEND)).toBe(count);
    expect(await ports.getReceiveStatus(port)).toMatchObject({ mscount: count, srights: true });
  }
  await ports.insertRight(port, port, COPY_SEND);
  expect(await ports.getRefs(port, RIGHT_SEND)).toBe(3);
  expect(await ports.getReceiveStatus(port)).toMatchObject({ mscount: 2 });
});

conform("R14 insert_right refuses a second name for a port", async ({ client: { ports } }) => {
  const port = await ports.allocate();
  await fails(ports.insertRight(FREE, port, MAKE_SEND), "KERN_RIGHT_EXISTS");
  expect(await ports.type(port)).toBe(TYPE_RECEIVE);
  expect(await ports.getReceiveStatus(port)).toMatchObject({ mscount: 0, srights: false });
  await fails(ports.type(FREE), "KERN_INVALID_NAME");
});

conform("R15 insert_right refuses a name that denotes something else", async (world) => {
  const { ports } = world.client;
  const [port, other] = [await ports.allocate(), await ports.allocate()];
  const set = await ports.allocate("port-set");
  const dead = await ports.allocate("dead-name");
  await fails(ports.insertRight(other, port, MAKE_SEND), "KERN_RIGHT_EXISTS");
  for (const used of [other, set, dead, port]) {
    await fails(ports.insertRight(used, port, MAKE_SEND_ONCE), "KERN_NAME_EXISTS");
  }
  expect(await ports.getReceiveStatus(port)).toMatchObject({ mscount: 0, sorights: 0 });
});

conform(
  "R17 insert_right refuses null and dead names and rights",
  async ({ client: { ports } }) => {
    const port = await ports.allocate();
    for (const name of [MACH_PORT_NULL, MACH_PORT_DEAD]) {
      await fails(ports.insertRight(name, port, MAKE_SEND), "KERN_INVALID_VALUE");
      await fails(ports.insertRight(FREE, name, COPY_SEND), "KERN_INVALID_CAPABILITY");
    }
    await fails(ports.insertRight(FREE, port, 0), "KERN_INVALID_VALUE");
    await fails(ports.insertRight(FREE, port, TYPE_PORT_NAME as Disposition), "KERN_INVALID_VALUE");
    expect(await ports.type(port)).toBe(TYPE_RECEIVE);
  },
);

conform(
  "R18 insert_right refuses to make a send right from a set",
  async ({ client: { ports } }) => {
    const set = await ports.allocate("port-set");
    await fails(ports.insertRight(FREE, set, MAKE_SEND), "KERN_INVALID_RIGHT");
    await fails(ports.insertRight(set, set, MAKE_SEND), "KERN_INVALID_RIGHT");
  },
);

conform("mach_port_insert_right puts a send-once right under a free name", async ({ client }) => {
  const { ports } = client;
  const port = await ports.allocate();
  await ports.insertRight(FREE, port, MAKE_SEND_ONCE);
  expect(await ports.type(FREE)).toBe(TYPE_SEND_ONCE);
  await ports.insertRight(FREE + 256, FREE, MOVE_SEND_ONCE);
  await fails(ports.type(FREE), "KERN_INVALID_NAME");
  expect(await ports.getReceiveStatus(port)).toMatchObject({ sorights: 1 });
  await client.send({ remote: FREE + 256, remoteDisposition: MOVE_SEND_ONCE, id: 4 });
  expect(await client.receive(port)).toMatchObject({ id: 4 });
});

conform("mach_port_insert_right moves a receive right to a free name", async ({ client }) => {
  const { ports } = client;
  const port = await ports.allocate();
  await ports.insertRight(FREE, port, MOVE_RECEIVE);
  await fails(ports.type(port), "KERN_INVALID_NAME");
  expect(await ports.type(FREE)).toBe(TYPE_RECEIVE);
  await ports.insertRight(FREE, FREE, MAKE_SEND);
  await client.send({ remote: FREE, id: 4 });
  expect(await client.receive(FREE)).toMatchObject({ id: 4, local: FREE });
});

conform("mach_port_insert_right does not exceed the references of a send right", async (world) => {
  const { ports } = world.client;
  const port = await ports.allocate();
  await ports.insertRight(port, port, MAKE_SEND);
  await ports.modRefs(port, RIGHT_SEND, UREFS_MAX - 2);
  await fails(ports.insertRight(port, port, MAKE_SEND), "KERN_UREFS_OVERFLOW");
  expect(await ports.getReceiveStatus(port)).toMatchObject({ mscount: 1 });
});

conform("R19 extract_right of a copied send right leaves one behind", async (world) => {
  const { client, server } = world;
  const { send } = await world.door(client, server);
  expect(await client.ports.extractRight(send, COPY_SEND)).toBe(send);
  expect(await client.ports.getRefs(send, RIGHT_SEND)).toBe(2);
  expect(await client.ports.extractRight(send, MOVE_SEND)).toBe(send);
  expect(await client.ports.getRefs(send, RIGHT_SEND)).toBe(2);
});

conform("R20 extract_right of a receive right leaves its send rights", async ({ client }) => {
  const { ports } = client;
  const port = await ports.allocate();
  await ports.insertRight(port, port, MAKE_SEND);
  expect(await ports.extractRight(port, MOVE_RECEIVE)).toBe(port);
  expect(await ports.type(port)).toBe(BOTH);
  expect(await ports.getReceiveStatus(port)).toMatchObject({ mscount: 0, srights: true });
});

conform("mach_port_extract_right makes rights", async ({ client }) => {
  const { ports } = client;
  const port = await ports.allocate();
  expect(await ports.extractRight(port, MAKE_SEND)).toBe(port);
  const once = await ports.extractRight(port, MAKE_SEND_ONCE);
  expect(await ports.type(once)).toBe(TYPE_SEND_ONCE);
  expect(await ports.getReceiveStatus(port)).toMatchObject({ mscount: 1, sorights: 1 });
  const moved = await ports.extractRight(once, MOVE_SEND_ONCE);
  expect(await ports.type(moved)).toBe(TYPE_SEND_ONCE);
  await ports.destroy(moved);
  await expectNotice(client, port, sendOnceGone());
});

conform("R21 extract_right refuses missing names and rights", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const set = await client.ports.allocate("port-set");
  for (const disposition of [MOVE_RECEIVE, MOVE_SEND_ONCE, MAKE_SEND, MAKE_SEND_ONCE] as const) {
    await fails(client.ports.extractRight(send, disposition), "KERN_INVALID_RIGHT");
  }
  for (const disposition of [MOVE_SEND, COPY_SEND, MOVE_SEND_ONCE] as const) {
    await fails(server.ports.extractRight(receive, disposition), "KERN_INVALID_RIGHT");
  }
  await fails(client.ports.extractRight(set, MOVE_RECEIVE), "KERN_INVALID_RIGHT");
  await fails(client.ports.extractRight(0x4242, COPY_SEND), "KERN_INVALID_NAME");
  for (const wrong of [0, TYPE_PORT_NAME, 22]) {
    await fails(client.ports.extractRight(send, wrong as Disposition), "KERN_INVALID_VALUE");
  }
});

conform("R33 a fresh port has no rights, no messages and the default limit", async ({ client }) => {
  const port = await client.ports.allocate();
  expect(await client.ports.getReceiveStatus(port)).toEqual({
    pset: MACH_PORT_NULL,
    seqno: 0,
    mscount: 0,
    qlimit: 5,
    msgcount: 0,
    sorights: 0,
    srights: false,
    pdrequest: false,
    nsrequest: false,
  });
});

conform("mach_port_get_receive_status counts messages and rights elsewhere", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  await world.give(server, receive, MAKE_SEND_ONCE, client);
  await sendMany(world, client, send, 3);
  const status = { msgcount: 3, sorights: 1, srights: true, mscount: 1, seqno: 0 };
  expect(await server.ports.getReceiveStatus(receive)).toMatchObject(status);
  await server.receive(receive);
  const after = { ...status, msgcount: 2, seqno: 1 };
  expect(await server.ports.getReceiveStatus(receive)).toMatchObject(after);
});

conform("R34 what is told and set of a receive right needs one", async (world) => {
  const { client, server } = world;
  const { send } = await world.door(client, server);
  const { ports } = client;
  const set = await ports.allocate("port-set");
  const cases = [
    [send, "KERN_INVALID_RIGHT"],
    [set, "KERN_INVALID_RIGHT"],
    [await ports.allocate("dead-name"), "KERN_INVALID_RIGHT"],
    [0x4242, "KERN_INVALID_NAME"],
  ] as const;
  for (const [name, code] of cases) {
    await fails(ports.getReceiveStatus(name), code);
    await fails(ports.setQlimit(name, 3), code);
    await fails(ports.setMscount(name, 3), code);
    await fails(ports.setSeqno(name, 3), code);
  }
});

conform("R35 a queue limit is 0 to 16", async ({ client: { ports } }) => {
  const port = await ports.allocate();
  for (const limit of [16, 0, 1]) {
    await ports.setQlimit(port, limit);
    expect(await ports.getReceiveStatus(port)).toMatchObject({ qlimit: limit });
  }
  for (const limit of [17, -1]) await fails(ports.setQlimit(port, limit), "KERN_INVALID_VALUE");
  expect(await ports.getReceiveStatus(port)).toMatchObject({ qlimit: 1 });
});

conform("R36 make-send count and sequence number can be set to anything", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  await server.ports.setMscount(receive, 1_000_000);
  await server.ports.setSeqno(receive, 41);
  const status = { mscount: 1_000_000, seqno: 41 };
  expect(await server.ports.getReceiveStatus(receive)).toMatchObject(status);
  await server.ports.insertRight(receive, receive, MAKE_SEND);
  expect(await server.ports.getReceiveStatus(receive)).toMatchObject({ mscount: 1_000_001 });
  await client.send({ remote: send });
  await client.send({ remote: send });
  expect(await server.receive(receive)).toMatchObject({ sequence: 41 });
  expect(await server.receive(receive)).toMatchObject({ sequence: 42 });
});

conform("R37 a send right sent to its own receiver joins the receive right", async ({ client }) => {
  const { ports } = client;
  const port = await ports.allocate();
  await ports.insertRight(port, port, MAKE_SEND);
  await client.send({
    remote: port,
    remoteDisposition: MOVE_SEND,
    items: [right(port, MAKE_SEND)],
  });
  expect(await ports.type(port)).toBe(TYPE_RECEIVE);
  const { items } = await client.receive(port);
  expect(items).toEqual([right(port, PORT_SEND)]);
  expect(await ports.type(port)).toBe(BOTH);
  expect(await ports.getRefs(port, RIGHT_SEND)).toBe(1);
});

for (const [label, position] of [
  ["first", 0],
  ["second", 1],
  ["last", 2],
] as const) {
  conform(
    `R38 two send rights and the receive right, ${label}, come together under one name`,
    async (world) => {
      const { client, server } = world;
      const { send: remote, receive } = await world.door(server, client);
      const port = await server.ports.allocate();
      await server.ports.insertRight(port, port, MAKE_SEND);
      await server.ports.modRefs(port, RIGHT_SEND, 1);
      const names: number[] = [];
      for (let i = 0; i < 3; i++) {
        const items = [right(port, i === position ? MOVE_RECEIVE : MOVE_SEND)];
        await server.send({ remote, items });
        const letter = await client.receive(receive);
        expect(letter.items).toMatchObject([
          { disposition: i === position ? PORT_RECEIVE : PORT_SEND },
        ]);
        names.push(nameIn(letter));
      }
      expect(new Set(names).size).toBe(1);
      expect(await client.ports.type(names[0]!)).toBe(BOTH);
      expect(await client.ports.getRefs(names[0]!, RIGHT_SEND)).toBe(2);
      await fails(server.ports.type(port), "KERN_INVALID_NAME");
    },
  );
}
