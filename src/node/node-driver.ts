// What drives the kernels of one thread: the loop of a worker, or the simulator. Two drivers, one kernel.

import type { StepClock } from "../base/clock.ts";
import type { Task } from "../task/task.ts";

/** What the driver gives a kernel of the world outside. */
export interface NodeDriver {
  /** Real or virtual time; all nodes of a driver share it. */
  readonly clock: StepClock;
  /** Brings the clock up to date. */
  tick(): void;
  /** A program has changed what step() has to do, perhaps while the driver was at rest. */
  wake(): void;
  /** True when the driver has something to do that spinning would delay. */
  attention(): boolean;
  /** True when the machine is being halted. */
  halting(): boolean;
  /** A Sync call begins to wait, or begins again: its patience starts. */
  waitBegins(): void;
  /** True when it has spun so long that its thread should park. */
  patienceOver(): boolean;
  /** Steps every node of the thread once, and lets time pass; parks the thread if it has waited too long. For a program
   *  that cannot go on before another node has done something; it has called waitBegins(). False: nothing will
   *  happen before a program of this thread runs. */
  stepNodes(): boolean;
  /** Parks the thread until something turns up for one of its nodes, at most until `deadlineNs`. */
  park(deadlineNs: number): void;
  log(task: Task, line: string): void;
}
