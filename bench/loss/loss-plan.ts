// How much of suite loss is measured: everything, or as little as shows that it works.

export interface LossPlan {
  readonly seed: number;
  /** Packets lost, of a hundred. */
  readonly losses: readonly number[];
  /** How often every machine is booted anew: two of the same kind differ for as long as they live. */
  readonly machines: number;
  /** Turns of each while it lives. */
  readonly rounds: number;
  /** How long a window of calls is at least, ms. */
  readonly windowMs: number;
  /** How long calls are made first that are not told, ms: the kernels of a machine are compiled on its own threads. */
  readonly warmMs: number;
  /** Windows are as long as so many fixed timeouts: a window should see several. */
  readonly windowTimeouts: number;
}

export const FULL_PLAN: Omit<LossPlan, "seed"> = {
  losses: [0.1, 1, 5, 20],
  machines: 3,
  rounds: 3,
  windowMs: 300,
  warmMs: 1500,
  windowTimeouts: 10,
};

export const QUICK_PLAN: Omit<LossPlan, "seed"> = {
  losses: [1, 5],
  machines: 1,
  rounds: 3,
  windowMs: 50,
  warmMs: 300,
  windowTimeouts: 2,
};
