// Conformance: the raw mach_msg trap: messages as bytes in task memory, options as bits, sizes with the header.

import { expect } from "@jest/globals";
import {
  MACH_MSG_SUCCESS,
  MACH_RCV_INVALID_DATA,
  MACH_RCV_INVALID_NAME,
  MACH_RCV_INVALID_NOTIFY,
  MACH_RCV_TIMED_OUT,
  MACH_RCV_TOO_LARGE,
  MACH_SEND_INVALID_DATA,
  MACH_SEND_INVALID_DEST,
  MACH_SEND_INVALID_HEADER,
  MACH_SEND_INVALID_NOTIFY,
  MACH_SEND_INVALID_TYPE,
  MACH_SEND_MSG_TOO_SMALL,
  MACH_SEND_NO_BUFFER,
  MACH_SEND_TIMED_OUT,
  MACH_SEND_WILL_NOTIFY,
} from "../../src/base/status.ts";
import {
  COPY_SEND,
  MACH_PORT_NULL,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MOVE_SEND,
  NOTIFY_DEAD_NAME,
  PORT_SEND,
  PORT_SEND_ONCE,
  RIGHT_SEND,
  TYPE_DNREQUEST,
  TYPE_SEND,
} from "../../src/ipc/rights.ts";
import { conform } from "../support/conform.ts";
import {
  expectNotice,
  msgAccepted,
  nameIn,
  sendMany,
  sendOnceGone,
} from "../support/conformance-steps.ts";
import { integer, right } from "../support/peer-letter.ts";
import type { Peer } from "../support/peers.ts";

// Written out, not imported: these numbers are Mach's (mach/message.h).
const SEND = 0x1;
const RCV = 0x2;
const SEND_TIMEOUT = 0x10;
const SEND_NOTIFY = 0x20;
const SEND_CANCEL = 0x80;
const RCV_TIMEOUT = 0x100;
const RCV_NOTIFY = 0x200;
const RCV_LARGE = 0x800;
const COMPLEX = 0x80000000;
const HEADER = 24;

/** msgh_bits of a message: remote and local disposition. */
const bits = (remote: number, local = 0): number => remote | (local << 8);

/** Descriptor of an inline item: name, element size in bits, number. */
const inline = (type: number, size: number, number: number, more = 0): number =>
  (type | (size << 8) | (number << 16) | (1 << 28) | more) >>> 0;

const UNUSED = 1 << 31;
const DEALLOCATE = 1 << 30;
const LONG_FORM = 1 << 29;
const INTEGER_32 = 2;

/** Words at an address of a peer: a page of them if it is new. */
const put = async (peer: Peer, words: readonly number[], at = 0): Promise<number> => {
  const address = at === 0 ? await peer.vm.allocate(4096) : at;
  await peer.memory.write(
    address,
    new Uint8Array(Uint32Array.from(words.map((w) => w >>> 0)).buffer),
  );
  return address;
};

const get = async (peer: Peer, address: number, count: number): Promise<number[]> => {
  const bytes = await peer.memory.read(address, count * 4);
  return [...new Uint32Array(bytes.slice().buffer)];
};

/** The trap with its send half only; `words` the message. */
const trapSend = async (
  peer: Peer,
  words: readonly number[],
  { option = 0, size = words.length * 4, timeout = 0, notify = 0, address = 0 } = {},
): Promise<number> => {
  const at = await put(peer, words, address);
  return peer.machMsg(at, SEND | option, size, 0, MACH_PORT_NULL, timeout, notify);
};

conform("format a header is bits, size, remote, local, seqno, id", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const own = await client.ports.allocate();
  // Size and seqno of a message that is sent mean nothing: the argument counts.
  const words = [bits(COPY_SEND, MAKE_SEND_ONCE), 9999, send, own, 77, 0x1234, 11, 22];
  expect(await trapSend(client, words)).toBe(MACH_MSG_SUCCESS);
  const at = await server.vm.allocate(4096);
  expect(await server.machMsg(at, RCV, 0, 4096, receive, 0, 0)).toBe(MACH_MSG_SUCCESS);
  const got = await get(server, at, 8);
  expect(got[0]).toBe(bits(PORT_SEND_ONCE, PORT_SEND));
  expect(got.slice(1)).toEqual([HEADER + 8, got[2], receive, 0, 0x1234, 11, 22]);
  await server.ports.deallocate(got[2]!);
  await expectNotice(client, own, sendOnceGone());
});

conform(
  "format the complex bit makes items of the body, and goes where there are none",
  async (world) => {
    const { client, server } = world;
    const { send, receive } = await world.door(client, server);
    const own = await client.ports.allocate();
    const body = [inline(MAKE_SEND, 32, 1), own, inline(INTEGER_32, 32, 1), 5];
    const header = [bits(COPY_SEND) | COMPLEX, 0, send, 0, 0, 1];
    expect(await trapSend(client, [...header, ...body])).toBe(MACH_MSG_SUCCESS);
    const at = await server.vm.allocate(4096);
    expect(await server.machMsg(at, RCV, 0, 4096, receive, 0, 0)).toBe(MACH_MSG_SUCCESS);
    const got = await get(server, at, 10);
    expect(got[0]).toBe((bits(0, PORT_SEND) | COMPLEX) >>> 0);
    expect(got[6]).toBe(inline(PORT_SEND, 32, 1));
    expect(await server.ports.type(got[7]!)).toBe(TYPE_SEND);
    expect(got.slice(8)).toEqual([inline(INTEGER_32, 32, 1), 5]);
    await trapSend(client, [...header, inline(INTEGER_32, 32, 1), 6]);
    await server.machMsg(at, RCV, 0, 4096, receive, 0, 0);
    expect((await get(server, at, 1))[0]).toBe(bits(0, PORT_SEND));
    // Without the bit nothing is looked at.
    await trapSend(client, [bits(COPY_SEND), 0, send, 0, 0, 1, ...body]);
    await server.machMsg(at, RCV, 0, 4096, receive, 0, 0);
    expect((await get(server, at, 10)).slice(6)).toEqual(body);
  },
);

conform("options neither send nor receive is no work, and succeeds", async ({ client }) => {
  expect(await client.machMsg(0, 0, 0, 0, 0x4242, 0, 0)).toBe(MACH_MSG_SUCCESS);
  expect(await client.machMsg(0, SEND_TIMEOUT | RCV_LARGE, 7, 7, 0, 9, 9)).toBe(MACH_MSG_SUCCESS);
});

conform("S6 a size below 24, or no multiple of 4, sends nothing", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const words = [bits(MOVE_SEND), 0, send, 0, 0, 1, 0];
  for (const size of [0, 20, 23, 25, 26]) {
    expect(await trapSend(client, words, { size })).toBe(MACH_SEND_MSG_TOO_SMALL);
  }
  expect(await client.ports.getRefs(send, RIGHT_SEND)).toBe(1);
  await world.expectNoMessage(server, receive);
});

conform("S7 a message that is not in memory is not sent", async (world) => {
  const { client, server } = world;
  const { send } = await world.door(client, server);
  const trap = (at: number, size: number): Promise<number> =>
    client.machMsg(at, SEND, size, 0, 0, 0, 0);
  expect(await trap(0, HEADER)).toBe(MACH_SEND_INVALID_DATA);
  const at = await put(client, [bits(MOVE_SEND), 0, send, 0, 0, 1]);
  expect(await trap(at, 4100)).toBe(MACH_SEND_INVALID_DATA);
  expect(await trap(0xffffffe0, HEADER + 16)).toBe(MACH_SEND_INVALID_DATA);
  expect(await client.ports.getRefs(send, RIGHT_SEND)).toBe(1);
});

conform("send-codes a message longer than any is refused for want of a buffer", async (world) => {
  const { client, server } = world;
  const { send } = await world.door(client, server);
  const at = await client.vm.allocate(2 << 20);
  await put(client, [bits(MOVE_SEND), 0, send, 0, 0, 1], at);
  const status = await client.machMsg(at, SEND, (1 << 20) + HEADER + 4, 0, 0, 0, 0);
  expect(status).toBe(MACH_SEND_NO_BUFFER);
  expect(await client.ports.getRefs(send, RIGHT_SEND)).toBe(1);
});

conform("send-codes statuses of the header come back, and nothing has happened", async (world) => {
  const { client, server } = world;
  const { send } = await world.door(client, server);
  const header = (what: number, remote: number): number[] => [what, 0, remote, 0, 0, 1];
  expect(await trapSend(client, header(bits(COPY_SEND), 0x4242))).toBe(MACH_SEND_INVALID_DEST);
  expect(await trapSend(client, header(bits(0), send))).toBe(MACH_SEND_INVALID_HEADER);
  expect(await trapSend(client, header(bits(16), send))).toBe(MACH_SEND_INVALID_HEADER);
  expect(await client.ports.getRefs(send, RIGHT_SEND)).toBe(1);
});

conform("S20 descriptors that make no sense are refused, the message destroyed", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const own = await client.ports.allocate();
  const header = [bits(COPY_SEND, MAKE_SEND_ONCE) | COMPLEX, 0, send, own, 0, 1];
  for (const body of [
    [inline(INTEGER_32, 32, 1, DEALLOCATE), 5],
    [inline(INTEGER_32, 32, 1, UNUSED), 5],
    [inline(MAKE_SEND, 8, 4), own],
    [inline(INTEGER_32, 0, 0, LONG_FORM), (32 << 16) | INTEGER_32, 1, 5],
    [inline(0, 32, 0, LONG_FORM), (32 << 16) | INTEGER_32, 1, 5],
    [inline(0, 0, 1, LONG_FORM), (32 << 16) | INTEGER_32, 1, 5],
    [inline(0, 0, 0, LONG_FORM), (16 << 16) | MAKE_SEND, 2, own],
  ]) {
    expect(await trapSend(client, [...header, ...body])).toBe(MACH_SEND_INVALID_TYPE);
    await expectNotice(client, own, sendOnceGone());
  }
  await world.expectNoMessage(server, receive);
});

conform("S20 the long form carries what the short one does", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const own = await client.ports.allocate();
  const long = (type: number): number[] => [inline(0, 0, 0, LONG_FORM), (32 << 16) | type, 1];
  const header = [bits(COPY_SEND) | COMPLEX, 0, send, 0, 0, 1];
  const words = [...header, ...long(INTEGER_32), 5, ...long(MAKE_SEND), own];
  expect(await trapSend(client, words)).toBe(MACH_MSG_SUCCESS);
  const got = await server.receive(receive);
  expect(got.items[0]).toEqual(integer(5));
  expect(await server.ports.type(nameIn(got, 1))).toBe(TYPE_SEND);
});

conform("S21 an item that runs past the end takes the message with it", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const own = await client.ports.allocate();
  const header = [bits(COPY_SEND, MAKE_SEND_ONCE) | COMPLEX, 0, send, own, 0, 1];
  // Each body with the send-once rights that had been taken from it by then.
  for (const [body, taken] of [
    [[inline(INTEGER_32, 32, 3), 1, 2], 0],
    [[inline(MAKE_SEND_ONCE, 32, 1), own, inline(MAKE_SEND_ONCE, 32, 2), own], 1],
    [[INTEGER_32 | (32 << 8) | (1 << 16)], 0],
    [[inline(0, 0, 0, LONG_FORM), (32 << 16) | INTEGER_32], 0],
  ] as const) {
    expect(await trapSend(client, [...header, ...body])).toBe(MACH_SEND_MSG_TOO_SMALL);
    for (let i = 0; i < taken + 1; i++) await expectNotice(client, own, sendOnceGone());
  }
  await world.expectNoMessage(client, own);
  await world.expectNoMessage(server, receive);
});

conform("S24 a poll gives the message back into memory", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  await sendMany(world, client, send, 5);
  const own = await client.ports.allocate();
  const address = await client.vm.allocate(4096);
  const words = [
    bits(COPY_SEND, MAKE_SEND) | COMPLEX,
    0,
    send,
    own,
    0,
    7,
    inline(MAKE_SEND, 32, 1),
    own,
  ];
  const option = SEND_TIMEOUT;
  expect(await trapSend(client, words, { option, address })).toBe(MACH_SEND_TIMED_OUT);
  const back = await get(client, address, 8);
  expect(back[0]).toBe((bits(PORT_SEND, PORT_SEND) | COMPLEX) >>> 0);
  expect(back.slice(2, 4)).toEqual([send, own]);
  expect(back.slice(5)).toEqual([7, inline(PORT_SEND, 32, 1), own]);
  expect(await client.ports.getRefs(own, RIGHT_SEND)).toBe(2);
  for (let i = 0; i < 5; i++) await server.receive(receive);
  expect(await client.machMsg(address, SEND, 32, 0, 0, 0, 0)).toBe(MACH_MSG_SUCCESS);
  expect(await server.receive(receive)).toMatchObject({ id: 7 });
});

conform("options a send that fails is not followed by the receive", async ({ client }) => {
  const port = await client.ports.allocate();
  await client.ports.insertRight(port, port, MAKE_SEND);
  await client.send({ remote: port, id: 9 });
  const at = await put(client, [bits(COPY_SEND), 0, 0x4242, 0, 0, 1]);
  const status = await client.machMsg(at, SEND | RCV, HEADER, 4096, port, 0, 0);
  expect(status).toBe(MACH_SEND_INVALID_DEST);
  expect(await client.receive(port)).toMatchObject({ id: 9 });
});

conform("options send and receive in one trap make a call", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const own = await client.ports.allocate();
  const at = await put(client, [bits(COPY_SEND, MAKE_SEND_ONCE), 0, send, own, 0, 5, 123]);
  const call = client.machMsg(at, SEND | RCV, HEADER + 4, 4096, own, 0, 0);
  const request = await server.receive(receive);
  expect(request).toMatchObject({ id: 5, size: 4 });
  await server.send({
    remote: request.remote,
    remoteDisposition: 18,
    id: 105,
    bytes: request.bytes,
  });
  expect(await call).toBe(MACH_MSG_SUCCESS);
  const got = await get(client, at, 7);
  expect(got).toEqual([bits(0, PORT_SEND_ONCE), HEADER + 4, 0, own, 0, 105, 123]);
});

conform("V1 statuses of a receive come back", async (world) => {
  const { client } = world;
  const port = await client.ports.allocate();
  const at = await client.vm.allocate(4096);
  const trap = (option: number, name: number, timeout = 0): Promise<number> =>
    client.machMsg(at, RCV | option, 0, 4096, name, timeout, 0);
  expect(await trap(0, 0x4242)).toBe(MACH_RCV_INVALID_NAME);
  expect(await trap(RCV_TIMEOUT, port)).toBe(MACH_RCV_TIMED_OUT);
  expect(await trap(RCV_TIMEOUT, port, 20)).toBe(MACH_RCV_TIMED_OUT);
});

conform(
  "V3 with RCV_LARGE a message that is too large stays, and its size is told",
  async (world) => {
    const { client, server } = world;
    const { send, receive } = await world.door(client, server);
    await client.send({ remote: send, id: 5, bytes: new Uint8Array(400) });
    const at = await put(server, [1, 2, 3, 4, 5, 6, 7]);
    const trap = (option: number, size: number): Promise<number> =>
      server.machMsg(at, RCV | option, 0, size, receive, 0, 0);
    expect(await trap(RCV_LARGE, 100)).toBe(MACH_RCV_TOO_LARGE);
    expect(await get(server, at, 7)).toEqual([1, HEADER + 400, 3, 4, 5, 6, 7]);
    expect(await trap(RCV_LARGE, HEADER + 400)).toBe(MACH_MSG_SUCCESS);
    expect((await get(server, at, 6))[5]).toBe(5);
  },
);

conform("V4 without it the message goes, and its header is given", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const own = await client.ports.allocate();
  const local = { local: own, localDisposition: MAKE_SEND_ONCE };
  await client.send({ remote: send, ...local, id: 5, items: [right(own, MAKE_SEND_ONCE)] });
  const at = await put(server, [1, 2, 3, 4, 5, 6, 7]);
  const status = await server.machMsg(at, RCV, 0, HEADER, receive, 0, 0);
  expect(status).toBe(MACH_RCV_TOO_LARGE);
  const got = await get(server, at, 7);
  expect(got.slice(2)).toEqual([MACH_PORT_NULL, receive, 0, 5, 7]);
  await expectNotice(client, own, sendOnceGone());
  await expectNotice(client, own, sendOnceGone());
});

conform(
  "V14 memory that cannot be written: the rights were received all the same",
  async (world) => {
    const { client, server } = world;
    const { send, receive } = await world.door(client, server);
    const own = await client.ports.allocate();
    await client.send({ remote: send, items: [right(own, MAKE_SEND)] });
    const before = await server.ports.names();
    const status = await server.machMsg(0, RCV, 0, 4096, receive, 0, 0);
    expect(status).toBe(MACH_RCV_INVALID_DATA);
    expect(await server.ports.names()).toHaveLength(before.length + 1);
  },
);

conform(
  "options SEND_NOTIFY, SEND_CANCEL and RCV_NOTIFY take the notify argument",
  async (world) => {
    const { client, server } = world;
    const { send, receive } = await world.door(client, server);
    const notify = await client.ports.allocate();
    await sendMany(world, client, send, 5);
    const words = [bits(COPY_SEND), 0, send, 0, 0, 7];
    const none = await trapSend(client, words, { option: SEND_NOTIFY });
    expect(none).toBe(MACH_SEND_INVALID_NOTIFY);
    const forced = await trapSend(client, words, { option: SEND_NOTIFY, notify });
    expect(forced).toBe(MACH_SEND_WILL_NOTIFY);
    for (let i = 0; i < 6; i++) await server.receive(receive);
    await expectNotice(client, notify, msgAccepted(send));
    // The last reference must be the one that is sent with: the refused message gave one back.
    await client.ports.deallocate(send);
    await client.ports.requestNotification(send, NOTIFY_DEAD_NAME, 0, notify);
    const last = [bits(MOVE_SEND), 0, send, 0, 0, 8];
    expect(await trapSend(client, last, { option: SEND_CANCEL })).toBe(MACH_SEND_INVALID_NOTIFY);
    expect(await trapSend(client, last, { option: SEND_CANCEL, notify })).toBe(MACH_MSG_SUCCESS);
    await server.receive(receive);
    await world.expectNoMessage(client, notify);
  },
);

conform("V10 RCV_NOTIFY by the trap", async (world) => {
  const { client, server } = world;
  const { send, receive } = await world.door(client, server);
  const own = await client.ports.allocate();
  const notify = await server.ports.allocate();
  const at = await server.vm.allocate(4096);
  const trap = (to: number): Promise<number> =>
    server.machMsg(at, RCV | RCV_NOTIFY, 0, 4096, receive, 0, to);
  const letter = { remote: send, local: own, localDisposition: MAKE_SEND };
  await client.send(letter);
  expect(await trap(notify)).toBe(MACH_MSG_SUCCESS);
  const [, , reply] = await get(server, at, 3);
  expect(await server.ports.type(reply!)).toBe(TYPE_SEND + TYPE_DNREQUEST);
  await client.send(letter);
  expect(await trap(MACH_PORT_NULL)).toBe(MACH_RCV_INVALID_NOTIFY);
});
