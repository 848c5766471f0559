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
