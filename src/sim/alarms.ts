// Who waits for virtual time to pass.

import { NEVER } from "../base/clock.ts";

interface Alarm {
  readonly atNs: number;
  readonly settle: (passed: boolean) => void;
}

export class Alarms {
  private waiting: Alarm[] = [];
  /** When the earliest is due; NEVER: there is none. */
  nextNs = NEVER;

  /** Resolves with what ring() is told. */
  at(atNs: number): Promise<boolean> {
    this.nextNs = Math.min(this.nextNs, atNs);
    return new Promise((settle) => this.waiting.push({ atNs, settle }));
  }

  /** Ends the waits up to `untilNs`, in the order in which they began: the time has passed, or it will not come by itself. True if
   *  there are any. */
  ring(untilNs: number, passed: boolean): boolean {
    if (this.waiting.length === 0 || untilNs < this.nextNs) return false;
    const due = this.waiting.filter(({ atNs }) => atNs <= untilNs);
    this.waiting = this.waiting.filter(({ atNs }) => atNs > untilNs);
    this.nextNs = this.waiting.reduce((least, { atNs }) => Math.min(least, atNs), NEVER);
    for (const { settle } of due) settle(passed);
    return true;
  }
}
