// Whether a task may go on (task_suspend). An async program cannot be stopped where it is: what is stopped is its
// calls. One that ends while the task is suspended does not come back before the task is resumed, and one that is made
// then does not begin. What a message call has received stays received meanwhile.

import type { Task } from "./task.ts";
import type { TaskKernel, Waiting } from "./task-kernel.ts";

export class Suspension implements Waiting {
  private readonly kernel: TaskKernel;
  private readonly task: Task;
  /** The task is suspended; for the Sync calls. */
  waiting = false;
  private readonly waits: (() => void)[] = [];

  constructor(kernel: TaskKernel, task: Task) {
    this.kernel = kernel;
    this.task = task;
  }

  /** From now on the task does not go on; unless its machine is being halted. */
  begin(): void {
    this.waiting = !this.kernel.isHalted;
  }

  /** All that has been kept goes on. */
  end(): void {
    this.waiting = false;
    for (const goOn of this.waits.splice(0)) {
      this.kernel.taskResumes(this.task);
      goOn();
    }
  }

  /** Resolves when the task is not suspended. */
  async over(): Promise<void> {
    while (this.waiting) await new Promise<void>((resolve) => this.waits.push(resolve));
  }
}
