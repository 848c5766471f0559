// Time as an argument: who drives a kernel (threads or simulation) gives it its clock.
// A time is read from the clock where it is needed and not passed along: a double that goes through a
// call that is not inlined is a heap object each time.

/** Nanoseconds since the machine was booted; never goes back; a double, exact for 104 days. */
export interface Clock {
  now(): number;
}

export const NS_PER_US = 1_000;
export const NS_PER_MS = 1_000_000;
export const NS_PER_S = 1_000_000_000;

/** The deadline of something that has none. */
export const NEVER = Number.POSITIVE_INFINITY;

/** The time as last told by whoever steps the kernel: read many times, set once a step. In a typed
 *  array, so that setting it never allocates. */
export class StepClock implements Clock {
  private readonly cell = new Float64Array(1);

  now(): number {
    return this.cell[0]!;
  }

  set(nowNs: number): void {
    this.cell[0] = nowNs;
  }
}
