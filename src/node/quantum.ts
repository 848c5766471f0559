// How long the tasks of a node may go on without their thread having looked at anything else. Programs are not preempted; but
// two that send to each other on one node would go on in microtasks for ever, and neither the other nodes of the thread, nor
// timers, nor the host would be served. So receives are counted: who ends one when the quantum is used up goes on in the next,
// which begins with a step of the kernel.

import type { Task } from "../task/task.ts";

/** Receives in a quantum: some 200 microseconds of messages between two tasks of a node. */
const QUANTUM_RECEIVES = 256;

export class Quantum {
  private left = QUANTUM_RECEIVES;
  private readonly waits: { readonly task: Task; readonly goOn: () => void }[] = [];
  /** Tasks that waited for it go on. */
  private began = false;

  /** A receive is over. True if the quantum is used up. */
  receiveEnds(): boolean {
    this.left -= 1;
    return this.left < 0;
  }

  /** Resolves in the next quantum; at once if this one is not used up. */
  next(task: Task): Promise<void> {
    if (this.left >= 0) return Promise.resolve();
    return new Promise((goOn) => this.waits.push({ task, goOn }));
  }

  get isWaitedFor(): boolean {
    return this.waits.length > 0;
  }

  /** Begins a new one. Tells which tasks go on. Returns how many. */
  begin(resumes: (task: Task) => void): number {
    this.left = QUANTUM_RECEIVES;
    const { length } = this.waits;
    if (length === 0) return 0;
    this.began = true;
    for (const { task, goOn } of this.waits.splice(0)) {
      resumes(task);
      goOn();
    }
    return length;
  }

  /** True once after tasks that waited for it went on: the driver is to let them run until they wait again. */
  takeBegan(): boolean {
    const { began } = this;
    this.began = false;
    return began;
  }
}
