// Senders of this node that wait for a message of the pool, oldest first.

import { NEVER } from "../base/clock.ts";
import type { KernelMessage, MessagePool } from "../ipc/kernel-message.ts";
import type { MachError } from "../task/mach-error.ts";
import type { Task } from "../task/task.ts";

interface RoomWaiter {
  readonly task: Task;
  readonly bytes: number;
  readonly resolve: (message: KernelMessage | null) => void;
  readonly reject: (error: MachError) => void;
  cancelTimer: (() => void) | null;
}

/** What the waits need of their kernel. */
export interface RoomHost {
  taskResumes(task: Task): void;
  setTimer(deadlineNs: number, fire: () => void): () => void;
}

export class RoomWaits {
  private readonly host: RoomHost;
  private readonly waiters: RoomWaiter[] = [];

  constructor(host: RoomHost) {
    this.host = host;
  }

  /** Resolves with a message for `bytes` bytes, or with null when it is `deadlineNs`. */
  wait(task: Task, bytes: number, deadlineNs: number): Promise<KernelMessage | null> {
    const { host, waiters } = this;
    return new Promise<KernelMessage | null>((resolve, reject) => {
      const waiter: RoomWaiter = { task, bytes, resolve, reject, cancelTimer: null };
      waiters.push(waiter);
      if (deadlineNs === NEVER) return;
      waiter.cancelTimer = host.setTimer(deadlineNs, () => {
        waiters.splice(waiters.indexOf(waiter), 1);
        host.taskResumes(task);
        resolve(null);
      });
    });
  }

  /** Lets those go on that there is room for. */
  resume(pool: MessagePool): void {
    while (this.waiters.length > 0) {
      const { task, bytes, resolve, cancelTimer } = this.waiters[0]!;
      const message = pool.takeToSend(bytes);
      if (message === null) return;
      this.waiters.shift();
      cancelTimer?.();
      this.host.taskResumes(task);
      resolve(message);
    }
  }

  /** At halt. */
  reject(error: MachError): void {
    for (const { reject, cancelTimer } of this.waiters.splice(0)) {
      cancelTimer?.();
      reject(error);
    }
  }
}
