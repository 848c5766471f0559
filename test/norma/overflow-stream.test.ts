// Overflows on their way out and in: the order of messages and of nodes, pages that nobody would have sent,
// and what the pool has been charged. The transport is the test.

import { expect, test } from "@jest/globals";
import { COUNTERS } from "../../src/base/counters.ts";
import { LARGE_BYTES_MAX, MESSAGE_BODY_BYTES_MAX } from "../../src/base/limits.ts";
import { FRAME_MESSAGE } from "../../src/hardware/frame-table.ts";
import { PACKET_FRAME, PACKET_PAGE, PACKET_ROUTE } from "../../src/hardware/packet-layout.ts";
import type { KernelMessage } from "../../src/ipc/kernel-message.ts";
import { OverflowArrivals } from "../../src/norma/overflow-arrivals.ts";
import { OverflowStream } from "../../src/norma/overflow-stream.ts";
import type { Transport } from "../../src/norma/transport.ts";
import { LoneNodes } from "../support/lone-node.ts";

const bench = () => {
  const { ipc } = new LoneNodes().kernels[0]!;
  const { memory, pool } = ipc;
  const packets: { readonly node: number; readonly at: number }[] = [];
  const transport = {
    register: () => {},
    submit: (node: number, at: number) => {
      packets.push({ node, at });
      memory.words[at + PACKET_ROUTE] = node;
    },
  } as unknown as Transport;
  const arrived: KernelMessage[] = [];
  const relieved: number[] = [];
  const arrivals = new OverflowArrivals(ipc, transport, {
    overflowArrived: (_source, message) => void arrived.push(message),
    overflowAbandoned: () => {},
  });
  const stream = new OverflowStream(ipc, transport, arrivals, {
    packetReleased: (node) => void relieved.push(node),
  });
  const large = (pages: number): KernelMessage =>
    pool.takeToSend((pages - 1) * memory.layout.pageBytes + 4)!;
  /** The page that is out is acknowledged; the packet that it was in, if there was one. */
  const release = (): void => {
    const page = packets.findLast(({ at }) => pages.has(at))!;
    stream.released(page.at);
  };
  const pages = new Set<number>();
  /** Nodes in the order in which something was sent to them: "1" a message, "1+" a page. */
  const order = (): string[] =>
    packets.map(({ node, at }) => (pages.has(at) ? `${node}+` : `${node}`));
  const expectFrom = (source: number, bytes: number, complex: boolean): KernelMessage => {
    const message = pool.takeToReceive(false)!;
    message.size = bytes;
    message.complex = complex;
    arrivals.expect(source, message, buffer, frame);
    return message;
  };
  const frame = ipc.frames.allocate(FRAME_MESSAGE);
  const buffer = pool.takeForKernel()!.at;
  /** A packet that brings a page of which word i is `word(i)`. */
  const page = (bytes: number, word: (i: number) => number): number => {
    const start = memory.frameWord(frame);
    for (let i = 0; i < bytes / 4; i++) memory.words[start + i] = word(i);
    memory.words[buffer + PACKET_FRAME] = frame;
    memory.words[buffer + PACKET_PAGE] = bytes;
    return buffer;
  };
  return {
    ipc,
    page,
    stream,
    arrivals,
    packets,
    arrived,
    relieved,
    large,
    pages,
    order,
    release,
    expectFrom,
  };
};

test("overflow stream: one packet of words is out at a time, nodes take turns; what waits behind goes in order", () => {
  const { ipc, stream, packets, relieved, large, pages, order, release } = bench();
  const [first, second] = [large(3), large(2)];
  stream.submit(1, first);
  pages.add(packets.at(-1)!.at);
  stream.submit(2, second);
  for (let i = 0; i < 3; i++) stream.submit(1, ipc.pool.takeToSend(0)!);
  expect(order()).toEqual(["1", "1+", "2"]);
  expect([stream.backlog(1), stream.backlog(2), stream.backlog(3)]).toEqual([3, 0, 0]);
  expect(stream.keeps(first)).toBe(true);
  expect(stream.keeps(second)).toBe(true);
  for (let i = 0; i < 4; i++) release();
  expect(order().slice(3)).toEqual(["1+", "2+", "1+", "1", "1", "1", "2+"]);
  expect(new Set(packets.map(({ at }) => at)).size).toBe(6);
  release();
  expect(relieved).toEqual([1, 1, 2, 1, 2]);
  expect([first.overflow, second.overflow]).toEqual([null, null]); // both are back in the pool
});

// --- in -------------------------------------------------------------------------------------------

test("overflow stream: a long body that is no typed items is thrown away, and nothing is kept of it", () => {
  const { ipc, arrivals, arrived, expectFrom, page } = bench();
  const { pageBytes } = ipc.memory.layout;
  const before = ipc.pool.freeCount;
  expectFrom(3, 3 * pageBytes, true);
  for (const bytes of [pageBytes, pageBytes])
    arrivals.acceptWords(
      page(bytes, () => 0),
      3,
    );
  expect(ipc.pool.freeCount).toBe(before - 1);
  arrivals.acceptWords(
    page(pageBytes, () => -1),
    3,
  );
  expect(arrived).toEqual([]);
  expect(ipc.pool.freeCount).toBe(before);
  expectFrom(3, pageBytes + 4, false);
  arrivals.acceptWords(
    page(pageBytes, (i) => i),
    3,
  );
  arrivals.acceptWords(
    page(4, () => 99),
    3,
  );
  expect(
    arrived.map(({ size, overflow }) => [size, overflow!.body!.at(-2), overflow!.body!.at(-1)]),
  ).toEqual([[pageBytes + 4, pageBytes / 4 - 1, 99]]);
});

test("overflow stream: messages of several nodes arrive page by page, each whole when its last page is", () => {
  const { ipc, arrivals, arrived, expectFrom, page } = bench();
  const { pageBytes } = ipc.memory.layout;
  const [first, second] = [
    expectFrom(1, 2 * pageBytes, false),
    expectFrom(2, 2 * pageBytes, false),
  ];
  arrivals.acceptWords(
    page(pageBytes, () => 1),
    1,
  );
  arrivals.acceptWords(
    page(pageBytes, () => 2),
    2,
  );
  arrivals.acceptWords(
    page(pageBytes, () => 2),
    2,
  );
  expect(arrived).toEqual([second]);
  arrivals.acceptWords(
    page(pageBytes, () => 1),
    1,
  );
  expect(arrived).toEqual([second, first]);
  expect([...new Set(first.overflow!.body)]).toEqual([1]);
  expect([...new Set(second.overflow!.body)]).toEqual([2]);
});

test("overflow stream: pages of no message, or longer than a page, are counted and change nothing", () => {
  const { ipc, arrivals, arrived, expectFrom, page } = bench();
  const { layout, counters } = ipc.memory;
  const { pageBytes } = layout;
  arrivals.acceptWords(
    page(pageBytes, () => 1),
    1,
  );
  expect(counters[COUNTERS.damaged.index]).toBe(1);
  const message = expectFrom(1, 2 * pageBytes, false);
  const tooLong = page(pageBytes, () => 1);
  ipc.memory.words[tooLong + PACKET_PAGE] = 2 * pageBytes;
  arrivals.acceptWords(tooLong, 1);
  expect(counters[COUNTERS.damaged.index]).toBe(2);
  expect(arrived).toEqual([]);
  expect([...new Set(message.overflow!.body)]).toEqual([0]);
});

test("overflow stream: what arrives is charged until its message is put back, and bounds what begins", () => {
  const { ipc, expectFrom } = bench();
  const { pool } = ipc;
  const messages = Array.from({ length: LARGE_BYTES_MAX / MESSAGE_BODY_BYTES_MAX }, (_, source) => {
    expect(pool.roomToReceiveLarge).toBe(true);
    return expectFrom(source, MESSAGE_BODY_BYTES_MAX, false);
  });
  expect(pool.roomToReceiveLarge).toBe(false);
  pool.put(messages[0]!);
  expect(pool.roomToReceiveLarge).toBe(true);
});
