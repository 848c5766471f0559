// Conformance: sends that find the queue full: timeouts, messages that are given back, msg-accepted requests,
// interruption, and the order in which senders get in.

import { expect } from "@jest/globals";
import { MACH_MSG_IPC_SPACE } from "../../src/base/status.ts";
import {
  COPY_SEND,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MOVE_RECEIVE,
  MOVE_SEND,
  MOVE_SEND_ONCE,
  PORT_RECEIVE,
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
import {
  expectNotice,
  fullDoor,
  LIMIT,
  MS,
  nameIn,
  receiveIds,
  regionIn,
  sameBytes,
  sendMany,
  sendOnceGone,
} from "../support/conformance-steps.ts";
import type { Door } from "../support/doors.ts";
import { pattern, region, right, rightsRegion } from "../support/peer-letter.ts";
import { fails, type World } from "../support/worlds.ts";

/** A send right of the client's to a port of the third's, and the port. */
const otherDoor = (world: World): Promise<Door> => world.door(world.client, world.third);

conform("S24 a full queue times a poll out, and gives the rights back", async (world) => {
  const { client, server, third } = world;
  const { send, receive } = await fullDoor(world);
  const other = await otherDoor(world);
  const own = await client.ports.allocate();
  const local = { local: own, localDisposition: MAKE_SEND_ONCE };
  const items = [right(other.send, COPY_SEND), region(pattern(5000), true)];
  const poll = client.send({ remote: send, ...local, id: 7, items }, { timeoutNs: 0 });
  const error = await fails(poll, "MACH_SEND_TIMED_OUT");
  const back = { remote: send, remoteDisposition: PORT_SEND, localDisposition: PORT_SEND_ONCE };
  expect(error.letter).toMatchObject({
    ...back,
    id: 7,
    items: [right(other.send, PORT_SEND), { kind: "region", contents: pattern(5000) }],
  });
  expect(await client.ports.getRefs(send, RIGHT_SEND)).toBe(2);
  expect(await client.ports.getRefs(other.send, RIGHT_SEND)).toBe(2);
  expect(await receiveIds(server, receive, LIMIT)).toEqual([100, 101, 102, 103, 104]);
  await client.sendAgain(error);
  const got = await server.receive(receive);
  expect(got).toMatchObject({ id: 7, remoteDisposition: PORT_SEND_ONCE });
  expect(got.items[1]).toMatchObject({ contents: pattern(5000) });
  expect(await client.ports.getRefs(send, RIGHT_SEND)).toBe(1);
  await server.send({ remote: nameIn(got), id: 8 });
  expect(await third.receive(other.receive)).toMatchObject({ id: 8 });
  await server.send({ remote: got.remote, remoteDisposition: MOVE_SEND_ONCE, id: 9 });
  expect(await client.receive(own)).toMatchObject({ id: 9 });
});

const INLINE_OR_NOT = [
  ["S25", "inline", right],
  ["S26", "out of line", (name: number, how: 17) => rightsRegion([name, name], how)],
] as const;

for (const [rule, where, item] of INLINE_OR_NOT) {
  const times = rule === "S25" ? 1 : 2;
  conform(
    `${rule} rights ${where}, of each send disposition, come back and go again`,
    async (world) => {
      const { client, server } = world;
      const { send, receive } = await fullDoor(world);
      const other = await otherDoor(world);
      const own = await client.ports.allocate();
      await client.ports.modRefs(other.send, RIGHT_SEND, 5);
      for (const [name, disposition, mine] of [
        [other.send, COPY_SEND, true],
        [other.send, MOVE_SEND, true],
        [own, MAKE_SEND, true],
        [own, MAKE_SEND_ONCE, false],
      ] as const) {
        const items = [item(name, disposition as 17)];
        const poll = client.send({ remote: send, items }, { timeoutNs: 0 });
        const { letter, ...error } = await fails(poll, "MACH_SEND_TIMED_OUT");
        const carried = disposition === MAKE_SEND_ONCE ? PORT_SEND_ONCE : PORT_SEND;
        expect(letter!.items).toMatchObject([{ disposition: carried }]);
        const [back] = letter!.items;
        if (back?.kind !== "rights" && back?.kind !== "rightsRegion") throw new Error("no rights");
        if (mine) expect(back.names).toEqual(Array(times).fill(name));
        else expect(new Set(back.names).size).toBe(times);
        await server.receive(receive); // room for one
        await world.settled();
        await client.sendAgain(error as never);
        expect(await receiveIds(server, receive, LIMIT - 1)).toHaveLength(LIMIT - 1);
        expect((await server.receive(receive)).items).toMatchObject([{ disposition: carried }]);
        await sendMany(world, client, send, LIMIT);
      }
    },
  );
}

conform("S25 a receive right comes back under its name, with its send rights", async (world) => {
  const { client, server } = world;
  const { send, receive } = await fullDoor(world);
  const port = await client.ports.allocate();
  await client.ports.insertRight(port, port, MAKE_SEND);
  const items = [right(port, MOVE_RECEIVE)];
  const poll = client.send({ remote: send, items }, { timeoutNs: 0 });
  const error = await fails(poll, "MACH_SEND_TIMED_OUT");
  expect(error.letter!.items).toEqual([right(port, PORT_RECEIVE)]);
  expect(await client.ports.type(port)).toBe(TYPE_RECEIVE + TYPE_SEND);
  await receiveIds(server, receive, LIMIT);
  await client.sendAgain(error);
  const name = nameIn(await server.receive(receive));
  expect(await server.ports.type(name)).toBe(TYPE_RECEIVE);
});

conform("S27 a megabyte out of line comes back whole, and goes again", async (world) => {
  const { client, server } = world;
  const { send, receive } = await fullDoor(world);
  const contents = pattern(1 << 20);
  for (const deallocate of [false, true]) {
    const address = await client.vm.allocate(contents.length);
    await client.memory.write(address, contents);
    const items = [{ kind: "regionAt" as const, address, bytes: contents.length, deallocate }];
    const poll = client.send({ remote: send, items }, { timeoutNs: 0 });
    const error = await fails(poll, "MACH_SEND_TIMED_OUT");
    expect(sameBytes(regionIn(error.letter!), contents)).toBe(true);
    if (!deallocate) expect(await client.memory.load8(address)).toBe(contents[0]);
    await receiveIds(server, receive, LIMIT);
    await client.sendAgain(error);
    expect(sameBytes(regionIn(await server.receive(receive)), contents)).toBe(true);
    await sendMany(world, client, send, LIMIT);
  }
});

conform("S28 a send waits no longer than its timeout, and gets in before that", async (world) => {
  const { client, server } = world;
  const { send, receive } = await fullDoor(world);
  const waiting = client.send({ remote: send, id: 7 }, { timeoutNs: 5000 * MS });
  expect(await server.after(20 * MS).receive(receive)).toMatchObject({ id: 100 });
  expect(await waiting).toBe(0);
  const beginNs = await client.now();
  const late = client.send({ remote: send, id: 8 }, { timeoutNs: 30 * MS });
  await fails(late, "MACH_SEND_TIMED_OUT");
  expect((await client.now()) - beginNs).toBeGreaterThanOrEqual(30 * MS);
  expect(await receiveIds(server, receive, LIMIT)).toEqual([101, 102, 103, 104, 7]);
  await world.expectNoMessage(server, receive);
});

conform("S32 a send-once right gets in though the queue is full", async (world) => {
  const { client, server } = world;
  const { receive } = await fullDoor(world);
  const once = await world.give(server, receive, MAKE_SEND_ONCE, client);
  const letter = { remote: once, remoteDisposition: MOVE_SEND_ONCE, id: 7 };
  expect(await client.send(letter, { timeoutNs: 0 })).toBe(0);
  await world.settled();
  const status = { msgcount: LIMIT + 1, sorights: 1 };
  expect(await server.ports.getReceiveStatus(receive)).toMatchObject(status);
  expect(await receiveIds(server, receive, LIMIT + 1)).toEqual([100, 101, 102, 103, 104, 7]);
});

conform("S33 senders that wait succeed when the port dies, and their rights go", async (world) => {
  const { client, server, third } = world;
  const { send, receive } = await fullDoor(world);
  const other = await world.door(third, client);
  const once = await world.give(client, other.receive, MAKE_SEND_ONCE, third);
  const thirdOnce = await world.give(third, once, MOVE_SEND_ONCE, client);
  const waiting = client.send({ remote: send, items: [right(thirdOnce, MOVE_SEND_ONCE)] });
  await world.settled();
  await server.ports.destroy(receive);
  expect(await waiting).toBe(0);
  await expectNotice(client, other.receive, sendOnceGone());
  await world.settled();
  await fails(client.send({ remote: send }), "MACH_SEND_INVALID_DEST");
});

conform("S34 a queued message goes with its port, and its rights with it", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const own = await client.ports.allocate();
  const local = { local: own, localDisposition: MAKE_SEND_ONCE };
  await client.send({ remote: send, ...local, items: [right(own, MAKE_SEND_ONCE)] });
  await world.settled();
  await server.ports.destroy(receive);
  await expectNotice(client, own, sendOnceGone());
  await expectNotice(client, own, sendOnceGone());
  expect(await client.ports.getReceiveStatus(own)).toMatchObject({ sorights: 0 });
});

conform("S41 an interrupted send gives its message back; others wait on", async (world) => {
  const { client, server } = world;
  const { send, receive } = await fullDoor(world);
  const patient = client.send({ remote: send, id: 6 });
  await world.settled();
  const waiting = client.send({ remote: send, id: 7 }, { interruptible: true });
  waiting.catch(() => {});
  await world.settled();
  await client.abort();
  const error = await fails(waiting, "MACH_SEND_INTERRUPTED");
  expect(error.letter).toMatchObject({ remote: send, remoteDisposition: PORT_SEND, id: 7 });
  expect(await receiveIds(server, receive, LIMIT + 1)).toEqual([100, 101, 102, 103, 104, 6]);
  await patient;
  await client.sendAgain(error);
  expect(await server.receive(receive)).toMatchObject({ id: 7 });
});

conform("S43 a receive right sent to itself goes, and its names are dead", async ({ client }) => {
  const port = await client.ports.allocate();
  for (let i = 0; i < 2; i++) await client.ports.insertRight(port, port, MAKE_SEND);
  expect(await client.send({ remote: port, items: [right(port, MOVE_RECEIVE)] })).toBe(0);
  expect(await client.ports.type(port)).toBe(TYPE_DEAD_NAME);
  expect(await client.ports.getRefs(port, RIGHT_DEAD_NAME)).toBe(2);
});

conform("S44 a circle of two receive rights is destroyed with the second send", async (world) => {
  const { client } = world;
  const [first, second] = [await client.ports.allocate(), await client.ports.allocate()];
  for (const port of [first, second]) await client.ports.insertRight(port, port, MAKE_SEND);
  await client.send({ remote: first, items: [right(second, MOVE_RECEIVE)] });
  expect(await client.send({ remote: second, items: [right(first, MOVE_RECEIVE)] })).toBe(0);
  for (const port of [first, second]) expect(await client.ports.type(port)).toBe(TYPE_DEAD_NAME);
});

conform(
  "send-codes a message that finds no names on its way back tells of the shortage",
  async (world) => {
    const { client } = world;
    const { send } = await fullDoor(world);
    const own = await client.ports.allocate();
    await client.fillNames(0);
    const items = [right(own, MAKE_SEND_ONCE), right(own, MAKE_SEND)];
    const poll = client.send({ remote: send, items }, { timeoutNs: 0 });
    const error = await fails(poll, "MACH_SEND_TIMED_OUT");
    expect(error.status & MACH_MSG_IPC_SPACE).toBe(MACH_MSG_IPC_SPACE);
    expect(error.letter!.items).toEqual([right(0, PORT_SEND_ONCE), right(own, PORT_SEND)]);
    await expectNotice(client, own, sendOnceGone());
  },
);

conform(
  "send-codes the reply right of a send that is given back is the sender's again",
  async (world) => {
    const { client, third } = world;
    const { send } = await fullDoor(world);
    const other = await otherDoor(world);
    const once = await world.give(third, other.receive, MAKE_SEND_ONCE, client);
    for (const [local, localDisposition, right] of [
      [other.send, COPY_SEND, PORT_SEND],
      [other.send, MOVE_SEND, PORT_SEND],
      [once, MOVE_SEND_ONCE, PORT_SEND_ONCE],
    ] as const) {
      const letter = { remote: send, local, localDisposition, id: 3 };
      const { letter: back } = await fails(
        client.send(letter, { timeoutNs: 0 }),
        "MACH_SEND_TIMED_OUT",
      );
      expect(back).toMatchObject({ remote: send, localDisposition: right, id: 3 });
      if (right === PORT_SEND) expect(back!.local).toBe(local);
      else expect(await client.ports.type(back!.local)).toBe(TYPE_SEND_ONCE);
    }
    expect(await client.ports.getRefs(other.send, RIGHT_SEND)).toBe(2);
  },
);
