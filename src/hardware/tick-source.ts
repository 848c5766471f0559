// The clock source of a processor: the one file below rank 7 that reads real time. Each thread's
// performance.now() counts from a start of its own, so it is brought to the machine's start.

import { NS_PER_MS, StepClock } from "../base/clock.ts";

/** Wall-clock milliseconds, for the host to say when the machine started. */
export const wallClockMs = (): number => performance.timeOrigin + performance.now();

/** Nanoseconds since `startMs` (from wallClockMs), as of the last tick(). */
export class TickSource extends StepClock {
  private readonly offsetMs: number;

  constructor(startMs: number) {
    super();
    this.offsetMs = performance.timeOrigin - startMs;
    this.tick();
  }

  /** Brings the clock up to date: about 35 ns. */
  tick(): void {
    this.set((this.offsetMs + performance.now()) * NS_PER_MS);
  }
}
