// Suite token with small numbers: that its parts give results, and that the counts are right.

import { expect, test } from "@jest/globals";
import { countPeriods, countSchemes, manualCube } from "../../bench/token/count-messages.ts";
import { replayTrace } from "../../bench/token/replay-trace.ts";
import { randomTrace } from "../../bench/token/right-trace.ts";
import { measureRpcBesideToken, rpcSlices } from "../../bench/token/rpc-beside-token.ts";
import { timePeriods, watchIdle } from "../../bench/token/time-periods.ts";
import { sortSlices, timeSlices } from "../../bench/token/time-slices.ts";
import { QUICK_PLAN, type TokenPlan } from "../../bench/token/token-plan.ts";
import { Random } from "../../src/base/random.ts";
import {
  PERIOD_RECORDS_MAX,
  RECORD_WORDS,
  TOKEN_HEADER_WORDS,
} from "../../src/norma/token-records.ts";

const PLAN: TokenPlan = {
  ...QUICK_PLAN,
  seed: 7,
  rights: 300,
  sliceRepeats: 2,
  windows: 3,
  windowMs: 5,
  idleMs: 50,
};

test("token: a period has three messages for each node; its bytes grow with what is open, up to a limit", async () => {
  const bytesOf = async (open: number) => {
    const { max, counters } = await countPeriods("token", 8, open);
    expect(counters.messagesPerPeriod).toBe(24);
    return { max, periods: counters.periods };
  };
  const record = RECORD_WORDS * 4;
  const empty = 24 * TOKEN_HEADER_WORDS * 4;
  expect(await bytesOf(0)).toEqual({ max: empty, periods: 1 });
  // The holder is the neighbour of the home that the ring reaches last: the write pass carries it for a part only.
  const { max: one } = await bytesOf(1);
  expect(one).toBeGreaterThanOrEqual(empty + 16 * record);
  expect(one).toBeLessThanOrEqual(empty + 24 * record);
  expect(await bytesOf(10)).toEqual({ max: empty + 10 * (one - empty), periods: 2 });
  // The second period may take twice as much as the first.
  const many = await bytesOf(PERIOD_RECORDS_MAX * 3);
  // The answers of a period are on the token for a part of the next one's first pass.
  expect(many.max).toBeLessThanOrEqual(empty + (24 + 8) * PERIOD_RECORDS_MAX * record);
  expect(many.max).toBeGreaterThan(empty + 16 * PERIOD_RECORDS_MAX * record);
  expect(many.periods).toBe(5);
});

test("token: a history of rights that happens costs three messages a node and period, whatever its rate", async () => {
  for (const rate of [1, 30]) {
    const trace = randomTrace(new Random(5), 4, 3, rate, 4);
    expect(await replayTrace(manualCube(4), trace)).toEqual(new Array(5).fill(12));
  }
});

test("token: the three schemes have results for the same history, and the others ratios to the token", async () => {
  const { results, ratios } = await countSchemes("token", PLAN, 8, 50);
  expect(results.map(({ name, unit, samples }) => [name, unit, samples])).toEqual([
    ["token", "messages", PLAN.tracePeriods],
    ["naive", "messages", PLAN.tracePeriods],
    ["credit", "messages", PLAN.tracePeriods],
  ]);
  expect(results[0]!.mean).toBe(24);
  expect(ratios.map(({ name, params }) => [name, params])).toEqual([
    ["naive/token", { nodes: 8, movements: 50 }],
    ["credit/token", { nodes: 8, movements: 50 }],
  ]);
  expect(ratios[0]!.ofMedians).toBe(results[1]!.p50 / 24);
});

test("token: slices into which the host or the collector cut are told from the kernel's own", () => {
  const slice = (startMs: number, endMs: number, isCutIn = false) => ({ startMs, endMs, isCutIn });
  const slices = [slice(0, 1), slice(2, 12, true), slice(20, 23), slice(30, 32), slice(40, 41)];
  const sorted = sortSlices(slices, [
    [21, 22],
    [31.5, 35],
    [41, 50],
  ]);
  expect(sorted).toEqual({ own: [1e6, 1e6], cutIn: 1, collected: 2, longestOfAll: 10e6 });
});

test("token: slices are timed with one question open and with all of them", async () => {
  let repeats = 0;
  const results = await timeSlices("token", PLAN, () => {
    repeats += 1;
  });
  expect(repeats).toBe(4);
  expect(results.map(({ name, params }) => [name, params.open])).toEqual([
    ["slice", 1],
    ["longest-slice", 1],
    ["slice", 300],
    ["longest-slice", 300],
  ]);
  for (const { p50 } of results) expect(p50).toBeGreaterThan(0);
});

test("token: a period has a length in threads, and an idle machine sends nothing", async () => {
  const period = await timePeriods("token", PLAN, 4);
  expect(period).toMatchObject({ name: "period", unit: "ns", samples: 3 });
  expect(period.p50).toBeGreaterThan(0);
  expect((await watchIdle("token", PLAN)).max).toBe(0);
});

test("token: the RPC beside it has periods where they are meant to be, and none where not", async () => {
  const effort = {
    calls: 128,
    rounds: 3,
    sliceNs: 60e6,
    samplesMin: 1,
    samplesMax: 1024,
    probeSamples: 4,
    warmUpNs: 1,
  };
  let slices = 0;
  const { results, ratios } = await measureRpcBesideToken("token", 2, 7, effort, () => {
    slices += 1;
  });
  expect(slices).toBe(rpcSlices(effort));
  const rates = results.map(({ name, counters }) => [name, counters.periodsPerSecond! > 0]);
  expect(rates).toEqual([
    ["rpc-resting", false],
    ["rpc-pause-10ms", true],
    ["rpc-back-to-back", true],
  ]);
  expect(ratios.map(({ name }) => name)).toEqual([
    "rpc-pause-10ms/rpc-resting",
    "rpc-back-to-back/rpc-resting",
  ]);
});
