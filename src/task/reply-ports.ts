// Reply ports of a task's stubs. Each call under way has one of its own, so that calls side by side cannot
// take each other's replies; afterwards it is kept for the next call, unless a late reply may still come.

import { MACH_PORT_NULL, type PortName } from "../ipc/rights.ts";
import { quietly } from "./message-rights.ts";
import type { Task } from "./task.ts";

/** Idle reply ports that a task keeps. */
const IDLE_MAX = 16;

export class ReplyPorts {
  readonly #task: Task;
  readonly #idle: PortName[] = [];

  static readonly #ofTasks = new WeakMap<Task, ReplyPorts>();

  /** The task's own: all its stubs share them. */
  static of(task: Task): ReplyPorts {
    let ports = ReplyPorts.#ofTasks.get(task);
    if (ports === undefined) {
      ports = new ReplyPorts(task);
      ReplyPorts.#ofTasks.set(task, ports);
    }
    return ports;
  }

  private constructor(task: Task) {
    this.#task = task;
  }

  /** A port for one call. KERN_NO_SPACE. */
  take(): PortName {
    return this.#idle.pop() ?? this.#task.ports.allocate();
  }

  /** Takes back a port on which nothing can come any more. */
  keep(name: PortName): void {
    if (this.#idle.length < IDLE_MAX) this.#idle.push(name);
    else this.discard(name);
  }

  /** Destroys a port on which a reply may still come. */
  discard(name: PortName): void {
    if (name !== MACH_PORT_NULL) quietly(() => this.#task.ports.destroy(name));
  }
}
