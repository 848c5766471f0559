// A contender is one way of making a round trip: ours, the machine's raw limit, or a peer that a
// Node program would use instead. The runner (interleave.ts) sees only this interface, so a new
// peer is one file under bench/peers/ and one line in a suite.
//
// A contender must leave the cores alone between slices: its threads sleep in Atomics.wait or in
// their event loop, because the next slice belongs to somebody else.

/** Parameters of one measurement ("bytes", "nodes", "hops"): the key under which results compare. */
export type Point = Readonly<Record<string, number>>;

export interface Contender {
  /** The name of the result, as the report's readers know it. */
  readonly name: string;
  /**
   * Round trips behind one sample. Reading the clock costs about 40 ns, so a contender that takes
   * less than a microsecond averages a small batch; percentiles are then those of batch means.
   */
  readonly batch: number;
  /** Get ready for `point`; called once per point, before its slices. Starts threads if need be. */
  prepare(point: Point): Promise<void>;
  /** Take `samples` samples now and return them, each the mean of `batch` round trips in ns. */
  slice(samples: number): Promise<Float64Array>;
  /** What else is known about the current point ("heapBytesPerCall"); read after its last slice. */
  counters?(): Record<string, number> | Promise<Record<string, number>>;
  /** End every thread this contender started; called once, also after a failure. */
  close(): Promise<void>;
}
