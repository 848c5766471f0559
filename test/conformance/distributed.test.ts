// Conformance: what is about nodes: rights that go round between three of them, and large messages among
// small ones. On one node, where they run as well, the outcome is the same.

import { expect } from "@jest/globals";
import {
  COPY_SEND,
  MACH_PORT_DEAD,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MOVE_SEND,
  MOVE_SEND_ONCE,
  NOTIFY_DEAD_NAME,
  NOTIFY_NO_SENDERS,
  PORT_SEND,
  RIGHT_SEND,
  TYPE_DEAD_NAME,
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
  regionIn,
  sameBytes,
  sendMany,
  sendOnceGone,
} from "../support/conformance-steps.ts";
import { pattern, region, right, rights } from "../support/peer-letter.ts";
import { fails } from "../support/worlds.ts";

conform("D1 a right that arrives twice is one name with two references", async (world) => {
  const { client, server, third } = world;
  const port = await server.ports.allocate();
  const name = await world.give(server, port, MAKE_SEND, client);
  expect(await world.give(server, port, MAKE_SEND, client)).toBe(name);
  expect(await client.ports.getRefs(name, RIGHT_SEND)).toBe(2);
  // By way of a third peer it is the same right still.
  const thirds = await world.give(client, name, COPY_SEND, third);
  expect(await world.give(third, thirds, MOVE_SEND, client)).toBe(name);
  expect(await client.ports.getRefs(name, RIGHT_SEND)).toBe(3);
});

conform("D3 a right that comes home joins the receive right", async (world) => {
  const { client, server, third } = world;
  const port = await server.ports.allocate();
  const away = await world.give(server, port, MAKE_SEND, client);
  const further = await world.give(client, away, MOVE_SEND, third);
  expect(await world.give(third, further, MOVE_SEND, server)).toBe(port);
  expect(await server.ports.type(port)).toBe(TYPE_SEND + TYPE_RECEIVE);
  expect(await server.ports.getRefs(port, RIGHT_SEND)).toBe(1);
  await fails(client.ports.type(away), "KERN_INVALID_NAME");
  await fails(third.ports.type(further), "KERN_INVALID_NAME");
});

conform("D4 one unseen right in two messages at a time is one name", async (world) => {
  const { client, server, third } = world;
  const { send, receive } = await world.door(client, server);
  const thirds = await world.give(server, receive, MAKE_SEND, third);
  const port = await client.ports.allocate();
  const shared = await world.give(client, port, MAKE_SEND, third);
  const letters = Promise.all([server.receive(receive), server.receive(receive)]);
  await Promise.all([
    client.send({ remote: send, items: [right(port, MAKE_SEND)] }),
    third.send({ remote: thirds, items: [right(shared, COPY_SEND)] }),
  ]);
  const [first, second] = await letters;
  expect(nameIn(first)).toBe(nameIn(second));
  expect(await server.ports.getRefs(nameIn(first), RIGHT_SEND)).toBe(2);
});

conform("D5 a call uses its reply right up", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const own = await client.ports.allocate();
  for (let id = 0; id < 20; id++) {
    const letter = { remote: send, local: own, localDisposition: MAKE_SEND_ONCE };
    const answer = client.rpc({ ...letter, id, bytes: pattern(id * 40, id) });
    const { remote, bytes } = await server.receive(receive);
    await server.send({ remote, remoteDisposition: MOVE_SEND_ONCE, id: id + 100, bytes });
    expect(await answer).toMatchObject({ id: id + 100, bytes: pattern(id * 40, id) });
  }
  expect(await client.ports.getReceiveStatus(own)).toMatchObject({ sorights: 0, seqno: 20 });
});

conform("D6 a send-once right is passed on, and used by a third peer", async (world) => {
  const { client, server, third } = world;
  const port = await client.ports.allocate();
  const first = await world.give(client, port, MAKE_SEND_ONCE, server);
  const second = await world.give(server, first, MOVE_SEND_ONCE, third);
  expect(await third.ports.type(second)).toBe(TYPE_SEND_ONCE);
  expect(await client.ports.getReceiveStatus(port)).toMatchObject({ sorights: 1 });
  await third.send({ remote: second, remoteDisposition: MOVE_SEND_ONCE, id: 7 });
  expect(await client.receive(port)).toMatchObject({ id: 7 });
  expect(await client.ports.getReceiveStatus(port)).toMatchObject({ sorights: 0 });
});

conform("D6 a send-once right that comes home is used there", async (world) => {
  const { client, server } = world;
  const port = await client.ports.allocate();
  const away = await world.give(client, port, MAKE_SEND_ONCE, server);
  const home = await world.give(server, away, MOVE_SEND_ONCE, client);
  expect(home).not.toBe(port);
  expect(await client.ports.type(home)).toBe(TYPE_SEND_ONCE);
  await client.send({ remote: home, remoteDisposition: MOVE_SEND_ONCE, id: 7 });
  expect(await client.receive(port)).toMatchObject({ id: 7 });
  expect(await client.ports.getReceiveStatus(port)).toMatchObject({ sorights: 0 });
});

conform("D7 a send-once right dropped elsewhere is told at home", async (world) => {
  const { client, server, third } = world;
  const port = await client.ports.allocate();
  const first = await world.give(client, port, MAKE_SEND_ONCE, server);
  await server.ports.deallocate(first);
  await expectNotice(client, port, sendOnceGone());
  const second = await world.give(client, port, MAKE_SEND_ONCE, server);
  const third3 = await world.give(server, second, MOVE_SEND_ONCE, third);
  await third.ports.destroy(third3);
  await expectNotice(client, port, sendOnceGone());
  await world.give(client, port, MAKE_SEND_ONCE, third);
  await world.end(third);
  await expectNotice(client, port, sendOnceGone());
});

conform("D24 large messages and small ones of several ports keep their order", async (world) => {
  const { client, server } = world;
  const doors = [await world.door(client, server), await world.door(client, server)];
  const set = await server.ports.allocate("port-set");
  for (const { receive } of doors) await server.ports.moveMember(receive, set);
  const sizes = [0, 5000, 100, 70_000, 4096, 1, 12_289, 200];
  const sends = sizes.map((size, id) =>
    client.send({ remote: doors[id % 2]!.send, id, bytes: pattern(size, id) }),
  );
  const got = [];
  for (let i = 0; i < sizes.length; i++) got.push(await server.receive(set));
  await Promise.all(sends);
  for (const { id, bytes } of got) expect(sameBytes(bytes, pattern(sizes[id]!, id))).toBe(true);
  const even = got.filter(({ id }) => id % 2 === 0).map(({ id }) => id);
  const odd = got.filter(({ id }) => id % 2 === 1).map(({ id }) => id);
  expect([even, odd]).toEqual([
    [0, 2, 4, 6],
    [1, 3, 5, 7],
  ]);
});

conform("D24 regions and rights among plain messages keep their order", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const own = await client.ports.allocate();
  const sends = Array.from({ length: 12 }, (_, id) => {
    const items =
      id % 3 === 0
        ? [region(pattern(id * 3000 + 1, id), true), right(own, MAKE_SEND)]
        : [{ kind: "bytes" as const, bytes: pattern(id * 700, id) }];
    return client.send({ remote: send, id, items });
  });
  for (let id = 0; id < 12; id++) {
    const got = await server.receive(receive);
    expect(got.id).toBe(id);
    if (id % 3 === 0) expect(sameBytes(regionIn(got), pattern(id * 3000 + 1, id))).toBe(true);
    else expect(got.items[0]).toEqual({ kind: "bytes", bytes: pattern(id * 700, id) });
  }
  await Promise.all(sends);
});

conform("D25 a port's death is told to everybody who was given a right to it", async (world) => {
  const { client, server, third } = world;
  const port = await server.ports.allocate();
  const watches = [];
  for (const peer of [client, third]) {
    const send = await world.give(server, port, MAKE_SEND, peer);
    const notify = await peer.ports.allocate();
    await peer.ports.requestNotification(send, NOTIFY_DEAD_NAME, 0, notify);
    watches.push({ peer, send, notify });
  }
  await server.ports.destroy(port);
  for (const { peer, send, notify } of watches) {
    await expectNotice(peer, notify, deadName(send));
    expect(await peer.ports.type(send)).toBe(TYPE_DEAD_NAME);
    await fails(peer.send({ remote: send }), "MACH_SEND_INVALID_DEST");
  }
});

conform(
  "D25 a port's death is told to those who got their right from a third peer",
  async (world) => {
    const { client, server, third } = world;
    const { send, receive } = await world.door(client, server);
    const thirds = await world.give(client, send, MOVE_SEND, third);
    const notify = await third.ports.allocate();
    await third.ports.requestNotification(thirds, NOTIFY_DEAD_NAME, 0, notify);
    await server.ports.destroy(receive);
    await expectNotice(third, notify, deadName(thirds));
  },
);

conform(
  "D26 a send to a port that has died since is swallowed, or refused later",
  async (world) => {
    const { client, server, third } = world;
    const { send, receive } = await world.door(client, server);
    const thirds = await world.give(client, send, COPY_SEND, third);
    await server.ports.destroy(receive);
    const own = await third.ports.allocate();
    const local = { local: own, localDisposition: MAKE_SEND_ONCE };
    const first = await third.send({ remote: thirds, ...local }).catch(({ code }) => code);
    expect([0, "MACH_SEND_INVALID_DEST"]).toContain(first);
    if (first === 0) await expectNotice(third, own, sendOnceGone());
    await world.settled();
    await fails(third.send({ remote: thirds, ...local }), "MACH_SEND_INVALID_DEST");
  },
);

conform("D30 a dead right that travels arrives as MACH_PORT_DEAD", async (world) => {
  const { client, server, third } = world;
  const { send, receive } = await world.door(client, server);
  const toThird = await world.door(client, third);
  await server.ports.destroy(receive);
  await world.settled();
  await client.send({ remote: toThird.send, items: [rights([send, send], COPY_SEND)] });
  const { items } = await third.receive(toThird.receive);
  expect(items).toEqual([rights([MACH_PORT_DEAD, MACH_PORT_DEAD], PORT_SEND)]);
});

conform("D53 a poll at a full queue elsewhere times out, as it does here", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  await server.ports.setQlimit(receive, 2);
  await sendMany(world, client, send, 2);
  const poll = client.send({ remote: send, id: 9 }, { timeoutNs: 0 });
  await fails(poll, "MACH_SEND_TIMED_OUT");
  expect(await server.ports.getReceiveStatus(receive)).toMatchObject({ msgcount: 2 });
});

conform("D56 inline bodies longer than a page arrive whole", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  for (const length of [4097, 8192, 50_000, 300_001, 1 << 20]) {
    await client.send({ remote: send, bytes: pattern(length) });
    const { bytes, size } = await server.receive(receive);
    expect(size).toBe(length);
    expect(sameBytes(bytes, pattern(length))).toBe(true);
  }
});

conform("D56 a long inline body keeps its rights", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const own = await client.ports.allocate();
  const bytes = { kind: "bytes" as const, bytes: pattern(9000) };
  await client.send({ remote: send, items: [bytes, rights(Array(600).fill(own), MAKE_SEND)] });
  const got = await server.receive(receive);
  expect(got.items[0]).toEqual(bytes);
  expect(await server.ports.getRefs(nameIn(got, 1), RIGHT_SEND)).toBe(600);
});

conform("D58 the last right elsewhere, moved as destination, is gone there", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  await client.send({ remote: send, remoteDisposition: MOVE_SEND, id: 4 });
  await fails(client.ports.type(send), "KERN_INVALID_NAME");
  expect(await server.receive(receive)).toMatchObject({ id: 4, localDisposition: PORT_SEND });
  expect(await server.ports.type(receive)).toBe(TYPE_RECEIVE);
  const again = await world.give(server, receive, MAKE_SEND, client);
  expect(await client.ports.type(again)).toBe(TYPE_SEND);
});

conform("D58 no-senders follows the message that used the last right", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const notify = await server.ports.allocate();
  await server.ports.requestNotification(receive, NOTIFY_NO_SENDERS, 0, notify);
  await client.send({ remote: send, remoteDisposition: MOVE_SEND, id: 4 });
  expect(await server.receive(receive)).toMatchObject({ id: 4 });
  await expectNotice(server, notify, noSenders(1));
});
