// A task: a name space for rights, and an async program that runs in its node's worker thread.
// send, receive and rpc come in two kinds. The async ones step the kernel in place as long as no
// other task of the node can run (paper 2.2), and only then suspend. The Sync ones never suspend; they
// need a node with a worker thread to itself.

import { NEVER } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import { KERN_INVALID_ARGUMENT, KERN_NO_SPACE, MACH_MSG_SUCCESS } from "../base/status.ts";
import type { Message } from "../ipc/message.ts";
import type { Port } from "../ipc/port.ts";
import { MACH_PORT_NULL, type PortName } from "../ipc/rights.ts";
import type { Space } from "../ipc/space.ts";
import type { ReceiveOptions, RpcOptions, SendOptions } from "./call-options.ts";
import { PortEndpoint } from "./endpoint.ts";
import { MachError } from "./mach-error.ts";
import { Memory } from "./memory.ts";
import { Names } from "./names.ts";
import { Norma } from "./norma.ts";
import { checkLive, Ports } from "./ports.ts";
import { Receiver } from "./receiver.ts";
import { Sender } from "./sender.ts";
import { DEVICE_SPECIAL_PORT, HOST_PRIV_SPECIAL_PORT, HOST_SPECIAL_PORT } from "./special-ports.ts";
import type { Interruptible, TaskHold } from "./suspended.ts";
import { Suspension } from "./suspension.ts";
import type { TaskKernel } from "./task-kernel.ts";
import { Trap, type TrapCall } from "./trap.ts";
import { VirtualMemory } from "./virtual-memory.ts";

/** A program: the default export of a module given to machine.spawn(). */
export type Program<Args = unknown, Result = unknown> = (
  task: Task,
  args: Args,
) => Promise<Result> | Result;

const DONE: Promise<number> = Promise.resolve(MACH_MSG_SUCCESS);

export class Task {
  readonly node: number;
  /** Nodes of the machine. */
  readonly nodes: number;
  /** Number of the task on its node. */
  readonly id: number;
  /** Random numbers of this task's own, from the machine's seed. */
  readonly random: Random;
  readonly ports: Ports;
  readonly names: Names;
  readonly norma: Norma;
  readonly memory: Memory;
  readonly vm: VirtualMemory;
  /** Waits that resumed this task since it ran last, in the kernel's epoch `wakesEpoch`; the kernel's
   *  bookkeeping. */
  wakes = 0;
  wakesEpoch = 0;
  /** What task_suspend does to its calls; the kernel's. */
  readonly suspension: Suspension;

  readonly #kernel: TaskKernel;
  readonly #space: Space;
  #self: PortName = MACH_PORT_NULL;
  #thread: PortName = MACH_PORT_NULL;
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  /** Waits that abort() ends. */
  readonly #interruptibles = new Set<Interruptible>();

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
    this.suspension = new Suspension(kernel, this);
    this.names = new Names(this, kernel, space);
    this.norma = new Norma(this, kernel, space);
    this.memory = new Memory(this, kernel, space.memory);
    this.vm = new VirtualMemory(kernel, space);
    this.#sender = new Sender(this, kernel, space, this.#interruptibles);
    this.#receiver = new Receiver(this, kernel, space, this.#interruptibles);
  }

  // --- kernel ports -----------------------------------------------------------------------------

  /** A send right to this task's kernel port (mach_task_self): machPort and mach are served there. */
  get self(): PortName {
    if (this.#self === MACH_PORT_NULL) {
      this.#self = this.#insertSend(this.#kernel.taskPort(this, this.#space));
    }
    return this.#self;
  }

  /** A send right to the kernel port of this task's thread (mach_thread_self). */
  get thread(): PortName {
    if (this.#thread === MACH_PORT_NULL) {
      this.#thread = this.#insertSend(this.#kernel.threadPort(this, this.#space));
    }
    return this.#thread;
  }

  /** A send right to the host port of a node, this one by default (mach_host_self): machHost. Each call
   *  adds a reference. */
  host(node = this.node): PortName {
    return this.#specialRight(node, HOST_SPECIAL_PORT);
  }

  /** The same of the privileged host port. */
  hostPriv(node = this.node): PortName {
    return this.#specialRight(node, HOST_PRIV_SPECIAL_PORT);
  }

  /** The same of the port at which a node's devices are opened: device. */
  deviceMaster(node = this.node): PortName {
    return this.#specialRight(node, DEVICE_SPECIAL_PORT);
  }

  #specialRight(node: number, localId: number): PortName {
    if (!Number.isInteger(node) || node < 0 || node >= this.nodes) {
      throw new MachError(KERN_INVALID_ARGUMENT, `node is ${node}; 0 to ${this.nodes - 1}`);
    }
    return this.#insertSend(this.#kernel.specialPort(node, localId));
  }

  #insertSend(port: Port): PortName {
    checkLive(this.#space);
    if (this.#space.nameOf(port) === MACH_PORT_NULL && !this.#space.hasRoom) {
      throw new MachError(KERN_NO_SPACE, "the name space is full");
    }
    port.sendRights += 1; // the right that goes under the name
    return this.#space.insertSend(port);
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
    const slept = this.#kernel.sleepUntil(this, this.now() + ns);
    return slept.then(() => (this.suspension.waiting ? this.suspension.over() : undefined));
  }

  /** One line to the host's log, marked with node and task. */
  log(...values: readonly unknown[]): void {
    this.#kernel.log(this, values.map(String).join(" "));
  }

  /** A Comlink endpoint over two ports: `receive`, a receive right of this task, and `send`, a send right
   *  for the peer's. Both are the endpoint's from then on. */
  endpoint(receive: PortName, send: PortName): PortEndpoint {
    return new PortEndpoint(this, receive, send);
  }

  // --- asynchronous -----------------------------------------------------------------------------

  /** Sends; resolves when the message is queued or handed to the network, with MACH_MSG_SUCCESS, or with
   *  MACH_SEND_WILL_NOTIFY (option willNotify). A full queue suspends. Rejects with MachError:
   *  MACH_SEND_INVALID_DEST and the other send codes; after MACH_SEND_TIMED_OUT, _INTERRUPTED,
   *  _NOTIFY_IN_PROGRESS, _NO_NOTIFY and _INVALID_NOTIFY the message holds its rights again; at halt they
   *  are gone. */
  send(message: Message, options?: SendOptions): Promise<number> {
    this.#runs();
    if (this.suspension.waiting) return this.#later(() => this.send(message, options));
    const status = this.#sender.trySend(message, options);
    const hold = this.#sender.takeHold();
    if (status !== MACH_MSG_SUCCESS || hold !== null) {
      return this.#sendSlowly(message, options, status, hold);
    }
    this.#kernel.taskResumes(this);
    return DONE;
  }

  async #sendSlowly(
    message: Message,
    options: SendOptions | undefined,
    status: number,
    hold: TaskHold | null,
  ): Promise<number> {
    let result = status;
    try {
      if (status !== MACH_MSG_SUCCESS) result = await this.#sender.finish(message, options, status);
      const held = hold ?? this.#sender.takeHold();
      if (held !== null) await this.#sender.released(held);
    } finally {
      if (this.suspension.waiting) await this.suspension.over();
    }
    return result;
  }

  /** Receives from the port or port set whose receive right has `name`. Rejects with MachError:
   *  MACH_RCV_INVALID_NAME and the other receive codes. */
  receive(name: PortName, options?: ReceiveOptions): Promise<Message> {
    this.#runs();
    if (this.suspension.waiting) return this.#later(() => this.receive(name, options));
    return this.#receiver.settle(this.#receiver.start(name, options, false), options);
  }

  /** Sends, then receives from the reply port, message.local. A send-once notification in place of
   *  the reply (the server died) rejects with MIG_SERVER_DIED. */
  rpc(message: Message, options?: RpcOptions): Promise<Message> {
    this.#runs();
    if (this.suspension.waiting) return this.#later(() => this.rpc(message, options));
    const status = this.#sender.trySend(message, options);
    const hold = this.#sender.takeHold();
    if (status !== MACH_MSG_SUCCESS || hold !== null) {
      return this.#rpcSlowly(message, options, status, hold);
    }
    return this.#receiver.settle(this.#receiver.start(message.local, options, true), options);
  }

  async #rpcSlowly(
    message: Message,
    options: RpcOptions | undefined,
    status: number,
    hold: TaskHold | null,
  ): Promise<Message> {
    const { local } = message;
    let held = hold;
    try {
      if (status !== MACH_MSG_SUCCESS) await this.#sender.finish(message, options, status);
      held ??= this.#sender.takeHold();
      return await this.#receiver.settle(this.#receiver.start(local, options, true), options);
    } finally {
      // The reply says that the pages have arrived; their acknowledgement may still be on its way.
      if (held !== null) await this.#sender.released(held);
      if (this.suspension.waiting) await this.suspension.over();
    }
  }

  async #later<T>(call: () => Promise<T>): Promise<T> {
    await this.suspension.over();
    return call();
  }

  /** The raw trap (Mach 3.0 mach_msg): a message in task memory is sent and one received there, as `option`
   *  says (MACH_SEND_MSG, MACH_RCV_MSG, ...). Sizes in bytes, header included. Resolves with the status;
   *  a send that does not succeed is not followed by the receive. */
  async machMsg(...call: TrapCall): Promise<number> {
    const trap = new Trap(this.#kernel, this.#space.memory, call);
    if (trap.sends) {
      const message = trap.messageToSend();
      if (typeof message === "number") return message;
      try {
        const status = await this.send(message, trap.sendOptions());
        if (status !== MACH_MSG_SUCCESS) return status;
      } catch (error) {
        return trap.afterFailedSend(message, error);
      }
    }
    if (!trap.receives) return MACH_MSG_SUCCESS;
    try {
      return trap.afterReceive(await this.receive(trap.receiveName, trap.receiveOptions()));
    } catch (error) {
      return trap.afterFailedReceive(error);
    }
  }

  // --- synchronous ------------------------------------------------------------------------------

  /** send without suspending. */
  sendSync(message: Message, options?: SendOptions): number {
    this.#needsExclusive("sendSync");
    const status = this.#sender.sendSync(message, options);
    const hold = this.#sender.takeHold();
    if (hold !== null) this.#sender.releasedSync(hold);
    this.#standSync();
    return status;
  }

  /** receive without suspending. */
  receiveSync(name: PortName, options?: ReceiveOptions): Message {
    this.#needsExclusive("receiveSync");
    const message = this.#receiver.finishSync(this.#receiver.start(name, options, false), options);
    this.#standSync();
    return message;
  }

  /** rpc without suspending: allocates nothing when options.into is given. */
  rpcSync(message: Message, options?: RpcOptions): Message {
    this.#needsExclusive("rpcSync");
    this.#sender.sendSync(message, options);
    const hold = this.#sender.takeHold();
    const wait = this.#receiver.start(message.local, options, true);
    try {
      return this.#receiver.finishSync(wait, options);
    } finally {
      if (hold !== null) this.#sender.releasedSync(hold);
      this.#standSync();
    }
  }

  /** machMsg without suspending. */
  machMsgSync(...call: TrapCall): number {
    const trap = new Trap(this.#kernel, this.#space.memory, call);
    if (trap.sends) {
      const message = trap.messageToSend();
      if (typeof message === "number") return message;
      try {
        const status = this.sendSync(message, trap.sendOptions());
        if (status !== MACH_MSG_SUCCESS) return status;
      } catch (error) {
        return trap.afterFailedSend(message, error);
      }
    }
    if (!trap.receives) return MACH_MSG_SUCCESS;
    try {
      return trap.afterReceive(this.receiveSync(trap.receiveName, trap.receiveOptions()));
    } catch (error) {
      return trap.afterFailedReceive(error);
    }
  }

  // --- the kernel's side ------------------------------------------------------------------------

  /** Ends the task's waits that said they are interruptible (thread_abort). */
  abort(): void {
    for (const wait of [...this.#interruptibles]) wait.interrupt();
  }

  #runs(): void {
    if (this.wakes > 0) this.#kernel.taskRuns(this);
  }

  /** Does not return while the task is suspended. */
  #standSync(): void {
    if (this.suspension.waiting) this.#kernel.spinUntil(this.suspension, NEVER);
  }

  #needsExclusive(call: string): void {
    this.#runs();
    if (this.#kernel.exclusive) {
      this.#standSync();
      return;
    }
    throw new Error(
      `${call} blocks its worker thread, which node ${this.node} shares with other nodes (or with ` +
        `the simulator): use the async call, or boot with processors.workers = the number of nodes`,
    );
  }
}
