// The one machine that all of a suite's contenders share: booted when the first needs it, halted
// once. One machine rather than one each, because idle nodes too have worker threads.

import { Machine } from "../../src/index.ts";
import { nodeAtDistance } from "../harness/options.ts";

export class BenchMachine {
  readonly dimension: number;
  /** Where servers run; clients run on node 0. */
  readonly serverNode: number;
  private readonly seed: number;
  private readonly workers: number;
  private booting: Promise<Machine> | null = null;

  /** `workers`: by default one per node, because the synchronous calls need it. */
  constructor(dimension: number, hops: number, seed: number, workers = 2 ** dimension) {
    this.dimension = dimension;
    this.serverNode = nodeAtDistance(hops);
    this.seed = seed;
    this.workers = workers;
  }

  running(): Promise<Machine> {
    const { dimension, seed, workers } = this;
    this.booting ??= Machine.boot({ dimension, seed, processors: { workers } });
    return this.booting;
  }

  /** Every contender that used the machine calls this when it is closed; the first one halts. */
  async halt(): Promise<void> {
    const booting = this.booting;
    this.booting = null;
    if (booting !== null) await (await booting).halt();
  }
}
