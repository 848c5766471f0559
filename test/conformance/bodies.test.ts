// Conformance: bodies of every size and kind, and many of them: what was sent is what arrives.

import { expect } from "@jest/globals";
import { Random } from "../../src/base/random.ts";
import { MACH_PORT_NULL, MAKE_SEND, PORT_SEND, RIGHT_SEND } from "../../src/ipc/rights.ts";
import { conform } from "../support/conform.ts";
import { contentsOf, nameIn } from "../support/conformance-steps.ts";
import {
  integer,
  type LetterItem,
  pattern,
  type ReceivedItem,
  region,
  rights,
  rightsRegion,
  text,
} from "../support/peer-letter.ts";
import { fails, SEED } from "../support/worlds.ts";

conform("S3 strings, integers and bytes arrive as they were sent", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const bodies = [
    [],
    [text("hello")],
    [text("grüße"), text("")],
    [integer(-1), { kind: "bytes" as const, bytes: pattern(3) }, text("x")],
    [{ kind: "integers" as const, values: Array.from({ length: 30 }, (_, i) => i * i) }],
    [{ kind: "portName" as const, name: 0xdeadbeef }],
  ];
  for (const [id, items] of bodies.entries()) {
    await client.send({ remote: send, id, items });
    const got = await server.receive(receive);
    expect(got).toMatchObject({ id, complex: false, remote: MACH_PORT_NULL });
    expect(contentsOf(got)).toEqual(items);
  }
});

conform("S19 a message's size must be within its memory", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  for (const size of [68, 1e6, -4]) {
    const letter = { remote: send, bytes: pattern(64), size };
    await fails(client.send(letter), "MACH_SEND_INVALID_DATA");
  }
  await client.send({ remote: send, bytes: pattern(64), size: 60 });
  expect(await server.receive(receive)).toMatchObject({ size: 60, bytes: pattern(60) });
});

conform("S45 32 KB of inline data arrive intact", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  await client.send({ remote: send, bytes: pattern(32768) });
  expect((await server.receive(receive)).bytes).toEqual(pattern(32768));
});

conform("S42 a thousand messages of one sender arrive in order", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const ids = Array.from({ length: 1000 }, (_, i) => i);
  const sent = Promise.all(ids.map((id) => client.send({ remote: send, id })));
  const got = await Promise.all(ids.map(() => server.receive(receive)));
  await sent;
  expect(got.map(({ id }) => id)).toEqual(ids);
  expect(got.map(({ sequence }) => sequence)).toEqual(ids);
});

conform("S46 inline sizes, rights and both together arrive as they were sent", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const port = await client.ports.allocate();
  for (const bytes of [0, 1, 2, 3, 4, 100, 191, 192, 193, 1000, 4000, 4092, 4097, 9001]) {
    for (const count of [0, 1, 3]) {
      const names = Array<number>(count).fill(port);
      const items = [{ kind: "bytes" as const, bytes: pattern(bytes, count) }];
      await client.send({ remote: send, items: [...items, rights(names, MAKE_SEND)], id: bytes });
      const got = await server.receive(receive);
      expect(got.items[0]).toEqual(items[0]);
      expect(got.items[1]).toMatchObject({ kind: "rights", disposition: PORT_SEND });
      if (count > 0) await server.ports.modRefs(nameIn(got, 1), RIGHT_SEND, -count);
      expect(got.id).toBe(bytes);
    }
  }
});

/** A body drawn from a seed: up to 9 items of every kind, regions up to 40 KB. */
const drawBody = (random: Random, port: number): LetterItem[] =>
  Array.from({ length: random.below(10) }, (): LetterItem => {
    const length = random.below(3) === 0 ? random.below(40_000) : random.below(300);
    switch (random.below(6)) {
      case 0:
        return integer(random.uint32() | 0);
      case 1:
        return text("x".repeat(length % 500));
      case 2:
        return { kind: "bytes", bytes: pattern(length, random.below(100)) };
      case 3:
        return region(pattern(length, random.below(100)), random.below(2) === 0);
      case 4:
        return rights(Array(random.below(20)).fill(port), MAKE_SEND);
      default:
        return rightsRegion(Array(random.below(200)).fill(port), MAKE_SEND);
    }
  });

conform("S46 bodies drawn from a seed arrive item by item", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const own = await client.ports.allocate();
  const name = await world.give(client, own, MAKE_SEND, server);
  const random = new Random(SEED);
  for (let id = 0; id < 40; id++) {
    const items = drawBody(random, own);
    await client.send({ remote: send, id, items });
    const got = await server.receive(receive);
    const label = `message ${id} of seed ${SEED}`;
    expect([label, got.id, got.items.length]).toEqual([label, id, items.length]);
    for (const [i, item] of items.entries()) {
      const what = `item ${i} of ${label}`;
      expect([what, arrived(got.items[i]!)]).toEqual([what, sentAs(item, name)]);
    }
  }
});

/** What of an item must be the same here and there, without comparing thousands of bytes one by one. */
const arrived = (item: ReceivedItem): string => {
  if (item.kind === "bytes") return `${item.kind} ${Buffer.from(item.bytes).toString("base64")}`;
  if (item.kind === "region")
    return `${item.kind} ${Buffer.from(item.contents).toString("base64")}`;
  if (item.kind === "rights" || item.kind === "rightsRegion") {
    return `${item.kind} ${item.names} ${item.disposition}`;
  }
  return JSON.stringify(item);
};

const sentAs = (item: LetterItem, name: number): string => {
  if (item.kind !== "rights" && item.kind !== "rightsRegion") return arrived(item as ReceivedItem);
  return `${item.kind} ${item.names.map(() => name)} ${PORT_SEND}`;
};
