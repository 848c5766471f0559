// What suite token tells the program that keeps something on the token, and the word by which it ends.

export interface FeederArgs {
  readonly words: Int32Array<SharedArrayBuffer>;
  /** Another node. */
  readonly abroad: number;
}

/** Set by the benchmark when the program shall end. */
export const STOP_WORD = 0;

/** Time between two deaths: each is on the token for three periods. */
export const FEED_NS = 10e6;
