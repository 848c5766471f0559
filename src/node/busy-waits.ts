// Tasks that wait until a frame is not busy any more: its page is on its way (I-2).

import type { FrameTable } from "../hardware/frame-table.ts";
import type { MachError } from "../task/mach-error.ts";
import type { Task } from "../task/task.ts";
import type { Waiting } from "../task/task-kernel.ts";

/** A wait without the thread; for the kernel itself if `task` is null. */
interface BusyWaiter {
  readonly task: Task | null;
  readonly frame: number;
  readonly resolve: () => void;
  readonly reject: (error: MachError) => void;
}

export class BusyWaits {
  private readonly frames: FrameTable;
  private readonly taskResumes: (task: Task) => void;
  private waiters: BusyWaiter[] = [];

  constructor(frames: FrameTable, taskResumes: (task: Task) => void) {
    this.frames = frames;
    this.taskResumes = taskResumes;
  }

  /** How many wait. */
  get count(): number {
    return this.waiters.length;
  }

  /** A wait that is polled. */
  polled(frame: number): Waiting {
    return new PolledWait(this.frames, frame);
  }

  /** Resolves once the frame is not busy. */
  wait(task: Task | null, frame: number): Promise<void> {
    if (!this.frames.isBusy(frame)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.waiters.push({ task, frame, resolve, reject });
    });
  }

  /** Lets those go on whose frame is not busy any more. */
  resume(): void {
    const still: BusyWaiter[] = [];
    for (const waiter of this.waiters) {
      if (this.frames.isBusy(waiter.frame)) {
        still.push(waiter);
        continue;
      }
      if (waiter.task !== null) this.taskResumes(waiter.task);
      waiter.resolve();
    }
    this.waiters = still;
  }

  /** At halt. */
  reject(error: MachError): void {
    for (const { reject } of this.waiters.splice(0)) reject(error);
  }
}

class PolledWait implements Waiting {
  private readonly frames: FrameTable;
  private readonly frame: number;

  constructor(frames: FrameTable, frame: number) {
    this.frames = frames;
    this.frame = frame;
  }

  get waiting(): boolean {
    return this.frames.isBusy(this.frame);
  }
}
