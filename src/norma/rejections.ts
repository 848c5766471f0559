// What arrived and is not believed is counted by one reason, and in the sum of all of them.

import { COUNTERS } from "../base/counters.ts";

/** Counters of reasons. */
type Reason = Extract<keyof typeof COUNTERS, `rejected${string}`>;

export const reject = (counters: Float64Array, reason: Reason): void => {
  counters[COUNTERS[reason].index]! += 1;
  counters[COUNTERS.damaged.index]! += 1;
};
