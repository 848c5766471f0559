// What a task needs of the kernel that runs it; node/kernel.ts provides it.

import type { StepClock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { IpcContext } from "../ipc/context.ts";
import type { KernelMessage } from "../ipc/kernel-message.ts";
import type { Port } from "../ipc/port.ts";
import type { Space } from "../ipc/space.ts";
import type { Task } from "./task.ts";

/** Something that is waited for by stepping the kernel until `waiting` turns false. */
export interface Waiting {
  readonly waiting: boolean;
}

export interface TaskKernel {
  readonly node: number;
  readonly nodes: number;
  readonly ipc: IpcContext;
  readonly clock: StepClock;
  /** Brings the clock up to date. */
  tick(): void;
  /** True when the node has its worker thread for itself: the Sync calls are possible. */
  readonly exclusive: boolean;
  /** True once the machine is being halted: nothing may begin to wait any more. */
  readonly isHalted: boolean;

  /** Steps the kernel while `wait` waits, nothing else on this node can run, and its patience lasts. */
  spin(wait: Waiting): void;
  /** Steps the kernel until `wait` is over or the time has come; for the Sync calls.
   *  Throws MachError `atHalt` (default MACH_RCV_INTERRUPTED) when the machine halts meanwhile. */
  spinUntil(wait: Waiting, deadlineNs: number, atHalt?: number): void;
  /** A wait of a suspended task is over: the task will run as soon as its thread is free. */
  taskResumes(task: Task): void;
  /** The task runs: it is no longer among those that could. */
  taskRuns(task: Task): void;
  /** A receive of a task is over. True if the tasks of the node have had as many as they may in a row: then this one goes on in the
   *  node's next quantum, so that tasks which talk to each other do not keep the thread for themselves. */
  quantumEnds(): boolean;
  /** Resolves when the node's next quantum begins. */
  nextQuantum(task: Task): Promise<void>;
  /** Resolves with a message of the pool for a sender of `bytes` that found none, or with null when it is
   *  `deadlineNs`; MachError at halt. */
  messageToSend(task: Task, bytes: number, deadlineNs: number): Promise<KernelMessage | null>;
  /** Steps the kernel until a frame is not busy any more, or the task has a copy of its page: a store has met it.
   *  Throws MachError: KERN_ABORTED when the machine halts meanwhile, KERN_RESOURCE_SHORTAGE. */
  waitNotBusy(frame: number): void;
  /** The same without holding the thread: other tasks go on. `task`: the one that waits; null for the kernel. */
  whenNotBusy(task: Task | null, frame: number): Promise<void>;
  /** Calls `fire` at `deadlineNs`; the returned function cancels. */
  setTimer(deadlineNs: number, fire: () => void): () => void;
  /** Resolves at `deadlineNs`; MachError KERN_ABORTED at halt. */
  sleepUntil(task: Task, deadlineNs: number): Promise<void>;
  /** The port behind a special id of a node: the principal here, a proxy elsewhere. */
  specialPort(node: number, localId: number): Port;
  /** The kernel ports of a task and of its thread; not counted: the caller makes a right of it. */
  taskPort(task: Task, space: Space): Port;
  threadPort(task: Task, space: Space): Port;
  log(task: Task, line: string): void;
  forkRandom(label: string): Random;
}
