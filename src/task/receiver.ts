// The receiving half of a task's calls: it spins as long as nothing else can run, then suspends.

import { NEVER } from "../base/clock.ts";
import {
  MACH_MSG_SUCCESS,
  MACH_RCV_INTERRUPTED,
  MACH_RCV_TIMED_OUT,
  MIG_SERVER_DIED,
} from "../base/status.ts";
import type { Message } from "../ipc/message.ts";
import { receiveFromPort } from "../ipc/queueing.ts";
import { MACH_PORT_NULL, NOTIFY_SEND_ONCE, type PortName } from "../ipc/rights.ts";
import type { Space } from "../ipc/space.ts";
import {
  ANY_LENGTH,
  completeReceive,
  type ReceiveSink,
  type ReceiveWait,
  removeReceiver,
} from "../ipc/waits.ts";
import { checkTimeout, type ReceiveOptions } from "./call-options.ts";
import { receiveError } from "./failure.ts";
import { MachError } from "./mach-error.ts";
import { type Interruptible, TaskReceive } from "./suspended.ts";
import type { Task } from "./task.ts";
import type { TaskKernel } from "./task-kernel.ts";

/** Waits that a task keeps for use again. */
const SPARE_WAITS_MAX = 8;

export class Receiver implements ReceiveSink {
  readonly task: Task;
  private readonly kernel: TaskKernel;
  private readonly space: Space;
  private readonly interruptibles: Set<Interruptible>;
  private readonly spare: TaskReceive[] = [];

  constructor(task: Task, kernel: TaskKernel, space: Space, interruptibles: Set<Interruptible>) {
    this.task = task;
    this.kernel = kernel;
    this.space = space;
    this.interruptibles = interruptibles;
  }

  /** Takes a message if there is one, or begins to wait for it. */
  start(name: PortName, options: ReceiveOptions | undefined, expectsReply: boolean): TaskReceive {
    const wait = this.spare.pop() ?? new TaskReceive(this);
    wait.expectsReply = expectsReply;
    if (options === undefined) {
      wait.into = null;
      wait.roomBytes = ANY_LENGTH;
      wait.large = true;
      wait.notify = MACH_PORT_NULL;
      wait.interruptible = false;
    } else {
      this.setOptions(wait, options);
    }
    receiveFromPort(this.kernel.ipc, this.space, name, wait);
    return wait;
  }

  private setOptions(wait: TaskReceive, options: ReceiveOptions): void {
    checkTimeout(options.timeoutNs);
    const { into, maxBytes } = options;
    const capacity = into === undefined ? ANY_LENGTH : into.bytes.length;
    wait.into = into ?? null;
    wait.roomBytes = maxBytes === undefined ? capacity : Math.min(maxBytes, capacity);
    wait.large = options.large ?? true;
    wait.notify = options.notify ?? MACH_PORT_NULL;
    wait.interruptible = options.interruptible ?? false;
  }

  /** Spins, then suspends, until the wait is over. */
  settle(wait: TaskReceive, options: ReceiveOptions | undefined): Promise<Message> {
    const timeoutNs = options?.timeoutNs;
    if (wait.waiting) {
      const deadlineNs = timeoutNs === undefined ? NEVER : this.kernel.clock.now() + timeoutNs;
      if (timeoutNs !== 0) this.kernel.spin(wait);
      if (wait.waiting && timeoutNs === 0) this.end(wait, MACH_RCV_TIMED_OUT);
      if (wait.waiting) return this.suspend(wait, options, deadlineNs);
    }
    const error = this.failure(wait);
    const { message } = wait;
    this.keep(wait);
    if (this.mustWait()) return this.later(error, message!);
    // The promise is settled, but the task goes on only when its thread's microtasks run.
    this.kernel.taskResumes(this.task);
    return error === null ? Promise.resolve(message!) : Promise.reject(error);
  }

  /** True if the task does not go on though its wait is over: its node's quantum has ended, or it is suspended. */
  private mustWait(): boolean {
    return this.kernel.quantumEnds() || this.task.suspension.waiting;
  }

  private async later(error: MachError | null, message: Message): Promise<Message> {
    await this.kernel.nextQuantum(this.task);
    await this.task.suspension.over();
    if (error !== null) throw error;
    return message;
  }

  private suspend(
    wait: TaskReceive,
    options: ReceiveOptions | undefined,
    deadlineNs: number,
  ): Promise<Message> {
    if (this.kernel.isHalted) {
      removeReceiver(wait);
      wait.status = MACH_RCV_INTERRUPTED;
      return Promise.reject(receiveError(wait));
    }
    if (deadlineNs !== NEVER) {
      wait.cancelTimer = this.kernel.setTimer(deadlineNs, () => this.end(wait, MACH_RCV_TIMED_OUT));
    }
    const promise = new Promise<Message>((resolve, reject) => {
      wait.resolve = resolve;
      wait.reject = reject;
    });
    if (options?.interruptible !== true) return promise;
    const interruptible = { interrupt: () => this.end(wait, MACH_RCV_INTERRUPTED) };
    this.interruptibles.add(interruptible);
    return promise.finally(() => this.interruptibles.delete(interruptible));
  }

  /** Waits without suspending, until the wait is over. */
  finishSync(wait: TaskReceive, options: ReceiveOptions | undefined): Message {
    if (wait.waiting) {
      const timeoutNs = options?.timeoutNs;
      const deadlineNs = timeoutNs === undefined ? NEVER : this.kernel.clock.now() + timeoutNs;
      this.kernel.spinUntil(wait, deadlineNs);
      if (wait.waiting) this.end(wait, MACH_RCV_TIMED_OUT);
    }
    const error =
      wait.status === MACH_MSG_SUCCESS && !wait.expectsReply ? null : this.failure(wait);
    const { message } = wait;
    this.keep(wait);
    if (error !== null) throw error;
    return message!;
  }

  private end(wait: TaskReceive, status: number): void {
    if (!wait.waiting || !removeReceiver(wait)) return; // it ended in the same step
    completeReceive(wait, status);
  }

  private failure(wait: TaskReceive): MachError | null {
    if (wait.status !== MACH_MSG_SUCCESS) return receiveError(wait);
    if (wait.expectsReply && isSendOnceNotification(wait.message!)) {
      return new MachError(MIG_SERVER_DIED, "the reply right was destroyed without being used");
    }
    return null;
  }

  private keep(wait: TaskReceive): void {
    wait.message = null;
    wait.into = null;
    wait.queue = null;
    wait.resolve = null;
    wait.reject = null;
    wait.cancelTimer = null;
    // Somebody may be about to interrupt it: that must not hit another wait.
    if (!wait.interruptible && this.spare.length < SPARE_WAITS_MAX) this.spare.push(wait);
  }

  /** ReceiveSink: a receive that really waited is over. One that is being polled is left alone. */
  receiveCompleted(completed: ReceiveWait): void {
    const wait = completed as TaskReceive;
    const { resolve, reject } = wait;
    if (resolve === null || reject === null) return;
    wait.cancelTimer?.();
    const error = this.failure(wait);
    const { message } = wait;
    this.keep(wait);
    if (this.mustWait()) {
      resolve(this.later(error, message!));
      return;
    }
    this.kernel.taskResumes(this.task);
    if (error === null) resolve(message!);
    else reject(error);
  }
}

/** A reply may have that id as well; but not on behalf of the kernel. */
const isSendOnceNotification = (message: Message): boolean =>
  message.id === NOTIFY_SEND_ONCE && message.size === 0 && message.remote === MACH_PORT_NULL;
