// A wait of a task that may be suspended: the kernel's wait and, if the task did suspend, the promise
// that resumes it. A task reuses a few of them, so that a wait that ends while the task still spins
// allocates nothing.

import type { Message } from "../ipc/message.ts";
import { ReceiveWait, SendWait } from "../ipc/waits.ts";

export class TaskReceive extends ReceiveWait {
  /** A send-once notification is an error here: it came instead of a reply. */
  expectsReply = false;
  interruptible = false;
  resolve: ((message: Message) => void) | null = null;
  reject: ((error: Error) => void) | null = null;
  cancelTimer: (() => void) | null = null;
}

export class TaskSend extends SendWait {
  resolve: (() => void) | null = null;
  cancelTimer: (() => void) | null = null;
}

/** A wait that somebody can end from outside (thread_abort). */
export interface Interruptible {
  interrupt(): void;
}
