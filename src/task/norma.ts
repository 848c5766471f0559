// task.norma: what a task asks of its kernel about nodes (CMU norma/ipc_special.c, norma/kern_task.c, calls norma_*).
// Special ports are found by a node and a number from 1 to SPECIAL_PORT_MAX, without a name server. All calls are Mach
// RPCs, to the privileged host port or to the task's own kernel port; on other tasks, and with other rights, they are
// those of machNorma (kernel-interfaces.ts). What they cannot do is a MachError.

import { KERN_INVALID_ARGUMENT } from "../base/status.ts";
import { COPY_SEND, type Disposition, MOVE_SEND, type PortName } from "../ipc/rights.ts";
import type { Space } from "../ipc/space.ts";
import type { Routine, Values } from "../mig/subsystem.ts";
import { machNorma } from "./kernel-interfaces.ts";
import { MachError } from "./mach-error.ts";
import { checkLive } from "./ports.ts";
import { sendRightFor } from "./send-right.ts";
import { Caller } from "./stubs.ts";
import type { Task } from "./task.ts";
import type { TaskKernel } from "./task-kernel.ts";

/** What taskCreate() is told of the child. */
export interface TaskCreateOptions {
  /** Where it is made. */
  readonly node: number;
  /** It gets a copy of the memory, as each region's inheritance says. Default: it has none. */
  readonly inheritMemory?: boolean;
}

const GET_SPECIAL_PORT = machNorma.subsystem.routine("getSpecialPort");
const SET_SPECIAL_PORT = machNorma.subsystem.routine("setSpecialPort");
const PORT_LOCATION_HINT = machNorma.subsystem.routine("portLocationHint");
const TASK_CREATE = machNorma.subsystem.routine("taskCreate");
const TASK_SET_CHILD_NODE = machNorma.subsystem.routine("taskSetChildNode");

export class Norma {
  readonly #task: Task;
  readonly #kernel: TaskKernel;
  readonly #space: Space;
  readonly #caller: Caller;

  constructor(task: Task, kernel: TaskKernel, space: Space) {
    this.#task = task;
    this.#kernel = kernel;
    this.#space = space;
    this.#caller = new Caller(task);
  }

  /** A send right for special port `which` of a node, MACH_PORT_NULL if there is none: 1 device master, 2 host,
   *  3 privileged host, 4 the name server, unless it was replaced, others as setSpecialPort() left them.
   *  KERN_INVALID_ARGUMENT: no such node, or `which` is not 1 to 32. */
  async getSpecialPort(node: number, which: number): Promise<PortName> {
    const args = { node: checkInteger("node", node), which: checkInteger("which", which) };
    const { port } = await this.#callHost(GET_SPECIAL_PORT, this.#kernel.node, args);
    return port as PortName;
  }

  /** Registers a send right for `port`, or nothing if that is null, as special port `which` of this node, or of
   *  another. The slot keeps the right until it is replaced or the port dies. KERN_INVALID_VALUE: `which` is not
   *  4 to 32. KERN_INVALID_ARGUMENT: no such node. */
  async setSpecialPort(which: number, port: PortName, node = this.#kernel.node): Promise<void> {
    const args = { which: checkInteger("which", which), port: sendRightFor(this.#space, port) };
    await this.#callHost(SET_SPECIAL_PORT, node, args);
  }

  /** The node where a port's receive right is, as far as is known here. KERN_INVALID_ARGUMENT: the port is null or
   *  dead. */
  async portLocationHint(port: PortName): Promise<number> {
    const args = { port: sendRightFor(this.#space, port) };
    return (await this.#callTask(PORT_LOCATION_HINT, args)).node as number;
  }

  /** A send right for the kernel port of a new task, a child of this one. It inherits bootstrap, exception and
   *  registered ports. KERN_INVALID_ARGUMENT: no such node; or it is another one, and memory is to be shared.
   *  KERN_RESOURCE_SHORTAGE. */
  async taskCreate({ node, inheritMemory = false }: TaskCreateOptions): Promise<PortName> {
    const args = { inheritMemory, node: checkInteger("node", node) };
    return (await this.#callTask(TASK_CREATE, args)).child as PortName;
  }

  /** Where task_create makes this task's children from now on. KERN_INVALID_ARGUMENT: no such node. */
  async setChildNode(node: number): Promise<void> {
    await this.#callTask(TASK_SET_CHILD_NODE, { node: checkInteger("node", node) });
  }

  async #callHost(routine: Routine, node: number, args: Values): Promise<Values> {
    checkLive(this.#space);
    return this.#call(routine, this.#task.hostPriv(node), MOVE_SEND, args);
  }

  async #callTask(routine: Routine, args: Values): Promise<Values> {
    checkLive(this.#space);
    return this.#call(routine, this.#task.self, COPY_SEND, args);
  }

  async #call(
    routine: Routine,
    port: PortName,
    disposition: Disposition,
    args: Values,
  ): Promise<Values> {
    return (await this.#caller.call(routine, port, disposition, args, {})) ?? {};
  }
}

const checkInteger = (what: string, value: number): number => {
  if (value === (value | 0)) return value;
  throw new MachError(KERN_INVALID_ARGUMENT, `${what} is ${value}, which is no integer`);
};
