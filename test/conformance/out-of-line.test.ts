// Conformance: memory and rights that travel out of line.

import { expect } from "@jest/globals";
import { MACH_MSG_VM_SPACE } from "../../src/base/status.ts";
import {
  COPY_SEND,
  MACH_PORT_DEAD,
  MACH_PORT_NULL,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MOVE_SEND,
  MOVE_SEND_ONCE,
  PORT_SEND,
  PORT_SEND_ONCE,
  RIGHT_SEND,
} from "../../src/ipc/rights.ts";
import { hasDeallocate } from "../../src/ipc/typed-item.ts";
import {
  VM_INHERIT_COPY,
  VM_INHERIT_SHARE,
  VM_PROT_ALL,
  VM_PROT_DEFAULT,
  VM_PROT_NONE,
  VM_PROT_READ,
} from "../../src/vm/protection.ts";
import { conform } from "../support/conform.ts";
import {
  expectNotice,
  memoryOf,
  regionIn,
  sameBytes,
  sendOnceGone,
} from "../support/conformance-steps.ts";
import {
  integer,
  type LetterItem,
  pattern,
  region,
  regionAt,
  right,
  rightsRegion,
} from "../support/peer-letter.ts";
import { fails } from "../support/worlds.ts";

const PAGE = 4096;

conform("O1 a page out of line is a copy that belongs to the receiver", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const address = await memoryOf(client, pattern(PAGE));
  await client.send({ remote: send, items: [regionAt(address, PAGE)] });
  await client.memory.fill(address, PAGE, 0);
  const got = await server.receive(receive);
  expect(got.complex).toBe(true);
  expect(sameBytes(regionIn(got), pattern(PAGE))).toBe(true);
  const [item] = got.items;
  if (item?.kind !== "region") throw new Error("no region");
  await server.memory.store8(item.address, 99);
  expect(await client.memory.load8(address)).toBe(0);
  await server.vm.deallocate(item.address, PAGE);
  await fails(server.memory.load8(item.address), "KERN_INVALID_ADDRESS");
});

conform("O2 with deallocate the sender's pages are gone", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const address = await memoryOf(client, pattern(3 * PAGE));
  await client.send({ remote: send, items: [regionAt(address + PAGE, PAGE, true)] });
  await fails(client.memory.load8(address + PAGE), "KERN_INVALID_ADDRESS");
  expect(await client.memory.load8(address)).toBe(pattern(1)[0]);
  expect(await client.memory.load8(address + 2 * PAGE)).toBeGreaterThanOrEqual(0);
  const got = await server.receive(receive);
  expect(sameBytes(regionIn(got), pattern(3 * PAGE).subarray(PAGE, 2 * PAGE))).toBe(true);
});

conform("O2 what is copied on write is given up by its sender only", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const address = await memoryOf(client, pattern(4 * PAGE));
  const copy = await client.vm.read(address, 4 * PAGE);
  await client.memory.store8(copy + PAGE, 0);
  const changed = pattern(4 * PAGE);
  changed[PAGE] = 0;
  await client.send({ remote: send, items: [regionAt(copy, 4 * PAGE, true)] });
  await fails(client.memory.load8(copy), "KERN_INVALID_ADDRESS");
  expect(sameBytes(await client.memory.read(address, 4 * PAGE), pattern(4 * PAGE))).toBe(true);
  await client.memory.fill(address, 4 * PAGE, 1);
  expect(sameBytes(regionIn(await server.receive(receive)), changed)).toBe(true);
});

conform("O3 start and length need not be those of pages", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const address = await memoryOf(client, pattern(3 * PAGE));
  for (const [start, length] of [
    [100, 8000],
    [1, 1],
    [PAGE - 1, 2],
    [3, PAGE],
  ] as const) {
    await client.send({ remote: send, items: [regionAt(address + start, length)] });
    const expected = pattern(3 * PAGE).subarray(start, start + length);
    expect(sameBytes(regionIn(await server.receive(receive)), expected)).toBe(true);
  }
});

for (const [rule, lengths] of [
  [
    "O4 regions of many pages arrive whole",
    [8 * PAGE, 9 * PAGE, 64 * PAGE, 65 * PAGE, 300 * PAGE + 5],
  ],
  ["O6 any length arrives as it is", [1, 2, 3, 4, 5, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE + 3]],
] as const) {
  conform(rule, async (world) => {
    const { client, server } = world;
    const { send, receive } = await world.door(client, server);
    for (const length of lengths) {
      await client.send({ remote: send, items: [region(pattern(length), true)] });
      const contents = regionIn(await server.receive(receive));
      expect(contents).toHaveLength(length);
      expect(sameBytes(contents, pattern(length))).toBe(true);
    }
  });
}

conform("O5 a region of no bytes arrives at address 0, whatever its address was", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  await client.send({ remote: send, items: [regionAt(0xdead0000, 0), integer(4)] });
  const { items } = await server.receive(receive);
  expect(items).toEqual([{ kind: "region", contents: new Uint8Array(), address: 0 }, integer(4)]);
});

conform("O7 memory that was never touched arrives as zeros", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const address = await client.vm.allocate(5 * PAGE);
  await client.send({ remote: send, items: [regionAt(address, 5 * PAGE)] });
  const contents = regionIn(await server.receive(receive));
  expect(sameBytes(contents, new Uint8Array(5 * PAGE))).toBe(true);
});

conform("O8 what is written after a send has returned is not seen", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const address = await memoryOf(client, pattern(20 * PAGE));
  const letter = { remote: send, items: [regionAt(address, 20 * PAGE)] };
  for (let i = 0; i < 3; i++) {
    await client.memory.write(address, pattern(20 * PAGE, i));
    await client.send(letter);
  }
  for (let i = 0; i < 3; i++) {
    const contents = regionIn(await server.receive(receive));
    expect(sameBytes(contents, pattern(20 * PAGE, i))).toBe(true);
  }
});

conform("O8 what is written while a send is under way is not seen", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const bytes = 40 * PAGE;
  const address = await memoryOf(client, pattern(bytes));
  for (let i = 1; i < 4; i++) {
    const sent = client.send({ remote: send, items: [regionAt(address, bytes)] });
    const stored = [
      client.memory.store32(address + (bytes - PAGE), i),
      client.memory.write(address, pattern(bytes, i + 1)),
    ];
    await Promise.all([sent, ...stored]);
  }
  for (let i = 1; i < 4; i++) {
    expect(sameBytes(regionIn(await server.receive(receive)), pattern(bytes, i))).toBe(true);
  }
});

conform("O8 one page may be under way in several messages at once", async (world) => {
  const { client, server, third } = world;
  const doors = [await world.door(client, server), await world.door(client, third)];
  const address = await memoryOf(client, pattern(3 * PAGE));
  const items = [
    regionAt(address, 2 * PAGE),
    regionAt(address + PAGE, 2 * PAGE),
    regionAt(address, 9),
  ];
  await Promise.all(
    doors.flatMap(({ send: remote }) => [1, 2].map((id) => client.send({ remote, id, items }))),
  );
  await client.memory.fill(address, 3 * PAGE, 0);
  for (const [i, peer] of [server, third].entries()) {
    for (const _message of [1, 2]) {
      const got = await peer.receive(doors[i]!.receive);
      expect(sameBytes(regionIn(got, 0), pattern(3 * PAGE).subarray(0, 2 * PAGE))).toBe(true);
      expect(sameBytes(regionIn(got, 1), pattern(3 * PAGE).subarray(PAGE))).toBe(true);
      expect(sameBytes(regionIn(got, 2), pattern(9))).toBe(true);
    }
  }
});

conform("O4 a region that was received can be sent on, and on", async (world) => {
  const { client, server, third } = world;
  const contents = pattern(11 * PAGE + 100);
  const address = await memoryOf(client, contents);
  const hops = [client, server, third, client, server] as const;
  let at = address + 50;
  for (let i = 0; i + 1 < hops.length; i++) {
    const door = await world.door(hops[i]!, hops[i + 1]!);
    await hops[i]!.memory.store8(at, i);
    await hops[i]!.send({ remote: door.send, items: [regionAt(at, 11 * PAGE, i % 2 === 1)] });
    const [item] = (await hops[i + 1]!.receive(door.receive)).items;
    if (item?.kind !== "region") throw new Error("no region");
    const expected = contents.slice(50, 50 + 11 * PAGE);
    expected[0] = i;
    expect(sameBytes(item.contents, expected)).toBe(true);
    at = item.address;
  }
});

conform("O1 what arrives may be read, written, and inherited as a copy", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const address = await memoryOf(client, pattern(2 * PAGE));
  await client.vm.protect(address, 2 * PAGE, VM_PROT_READ, { maximum: true });
  await client.vm.inherit(address, 2 * PAGE, VM_INHERIT_SHARE);
  await client.send({ remote: send, items: [regionAt(address, 2 * PAGE)] });
  const [item] = (await server.receive(receive)).items;
  if (item?.kind !== "region") throw new Error("no region");
  await server.memory.store8(item.address, 1);
  expect(await server.vm.region(item.address)).toMatchObject({
    protection: VM_PROT_DEFAULT,
    maxProtection: VM_PROT_ALL,
    inheritance: VM_INHERIT_COPY,
    shared: false,
  });
  expect(await client.memory.load8(address)).toBe(pattern(1)[0]);
});

conform("S22 memory that may not be read is refused", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const address = await memoryOf(client, pattern(3 * PAGE));
  await client.vm.protect(address + PAGE, PAGE, VM_PROT_NONE);
  for (const deallocate of [false, true]) {
    const items = [regionAt(address, 3 * PAGE, deallocate)];
    await fails(client.send({ remote: send, items }), "MACH_SEND_INVALID_MEMORY");
  }
  await client.vm.protect(address + PAGE, PAGE, VM_PROT_READ);
  expect(sameBytes(await client.memory.read(address, 3 * PAGE), pattern(3 * PAGE))).toBe(true);
  await world.expectNoMessage(server, receive);
});

conform("S22 memory that is not there is refused, and the message destroyed", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const address = await memoryOf(client, pattern(2 * PAGE));
  await client.vm.deallocate(address + PAGE, PAGE);
  const own = await client.ports.allocate();
  for (const [at, bytes] of [
    [0, 1],
    [0x70000000, 100],
    [address, PAGE + 1],
    [address + PAGE - 1, 2],
    [0xffffffff, 2],
  ] as const) {
    const items = [right(own, MAKE_SEND_ONCE), regionAt(at, bytes)];
    await fails(client.send({ remote: send, items }), "MACH_SEND_INVALID_MEMORY");
    await expectNotice(client, own, sendOnceGone());
  }
  const items: LetterItem[] = [
    { kind: "rightsRegionAt", address: 0x70000000, count: 3, disposition: COPY_SEND },
  ];
  await fails(client.send({ remote: send, items }), "MACH_SEND_INVALID_MEMORY");
  await world.expectNoMessage(server, receive);
});

conform("O20 several regions of a message arrive each by itself", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const lengths = [10, PAGE, 0, 3 * PAGE + 1, 77];
  const items = lengths.map((length, i) => region(pattern(length, i)));
  await client.send({ remote: send, items: [integer(1), ...items, integer(2)] });
  const got = await server.receive(receive);
  for (const [i, length] of lengths.entries()) {
    expect(sameBytes(regionIn(got, i + 1), pattern(length, i))).toBe(true);
  }
  expect(got.items[6]).toEqual(integer(2));
});

conform("V19 a region arrives marked as the receiver's, inline data does not", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  for (const deallocate of [false, true]) {
    await client.send({ remote: send, items: [region(pattern(8), deallocate), integer(5)] });
    const { bytes } = await server.receive(receive);
    const words = new Int32Array(bytes.slice().buffer);
    expect(hasDeallocate(words, 0)).toBe(true);
    expect(hasDeallocate(words, 2)).toBe(false);
  }
});

conform("V18 a region that finds no memory: BODY_ERROR, VM_SPACE, address 0", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const own = await client.ports.allocate();
  const items = [region(pattern(2 * PAGE)), rightsRegion([own], MAKE_SEND_ONCE), integer(6)];
  await client.send({ remote: send, items });
  for (let bytes = 1 << 28; bytes >= PAGE; bytes >>= 1) {
    while ((await server.vm.allocate(bytes).catch(() => 0)) !== 0);
  }
  const error = await fails(server.receive(receive), "MACH_RCV_BODY_ERROR");
  expect(error.status & MACH_MSG_VM_SPACE).toBe(MACH_MSG_VM_SPACE);
  expect(error.received!.items[0]).toEqual({
    kind: "region",
    contents: new Uint8Array(),
    address: 0,
  });
  expect(error.received!.items[2]).toEqual(integer(6));
  await expectNotice(client, own, sendOnceGone());
});

conform("O21 rights out of line: each disposition, null and dead among them", async (world) => {
  const { client, server, third } = world;
  const { send: remote, receive } = await world.door(client, server);
  const { send, receive: home } = await world.door(client, third);
  const once = await world.give(third, home, MAKE_SEND_ONCE, client);
  const own = await client.ports.allocate();
  await client.ports.modRefs(send, RIGHT_SEND, 1);
  await client.send({
    remote,
    items: [
      rightsRegion([own, MACH_PORT_NULL, own], MAKE_SEND),
      rightsRegion([send, MACH_PORT_DEAD], COPY_SEND),
      rightsRegion([send, send], MOVE_SEND),
      rightsRegion([once], MOVE_SEND_ONCE),
      rightsRegion([own, own], MAKE_SEND_ONCE),
    ],
  });
  await fails(client.ports.type(send), "KERN_INVALID_NAME");
  await fails(client.ports.type(once), "KERN_INVALID_NAME");
  expect(await client.ports.getReceiveStatus(own)).toMatchObject({ mscount: 2, sorights: 2 });
  const { items } = await server.receive(receive);
  const names = items.map((item) => (item.kind === "rightsRegion" ? item.names : []));
  const dispositions = items.map((item) => (item.kind === "rightsRegion" ? item.disposition : 0));
  expect(dispositions).toEqual([PORT_SEND, PORT_SEND, PORT_SEND, PORT_SEND_ONCE, PORT_SEND_ONCE]);
  const [[mine, none, again], [theirs, dead], moved, [single], onces] = names as [
    number[],
    number[],
    number[],
    number[],
    number[],
  ];
  expect([none, dead, again]).toEqual([MACH_PORT_NULL, MACH_PORT_DEAD, mine]);
  expect(moved).toEqual([theirs, theirs]);
  expect(await server.ports.getRefs(mine!, RIGHT_SEND)).toBe(2);
  expect(await server.ports.getRefs(theirs!, RIGHT_SEND)).toBe(3);
  expect(new Set([single, ...onces]).size).toBe(3);
  await server.send({ remote: single!, remoteDisposition: MOVE_SEND_ONCE, id: 4 });
  expect(await third.receive(home)).toMatchObject({ id: 4 });
});

conform("O22 a right missing out of line destroys the message, after its memory", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const own = await client.ports.allocate();
  const items = [rightsRegion([own, own], MAKE_SEND_ONCE), rightsRegion([own, 0x4242], COPY_SEND)];
  await fails(client.send({ remote: send, items }), "MACH_SEND_INVALID_RIGHT");
  await expectNotice(client, own, sendOnceGone());
  await expectNotice(client, own, sendOnceGone());
  await world.expectNoMessage(server, receive);
});

conform("D57 a thousand rights out of line arrive in order", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const ports: number[] = [];
  for (let i = 0; i < 10; i++) ports.push(await client.ports.allocate());
  const names = Array.from({ length: 1000 }, (_, i) => ports[(i * i) % 10]!);
  await client.send({ remote: send, items: [rightsRegion(names, MAKE_SEND)] });
  const [item] = (await server.receive(receive)).items;
  if (item?.kind !== "rightsRegion") throw new Error("no rights");
  const byPort = new Map(names.map((name, i) => [name, item.names[i]!]));
  expect(item.names).toEqual(names.map((name) => byPort.get(name)));
  expect(new Set(item.names).size).toBe(new Set(names).size);
  const first = byPort.get(ports[0]!)!;
  const count = names.filter((name) => name === ports[0]).length;
  expect(await server.ports.getRefs(first, RIGHT_SEND)).toBe(count);
});

conform("O9 no memory is asked for, and none is given up", async ({ client }) => {
  expect(await client.vm.allocate(0)).toBe(0);
  await client.vm.deallocate(0, 0);
  await client.vm.deallocate(0x70000000, PAGE);
  await fails(client.vm.allocate(2 ** 31), "KERN_NO_SPACE");
});

conform("O10 new memory is zero, and keeps what is written", async ({ client }) => {
  const address = await client.vm.allocate(3 * PAGE + 1);
  expect(address % PAGE).toBe(0);
  expect(sameBytes(await client.memory.read(address, 4 * PAGE), new Uint8Array(4 * PAGE))).toBe(
    true,
  );
  await client.memory.write(address + 5, pattern(2 * PAGE));
  expect(sameBytes(await client.memory.read(address + 5, 2 * PAGE), pattern(2 * PAGE))).toBe(true);
  await client.memory.store32(address, -2);
  expect(await client.memory.load32(address)).toBe(-2);
  await client.memory.store16(address + 1, 0xabcd);
  expect(await client.memory.load16(address + 1)).toBe(0xabcd);
  await client.memory.fill(address, 3, 7);
  expect(await client.memory.load8(address + 2)).toBe(7);
});

conform("O13 memory that is partly gone is neither read nor written", async ({ client }) => {
  const address = await client.vm.allocate(3 * PAGE);
  await client.memory.fill(address, 3 * PAGE, 1);
  await client.vm.deallocate(address + PAGE + 10, 1);
  await fails(client.memory.write(address, pattern(2 * PAGE)), "KERN_INVALID_ADDRESS");
  await fails(client.memory.read(address, PAGE + 1), "KERN_INVALID_ADDRESS");
  await fails(client.memory.fill(address + PAGE, 1, 0), "KERN_INVALID_ADDRESS");
  await fails(client.memory.load32(address + PAGE - 2), "KERN_INVALID_ADDRESS");
  expect(await client.memory.load8(address + PAGE - 1)).toBe(1);
  expect(await client.memory.load8(address + 2 * PAGE)).toBe(1);
});
