// What a stress run has come to: plain JSON, the same for threads and simulation.

import type { CounterValues } from "../base/counters.ts";
import type { Counted } from "../node/machine-interface.ts";

/** From good to bad:
 *    good    every payload was right, everything drained
 *    leak    every payload was right, but a node keeps what it should have given back
 *    stuck   no program made progress any more
 *    wrong   a program has found something wrong
 *    crash   a kernel or a worker has failed */
export type Verdict = "good" | "wrong" | "leak" | "stuck" | "crash";

export interface WorkloadSummary {
  readonly name: string;
  /** Steps done, and messages found good, by all its programs. */
  readonly steps: number;
  readonly received: number;
}

export interface StressResult {
  readonly verdict: Verdict;
  /** What was found, a sentence each, the first one first; empty when the verdict is good. */
  readonly findings: readonly string[];
  /** Steps done by all programs. */
  readonly steps: number;
  readonly workloads: readonly WorkloadSummary[];
  /** The faults were stopped before the end. */
  readonly healed: boolean;
  /** Sums over all nodes. */
  readonly counters: CounterValues;
  /** When stuck: who waits for what, a line each. After a leak: what is left. */
  readonly explanation: readonly string[];
  /** Of a simulation: packets sent, random numbers drawn, and the virtual time at the end. */
  readonly simulated: {
    readonly packets: Counted;
    readonly draws: Counted;
    readonly ns: number;
  } | null;
}
