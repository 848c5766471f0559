// Conformance: queue limits, and the order in which senders that wait get in.

import { expect } from "@jest/globals";
import { COPY_SEND, MAKE_SEND } from "../../src/ipc/rights.ts";
import { conform } from "../support/conform.ts";
import {
  blocked,
  FILLED_BY_SEVERAL,
  fullDoor,
  LIMIT,
  receiveIds,
  sendMany,
} from "../support/conformance-steps.ts";
import { fails } from "../support/worlds.ts";

conform("S30 a limit raised by two lets two of three senders in", async (world) => {
  const { client, server } = world;
  const { send, receive } = await fullDoor(world);
  const { done, all } = await blocked(world, client, send, [1, 2, 3]);
  expect(done).toEqual([]);
  await server.ports.setQlimit(receive, LIMIT + 2);
  await world.settled();
  expect(done).toEqual([1, 2]);
  expect(await server.ports.getReceiveStatus(receive)).toMatchObject({ msgcount: LIMIT + 2 });
  expect(await receiveIds(server, receive, LIMIT + 3)).toEqual([100, 101, 102, 103, 104, 1, 2, 3]);
  await all;
});

conform("S31 senders that wait get in oldest first, one for each message taken", async (world) => {
  const { client, server } = world;
  const { send, receive } = await fullDoor(world);
  const other = await world.another(client);
  const others = await world.give(client, send, COPY_SEND, other);
  const first = await blocked(world, client, send, [1]);
  const second = await blocked(world, other, others, [2]);
  const third = await blocked(world, client, send, [3]);
  const done = (): number[] => [...first.done, ...second.done, ...third.done];
  for (let taken = 0; taken < 3; taken++) {
    expect(done()).toEqual([1, 2, 3].slice(0, taken));
    expect(await server.receive(receive)).toMatchObject({ id: 100 + taken });
    await world.settled();
  }
  expect(done()).toEqual([1, 2, 3]);
  expect(await receiveIds(server, receive, LIMIT)).toEqual([103, 104, 1, 2, 3]);
});

conform(
  "S31 a queue that one sender has filled is full for another",
  async (world) => {
    const { client, server, third } = world;
    const { send, receive } = await world.door(client, server);
    const thirds = await world.give(server, receive, MAKE_SEND, third);
    await sendMany(world, client, send, LIMIT);
    await fails(third.send({ remote: thirds }, { timeoutNs: 0 }), "MACH_SEND_TIMED_OUT");
    const first = await blocked(world, third, thirds, [1]);
    const second = await blocked(world, client, send, [2]);
    await server.receive(receive);
    await world.settled();
    expect([first.done, second.done]).toEqual([[1], []]);
    expect(await receiveIds(server, receive, LIMIT + 1)).toEqual([101, 102, 103, 104, 1, 2]);
    await Promise.all([first.all, second.all]);
  },
  { except: FILLED_BY_SEVERAL },
);

conform("S31 senders of several tasks all get in, each in its own order", async (world) => {
  const { client, server, third } = world;
  const { send, receive } = await world.door(client, server);
  const beside = await world.another(server);
  const senders = [
    { peer: client, remote: send },
    { peer: third, remote: await world.give(server, receive, MAKE_SEND, third) },
    { peer: beside, remote: await world.give(server, receive, MAKE_SEND, beside) },
  ];
  const COUNT = 30;
  const sent = senders.flatMap(({ peer, remote }, who) =>
    Array.from({ length: COUNT }, (_, i) => peer.send({ remote, id: who * 1000 + i })),
  );
  await world.settled();
  const ids = await receiveIds(server, receive, COUNT * senders.length);
  for (const who of senders.keys()) {
    const own = ids.filter((id) => Math.floor(id / 1000) === who);
    expect(own).toEqual(Array.from({ length: COUNT }, (_, i) => who * 1000 + i));
  }
  await Promise.all(sent);
});

conform("S31 senders that wait meet as many receivers", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const ids = Array.from({ length: 12 }, (_, i) => i);
  const sent = Promise.all(ids.map((id) => client.send({ remote: send, id })));
  await world.settled();
  const got = await Promise.all(ids.map(() => server.receive(receive)));
  expect(got.map(({ id }) => id)).toEqual(ids);
  await sent;
});

for (const [rule, queued] of [
  ["R35 a queue limit of 0 stops every ordinary send", false],
  ["R35 a queue limit of 0 takes back what was allowed before", true],
] as const) {
  conform(rule, async (world) => {
    const { client, server } = world;
    const { send, receive } = await world.door(client, server);
    // A message that is handed over at once, or one that is found in the queue: senders learn different things.
    const early = queued ? null : server.receive(receive);
    await world.settled();
    await client.send({ remote: send, id: 1 });
    await world.settled();
    expect(await (early ?? server.receive(receive))).toMatchObject({ id: 1 });
    await server.ports.setQlimit(receive, 0);
    await world.settled();
    const { done, all } = await blocked(world, client, send, [2]);
    expect(done).toEqual([]);
    await server.ports.setQlimit(receive, 1);
    await all;
    expect(await server.receive(receive)).toMatchObject({ id: 2 });
  });
}
