// Conformance: names, the rights under them and their references (mach_port_names to mach_port_mod_refs).

import { expect } from "@jest/globals";
import {
  COPY_SEND,
  MACH_PORT_DEAD,
  MACH_PORT_NULL,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  NOTIFY_DEAD_NAME,
  RIGHT_DEAD_NAME,
  RIGHT_PORT_SET,
  RIGHT_RECEIVE,
  RIGHT_SEND,
  RIGHT_SEND_ONCE,
  type Right,
  TYPE_DEAD_NAME,
  TYPE_DNREQUEST,
  TYPE_PORT_SET,
  TYPE_RECEIVE,
  TYPE_SEND,
  TYPE_SEND_ONCE,
} from "../../src/ipc/rights.ts";
import { conform } from "../support/conform.ts";
import { deadName, expectNotice, sendOnceGone } from "../support/conformance-steps.ts";
import { fails, NAMES_PER_TASK } from "../support/worlds.ts";

const KINDS = ["receive", "port-set", "dead-name"] as const;
const TYPES = { receive: TYPE_RECEIVE, "port-set": TYPE_PORT_SET, "dead-name": TYPE_DEAD_NAME };
const RIGHTS: readonly Right[] = [0, 1, 2, 3, 4];
const UREFS_MAX = 65535;

conform("R2 an allocation adds one name of its type to the names", async ({ client }) => {
  for (const kind of KINDS) {
    const before = await client.ports.names();
    const name = await client.ports.allocate(kind);
    const after = await client.ports.names();
    expect(after).toHaveLength(before.length + 1);
    expect(after).toContain(name);
    expect(await client.ports.type(name)).toBe(TYPES[kind]);
  }
});

conform("R4 rename refuses names that are in use, null, dead or unknown", async ({ client }) => {
  const name = await client.ports.allocate();
  const other = await client.ports.allocate("dead-name");
  await fails(client.ports.rename(name, other), "KERN_NAME_EXISTS");
  await fails(client.ports.rename(name, MACH_PORT_NULL), "KERN_INVALID_VALUE");
  await fails(client.ports.rename(name, MACH_PORT_DEAD), "KERN_INVALID_VALUE");
  await fails(client.ports.rename(0x7777, 0x8888), "KERN_INVALID_NAME");
  await client.ports.rename(name, 0x8888);
  await fails(client.ports.type(name), "KERN_INVALID_NAME");
  expect(await client.ports.type(0x8888)).toBe(TYPE_RECEIVE);
});

conform("mach_port_rename takes references, requests and set along", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const notify = await client.ports.allocate();
  await client.ports.modRefs(send, RIGHT_SEND, 2);
  await client.ports.requestNotification(send, NOTIFY_DEAD_NAME, 0, notify);
  await client.ports.rename(send, 0x123400);
  expect(await client.ports.getRefs(0x123400, RIGHT_SEND)).toBe(3);
  expect(await client.ports.type(0x123400)).toBe(TYPE_SEND + TYPE_DNREQUEST);
  const set = await server.ports.allocate("port-set");
  await server.ports.moveMember(receive, set);
  await server.ports.rename(receive, 0x567800);
  await server.ports.rename(set, 0x9abc00);
  expect(await server.ports.getSetStatus(0x9abc00)).toEqual([0x567800]);
  expect(await server.ports.getReceiveStatus(0x567800)).toMatchObject({ pset: 0x9abc00 });
  await client.send({ remote: 0x123400, id: 3 });
  expect(await server.receive(0x9abc00)).toMatchObject({ id: 3, local: 0x567800 });
  await server.ports.destroy(0x567800);
  await expectNotice(client, notify, deadName(0x123400));
  expect(await client.ports.getRefs(0x123400, RIGHT_DEAD_NAME)).toBe(4);
});

conform("R5 allocate_name gives the name that is asked for", async ({ client }) => {
  for (const [i, kind] of KINDS.entries()) {
    const name = 0xabcd00 + i;
    await client.ports.allocateName(name, kind);
    expect(await client.ports.type(name)).toBe(TYPES[kind]);
  }
});

conform("R6 allocate_name refuses used, null and dead names, and other rights", async (world) => {
  const { ports } = world.client;
  const used = await ports.allocate();
  for (const kind of KINDS) {
    await fails(ports.allocateName(used, kind), "KERN_NAME_EXISTS");
    await fails(ports.allocateName(MACH_PORT_NULL, kind), "KERN_INVALID_VALUE");
    await fails(ports.allocateName(MACH_PORT_DEAD, kind), "KERN_INVALID_VALUE");
  }
  await fails(ports.allocateName(0x777, "send" as never), "KERN_INVALID_VALUE");
  await fails(ports.allocateName(0x777, "send-once" as never), "KERN_INVALID_VALUE");
  await fails(ports.type(0x777), "KERN_INVALID_NAME");
});

conform("R7 allocate refuses send rights, and rights that there are not", async ({ client }) => {
  const before = await client.ports.names();
  for (const kind of ["send", "send-once", "5"]) {
    await fails(client.ports.allocate(kind as never), "KERN_INVALID_VALUE");
  }
  expect(await client.ports.names()).toEqual(before);
});

conform("R8 many allocations give as many names", async ({ client }) => {
  const names = new Set<number>();
  for (let i = 0; i < 60; i++) names.add(await client.ports.allocate(KINDS[i % 3]!));
  expect(names.size).toBe(60);
});

conform("R10 deallocate of a dead name drops one reference", async ({ client }) => {
  const name = await client.ports.allocate("dead-name");
  await client.ports.modRefs(name, RIGHT_DEAD_NAME, 1);
  await client.ports.deallocate(name);
  expect(await client.ports.getRefs(name, RIGHT_DEAD_NAME)).toBe(1);
  await client.ports.deallocate(name);
  await fails(client.ports.type(name), "KERN_INVALID_NAME");
});

conform(
  "mach_port_deallocate drops send references, and uses up send-once rights",
  async (world) => {
    const { client, server } = world;
    const port = await server.ports.allocate();
    const send = await world.give(server, port, MAKE_SEND, client);
    await client.ports.modRefs(send, RIGHT_SEND, 1);
    await client.ports.deallocate(send);
    expect(await client.ports.getRefs(send, RIGHT_SEND)).toBe(1);
    await client.ports.deallocate(send);
    await fails(client.ports.deallocate(send), "KERN_INVALID_NAME");
    const once = await world.give(server, port, MAKE_SEND_ONCE, client);
    await client.ports.deallocate(once);
    await expectNotice(server, port, sendOnceGone());
    await fails(client.ports.type(once), "KERN_INVALID_NAME");
  },
);

conform("mach_port_deallocate refuses bare receive rights and sets", async ({ client }) => {
  const { ports } = client;
  const port = await ports.allocate();
  await fails(ports.deallocate(port), "KERN_INVALID_RIGHT");
  await fails(ports.deallocate(await ports.allocate("port-set")), "KERN_INVALID_RIGHT");
  await ports.insertRight(port, port, MAKE_SEND);
  await ports.deallocate(port);
  expect(await ports.type(port)).toBe(TYPE_RECEIVE);
});

conform("mach_port_destroy frees a name of any type", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  await client.ports.modRefs(send, RIGHT_SEND, 4);
  const once = await world.give(server, receive, MAKE_SEND_ONCE, client);
  const both = await client.ports.allocate();
  await client.ports.insertRight(both, both, MAKE_SEND);
  const names = [send, once, both];
  for (const kind of KINDS) names.push(await client.ports.allocate(kind));
  for (const name of names) {
    await client.ports.destroy(name);
    await fails(client.ports.type(name), "KERN_INVALID_NAME");
    await fails(client.ports.destroy(name), "KERN_INVALID_NAME");
  }
  await expectNotice(server, receive, sendOnceGone());
  await world.expectNoMessage(server, receive);
});

conform("mach_port_type tells dead names once the port has died", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  expect(await client.ports.type(send)).toBe(TYPE_SEND);
  const once = await world.give(server, receive, MAKE_SEND_ONCE, client);
  expect(await client.ports.type(once)).toBe(TYPE_SEND_ONCE);
  await server.ports.destroy(receive);
  await world.settled();
  expect(await client.ports.type(send)).toBe(TYPE_DEAD_NAME);
  expect(await client.ports.type(once)).toBe(TYPE_DEAD_NAME);
  await fails(client.ports.type(0x4242), "KERN_INVALID_NAME");
});

conform("R22 get_refs is 0 for a right that the name lacks", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const once = await world.give(server, receive, MAKE_SEND_ONCE, client);
  await client.ports.modRefs(send, RIGHT_SEND, 6);
  const port = await client.ports.allocate();
  const set = await client.ports.allocate("port-set");
  const dead = await client.ports.allocate("dead-name");
  const refs = async (name: number): Promise<number[]> =>
    Promise.all(RIGHTS.map((right) => client.ports.getRefs(name, right)));
  expect(await refs(send)).toEqual([7, 0, 0, 0, 0]);
  expect(await refs(port)).toEqual([0, 1, 0, 0, 0]);
  expect(await refs(once)).toEqual([0, 0, 1, 0, 0]);
  expect(await refs(set)).toEqual([0, 0, 0, 1, 0]);
  expect(await refs(dead)).toEqual([0, 0, 0, 0, 1]);
  await fails(client.ports.getRefs(port, 5 as Right), "KERN_INVALID_VALUE");
  await fails(client.ports.getRefs(0x4242, RIGHT_SEND), "KERN_INVALID_NAME");
});

conform("R23 mod_refs of a receive right by other rights is refused", async ({ client }) => {
  const port = await client.ports.allocate();
  for (const right of [RIGHT_SEND, RIGHT_SEND_ONCE, RIGHT_PORT_SET, RIGHT_DEAD_NAME] as const) {
    await fails(client.ports.modRefs(port, right, -1), "KERN_INVALID_RIGHT");
  }
  await client.ports.modRefs(port, RIGHT_RECEIVE, -1);
  await fails(client.ports.type(port), "KERN_INVALID_NAME");
});

conform("R24 mod_refs of a set by other rights is refused", async ({ client }) => {
  const set = await client.ports.allocate("port-set");
  for (const right of [RIGHT_SEND, RIGHT_RECEIVE, RIGHT_SEND_ONCE, RIGHT_DEAD_NAME] as const) {
    await fails(client.ports.modRefs(set, right, -1), "KERN_INVALID_RIGHT");
  }
  await client.ports.modRefs(set, RIGHT_PORT_SET, -1);
  await fails(client.ports.type(set), "KERN_INVALID_NAME");
});

conform("R25 mod_refs refuses rights that there are not", async ({ client }) => {
  const port = await client.ports.allocate();
  await fails(client.ports.modRefs(port, 5 as Right, 0), "KERN_INVALID_VALUE");
  await fails(client.ports.modRefs(0x4242, RIGHT_SEND, 1), "KERN_INVALID_NAME");
});

conform("R26 mod_refs changes a receive right or a set by 0 or -1", async ({ client }) => {
  const port = await client.ports.allocate();
  const set = await client.ports.allocate("port-set");
  for (const delta of [1, -2]) {
    await fails(client.ports.modRefs(port, RIGHT_RECEIVE, delta), "KERN_INVALID_VALUE");
    await fails(client.ports.modRefs(set, RIGHT_PORT_SET, delta), "KERN_INVALID_VALUE");
  }
  await client.ports.modRefs(port, RIGHT_RECEIVE, 0);
  await client.ports.modRefs(set, RIGHT_PORT_SET, 0);
  expect(await client.ports.type(port)).toBe(TYPE_RECEIVE);
  expect(await client.ports.type(set)).toBe(TYPE_PORT_SET);
});

conform("R27 mod_refs of a send-once right by -1 sends the notification", async (world) => {
  const { client, server } = world;
  const port = await server.ports.allocate();
  const once = await world.give(server, port, MAKE_SEND_ONCE, client);
  await fails(client.ports.modRefs(once, RIGHT_SEND_ONCE, 1), "KERN_INVALID_VALUE");
  await fails(client.ports.modRefs(once, RIGHT_SEND_ONCE, -2), "KERN_INVALID_VALUE");
  await client.ports.modRefs(once, RIGHT_SEND_ONCE, 0);
  await client.ports.modRefs(once, RIGHT_SEND_ONCE, -1);
  await expectNotice(server, port, sendOnceGone());
  await fails(client.ports.type(once), "KERN_INVALID_NAME");
});

conform("mach_port_mod_refs keeps references between 0 and the maximum", async (world) => {
  const { client, server } = world;
  const { send } = await world.door(client, server);
  const dead = await client.ports.allocate("dead-name");
  await fails(client.ports.modRefs(send, RIGHT_SEND, -2), "KERN_INVALID_VALUE");
  await fails(client.ports.modRefs(dead, RIGHT_DEAD_NAME, -2), "KERN_INVALID_VALUE");
  // A send right stays one below, for the reference of a dead-name request.
  await client.ports.modRefs(send, RIGHT_SEND, UREFS_MAX - 2);
  await fails(client.ports.modRefs(send, RIGHT_SEND, 1), "KERN_UREFS_OVERFLOW");
  await client.ports.modRefs(dead, RIGHT_DEAD_NAME, UREFS_MAX - 1);
  await fails(client.ports.modRefs(dead, RIGHT_DEAD_NAME, 1), "KERN_UREFS_OVERFLOW");
  await client.ports.modRefs(send, RIGHT_SEND, 1 - UREFS_MAX);
  await client.ports.modRefs(dead, RIGHT_DEAD_NAME, -UREFS_MAX);
  await fails(client.ports.type(send), "KERN_INVALID_NAME");
  await fails(client.ports.type(dead), "KERN_INVALID_NAME");
});

conform("mach_port_mod_refs of a send right whose port is dead is refused", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  await server.ports.destroy(receive);
  await world.settled();
  await fails(client.ports.modRefs(send, RIGHT_SEND, -1), "KERN_INVALID_RIGHT");
  await client.ports.modRefs(send, RIGHT_DEAD_NAME, -1);
  await fails(client.ports.type(send), "KERN_INVALID_NAME");
});

conform("R31 a receive right destroyed leaves its send references dead", async ({ client }) => {
  const { ports } = client;
  const [plain, watched] = [await ports.allocate(), await ports.allocate()];
  const notify = await ports.allocate();
  for (const port of [plain, watched]) {
    for (let i = 0; i < 3; i++) await ports.insertRight(port, port, MAKE_SEND);
  }
  await ports.requestNotification(watched, NOTIFY_DEAD_NAME, 0, notify);
  for (const port of [plain, watched]) await ports.modRefs(port, RIGHT_RECEIVE, -1);
  expect(await ports.type(plain)).toBe(TYPE_DEAD_NAME);
  expect(await ports.getRefs(plain, RIGHT_DEAD_NAME)).toBe(3);
  expect(await ports.type(watched)).toBe(TYPE_DEAD_NAME);
  expect(await ports.getRefs(watched, RIGHT_DEAD_NAME)).toBe(4);
  await expectNotice(client, notify, deadName(watched));
});

conform("R39 each send-once right has a name of its own", async (world) => {
  const { client, server } = world;
  const port = await server.ports.allocate();
  const first = await world.give(server, port, MAKE_SEND_ONCE, client);
  const second = await world.give(server, port, MAKE_SEND_ONCE, client);
  const send = await world.give(server, port, MAKE_SEND, client);
  expect(new Set([first, second, send]).size).toBe(3);
  expect(await server.ports.getReceiveStatus(port)).toMatchObject({ sorights: 2, srights: true });
  await client.ports.destroy(first);
  await client.ports.destroy(second);
  await expectNotice(server, port, sendOnceGone());
  await expectNotice(server, port, sendOnceGone());
});

conform("R40 a name that was freed is not that of the next right", async ({ client }) => {
  for (const kind of KINDS) {
    const old = await client.ports.allocate(kind);
    await client.ports.destroy(old);
    const next = await client.ports.allocate(kind);
    expect(next).not.toBe(old);
    await fails(client.ports.type(old), "KERN_INVALID_NAME");
  }
});

conform("R41 a full name space refuses names, and the task goes on", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const taken = await client.fillNames(0);
  expect(taken).toBeGreaterThan(NAMES_PER_TASK / 2);
  for (const kind of KINDS) await fails(client.ports.allocate(kind), "KERN_NO_SPACE");
  await fails(client.ports.allocateName(0x999900), "KERN_NO_SPACE");
  await client.send({ remote: send, remoteDisposition: COPY_SEND, id: 5 });
  expect(await server.receive(receive)).toMatchObject({ id: 5 });
  await client.ports.deallocate(send);
  expect(await client.ports.type(await client.ports.allocate())).toBe(TYPE_RECEIVE);
});
