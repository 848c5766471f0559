// A task: a name space for rights, and an async program that runs in its node's worker thread.
// send, receive and rpc come in two kinds. The async ones step the kernel in place as long as no
// other task of the node can run (paper 2.2), and only then suspend. The Sync ones never suspend; they
// need a node with a worker thread to itself.

import { NEVER } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import {
  MACH_MSG_SUCCESS,
  MACH_RCV_INTERRUPTED,
  MACH_RCV_TIMED_OUT,
  MACH_SEND_INTERRUPTED,
  MACH_SEND_NO_BUFFER,
  MIG_SERVER_DIED,
} from "../base/status.ts";
import { copyin } from "../ipc/copyin.ts";
import type { KernelMessage } from "../ipc/kernel-message.ts";
import type { Message } from "../ipc/message.ts";
import {
  countSent,
  receiveFromPort,
  sendToPort,
  WOULD_BLOCK,
  waitForRoom,
} from "../ipc/queueing.ts";
import { destroyMessage } from "../ipc/release.ts";
import { NOTIFY_SEND_ONCE, type PortName } from "../ipc/rights.ts";
import type { Space } from "../ipc/space.ts";
import {
  completeReceive,
  type ReceiveWait,
  removeReceiver,
  type SendWait,
  type WaitSink,
} from "../ipc/waits.ts";
import { receiveError, sendError } from "./failure.ts";
import { MachError } from "./mach-error.ts";
import { Names } from "./names.ts";
import { Ports } from "./ports.ts";
import { TaskReceive, TaskSend } from "./suspended.ts";
import type { TaskKernel } from "./task-kernel.ts";

export interface ReceiveOptions {
  /** Receive into this message instead of a new one. */
  readonly into?: Message;
  /** Give up after so long, ns; 0 = only look. Default: wait for ever. */
  readonly timeoutNs?: number;
}

/** A program: the default export of a module given to machine.spawn(). */
export type Program<Args = unknown, Result = unknown> = (
  task: Task,
  args: Args,
) => Promise<Result> | Result;

/** Waits that a task keeps for use again. */
const SPARE_WAITS_MAX = 8;

const DONE: Promise<void> = Promise.resolve();

export class Task implements WaitSink {
  readonly node: number;
  /** Nodes of the machine. */
  readonly nodes: number;
  /** Number of the task on its node. */
  readonly id: number;
  /** Random numbers of this task's own, from the machine's seed. */
  readonly random: Random;
  readonly ports: Ports;
  readonly names: Names;
  /** Waits that resumed this task since it ran last, in the kernel's epoch `wakesEpoch`; the kernel's
   *  bookkeeping. */
  wakes = 0;
  wakesEpoch = 0;

  readonly #kernel: TaskKernel;
  readonly #space: Space;
  readonly #spare: TaskReceive[] = [];
  /** The wait of the send that #trySend() found no room for. */
  #blocked: TaskSend | null = null;

  /** The kernel under a task: for comparators and checkers, which look beneath the task API. */
  static kernelOf(task: Task): TaskKernel {
    return task.#kernel;
  }

  constructor(kernel: TaskKernel, space: Space, id: number) {
    this.#kernel = kernel;
    this.#space = space;
    this.node = kernel.node;
    this.nodes = kernel.nodes;
    this.id = id;
    this.random = kernel.forkRandom(`node ${kernel.node} task ${id}`);
    this.ports = new Ports(kernel.ipc, space);
    this.names = new Names(this, kernel, space);
  }

  /** Nanoseconds since the machine was booted. */
  now(): number {
    this.#kernel.tick();
    return this.#kernel.clock.now();
  }

  /** Suspends this task for at least `ns` nanoseconds. */
  sleep(ns: number): Promise<void> {
    if (!(ns >= 0)) throw new RangeError(`sleep of ${ns} ns; it must be 0 or more`);
    this.#runs();
    return this.#kernel.sleepUntil(this, this.now() + ns);
  }

  /** One line to the host's log, marked with node and task. */
  log(...values: readonly unknown[]): void {
    this.#kernel.log(this, values.map(String).join(" "));
  }

  // --- asynchronous -----------------------------------------------------------------------------

  /** Sends; resolves when the message is queued or handed to the network. A full queue suspends.
   *  Rejects with MachError: MACH_SEND_INVALID_DEST and the other send codes. */
  send(message: Message): Promise<void> {
    this.#runs();
    const status = this.#trySend(message);
    if (status !== MACH_MSG_SUCCESS) return this.#sendSlowly(message, status);
    this.#kernel.taskResumes(this);
    return DONE;
  }

  /** Receives from the port whose receive right has `name`. Rejects with MachError:
   *  MACH_RCV_INVALID_NAME, _TIMED_OUT, _TOO_LARGE (the message stays queued), _PORT_DIED. */
  receive(name: PortName, options?: ReceiveOptions): Promise<Message> {
    this.#runs();
    return this.#settle(this.#startReceive(name, options, false), options);
  }

  /** Sends, then receives from the reply port, message.local. A send-once notification in place of
   *  the reply (the server died) rejects with MIG_SERVER_DIED. */
  rpc(message: Message, options?: ReceiveOptions): Promise<Message> {
    this.#runs();
    const status = this.#trySend(message);
    if (status !== MACH_MSG_SUCCESS) return this.#rpcSlowly(message, options, status);
    return this.#settle(this.#startReceive(message.local, options, true), options);
  }

  // --- synchronous ------------------------------------------------------------------------------

  /** send without suspending. */
  sendSync(message: Message): void {
    this.#needsExclusive("sendSync");
    let status = this.#trySend(message);
    while (status === MACH_SEND_NO_BUFFER) {
      const room = new RoomToSend(this.#kernel, message.size);
      this.#kernel.spinUntil(room, NEVER, MACH_SEND_INTERRUPTED);
      status = this.#trySend(message);
    }
    if (status === WOULD_BLOCK) {
      const wait = this.#takeBlocked();
      this.#kernel.spinUntil(wait, NEVER, MACH_SEND_INTERRUPTED);
      status = wait.status;
    }
    if (status !== MACH_MSG_SUCCESS) throw this.#sendError(message, status);
  }

  /** receive without suspending. */
  receiveSync(name: PortName, options?: ReceiveOptions): Message {
    this.#needsExclusive("receiveSync");
    return this.#finishSync(this.#startReceive(name, options, false), options);
  }

  /** rpc without suspending: allocates nothing when options.into is given. */
  rpcSync(message: Message, options?: ReceiveOptions): Message {
    this.#needsExclusive("rpcSync");
    this.sendSync(message);
    return this.#finishSync(this.#startReceive(message.local, options, true), options);
  }

  // --- sending ----------------------------------------------------------------------------------

  /** MACH_SEND_NO_BUFFER: the pool has no message left. Else as #sendAs(). */
  #trySend(message: Message): number {
    const kernel = this.#kernel.ipc.pool.takeToSend(message.size);
    return kernel === null ? MACH_SEND_NO_BUFFER : this.#sendAs(kernel, message);
  }

  /** Copyin and queueing. WOULD_BLOCK: the message is copied in, and #blocked waits with it. */
  #sendAs(kernel: KernelMessage, message: Message): number {
    const { ipc } = this.#kernel;
    const status = copyin(ipc, this.#space, message, kernel);
    if (status !== MACH_MSG_SUCCESS) {
      ipc.pool.put(kernel);
      return status;
    }
    countSent(ipc);
    const sent = sendToPort(ipc, kernel, false);
    if (sent === WOULD_BLOCK) {
      if (this.#kernel.isHalted) {
        destroyMessage(ipc, kernel);
        return MACH_SEND_INTERRUPTED;
      }
      this.#blocked = new TaskSend(this);
      waitForRoom(kernel.remote!, kernel, this.#blocked);
    }
    return sent;
  }

  #takeBlocked(): TaskSend {
    const wait = this.#blocked!;
    this.#blocked = null;
    return wait;
  }

  async #sendSlowly(message: Message, firstStatus: number): Promise<void> {
    let status = firstStatus;
    while (status === MACH_SEND_NO_BUFFER) {
      const kernel = await this.#kernel.messageToSend(this, message.size);
      this.#runs();
      status = this.#sendAs(kernel, message);
    }
    if (status === WOULD_BLOCK) {
      const wait = this.#takeBlocked();
      this.#kernel.spin(wait);
      if (wait.waiting) {
        await new Promise<void>((resolve, reject) => {
          wait.resolve = resolve;
          wait.reject = reject;
        });
        this.#runs();
      }
      status = wait.status;
    }
    if (status !== MACH_MSG_SUCCESS) throw this.#sendError(message, status);
  }

  async #rpcSlowly(
    message: Message,
    options: ReceiveOptions | undefined,
    status: number,
  ): Promise<Message> {
    await this.#sendSlowly(message, status);
    return this.#settle(this.#startReceive(message.local, options, true), options);
  }

  #sendError(message: Message, status: number): MachError {
    return sendError(message, this.#kernel.ipc.memory.layout.pageBytes, status);
  }

  // --- receiving --------------------------------------------------------------------------------

  #startReceive(
    name: PortName,
    options: ReceiveOptions | undefined,
    expectsReply: boolean,
  ): TaskReceive {
    const timeoutNs = options?.timeoutNs;
    if (timeoutNs !== undefined && !(timeoutNs >= 0)) {
      throw new RangeError(`timeoutNs is ${timeoutNs}; it must be 0 or more`);
    }
    const wait = this.#spare.pop() ?? new TaskReceive(this);
    wait.expectsReply = expectsReply;
    wait.into = options?.into ?? null;
    receiveFromPort(this.#kernel.ipc, this.#space, name, wait);
    return wait;
  }

  /** Spins, then suspends, until the wait is over. */
  #settle(wait: TaskReceive, options: ReceiveOptions | undefined): Promise<Message> {
    const timeoutNs = options?.timeoutNs;
    if (wait.waiting) {
      const deadlineNs = timeoutNs === undefined ? NEVER : this.#kernel.clock.now() + timeoutNs;
      if (timeoutNs !== 0) this.#kernel.spin(wait);
      if (wait.waiting && timeoutNs === 0) this.#timeOut(wait);
      if (wait.waiting) return this.#suspend(wait, deadlineNs);
    }
    const error = this.#failure(wait);
    const { message } = wait;
    this.#keep(wait);
    // The promise is settled, but the task goes on only when its thread's microtasks run.
    this.#kernel.taskResumes(this);
    return error === null ? Promise.resolve(message!) : Promise.reject(error);
  }

  #suspend(wait: TaskReceive, deadlineNs: number): Promise<Message> {
    if (this.#kernel.isHalted) {
      removeReceiver(wait.port!, wait);
      wait.status = MACH_RCV_INTERRUPTED;
      return Promise.reject(receiveError(wait));
    }
    if (deadlineNs !== NEVER) {
      wait.cancelTimer = this.#kernel.setTimer(deadlineNs, () => this.#timeOut(wait));
    }
    return new Promise<Message>((resolve, reject) => {
      wait.resolve = resolve;
      wait.reject = reject;
    });
  }

  #finishSync(wait: TaskReceive, options: ReceiveOptions | undefined): Message {
    if (wait.waiting) {
      const timeoutNs = options?.timeoutNs;
      const deadlineNs = timeoutNs === undefined ? NEVER : this.#kernel.clock.now() + timeoutNs;
      this.#kernel.spinUntil(wait, deadlineNs);
      if (wait.waiting) this.#timeOut(wait);
    }
    const error =
      wait.status === MACH_MSG_SUCCESS && !wait.expectsReply ? null : this.#failure(wait);
    const { message } = wait;
    this.#keep(wait);
    if (error !== null) throw error;
    return message!;
  }

  #timeOut(wait: TaskReceive): void {
    if (!removeReceiver(wait.port!, wait)) return; // it ended in the same step
    completeReceive(wait, MACH_RCV_TIMED_OUT);
  }

  #failure(wait: TaskReceive): MachError | null {
    if (wait.status !== MACH_MSG_SUCCESS) return receiveError(wait);
    if (wait.expectsReply && wait.message!.id === NOTIFY_SEND_ONCE) {
      return new MachError(MIG_SERVER_DIED, "the reply right was destroyed without being used");
    }
    return null;
  }

  #keep(wait: TaskReceive): void {
    wait.message = null;
    wait.into = null;
    wait.resolve = null;
    wait.reject = null;
    wait.cancelTimer = null;
    if (this.#spare.length < SPARE_WAITS_MAX) this.#spare.push(wait);
  }

  // --- the kernel's side ------------------------------------------------------------------------

  /** WaitSink: a receive that really waited is over. One that is being polled is left alone. */
  receiveCompleted(completed: ReceiveWait): void {
    const wait = completed as TaskReceive;
    const { resolve, reject } = wait;
    if (resolve === null || reject === null) return;
    wait.cancelTimer?.();
    const error = this.#failure(wait);
    const { message } = wait;
    this.#keep(wait);
    this.#kernel.taskResumes(this);
    if (error === null) resolve(message!);
    else reject(error);
  }

  /** WaitSink: a blocked send is over. */
  sendCompleted(completed: SendWait): void {
    const wait = completed as TaskSend;
    if (wait.resolve === null) return;
    this.#kernel.taskResumes(this);
    wait.resolve();
  }

  #runs(): void {
    if (this.wakes > 0) this.#kernel.taskRuns(this);
  }

  #needsExclusive(call: string): void {
    this.#runs();
    if (this.#kernel.exclusive) return;
    throw new Error(
      `${call} blocks its worker thread, which node ${this.node} shares with other nodes (or with ` +
        `the simulator): use the async call, or boot with processors.workers = the number of nodes`,
    );
  }
}

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
