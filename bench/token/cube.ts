// A hypercube in the benchmark's own thread, stepped by hand under a clock that stands still until it is moved: for
// figures that do not depend on threads, and for the time that each step of a kernel takes. Programs are the
// caller's own async code, given Tasks.

import { nextTick } from "node:process";
import { NEVER } from "../../src/base/clock.ts";
import type { CounterKey } from "../../src/base/counters.ts";
import { COUNTERS } from "../../src/base/counters.ts";
import { Random } from "../../src/base/random.ts";
import { machineLayout } from "../../src/config/board-shape.ts";
import { type MachineOptionsInput, parseMachineOptions } from "../../src/config/machine-options.ts";
import { Board } from "../../src/hardware/board.ts";
import { assembleNode } from "../../src/node/assemble.ts";
import type { NodeKernel } from "../../src/node/kernel.ts";
import { createMachineMemory, prepareMachineMemory } from "../../src/node/machine-memory.ts";
import type { NodeDriver } from "../../src/node/node-driver.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";
import { Task } from "../../src/task/task.ts";

/** Rounds after which a cube that is still busy is taken to be in a loop. */
const ROUNDS_MAX = 1_000_000;

/** A timed step of a kernel. */
export interface Slice {
  /** By performance.now(). */
  readonly startMs: number;
  readonly endMs: number;
  /** The host took a core from this process meanwhile: the time is not the kernel's. */
  readonly isCutIn: boolean;
}

const PLACEMENT = { exclusive: false, spinNs: 0, taps: null, swap: null, disks: [] };

export class Cube {
  readonly kernels: NodeKernel[] = [];
  readonly clock = new VirtualClock();
  /** While it is set: each step in which a kernel sent the token on. */
  slices: Slice[] | null = null;
  private tasks = 0;

  constructor(options: MachineOptionsInput) {
    const parsed = parseMachineOptions(options, "simulation");
    const layout = machineLayout(parsed, 1);
    const memory = createMachineMemory(layout.totalBytes, parsed.memory.kind);
    prepareMachineMemory(memory, layout, () => 0);
    const board = new Board(memory, layout);
    const driver = driverOf(this.clock);
    const random = new Random(parsed.seed);
    for (let node = 0; node < layout.nodes; node++) {
      const forked = random.fork(`node ${node}`);
      this.kernels.push(
        assembleNode(board, memory.buffer, node, parsed, driver, PLACEMENT, forked),
      );
    }
  }

  task(node: number): Task {
    const kernel = this.kernels[node]!;
    return new Task(kernel, kernel.newSpace(), this.tasks++);
  }

  /** A counter's sum over the nodes. */
  count(key: CounterKey): number {
    const { index } = COUNTERS[key];
    return this.kernels.reduce((sum, { memory }) => sum + memory.counters[index]!, 0);
  }

  /** Steps until `promise` settles; time moves to the next deadline when all is quiet. */
  async run<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const note = (): void => {
      settled = true;
    };
    promise.then(note, note);
    for (let round = 0; round < ROUNDS_MAX; round++) {
      // Twice: what runs after the first look may have called a kernel.
      const isQuiet = (await this.round()) === 0 && (await this.round()) === 0;
      if (settled) return promise;
      if (isQuiet) this.jump();
    }
    throw new Error("this takes too long");
  }

  /** Sends the token round. */
  runTokenPeriods(periods: number): Promise<void> {
    return this.run(this.kernels[0]!.runTokenPeriods(periods));
  }

  /** Steps every node once and lets resumed tasks run. Returns the work done. */
  private async round(): Promise<number> {
    let work = 0;
    for (const kernel of this.kernels) {
      work += this.slices === null ? kernel.step() : this.timedStep(kernel, this.slices);
    }
    await microtasksDrained();
    for (const kernel of this.kernels) {
      work += kernel.runnable;
      kernel.tasksRan();
    }
    if (work > 0) return work;
    for (const kernel of this.kernels) work += kernel.quiesce();
    return work;
  }

  private timedStep(kernel: NodeKernel, slices: Slice[]): number {
    const { counters } = kernel.memory;
    const messages = counters[COUNTERS.tokenMessages.index]!;
    const switches = process.resourceUsage().involuntaryContextSwitches;
    const startMs = performance.now();
    const work = kernel.step();
    const endMs = performance.now();
    if (counters[COUNTERS.tokenMessages.index] === messages) return work;
    const isCutIn = process.resourceUsage().involuntaryContextSwitches > switches;
    slices.push({ startMs, endMs, isCutIn });
    return work;
  }

  private jump(): void {
    const deadlineNs = Math.min(...this.kernels.map((kernel) => kernel.nextDeadlineNs()));
    if (deadlineNs === NEVER) throw new Error("this waits for ever");
    this.clock.reach(deadlineNs);
  }
}

const driverOf = (clock: VirtualClock): NodeDriver => ({
  clock,
  tick: () => {},
  wake: () => {},
  attention: () => true,
  halting: () => false,
  waitBegins: () => {},
  stepNodes: () => false,
  patienceOver: () => true,
  park: () => {},
  log: () => {},
});

/** Resolves when every microtask there is, and those that they make, have run. */
const microtasksDrained = (): Promise<void> => new Promise((resolve) => nextTick(resolve));
