// The one machine that all of a suite's contenders share: booted when the first needs it, halted
// once. One machine rather than one each, because idle nodes too have worker threads.

import { Machine, type MachineOptionsInput } from "../../src/index.ts";
import { nodeAtDistance } from "../harness/options.ts";

export class BenchMachine {
  readonly dimension: number;
  /** Where servers run; clients run on node 0. */
  readonly serverNode: number;
  private readonly seed: number;
  private readonly workers: number;
  private readonly options: MachineOptionsInput;
  private booting: Promise<Machine> | null = null;

  /** `workers`: by default one per node, because the synchronous calls need it. `options`: what else the
   *  machine is booted with. */
  constructor(
    dimension: number,
    hops: number,
    seed: number,
    workers = 2 ** dimension,
    options: MachineOptionsInput = {},
  ) {
    this.dimension = dimension;
    this.serverNode = nodeAtDistance(hops);
    this.seed = seed;
    this.workers = workers;
    this.options = options;
  }

  running(): Promise<Machine> {
    const { dimension, seed, workers, options } = this;
    const processors = { ...options.processors, workers };
    this.booting ??= Machine.boot({ ...options, dimension, seed, processors });
    return this.booting;
  }

  /** Every contender that used the machine calls this when it is closed; the first one halts. */
  async halt(): Promise<void> {
    const booting = this.booting;
    this.booting = null;
    if (booting !== null) await (await booting).halt();
  }
}
