// Virtual time: it stands still until the simulator moves it.

import { assert } from "../base/assert.ts";
import { StepClock } from "../base/clock.ts";

export class VirtualClock extends StepClock {
  /** Moves time forward by `ns`. */
  pass(ns: number): void {
    assert(ns >= 0, "time does not go back");
    this.set(this.now() + ns);
  }

  /** Moves time forward to `timeNs`, if it is not there yet. */
  reach(timeNs: number): void {
    this.set(Math.max(this.now(), timeNs));
  }
}
