// When windows of time are in effect (fault-rules.ts): a function of the seed and the time alone, so that every node that
// asks gets the same answer, and asks again without remembering.

import { NEVER, type StepClock } from "../base/clock.ts";
import { hashFraction } from "../base/random.ts";
import type { FaultWindow, NodeWindow } from "./fault-rules.ts";

export class FaultSchedule {
  private readonly windows: readonly FaultWindow[];
  private readonly salts: readonly number[];
  private readonly seed: number;
  private readonly clock: StepClock;

  /** `salts`: what tells the draws of one window from those of another. */
  constructor(
    windows: readonly FaultWindow[],
    salts: readonly number[],
    seed: number,
    clock: StepClock,
  ) {
    this.windows = windows;
    this.salts = salts;
    this.seed = seed;
    this.clock = clock;
  }

  get isEmpty(): boolean {
    return this.windows.length === 0;
  }

  /** True while one of the windows is in effect. */
  isInEffect(): boolean {
    for (let i = 0; i < this.windows.length; i++) if (this.holds(i)) return true;
    return false;
  }

  /** When that may change, ns: the end of a window that is in effect, or the next beginning; NEVER: not any more. */
  nextChangeNs(): number {
    const nowNs = this.clock.now();
    let next = NEVER;
    for (let i = 0; i < this.windows.length; i++) {
      const { atNs, forNs, everyNs } = this.windows[i]!;
      const period = this.periodOf(i);
      const start = this.startOf(i, Math.max(0, period));
      if (nowNs < start) next = Math.min(next, start);
      else if (nowNs < start + forNs) next = Math.min(next, start + forNs);
      // What a later period draws is looked at when that has begun.
      if (everyNs !== undefined) next = Math.min(next, atNs + (Math.max(0, period) + 1) * everyNs);
    }
    return next;
  }

  private holds(i: number): boolean {
    const nowNs = this.clock.now();
    const period = this.periodOf(i);
    if (period < 0) return false;
    const start = this.startOf(i, period);
    return nowNs >= start && nowNs < start + this.windows[i]!.forNs;
  }

  /** Number of the period that the present is in; negative before the first. */
  private periodOf(i: number): number {
    const { atNs, everyNs } = this.windows[i]!;
    const sinceNs = this.clock.now() - atNs;
    if (everyNs === undefined) return sinceNs < 0 ? -1 : 0;
    return Math.floor(sinceNs / everyNs);
  }

  /** When the window is in effect in a period; NEVER: not in that one. */
  private startOf(i: number, period: number): number {
    const { atNs, forNs, everyNs, chance } = this.windows[i]!;
    if (everyNs === undefined) return atNs;
    const base = atNs + period * everyNs;
    if (chance === undefined) return base;
    const salt = this.salts[i]!;
    if (hashFraction(this.seed, salt, period, 1, 0) >= chance) return NEVER;
    return base + hashFraction(this.seed, salt, period, 2, 0) * (everyNs - forNs);
  }
}

/** The windows of one node: each node draws for itself, also in those that are for all. */
export const nodeSchedule = (
  windows: readonly NodeWindow[] = [],
  list: number,
  node: number,
  seed: number,
  clock: StepClock,
): FaultSchedule => {
  const own = windows.filter((window) => (window.node ?? node) === node);
  const salts = own.map((window) => list + (windows.indexOf(window) << 12) + node);
  return new FaultSchedule(own, salts, seed, clock);
};
