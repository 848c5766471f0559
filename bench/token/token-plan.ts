// How much of suite token is measured: everything, or as little as shows that it works.

export interface TokenPlan {
  readonly seed: number;
  /** Sizes of machines. */
  readonly sizes: readonly number[];
  /** Questions open at once, where the bytes of a period are counted. */
  readonly open: readonly number[];
  /** Movements of rights in a period. */
  readonly rates: readonly number[];
  readonly tracePeriods: number;
  /** Rights of a node, where the slices of a pass are timed, and how often. */
  readonly rights: number;
  readonly sliceRepeats: number;
  /** Windows in which the length of a period is measured, and how long each takes at least, ms. */
  readonly windows: number;
  readonly windowMs: number;
  /** How long a machine is watched that has nothing to do, ms. */
  readonly idleMs: number;
}

export const FULL_PLAN: Omit<TokenPlan, "seed"> = {
  sizes: [8, 32, 128],
  open: [0, 1, 10, 100, 1000],
  rates: [1, 10, 100, 1000],
  tracePeriods: 20,
  rights: 100_000,
  sliceRepeats: 5,
  windows: 15,
  windowMs: 50,
  idleMs: 1000,
};

export const QUICK_PLAN: Omit<TokenPlan, "seed"> = {
  sizes: [8, 32],
  open: [0, 10, 1000],
  rates: [10, 100],
  tracePeriods: 5,
  rights: 10_000,
  sliceRepeats: 2,
  windows: 5,
  windowMs: 20,
  idleMs: 300,
};
