// What a task does instead of suspending while it waits (paper 2.2): it steps its node's kernel itself.
//   spin           for a while, as long as nothing else can run; then it suspends
//   spinUntil      to the end, in Sync calls, on a node that has its thread to itself; the thread parks when it is idle
//   untilNotBusy   in a store that has met a busy page: all nodes of the thread are stepped, which it keeps from running

import type { StepClock } from "../base/clock.ts";
import { COUNTERS } from "../base/counters.ts";
import { KERN_ABORTED } from "../base/status.ts";
import type { PhysicalMemory } from "../hardware/physical-memory.ts";
import { interrupted } from "../task/mach-error.ts";
import type { Waiting } from "../task/task-kernel.ts";
import type { NodeDriver } from "./node-driver.ts";
import type { Quantum } from "./quantum.ts";

/** Polls between two reads of the clock: a read costs as much as several polls. */
const POLLS_PER_TICK = 256;

/** How long a store waits for a busy page before it gets a copy: longer than any retransmission takes. */
const BUSY_PATIENCE_NS = 1e9;

/** What they need of their kernel. */
export interface SteppedKernel {
  readonly clock: StepClock;
  readonly memory: PhysicalMemory;
  readonly quantum: Quantum;
  readonly isHalted: boolean;
  /** Tasks that were resumed and have not run since. */
  readonly runnable: number;
  step(): number;
  /** A time of the node's clock in the machine's. */
  machineNs(ownNs: number): number;
}

export class Spins {
  private readonly kernel: SteppedKernel;
  private readonly driver: NodeDriver;
  private readonly spinNs: number;
  private spinning = false;
  private polls = 0;

  /** `spinNs`: how long spin() takes at most; 0 = it suspends at once. */
  constructor(kernel: SteppedKernel, driver: NodeDriver, spinNs: number) {
    this.kernel = kernel;
    this.driver = driver;
    this.spinNs = spinNs;
  }

  /** A task is in spin(). */
  get areUnderWay(): boolean {
    return this.spinning;
  }

  spin(wait: Waiting): void {
    if (this.spinNs === 0) return;
    const { kernel, driver } = this;
    driver.tick();
    const endNs = kernel.clock.now() + this.spinNs;
    this.spinning = true;
    for (let polls = 0; wait.waiting && kernel.runnable === 0; polls++) {
      if (kernel.quantum.isWaitedFor) break;
      if (polls % POLLS_PER_TICK === 0) {
        if (polls > 0) driver.tick();
        if (kernel.clock.now() > endNs || driver.attention()) break;
      }
      kernel.step();
    }
    this.spinning = false;
    const counter = wait.waiting ? COUNTERS.suspends : COUNTERS.spins;
    kernel.memory.counters[counter.index]! += 1;
  }

  /** Returns when the wait is over or it is `deadlineNs`. Throws MachError `atHalt` when the machine halts meanwhile. */
  spinUntil(wait: Waiting, deadlineNs: number, atHalt: number): void {
    const { kernel, driver } = this;
    driver.waitBegins();
    let work = 0;
    while (wait.waiting) {
      if (this.polls++ % POLLS_PER_TICK === 0) {
        driver.tick();
        if (kernel.clock.now() >= deadlineNs) return;
        if (driver.halting()) throw interrupted(atHalt);
        if (work > 0) {
          work = 0;
          driver.waitBegins(); // a large message is coming or going: that is not idling
        } else if (driver.patienceOver()) {
          driver.park(kernel.machineNs(deadlineNs));
          driver.waitBegins();
        }
      }
      work += kernel.step();
    }
    kernel.memory.counters[COUNTERS.spins.index]! += 1;
  }

  /** The thread is the task's, so it steps the nodes that it would else keep from running. False where the transfer waits for
   *  a program that this thread keeps from running, or takes too long. Throws MachError KERN_ABORTED when the machine halts
   *  meanwhile. */
  untilNotBusy(wait: Waiting): boolean {
    const { kernel, driver } = this;
    driver.waitBegins();
    const endNs = kernel.clock.now() + BUSY_PATIENCE_NS;
    while (wait.waiting) {
      if (driver.halting() || kernel.isHalted) throw interrupted(KERN_ABORTED);
      if (driver.stepNodes() && kernel.clock.now() < endNs) continue;
      return !wait.waiting;
    }
    return true;
  }
}
