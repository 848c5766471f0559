// Faults of one node (config/fault-options.ts): what its interface does to packets, a clock that goes wrong, and arrivals that
// get no buffer for a time. heal() ends them all.

import { COUNTERS } from "../base/counters.ts";
import type { RatedClock } from "../base/rated-clock.ts";
import type { FaultSchedule } from "../hardware/fault-schedule.ts";
import type { FaultWrapper } from "../hardware/fault-wrapper.ts";
import type { PhysicalMemory } from "../hardware/physical-memory.ts";
import type { MessagePool } from "../ipc/kernel-message.ts";

export class NodeFaults {
  /** The node's clock, if it is not the machine's. */
  readonly clock: RatedClock | null;
  private readonly wrapper: FaultWrapper;
  private readonly hunger: FaultSchedule;
  private readonly counters: Float64Array;
  private healed = false;

  constructor(
    memory: PhysicalMemory,
    wrapper: FaultWrapper,
    hunger: FaultSchedule,
    clock: RatedClock | null,
  ) {
    this.counters = memory.counters;
    this.wrapper = wrapper;
    this.hunger = hunger;
    this.clock = clock;
  }

  /** The node stands still: its kernel is to do nothing. Its interface says when that may change. */
  isPaused(): boolean {
    return this.wrapper.isPaused();
  }

  /** Lets arrivals starve, or not, as the time says. True if they may have messages again. */
  apply(pool: MessagePool): boolean {
    const starved = !this.healed && !this.hunger.isEmpty && this.hunger.isInEffect();
    if (starved === pool.starved) return false;
    pool.starved = starved;
    if (starved) this.counters[COUNTERS.faultsStarved.index]! += 1;
    return !starved;
  }

  /** When apply() has something to do though nothing arrives, in the machine's time, ns. */
  nextDeadlineNs(pool: MessagePool): number {
    return pool.starved ? this.hunger.nextChangeNs() : Number.POSITIVE_INFINITY;
  }

  heal(): void {
    this.healed = true;
    this.wrapper.heal();
    this.clock?.heal();
  }
}
