// One entry of the micro suite: an operation that a single thread does over and over.

export interface MicroCase {
  readonly name: string;
  /** What a call does once, in a sentence for the reader of the report. */
  readonly sentence: string;
  /** Operations that one call of the prepared function performs. */
  readonly operations: number;
  /**
   * Builds what the operation needs and returns the function to time. It must return a value that
   * depends on every operation, or the optimiser removes them.
   */
  prepare(seed: number): () => number;
}
