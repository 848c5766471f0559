// The contenders of the large-message suites: all shapes on one machine, data checked by the programs, and what
// happens when it is wrong.

import { afterAll, expect, test } from "@jest/globals";
import { BenchMachine } from "../../bench/contenders/bench-machine.ts";
import { HalfTrip } from "../../bench/contenders/half-trip.ts";
import {
  largeMemory,
  PAGE_BYTES,
  pingPong,
  rpc,
  stream,
  windowOf,
} from "../../bench/contenders/page-shapes.ts";
import {
  PageStreams,
  type PageStreamsParts,
  together,
} from "../../bench/contenders/page-streams.ts";
import type { PageShape } from "../../bench/programs/page-args.ts";
import { scriptedContender } from "./support/scripted-contender.ts";

const SAMPLES = 3;
const THERE = { from: 0, to: 1 };
const BACK = { from: 1, to: 0 };

const bench = new BenchMachine(1, 1, 7, 2, largeMemory(2));
afterAll(() => bench.halt());

type Way = Partial<Omit<PageStreamsParts, "name" | "shapeAt">>;

const contender = (name: string, shapeAt: PageStreamsParts["shapeAt"], way: Way) =>
  new PageStreams(bench, { name, pairs: [THERE], sync: false, ...way, shapeAt });

const WAYS: readonly (readonly [string, (bytes: number) => PageShape, Way])[] = [
  ["ping-pong", pingPong, {}],
  ["ping-pong, synchronous", pingPong, { sync: true }],
  ["stream", (bytes) => stream(bytes, 3), {}],
  ["stream, synchronous", (bytes) => stream(bytes, 3), { sync: true }],
  ["two streams", (bytes) => stream(bytes, 3), { pairs: [THERE, BACK] }],
  ["reply", (bytes) => rpc(0, bytes), { sync: true }],
  ["reply, deallocated", (bytes) => rpc(0, bytes), { sync: true, deallocate: true }],
  ["request, deallocated", (bytes) => stream(bytes, 3), { deallocate: true }],
  ["reply, rewritten", (bytes) => rpc(0, bytes), { sync: true, rewrite: true }],
];

for (const [name, shape, way] of WAYS) {
  test(`page streams: ${name}: inline, a page and many pages come whole`, async () => {
    const streams = contender(name, ({ bytes = 0 }) => shape(bytes), way);
    for (const bytes of [0, 256, PAGE_BYTES, 5 * PAGE_BYTES]) {
      await streams.prepare({ bytes });
      for (let round = 0; round < 2; round++) {
        const slice = await streams.slice(SAMPLES);
        expect(slice).toHaveLength(SAMPLES);
        // Between a cache miss and a hang.
        for (const ns of slice) expect(ns > 10 && ns < 10e9).toBe(true);
      }
    }
  });
}

test("page streams: the batch is the messages behind a sample, at the point", async () => {
  const streams = contender("batch", ({ bytes = 0 }) => pingPong(bytes), {});
  await streams.prepare({ bytes: 64 });
  expect(streams.batch).toBe(32);
  await streams.prepare({ bytes: 2 ** 20 });
  expect(streams.batch).toBe(2);
});

test("page streams: counters are per message, whatever a slice costs beside", async () => {
  const streams = contender("counters", ({ bytes = 0 }) => stream(bytes, 4), {});
  for (const pages of [1, 8]) {
    await streams.prepare({ bytes: pages * PAGE_BYTES });
    const { dmaBytes, copiedBytes } = await streams.counters();
    // Headers, acknowledgements and the window's reply are on top of the data.
    expect(dmaBytes).toBeGreaterThanOrEqual(pages * PAGE_BYTES);
    expect(dmaBytes).toBeLessThan(pages * PAGE_BYTES * 1.25);
    expect(copiedBytes).toBeGreaterThan(0);
  }
  const both = contender("counters of two", ({ bytes = 0 }) => stream(bytes, 4), {
    pairs: [THERE, BACK],
  });
  expect(await both.counters()).toEqual({});
});

test("page streams: several synchronous pairs, and a slice before prepare(), are errors", async () => {
  expect(() => contender("two", () => rpc(0, 0), { sync: true, pairs: [THERE, BACK] })).toThrow(
    RangeError,
  );
  await expect(contender("early", () => rpc(0, 0), {}).slice(1)).rejects.toThrow(/before prepare/);
});

test("page streams: bytes that are not whole pages fail the slice", async () => {
  const streams = contender("odd", () => stream(PAGE_BYTES + 1, 2), {});
  await streams.prepare({});
  await expect(streams.slice(1)).rejects.toThrow(/not whole pages/);
});

test("page programs: the check tells other data, too little, a damaged page and none", async () => {
  const machine = await bench.running();
  const program = new URL("./programs/page-checks.js", import.meta.url);
  expect(await (await machine.spawn(0, program)).exited).toEqual({
    right: "whole",
    otherSalt: expect.stringContaining("page 0 of 3 came wrong"),
    tooShort: expect.stringContaining("12288 bytes came of 16384"),
    damaged: expect.stringContaining("page 1 of 3 came wrong"),
    released: expect.stringContaining("0 bytes came of 12288"),
  });
});

test("together: rates add up, one pair stays as it is", () => {
  const one = Float64Array.of(10, 30);
  expect(together([one])).toBe(one);
  expect([...together([one, Float64Array.of(10, 60)])]).toEqual([5, 20]);
  expect(() => together([])).toThrow(RangeError);
});

test("shapes: a window has at least two messages, at most 64, and at most 1 MiB beyond two", () => {
  expect([4096, 65_536, 1_048_576, 4_194_304].map(windowOf)).toEqual([64, 16, 2, 2]);
  expect(pingPong(0)).toMatchObject({ batch: 16, messagesPerRound: 2 });
  expect(largeMemory(2)).toEqual({ memory: { bytesPerNode: 2 ** 26 } });
  expect(largeMemory(128)).toEqual({ memory: { bytesPerNode: 2 ** 24 } });
  expect(rpc(0, 2 ** 20)).toMatchObject({ requestBytes: 0, replyBytes: 2 ** 20, batch: 1 });
});

test("half trip: every sample is halved", async () => {
  const log: string[] = [];
  const half = new HalfTrip(scriptedContender({ name: "raw", batch: 4, sampleNs: () => 90, log }));
  expect(half).toMatchObject({ name: "raw", batch: 4 });
  await half.prepare({});
  expect([...(await half.slice(2))]).toEqual([45, 45]);
  await half.close();
  expect(log).toEqual(["prepare raw", "slice raw 2", "close raw"]);
});
