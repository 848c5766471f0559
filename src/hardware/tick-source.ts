// The clock source of a processor: the one file below rank 7 that reads real time. Each thread's
// performance.now() counts from a start of its own, so it is brought to the machine's start.

import type { Clock } from "../base/clock.ts";
import { NS_PER_MS } from "../base/clock.ts";

/** Wall-clock milliseconds, for the host to say when the machine started. */
export const wallClockMs = (): number => performance.timeOrigin + performance.now();

/** Nanoseconds since `startMs` (from wallClockMs). Costs about 35 ns a read. */
export class TickSource implements Clock {
  private readonly offsetMs: number;

  constructor(startMs: number) {
    this.offsetMs = performance.timeOrigin - startMs;
  }

  now(): number {
    return (this.offsetMs + performance.now()) * NS_PER_MS;
  }
}
