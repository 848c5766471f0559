// Conformance: port sets (mach_port_move_member, get_set_status), and receiving from them.

import { expect } from "@jest/globals";
import {
  MACH_PORT_NULL,
  MAKE_SEND,
  MOVE_RECEIVE,
  RIGHT_PORT_SET,
  RIGHT_RECEIVE,
  TYPE_PORT_SET,
  TYPE_RECEIVE,
} from "../../src/ipc/rights.ts";
import { conform } from "../support/conform.ts";
import { MS, nameIn, receiveIds, sendMany } from "../support/conformance-steps.ts";
import type { Door } from "../support/doors.ts";
import { pattern, right } from "../support/peer-letter.ts";
import { fails, type World } from "../support/worlds.ts";

/** `count` doors from client to server, and a set of the server's with their ports as members. */
const setOf = async (
  { client, server, door }: World,
  count: number,
): Promise<{ readonly set: number; readonly doors: Door[] }> => {
  const set = await server.ports.allocate("port-set");
  const doors: Door[] = [];
  for (let i = 0; i < count; i++) {
    const one = await door(client, server);
    await server.ports.moveMember(one.receive, set);
    doors.push(one);
  }
  return { set, doors };
};

conform("T1 an empty set, or one without messages, has nothing to receive", async (world) => {
  const { server } = world;
  const empty = await server.ports.allocate("port-set");
  const { set } = await setOf(world, 2);
  for (const name of [empty, set]) {
    await fails(server.receive(name, { timeoutNs: 0 }), "MACH_RCV_TIMED_OUT");
    await fails(server.receive(name, { timeoutNs: 10 * MS }), "MACH_RCV_TIMED_OUT");
  }
});

conform("T2 a set gives its members' messages, and says whose they are", async (world) => {
  const { client, server } = world;
  const { set, doors } = await setOf(world, 3);
  for (const [i, { send, receive }] of doors.entries()) {
    await client.send({ remote: send, id: i });
    expect(await server.receive(set)).toMatchObject({ id: i, local: receive, sequence: 0 });
  }
});

conform("T3 of two members that are always full both are served", async (world) => {
  const { client, server } = world;
  const { set, doors } = await setOf(world, 2);
  const sent = doors.map(({ send }, i) =>
    Promise.all(Array.from({ length: 20 }, () => client.send({ remote: send, id: i }))),
  );
  await world.settled();
  const ids = await receiveIds(server, set, 20);
  for (const id of [0, 1]) {
    const share = ids.filter((one) => one === id).length;
    expect(share).toBeGreaterThanOrEqual(5);
  }
  expect((await receiveIds(server, set, 20)).concat(ids).filter((id) => id === 1)).toHaveLength(20);
  await Promise.all(sent);
});

conform("T4 members' messages come in the order of their arrival", async (world) => {
  const { client, server } = world;
  const { set, doors } = await setOf(world, 3);
  const order = [2, 0, 0, 1, 2, 1, 0];
  for (const [id, which] of order.entries()) {
    await client.send({ remote: doors[which]!.send, id });
    await world.settled();
  }
  const got = [];
  for (let i = 0; i < order.length; i++) got.push(await server.receive(set));
  expect(got.map(({ id }) => id)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(got.map(({ local }) => local)).toEqual(order.map((which) => doors[which]!.receive));
});

conform("T5 a member can stay, or move to another set with its messages", async (world) => {
  const { client, server } = world;
  const { set, doors } = await setOf(world, 2);
  const { send, receive } = doors[0]!;
  await sendMany(world, client, send, 2);
  await server.ports.moveMember(receive, set);
  const other = await server.ports.allocate("port-set");
  await server.ports.moveMember(receive, other);
  expect(await server.ports.getSetStatus(set)).toEqual([doors[1]!.receive]);
  expect(await server.ports.getSetStatus(other)).toEqual([receive]);
  await world.expectNoMessage(server, set);
  expect(await receiveIds(server, other, 2)).toEqual([100, 101]);
});

conform("T6 a member that leaves takes its messages along", async (world) => {
  const { client, server } = world;
  const { set, doors } = await setOf(world, 2);
  await client.send({ remote: doors[0]!.send, id: 1 });
  await client.send({ remote: doors[1]!.send, id: 2 });
  await world.settled();
  await fails(server.receive(doors[0]!.receive), "MACH_RCV_IN_SET");
  await server.ports.moveMember(doors[0]!.receive, MACH_PORT_NULL);
  expect(await server.receive(set)).toMatchObject({ id: 2 });
  await world.expectNoMessage(server, set);
  expect(await server.receive(doors[0]!.receive)).toMatchObject({ id: 1 });
  const alone = server.ports.moveMember(doors[0]!.receive, MACH_PORT_NULL);
  await fails(alone, "KERN_NOT_IN_SET");
});

conform("T7 move_member wants a receive right and a set", async (world) => {
  const { client, server } = world;
  const { send } = await world.door(client, server);
  const { ports } = client;
  const [port, set] = [await ports.allocate(), await ports.allocate("port-set")];
  const dead = await ports.allocate("dead-name");
  for (const member of [send, set, dead]) {
    await fails(ports.moveMember(member, set), "KERN_INVALID_RIGHT");
  }
  for (const after of [send, port, dead]) {
    await fails(ports.moveMember(port, after), "KERN_INVALID_RIGHT");
  }
  await fails(ports.moveMember(0x4242, set), "KERN_INVALID_NAME");
  await fails(ports.moveMember(port, 0x4242), "KERN_INVALID_NAME");
  expect(await ports.getSetStatus(set)).toEqual([]);
});

conform("T8 get_set_status lists the members of a set, and of nothing else", async (world) => {
  const { server } = world;
  const { set, doors } = await setOf(world, 3);
  const members = await server.ports.getSetStatus(set);
  expect(members.sort()).toEqual(doors.map(({ receive }) => receive).sort());
  await server.ports.destroy(doors[1]!.receive);
  expect(await server.ports.getSetStatus(set)).toHaveLength(2);
  await fails(server.ports.getSetStatus(doors[0]!.receive), "KERN_INVALID_RIGHT");
  await fails(server.ports.getSetStatus(0x4242), "KERN_INVALID_NAME");
});

conform("T9 the members of a set that is destroyed stay, with their messages", async (world) => {
  const { client, server } = world;
  const { set, doors } = await setOf(world, 2);
  for (const { send } of doors) await client.send({ remote: send, id: 3 });
  await world.settled();
  await server.ports.modRefs(set, RIGHT_PORT_SET, -1);
  for (const { receive } of doors) {
    expect(await server.ports.getReceiveStatus(receive)).toMatchObject({ pset: 0, msgcount: 1 });
    expect(await server.receive(receive)).toMatchObject({ id: 3 });
  }
});

conform("T10 a receiver learns that its set has died", async (world) => {
  const { server } = world;
  const { set } = await setOf(world, 1);
  const waiting = server.receive(set);
  await world.settled();
  await server.ports.destroy(set);
  await fails(waiting, "MACH_RCV_PORT_DIED");
});

conform("T11 a member that joins with a message wakes a receiver", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const set = await server.ports.allocate("port-set");
  await client.send({ remote: send, id: 8 });
  const waiting = server.receive(set);
  await world.settled();
  await server.ports.moveMember(receive, set);
  expect(await waiting).toMatchObject({ id: 8, local: receive });
});

conform("T12 a receiver at a set stays when a member dies", async (world) => {
  const { client, server } = world;
  const { set, doors } = await setOf(world, 2);
  const waiting = server.receive(set);
  await world.settled();
  await server.ports.modRefs(doors[0]!.receive, RIGHT_RECEIVE, -1);
  await client.send({ remote: doors[1]!.send, id: 4 });
  expect(await waiting).toMatchObject({ id: 4 });
});

conform("T13 a member whose right is sent away has left its set", async (world) => {
  const { server } = world;
  const { set, doors } = await setOf(world, 1);
  const { receive } = doors[0]!;
  const carrier = await server.ports.allocate();
  await server.ports.insertRight(carrier, carrier, MAKE_SEND);
  await server.send({ remote: carrier, items: [right(receive, MOVE_RECEIVE)] });
  expect(await server.ports.getSetStatus(set)).toEqual([]);
  const back = nameIn(await server.receive(carrier));
  expect(await server.ports.getReceiveStatus(back)).toMatchObject({ pset: MACH_PORT_NULL });
  expect(await server.ports.type(back)).toBe(TYPE_RECEIVE);
});

conform("T13 queued messages travel with a member that is sent away", async (world) => {
  const { client, server, third } = world;
  const { set, doors } = await setOf(world, 2);
  const { send, receive } = doors[0]!;
  await sendMany(world, client, send, 3);
  const moved = await world.give(server, receive, MOVE_RECEIVE, third);
  expect(await server.ports.getSetStatus(set)).toEqual([doors[1]!.receive]);
  await client.send({ remote: send, id: 103 });
  expect(await receiveIds(third, moved, 4)).toEqual([100, 101, 102, 103]);
  await world.expectNoMessage(server, set);
});

conform("T14 messages that came before the port joined come by the set", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  await sendMany(world, client, send, 3);
  const set = await server.ports.allocate("port-set");
  await server.ports.moveMember(receive, set);
  expect(await receiveIds(server, set, 3)).toEqual([100, 101, 102]);
});

conform("T15 a member's status names its set", async (world) => {
  const { server } = world;
  const { set, doors } = await setOf(world, 1);
  const { receive } = doors[0]!;
  expect(await server.ports.getReceiveStatus(receive)).toMatchObject({ pset: set });
  await server.ports.moveMember(receive, MACH_PORT_NULL);
  expect(await server.ports.getReceiveStatus(receive)).toMatchObject({ pset: MACH_PORT_NULL });
});

conform(
  "T16 a message that is too large for a set's receiver stays with its port",
  async (world) => {
    const { client, server } = world;
    const { set, doors } = await setOf(world, 2);
    const small = server.receive(set, { capacity: 8 });
    await world.settled();
    await client.send({ remote: doors[1]!.send, bytes: pattern(100), id: 2 });
    expect(await fails(small, "MACH_RCV_TOO_LARGE")).toMatchObject({ neededBytes: 100 });
    const call = server.receive(set, { capacity: 8, timeoutNs: 0 });
    await fails(call, "MACH_RCV_TOO_LARGE");
    expect(await server.ports.getReceiveStatus(doors[1]!.receive)).toMatchObject({ msgcount: 1 });
    const got = await server.receive(set, { capacity: 100 });
    expect(got).toMatchObject({ id: 2, local: doors[1]!.receive, bytes: pattern(100) });
  },
);

conform("T17 a set is no right: it is not sent, and not sent to", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const set = await client.ports.allocate("port-set");
  for (const disposition of [MOVE_RECEIVE, MAKE_SEND] as const) {
    const items = [right(set, disposition)];
    await fails(client.send({ remote: send, items }), "MACH_SEND_INVALID_RIGHT");
    const call = client.send({ remote: set, remoteDisposition: MAKE_SEND });
    await fails(call, "MACH_SEND_INVALID_DEST");
  }
  expect(await client.ports.type(set)).toBe(TYPE_PORT_SET);
  await world.expectNoMessage(server, receive);
});
