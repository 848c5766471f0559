// A wait of a task that may be suspended: the kernel's wait and, if the task did suspend, the promise
// that resumes it. A task reuses a few of them, so that a wait that ends while the task still spins
// allocates nothing.

import type { PagesHeld } from "../ipc/kernel-message.ts";
import type { Message } from "../ipc/message.ts";
import { ReceiveWait, SendWait } from "../ipc/waits.ts";

export class TaskReceive extends ReceiveWait {
  /** A send-once notification is an error here: it came instead of a reply. */
  expectsReply = false;
  interruptible = false;
  resolve: ((message: Message | Promise<Message>) => void) | null = null;
  reject: ((error: Error) => void) | null = null;
  cancelTimer: (() => void) | null = null;
}

export class TaskSend extends SendWait {
  resolve: (() => void) | null = null;
  cancelTimer: (() => void) | null = null;
}

/** A sender that waits until the interface is done with its pages (protection "hold"). */
export class TaskHold implements PagesHeld {
  waiting = false;
  resolve: (() => void) | null = null;

  pagesReleased(): void {
    this.waiting = false;
    this.resolve?.();
  }
}

/** A wait that somebody can end from outside (thread_abort). */
export interface Interruptible {
  interrupt(): void;
}
