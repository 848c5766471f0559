// Conformance: the mach_port calls on another task's name space, by RPC to its kernel port. "Another" is the
// server, the caller the client; names are the server's. Requests by hand and the other calls of kernel
// ports are in kernel-requests.test.ts.

import { expect } from "@jest/globals";
import {
  COPY_SEND,
  MACH_PORT_DEAD,
  MACH_PORT_NULL,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MOVE_SEND_ONCE,
  NOTIFY_DEAD_NAME,
  NOTIFY_NO_SENDERS,
  NOTIFY_PORT_DESTROYED,
  type PortName,
  RIGHT_DEAD_NAME,
  RIGHT_PORT_SET,
  RIGHT_RECEIVE,
  RIGHT_SEND,
  RIGHT_SEND_ONCE,
  TYPE_DEAD_NAME,
  TYPE_PORT_SET,
  TYPE_RECEIVE,
  TYPE_SEND,
  TYPE_SEND_ONCE,
} from "../../src/ipc/rights.ts";
import { conform } from "../support/conform.ts";
import { deadName, expectNotice, noSenders, sendOnceGone } from "../support/conformance-steps.ts";
import type { Peer } from "../support/peers.ts";
import { fails, type World } from "../support/worlds.ts";

const FREE = 0x345600;
const UNKNOWN = 0xdead00;
const BOTH = TYPE_SEND + TYPE_RECEIVE;
const UREFS_MAX = 65535;
const KINDS = [RIGHT_RECEIVE, RIGHT_PORT_SET, RIGHT_DEAD_NAME];
const TYPES = [TYPE_RECEIVE, TYPE_PORT_SET, TYPE_DEAD_NAME];

/** The calls that the client makes on the server, and what the server calls its own names. */
const control = async ({ client, server, give }: World) => {
  const port = await give(server, await server.self(), COPY_SEND, client);
  return { port, calls: client.kernel("machPort", port), ports: server.ports };
};

/** A name of each kind at a peer. The receive right has no other rights. */
const oneOfEach = async ({ ports }: Peer) => {
  const home = await ports.allocate();
  const once = FREE + 0x7700;
  await ports.insertRight(once, home, MAKE_SEND_ONCE);
  return {
    home,
    once,
    receive: await ports.allocate(),
    set: await ports.allocate("port-set"),
    dead: await ports.allocate("dead-name"),
  };
};

conform("mach_port_names(task) lists the names of another task, and their types", async (world) => {
  const { calls, ports } = await control(world);
  const before = (await calls.names()).names.length;
  const added = [await ports.allocate(), await ports.allocate("port-set")];
  const { names, types } = await calls.names();
  expect([names.length, types.length]).toEqual([before + 2, before + 2]);
  expect(added.map((name) => types[names.indexOf(name | 0)])).toEqual([
    TYPE_RECEIVE,
    TYPE_PORT_SET,
  ]);
});

conform("mach_port_type(task) tells each kind of right from the others", async (world) => {
  const { calls } = await control(world);
  const { home, once, receive, set, dead } = await oneOfEach(world.server);
  await world.server.ports.insertRight(home, home, MAKE_SEND);
  const types = [];
  for (const name of [home, once, receive, set, dead])
    types.push((await calls.type({ name })).type);
  expect(types).toEqual([BOTH, TYPE_SEND_ONCE, TYPE_RECEIVE, TYPE_PORT_SET, TYPE_DEAD_NAME]);
  await fails(calls.type({ name: UNKNOWN }), "KERN_INVALID_NAME");
});

conform("mach_port_allocate(task) makes what can be made, and nothing else", async (world) => {
  const { calls, ports } = await control(world);
  for (const [i, right] of KINDS.entries()) {
    const { name } = await calls.allocate({ right });
    expect(await ports.type(name)).toBe(TYPES[i]);
  }
  for (const right of [RIGHT_SEND, RIGHT_SEND_ONCE, 5, -1]) {
    await fails(calls.allocate({ right }), "KERN_INVALID_VALUE");
  }
});

conform("mach_port_allocate(task) says when the task has no more names", async (world) => {
  const { calls } = await control(world);
  await world.server.fillNames(1);
  const { name } = await calls.allocate({ right: RIGHT_PORT_SET });
  await fails(calls.allocate({ right: RIGHT_RECEIVE }), "KERN_NO_SPACE");
  await calls.destroy({ name });
  await calls.allocate({ right: RIGHT_RECEIVE });
});

conform("mach_port_allocate_name(task) makes each kind under a free name", async (world) => {
  const { calls, ports } = await control(world);
  for (const [i, right] of KINDS.entries()) {
    const name = FREE + i * 256;
    await calls.allocateName({ right, name });
    expect(await ports.type(name)).toBe(TYPES[i]);
    await fails(calls.allocateName({ right, name }), "KERN_NAME_EXISTS");
  }
  for (const name of [MACH_PORT_NULL, MACH_PORT_DEAD]) {
    await fails(calls.allocateName({ right: RIGHT_RECEIVE, name }), "KERN_INVALID_VALUE");
  }
  for (const right of [RIGHT_SEND, RIGHT_SEND_ONCE, 5]) {
    await fails(calls.allocateName({ right, name: UNKNOWN }), "KERN_INVALID_VALUE");
  }
});

conform("mach_port_rename(task) changes a name, unless the new one is taken", async (world) => {
  const { calls, ports } = await control(world);
  const [name, other] = [await ports.allocate(), await ports.allocate()];
  await ports.insertRight(name, name, MAKE_SEND);
  await calls.rename({ oldName: name, newName: FREE });
  expect(await ports.type(FREE)).toBe(BOTH);
  await fails(ports.type(name), "KERN_INVALID_NAME");
  await fails(calls.rename({ oldName: FREE, newName: other }), "KERN_NAME_EXISTS");
  await fails(calls.rename({ oldName: UNKNOWN, newName: FREE + 256 }), "KERN_INVALID_NAME");
  for (const newName of [MACH_PORT_NULL, MACH_PORT_DEAD]) {
    await fails(calls.rename({ oldName: FREE, newName }), "KERN_INVALID_VALUE");
  }
});

conform("mach_port_destroy(task) takes a name with all that it denotes", async (world) => {
  const { calls, ports } = await control(world);
  const { send, receive } = await world.door(world.client, world.server);
  await ports.insertRight(receive, receive, MAKE_SEND);
  await calls.destroy({ name: receive });
  await fails(ports.type(receive), "KERN_INVALID_NAME");
  await world.settled();
  expect(await world.client.ports.type(send)).toBe(TYPE_DEAD_NAME);
  await fails(calls.destroy({ name: receive }), "KERN_INVALID_NAME");
});

conform("mach_port_deallocate(task) drops one send right or dead name", async (world) => {
  const { calls, ports } = await control(world);
  const { home, once, receive, set, dead } = await oneOfEach(world.server);
  await ports.insertRight(home, home, MAKE_SEND);
  await calls.deallocate({ name: home });
  expect(await ports.type(home)).toBe(TYPE_RECEIVE);
  await ports.modRefs(dead, RIGHT_DEAD_NAME, 1);
  await calls.deallocate({ name: dead });
  expect(await ports.getRefs(dead, RIGHT_DEAD_NAME)).toBe(1);
  await calls.deallocate({ name: dead });
  await fails(calls.deallocate({ name: dead }), "KERN_INVALID_NAME");
  await calls.deallocate({ name: once });
  await expectNotice(world.server, home, sendOnceGone());
  for (const name of [receive, set]) await fails(calls.deallocate({ name }), "KERN_INVALID_RIGHT");
});

conform("mach_port_get_refs(task) counts references of the kind asked for", async (world) => {
  const { calls, ports } = await control(world);
  const name = await ports.allocate();
  await ports.insertRight(name, name, MAKE_SEND);
  await ports.modRefs(name, RIGHT_SEND, 2);
  const refs = [];
  for (const right of [0, 1, 2, 3, 4]) refs.push((await calls.getRefs({ name, right })).refs);
  expect(refs).toEqual([3, 1, 0, 0, 0]);
  await fails(calls.getRefs({ name, right: 5 }), "KERN_INVALID_VALUE");
  await fails(calls.getRefs({ name: UNKNOWN, right: RIGHT_SEND }), "KERN_INVALID_NAME");
});

conform("mach_port_mod_refs(task) refuses rights that the name lacks", async (world) => {
  const { calls } = await control(world);
  const { home, once, receive, set, dead } = await oneOfEach(world.server);
  const own: readonly (readonly [PortName, number])[] = [
    [receive, RIGHT_RECEIVE],
    [set, RIGHT_PORT_SET],
    [dead, RIGHT_DEAD_NAME],
    [once, RIGHT_SEND_ONCE],
  ];
  for (const [name, kind] of own) {
    for (const right of [0, 1, 2, 3, 4]) {
      if (right === kind) continue;
      await fails(calls.modRefs({ name, right, delta: -1 }), "KERN_INVALID_RIGHT");
    }
    await fails(calls.modRefs({ name, right: 5, delta: -1 }), "KERN_INVALID_VALUE");
    await calls.modRefs({ name, right: kind, delta: 0 });
    await calls.modRefs({ name, right: kind, delta: -1 });
    await fails(calls.modRefs({ name, right: kind, delta: -1 }), "KERN_INVALID_NAME");
  }
  await expectNotice(world.server, home, sendOnceGone());
});

conform("mach_port_mod_refs(task) keeps counts within what they can be", async (world) => {
  const { calls, ports } = await control(world);
  const { once, receive, set } = await oneOfEach(world.server);
  for (const delta of [1, -2]) {
    for (const [name, right] of [
      [receive, RIGHT_RECEIVE],
      [set, RIGHT_PORT_SET],
      [once, RIGHT_SEND_ONCE],
    ] as const) {
      await fails(calls.modRefs({ name, right, delta }), "KERN_INVALID_VALUE");
    }
  }
  const sends = { name: receive, right: RIGHT_SEND };
  await ports.insertRight(receive, receive, MAKE_SEND);
  await fails(calls.modRefs({ ...sends, delta: -2 }), "KERN_INVALID_VALUE");
  await fails(calls.modRefs({ ...sends, delta: UREFS_MAX }), "KERN_UREFS_OVERFLOW");
  await calls.modRefs({ ...sends, delta: 4 });
  expect(await ports.getRefs(receive, RIGHT_SEND)).toBe(5);
  await calls.modRefs({ name: receive, right: RIGHT_RECEIVE, delta: -1 });
  expect(await ports.getRefs(receive, RIGHT_DEAD_NAME)).toBe(5);
});

conform(
  "mach_port_set_qlimit(task), set_mscount and set_seqno show in the status",
  async (world) => {
    const { calls, ports } = await control(world);
    const name = await ports.allocate();
    expect(await calls.getReceiveStatus({ name })).toEqual({
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
    for (const qlimit of [16, 0]) {
      await calls.setQlimit({ name, qlimit });
      expect(await ports.getReceiveStatus(name)).toMatchObject({ qlimit });
    }
    for (const qlimit of [17, -1]) {
      await fails(calls.setQlimit({ name, qlimit }), "KERN_INVALID_VALUE");
    }
    await calls.setMscount({ name, mscount: 1_000_000 });
    await calls.setSeqno({ name, seqno: 77 });
    expect(await calls.getReceiveStatus({ name })).toMatchObject({ mscount: 1_000_000, seqno: 77 });
  },
);

conform("mach_port_get_receive_status(task) and its kin want a receive right", async (world) => {
  const { calls } = await control(world);
  const { once, set, dead } = await oneOfEach(world.server);
  const { send } = await world.door(world.server, world.third);
  const all = (name: PortName) => [
    () => calls.getReceiveStatus({ name }),
    () => calls.setQlimit({ name, qlimit: 1 }),
    () => calls.setMscount({ name, mscount: 1 }),
    () => calls.setSeqno({ name, seqno: 1 }),
  ];
  for (const name of [send, once, set, dead]) {
    for (const call of all(name)) await fails(call(), "KERN_INVALID_RIGHT");
  }
  for (const call of all(UNKNOWN)) await fails(call(), "KERN_INVALID_NAME");
});

conform("mach_port_move_member(task) puts ports into sets, which tell of them", async (world) => {
  const { calls, ports } = await control(world);
  const { home, once, receive, set, dead } = await oneOfEach(world.server);
  for (let i = 0; i < 2; i++) await calls.moveMember({ member: receive, after: set });
  await calls.moveMember({ member: home, after: set });
  const { members } = await calls.getSetStatus({ name: set });
  expect([...members].sort()).toEqual([home | 0, receive | 0].sort());
  await calls.moveMember({ member: home, after: MACH_PORT_NULL });
  expect((await ports.getReceiveStatus(home)).pset).toBe(MACH_PORT_NULL);
  const out = calls.moveMember({ member: home, after: MACH_PORT_NULL });
  await fails(out, "KERN_NOT_IN_SET");
  for (const name of [once, dead, set]) {
    await fails(calls.moveMember({ member: name, after: set }), "KERN_INVALID_RIGHT");
  }
  for (const name of [once, dead, home]) {
    await fails(calls.moveMember({ member: home, after: name }), "KERN_INVALID_RIGHT");
    await fails(calls.getSetStatus({ name }), "KERN_INVALID_RIGHT");
  }
  await fails(calls.moveMember({ member: UNKNOWN, after: set }), "KERN_INVALID_NAME");
  await fails(calls.moveMember({ member: home, after: UNKNOWN }), "KERN_INVALID_NAME");
  await fails(calls.getSetStatus({ name: UNKNOWN }), "KERN_INVALID_NAME");
});

conform("mach_port_request_notification(task) asks in the name of another task", async (world) => {
  const { client } = world;
  const { calls, ports } = await control(world);
  const own = await client.ports.allocate();
  const notify = { right: own, disposition: MAKE_SEND_ONCE } as const;
  const none = { right: MACH_PORT_NULL, disposition: MOVE_SEND_ONCE } as const;
  const name = await ports.allocate();
  const request = { name, id: NOTIFY_DEAD_NAME, sync: 0 };
  expect(await calls.requestNotification({ ...request, notify })).toEqual({ previous: 0 });
  const { previous } = await calls.requestNotification({ ...request, notify });
  expect(await client.ports.type(previous)).toBe(TYPE_SEND_ONCE);
  await client.ports.deallocate(previous);
  await expectNotice(client, own, sendOnceGone());
  const again = await calls.requestNotification({ ...request, notify: none });
  await client.send({ remote: again.previous, remoteDisposition: MOVE_SEND_ONCE, id: 9 });
  expect(await client.receive(own)).toMatchObject({ id: 9 });
  const senders = { name, id: NOTIFY_NO_SENDERS, sync: 0, notify };
  await calls.requestNotification(senders);
  await expectNotice(client, own, noSenders(0));
  const destroyed = { name, id: NOTIFY_PORT_DESTROYED, sync: 0 };
  await calls.requestNotification({ ...destroyed, notify });
  expect(await calls.getReceiveStatus({ name })).toMatchObject({ pdrequest: true });
  const last = await calls.requestNotification({ ...destroyed, notify: none });
  expect(await calls.getReceiveStatus({ name })).toMatchObject({ pdrequest: false });
  await client.ports.deallocate(last.previous);
  await expectNotice(client, own, sendOnceGone());
  const dead = await ports.allocate("dead-name");
  await calls.requestNotification({ name: dead, id: NOTIFY_DEAD_NAME, sync: 1, notify });
  await expectNotice(client, own, deadName(dead));
  expect(await ports.getRefs(dead, RIGHT_DEAD_NAME)).toBe(2);
});

conform("mach_port_request_notification(task) gives back the right of a refusal", async (world) => {
  const { client } = world;
  const { calls } = await control(world);
  const { once, receive, set, dead } = await oneOfEach(world.server);
  await world.server.ports.modRefs(dead, RIGHT_DEAD_NAME, UREFS_MAX - 2);
  const own = await client.ports.allocate();
  const notify = { right: own, disposition: MAKE_SEND_ONCE } as const;
  const refused = async (name: PortName, id: number, sync: number, code: string) => {
    await fails(calls.requestNotification({ name, id, sync, notify }), code);
    await expectNotice(client, own, sendOnceGone());
  };
  await refused(receive, 99, 0, "KERN_INVALID_VALUE");
  await refused(receive, NOTIFY_PORT_DESTROYED, 1, "KERN_INVALID_VALUE");
  await refused(once, NOTIFY_PORT_DESTROYED, 0, "KERN_INVALID_RIGHT");
  await refused(once, NOTIFY_NO_SENDERS, 0, "KERN_INVALID_RIGHT");
  await refused(set, NOTIFY_DEAD_NAME, 0, "KERN_INVALID_RIGHT");
  await refused(dead, NOTIFY_DEAD_NAME, 0, "KERN_INVALID_ARGUMENT");
  for (const id of [NOTIFY_DEAD_NAME, NOTIFY_NO_SENDERS, NOTIFY_PORT_DESTROYED]) {
    await refused(UNKNOWN, id, 0, "KERN_INVALID_NAME");
  }
  const none = { right: MACH_PORT_NULL, disposition: MOVE_SEND_ONCE } as const;
  const request = { name: dead, id: NOTIFY_DEAD_NAME, sync: 1, notify: none };
  await fails(calls.requestNotification(request), "KERN_INVALID_ARGUMENT");
  await world.server.ports.modRefs(dead, RIGHT_DEAD_NAME, 1);
  await refused(dead, NOTIFY_DEAD_NAME, 1, "KERN_UREFS_OVERFLOW");
});
