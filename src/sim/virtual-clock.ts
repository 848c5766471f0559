// Virtual time: it stands still until the simulator moves it.

import { assert } from "../base/assert.ts";
import type { Clock } from "../base/clock.ts";

export class VirtualClock implements Clock {
  private timeNs = 0;

  now(): number {
    return this.timeNs;
  }

  /** Moves time forward by `ns`. */
  pass(ns: number): void {
    assert(ns >= 0, "time does not go back");
    this.timeNs += ns;
  }

  /** Moves time forward to `timeNs`, if it is not there yet. */
  reach(timeNs: number): void {
    this.timeNs = Math.max(this.timeNs, timeNs);
  }
}
