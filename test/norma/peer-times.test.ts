// The timeout period of each peer, from measured round trips, and the deadlines that run.

import { expect, test } from "@jest/globals";
import { NEVER } from "../../src/base/clock.ts";
import { PeerTimes } from "../../src/norma/peer-times.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";

const BOUNDS = { initialNs: 1_000_000, minNs: 100_000, maxNs: 50_000_000 };

const make = (nodes: number) => {
  const clock = new VirtualClock();
  return { clock, times: new PeerTimes(nodes, BOUNDS, clock) };
};

test("peer times: before anything is measured the period is the initial one; backoff doubles it", () => {
  const { times } = make(4);
  expect([0, 1, 2].map((backoff) => times.periodNs(3, backoff))).toEqual([1e6, 2e6, 4e6]);
  expect(times.nextDeadlineNs()).toBe(NEVER);
});

test("peer times: the first sample is smoothed time and half of it variation; later ones move it", () => {
  const { clock, times } = make(4);
  times.packetLeaves(1);
  clock.pass(400_000);
  times.packetReturns(1);
  expect(times.periodNs(1, 0)).toBe(400_000 + 200_000);
  times.syncLeaves(1);
  clock.pass(800_000);
  times.syncReturns(1);
  // Variation 200 000 + (400 000 - 200 000) / 4, smoothed 400 000 + 400 000 / 8.
  expect(times.periodNs(1, 0)).toBe(450_000 + 250_000);
  expect(times.periodNs(2, 0)).toBe(1_000_000);
});

test("peer times: an acknowledgement later than a period times nothing, the answer of a SYNC always does", () => {
  const { clock, times } = make(1);
  times.packetLeaves(0);
  clock.pass(1_000_001);
  times.packetReturns(0);
  expect(times.periodNs(0, 0)).toBe(1_000_000);
  times.syncLeaves(0);
  clock.pass(2_000_000);
  times.syncReturns(0);
  expect(times.periodNs(0, 0)).toBe(2_000_000 + 1_000_000);
});

test("peer times: a packet and a SYNC under way at the same time are timed apart", () => {
  const { clock, times } = make(1);
  times.packetLeaves(0);
  clock.pass(300_000);
  times.syncLeaves(0);
  clock.pass(100_000);
  times.syncReturns(0);
  expect(times.periodNs(0, 0)).toBe(100_000 + 50_000);
});

test("peer times: steady samples bring the period down to its least, never below", () => {
  const { clock, times } = make(1);
  for (let i = 0; i < 200; i++) {
    times.packetLeaves(0);
    clock.pass(500);
    times.packetReturns(0);
  }
  expect([times.periodNs(0, 0), times.periodNs(0, 3)]).toEqual([100_000, 800_000]);
});

test("peer times: a clock that did not move between sending and answer counts as a nanosecond", () => {
  const { times } = make(1);
  times.packetLeaves(0);
  times.packetReturns(0);
  expect(times.periodNs(0, 0)).toBe(100_000);
});

test("peer times: doubling stops at the longest period, whatever the backoff", () => {
  const { times } = make(1);
  expect([5, 6, 8, 100].map((backoff) => times.periodNs(0, backoff))).toEqual([
    32_000_000, 50_000_000, 50_000_000, 50_000_000,
  ]);
});

test("peer times: what is expected is overdue when its periods are over, and can be cleared", () => {
  const { clock, times } = make(2);
  times.expect(1, 2);
  expect([0, 1].map((node) => times.isExpecting(node))).toEqual([false, true]);
  expect(times.nextDeadlineNs()).toBe(2_000_000);
  clock.pass(1_999_999);
  expect([times.isAnyOverdue(), times.isOverdue(1)]).toEqual([false, false]);
  clock.pass(1);
  expect([times.isAnyOverdue(), times.isOverdue(1), times.isOverdue(0)]).toEqual([
    true,
    true,
    false,
  ]);
  times.clearExpected(1);
  expect([times.isExpecting(1), times.isOverdue(1)]).toEqual([false, false]);
});

test("peer times: a sweep leaves the earliest deadline that is still to come", () => {
  const { times } = make(3);
  times.expectAgain(0, 3);
  times.expectAgain(1, 1);
  times.expectLate(2, 4);
  expect(times.nextDeadlineNs()).toBe(2_000_000);
  times.clearExpected(1);
  times.expectedSweepBegins();
  for (const node of [0, 1, 2]) times.watchExpected(node);
  expect(times.nextDeadlineNs()).toBe(8_000_000);
});

test("peer times: what is owed runs beside what is expected", () => {
  const { clock, times } = make(2);
  times.expect(0, 2);
  times.owe(0, 0);
  clock.pass(1_000_000);
  expect([times.isAnyOwedDue(), times.isOwedDue(0), times.isAnyOverdue()]).toEqual([
    true,
    true,
    false,
  ]);
  times.clearOwed(0);
  times.owedSweepBegins();
  times.watchOwed(0);
  expect([times.isOwing(0), times.isAnyOwedDue(), times.nextDeadlineNs()]).toEqual([
    false,
    false,
    2_000_000,
  ]);
});
