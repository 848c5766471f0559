// The sending half of a task's calls: copyin, queueing, and waiting for room. A message that is not sent
// after all is given back to its sender in the very object it came in (pseudo-receive).

import { NEVER } from "../base/clock.ts";
import {
  MACH_MSG_SUCCESS,
  MACH_SEND_INTERRUPTED,
  MACH_SEND_INVALID_DATA,
  MACH_SEND_INVALID_NOTIFY,
  MACH_SEND_NO_BUFFER,
  MACH_SEND_NO_NOTIFY,
  MACH_SEND_NOTIFY_IN_PROGRESS,
  MACH_SEND_TIMED_OUT,
  MACH_SEND_WILL_NOTIFY,
} from "../base/status.ts";
import { LocalAccept } from "../ipc/accept-request.ts";
import { copyin, receiveRightOf } from "../ipc/copyin.ts";
import { pseudoReceive } from "../ipc/copyout.ts";
import type { KernelMessage } from "../ipc/kernel-message.ts";
import type { Message } from "../ipc/message.ts";
import { NO_ENTRY } from "../ipc/name-table.ts";
import { PORT_PROXY } from "../ipc/port.ts";
import { countSent, sendToPort, WOULD_BLOCK, waitForRoom } from "../ipc/queueing.ts";
import { destroyMessage } from "../ipc/release.ts";
import { MACH_PORT_NULL } from "../ipc/rights.ts";
import type { Space } from "../ipc/space.ts";
import { completeSend, removeSender, type SendSink, type SendWait } from "../ipc/waits.ts";
import { PageList } from "../vm/page-list.ts";
import { checkTimeout, type SendOptions } from "./call-options.ts";
import { sendError } from "./failure.ts";
import { type Interruptible, TaskHold, TaskSend } from "./suspended.ts";
import type { Task } from "./task.ts";
import type { TaskKernel } from "./task-kernel.ts";

export class Sender implements SendSink {
  readonly task: Task;
  private readonly kernel: TaskKernel;
  private readonly space: Space;
  private readonly interruptibles: Set<Interruptible>;
  /** The wait of the send that trySend() found no room for. */
  private blocked: TaskSend | null = null;
  /** Of the last message sent with protection "hold"; it waits while its pages are needed. */
  private hold = new TaskHold();

  constructor(task: Task, kernel: TaskKernel, space: Space, interruptibles: Set<Interruptible>) {
    this.task = task;
    this.kernel = kernel;
    this.space = space;
    this.interruptibles = interruptibles;
  }

  /** Copyin and queueing. MACH_SEND_NO_BUFFER: the pool has no message left, nothing has happened.
   *  WOULD_BLOCK: the message is copied in, and waits; go on with finish() or finishSync(). */
  trySend(message: Message, options: SendOptions | undefined): number {
    if (options !== undefined) checkTimeout(options.timeoutNs);
    const { size } = message;
    if (size >>> 0 !== size || size > message.bytes.length) return MACH_SEND_INVALID_DATA;
    const kernel = this.kernel.ipc.pool.takeToSend(size);
    return kernel === null ? MACH_SEND_NO_BUFFER : this.sendAs(kernel, message, options);
  }

  private sendAs(
    kernel: KernelMessage,
    message: Message,
    options: SendOptions | undefined,
  ): number {
    const { ipc } = this.kernel;
    const cancel =
      options === undefined ? MACH_PORT_NULL : (options.cancelNotify ?? MACH_PORT_NULL);
    if (message.complex && this.holds(options)) {
      if (this.hold.waiting) this.hold = new TaskHold(); // another flow of the task's waits with it
      this.hold.waiting = true;
      kernel.hold = this.hold;
    }
    const status = copyin(ipc, this.space, message, kernel, cancel);
    if (status !== MACH_MSG_SUCCESS) {
      ipc.pool.put(kernel);
      return status;
    }
    if (kernel.hold !== null && !holdsPages(kernel)) {
      kernel.hold = null;
      this.hold.waiting = false;
    }
    countSent(ipc);
    const sent = sendToPort(ipc, kernel, false);
    return sent === WOULD_BLOCK ? this.block(kernel, message, options) : sent;
  }

  private holds(options: SendOptions | undefined): boolean {
    const protection = options?.protection;
    return protection === undefined ? this.kernel.ipc.holdsSenders : protection === "hold";
  }

  /** The wait for pages that the last message sent left behind; null if none did. */
  takeHold(): TaskHold | null {
    const { hold } = this;
    if (!hold.waiting) return null;
    this.hold = new TaskHold();
    return hold;
  }

  /** Waits until the interface is done with the pages. */
  async released(hold: TaskHold): Promise<void> {
    this.kernel.spin(hold);
    if (!hold.waiting || this.kernel.isHalted) return;
    await new Promise<void>((resolve) => {
      hold.resolve = () => {
        this.kernel.taskResumes(this.task);
        resolve();
      };
    });
    this.runs();
  }

  releasedSync(hold: TaskHold): void {
    this.kernel.spinUntil(hold, NEVER, MACH_SEND_INTERRUPTED);
  }

  private block(kernel: KernelMessage, message: Message, options: SendOptions | undefined): number {
    if (this.kernel.isHalted) {
      destroyMessage(this.kernel.ipc, kernel);
      return MACH_SEND_INTERRUPTED;
    }
    if (patienceNs(options) === 0) {
      const port = kernel.remote!;
      if (port.state === PORT_PROXY) this.kernel.ipc.remote.senderGoes(port);
      return this.giveUp(kernel, message, options, MACH_SEND_TIMED_OUT);
    }
    this.blocked = new TaskSend(this);
    waitForRoom(this.kernel.ipc, kernel.remote!, kernel, this.blocked);
    return WOULD_BLOCK;
  }

  /** The rest of a send that trySend() did not end: waits for a message of the pool, for room. */
  async finish(
    message: Message,
    options: SendOptions | undefined,
    firstStatus: number,
  ): Promise<number> {
    const deadlineNs = this.deadline(options);
    let status = firstStatus;
    while (status === MACH_SEND_NO_BUFFER) {
      if (patienceNs(options) === 0) throw sendError(message, MACH_SEND_TIMED_OUT);
      const kernel = await this.kernel.messageToSend(this.task, message.size, deadlineNs);
      this.runs();
      if (kernel === null) throw sendError(message, MACH_SEND_TIMED_OUT);
      status = this.sendAs(kernel, message, options);
    }
    if (status === WOULD_BLOCK) status = await this.waitUntilSent(message, options, deadlineNs);
    if (status !== MACH_MSG_SUCCESS && status !== MACH_SEND_WILL_NOTIFY) {
      throw sendError(message, status);
    }
    return status;
  }

  private async waitUntilSent(
    message: Message,
    options: SendOptions | undefined,
    deadlineNs: number,
  ): Promise<number> {
    const wait = this.takeBlocked();
    this.kernel.spin(wait);
    if (wait.waiting) {
      if (deadlineNs !== NEVER) {
        wait.cancelTimer = this.kernel.setTimer(deadlineNs, () =>
          this.endWait(wait, message, options, MACH_SEND_TIMED_OUT),
        );
      }
      const interruptible: Interruptible = {
        interrupt: () => this.endWait(wait, message, options, MACH_SEND_INTERRUPTED),
      };
      if (options?.interruptible === true) this.interruptibles.add(interruptible);
      await new Promise<void>((resolve) => {
        wait.resolve = resolve;
      });
      this.interruptibles.delete(interruptible);
      this.runs();
    }
    return wait.status;
  }

  /** A send without suspending. */
  sendSync(message: Message, options: SendOptions | undefined): number {
    let status = this.trySend(message, options);
    if (status === MACH_MSG_SUCCESS) return status;
    const deadlineNs = this.deadline(options);
    while (status === MACH_SEND_NO_BUFFER) {
      const room = new RoomToSend(this.kernel, message.size);
      this.kernel.spinUntil(room, deadlineNs, MACH_SEND_INTERRUPTED);
      if (room.waiting) throw sendError(message, MACH_SEND_TIMED_OUT);
      status = this.trySend(message, options);
    }
    if (status === WOULD_BLOCK) {
      const wait = this.takeBlocked();
      this.kernel.spinUntil(wait, deadlineNs, MACH_SEND_INTERRUPTED);
      if (wait.waiting) this.endWait(wait, message, options, MACH_SEND_TIMED_OUT);
      status = wait.status;
    }
    if (status === MACH_MSG_SUCCESS || status === MACH_SEND_WILL_NOTIFY) return status;
    throw sendError(message, status);
  }

  /** Ends the wait of a blocked send before its turn has come. */
  private endWait(
    wait: TaskSend,
    message: Message,
    options: SendOptions | undefined,
    status: number,
  ): void {
    const kernel = wait.message;
    if (!removeSender(wait) || kernel === null) return; // it ended in the same step
    completeSend(wait, this.giveUp(kernel, message, options, status));
  }

  /** The message is not queued for want of room: it is forced, if that was asked for, or given back. */
  private giveUp(
    kernel: KernelMessage,
    message: Message,
    options: SendOptions | undefined,
    status: number,
  ): number {
    const { ipc } = this.kernel;
    let result = status;
    if (status === MACH_SEND_TIMED_OUT && options?.willNotify !== undefined) {
      result = this.force(kernel, options.willNotify);
      if (result === MACH_SEND_WILL_NOTIFY) return result;
    }
    return result | pseudoReceive(ipc, this.space, kernel, message);
  }

  /** Queues the message whatever the limit, with a request that its sender be told (Mach 3.0
   *  ipc_marequest_create). */
  private force(kernel: KernelMessage, notifyName: number): number {
    const { ipc } = this.kernel;
    const notify = receiveRightOf(this.space, notifyName);
    if (notify === null) return MACH_SEND_INVALID_NOTIFY;
    const port = kernel.remote!;
    const name = this.space.nameOf(port);
    const index = name === MACH_PORT_NULL ? NO_ENTRY : this.space.find(name);
    if (index !== NO_ENTRY && this.space.acceptAt(index) !== null) {
      return MACH_SEND_NOTIFY_IN_PROGRESS;
    }
    if (port.state === PORT_PROXY && !ipc.remote.canReport) return MACH_SEND_NO_NOTIFY;
    notify.sendOnceRights += 1;
    const request = new LocalAccept(this.space, notify);
    if (index !== NO_ENTRY) this.space.setAccept(index, request);
    kernel.accept = request;
    sendToPort(ipc, kernel, true);
    return MACH_SEND_WILL_NOTIFY;
  }

  /** SendSink: a blocked send is over. */
  sendCompleted(completed: SendWait): void {
    const wait = completed as TaskSend;
    if (wait.resolve === null) return;
    wait.cancelTimer?.();
    this.kernel.taskResumes(this.task);
    wait.resolve();
  }

  private takeBlocked(): TaskSend {
    const wait = this.blocked!;
    this.blocked = null;
    return wait;
  }

  private deadline(options: SendOptions | undefined): number {
    const patience = patienceNs(options);
    return patience === NEVER ? NEVER : this.kernel.clock.now() + patience;
  }

  private runs(): void {
    if (this.task.wakes > 0) this.kernel.taskRuns(this.task);
  }
}

/** True if the message has pages of its sender's on a page list. */
const holdsPages = ({ overflow }: KernelMessage): boolean =>
  overflow?.regions.some((region) => region instanceof PageList) ?? false;

/** How long a send waits for room. With willNotify alone it does not. */
const patienceNs = (options: SendOptions | undefined): number => {
  if (options === undefined) return NEVER;
  return options.timeoutNs ?? (options.willNotify === undefined ? NEVER : 0);
};

/** Waits for the message pool; for the Sync calls. */
class RoomToSend {
  private readonly kernel: TaskKernel;
  private readonly bytes: number;

  constructor(kernel: TaskKernel, bytes: number) {
    this.kernel = kernel;
    this.bytes = bytes;
  }

  get waiting(): boolean {
    return !this.kernel.ipc.pool.roomToSend(this.bytes);
  }
}
