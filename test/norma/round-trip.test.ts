// Retransmission timeouts from measured round trips.

import { expect, test } from "@jest/globals";
import { NEVER } from "../../src/base/clock.ts";
import { RoundTrips } from "../../src/norma/round-trip.ts";

const BOUNDS = { initialNs: 1_000_000, minNs: 100_000, maxNs: 50_000_000 };

test("round trip: before anything is measured the timeout is the initial one", () => {
  const trips = new RoundTrips(4, BOUNDS);
  expect([0, 1, 2].map((backoff) => trips.timeoutNs(3, backoff))).toEqual([1e6, 2e6, 4e6]);
  expect(trips.deadline(3)).toBe(NEVER);
});

test("round trip: the first sample is smoothed time and half of it variation; later ones move it (RFC 6298)", () => {
  const trips = new RoundTrips(4, BOUNDS);
  trips.startTiming(1, 5_000_000);
  trips.stopTiming(1, 5_400_000);
  expect(trips.timeoutNs(1, 0)).toBe(400_000 + 4 * 200_000);
  trips.startTiming(1, 6_000_000);
  trips.stopTiming(1, 6_800_000);
  // Variation 200 000 + (400 000 - 200 000) / 4, smoothed 400 000 + 400 000 / 8.
  expect(trips.timeoutNs(1, 0)).toBe(450_000 + 4 * 250_000);
  expect(trips.timeoutNs(2, 0)).toBe(1_000_000);
});

test("round trip: steady samples bring the timeout down to its least, never below", () => {
  const trips = new RoundTrips(1, BOUNDS);
  for (let i = 0; i < 200; i++) {
    trips.startTiming(0, i * 1000);
    trips.stopTiming(0, i * 1000 + 500);
  }
  expect([trips.timeoutNs(0, 0), trips.timeoutNs(0, 3)]).toEqual([100_000, 800_000]);
});

test("round trip: a clock that did not move between sending and answer counts as a nanosecond", () => {
  const trips = new RoundTrips(1, BOUNDS);
  trips.startTiming(0, 7000);
  trips.stopTiming(0, 7000);
  expect(trips.timeoutNs(0, 0)).toBe(100_000);
});

test("round trip: doubling stops at the greatest timeout, whatever the backoff", () => {
  const trips = new RoundTrips(1, BOUNDS);
  expect([5, 6, 8, 100].map((backoff) => trips.timeoutNs(0, backoff))).toEqual([
    32_000_000, 50_000_000, 50_000_000, 50_000_000,
  ]);
});

test("round trip: a deadline is set from now, and can be cleared", () => {
  const trips = new RoundTrips(2, BOUNDS);
  expect(trips.setDeadline(1, 3_000_000, 1)).toBe(5_000_000);
  expect([trips.deadline(0), trips.deadline(1)]).toEqual([NEVER, 5_000_000]);
  trips.clearDeadline(1);
  expect(trips.deadline(1)).toBe(NEVER);
});
