// A node's clock that runs faster or slower than the machine's: what a crystal that is off does to timers.

import { StepClock } from "./clock.ts";

export class RatedClock extends StepClock {
  private readonly machine: StepClock;
  /** Where the two clocks stood when the rate was set last, and the rate. */
  private readonly at = new Float64Array(3);

  /** `rate`: of this clock's nanoseconds to the machine's. */
  constructor(machine: StepClock, rate: number) {
    super();
    this.machine = machine;
    this.at[RATE] = rate;
  }

  override now(): number {
    return this.at[OWN]! + (this.machine.now() - this.at[MACHINE]!) * this.at[RATE]!;
  }

  /** It goes right from now on, without a jump. */
  heal(): void {
    this.at[OWN] = this.now();
    this.at[MACHINE] = this.machine.now();
    this.at[RATE] = 1;
  }

  /** The machine's time when this clock will show `ownNs`. */
  machineNs(ownNs: number): number {
    return this.at[MACHINE]! + (ownNs - this.at[OWN]!) / this.at[RATE]!;
  }
}

const OWN = 0;
const MACHINE = 1;
const RATE = 2;
