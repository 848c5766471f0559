// What the kernel knows of a task beside its name space: its kernel port and its thread's, its special and
// registered ports. Made when somebody first asks for one of them; it goes with the space.

import type { IpcContext } from "../ipc/context.ts";
import type { KernelMessage } from "../ipc/kernel-message.ts";
import type { KernelServer } from "../ipc/kernel-server.ts";
import { PORT_DEAD, PORT_IN_KERNEL, type Port } from "../ipc/port.ts";
import { destroyPort, releaseRight } from "../ipc/release.ts";
import { PORT_SEND } from "../ipc/rights.ts";
import type { KernelTaskRecord, Space } from "../ipc/space.ts";
import { REGISTERED_PORTS_MAX } from "../task/kernel-interfaces.ts";
import type { Task } from "../task/task.ts";

/** Who serves the ports of tasks. */
export interface TaskPortServer {
  serveTask(request: KernelMessage, task: KernelTask): void;
  serveThread(request: KernelMessage, task: KernelTask): void;
  /** Tasks that are suspended. */
  readonly suspended: Set<KernelTask>;
}

/** Rights of a task that its children inherit. */
export interface InheritedPorts {
  readonly bootstrap: Port | null;
  readonly exception: Port | null;
  readonly registered: readonly (Port | null)[];
}

export class KernelTask implements KernelTaskRecord {
  readonly space: Space;
  /** Kernel-owned: whoever has a send right to one of them controls the task, its thread. */
  readonly port: Port;
  readonly thread: Port;
  /** A program has been started in it. */
  started = false;
  /** The task goes on when this is 0 (task_suspend). */
  suspendCount = 0;
  /** Where its children are made (task_set_child_node). */
  childNode: number;
  /** Send rights held for the task; null for none. */
  bootstrap: Port | null = null;
  exception: Port | null = null;
  registered: (Port | null)[] = [];
  private readonly ipc: IpcContext;
  private readonly server: TaskPortServer;
  private running: Task | null = null;

  constructor(ipc: IpcContext, space: Space, server: TaskPortServer) {
    this.ipc = ipc;
    this.server = server;
    this.space = space;
    this.childNode = ipc.memory.node;
    this.port = kernelPort(ipc, { serve: (request) => server.serveTask(request, this) });
    this.thread = kernelPort(ipc, { serve: (request) => server.serveThread(request, this) });
    space.kernelTask = this;
  }

  /** The running program's view of itself, once it runs. */
  get task(): Task | null {
    return this.running;
  }

  set task(task: Task | null) {
    this.running = task;
    if (this.suspendCount > 0) task?.suspension.begin();
  }

  /** Copies of what a child of this task gets. */
  forChild(): InheritedPorts {
    return {
      bootstrap: copySend(this.bootstrap),
      exception: copySend(this.exception),
      registered: this.registered.map(copySend),
    };
  }

  /** A new task takes what it inherits; the rights are given. */
  inherit({ bootstrap, exception, registered }: InheritedPorts): void {
    this.bootstrap = bootstrap;
    this.exception = exception;
    this.registered = [...registered];
  }

  suspend(): void {
    this.suspendCount += 1;
    this.server.suspended.add(this);
    this.running?.suspension.begin();
  }

  /** False: it was not suspended. */
  resume(): boolean {
    if (this.suspendCount === 0) return false;
    this.suspendCount -= 1;
    if (this.suspendCount === 0) this.goOn();
    return true;
  }

  /** Goes on, however often it was suspended: its end has come, or the machine's. */
  goOn(): void {
    this.suspendCount = 0;
    this.server.suspended.delete(this);
    this.running?.suspension.end();
  }

  /** Replaces the registered ports; the rights are given. False: there are too many. */
  register(rights: readonly (Port | null)[]): boolean {
    if (rights.length > REGISTERED_PORTS_MAX) return false;
    for (const right of this.registered) this.release(right);
    this.registered = [...rights];
    return true;
  }

  release(right: Port | null): void {
    if (right !== null) releaseRight(this.ipc, right, PORT_SEND);
  }

  spaceDestroyed(): void {
    for (const right of this.registered) this.release(right);
    this.release(this.bootstrap);
    this.release(this.exception);
    this.registered = [];
    this.bootstrap = null;
    this.exception = null;
    this.goOn();
    for (const port of [this.port, this.thread]) {
      destroyPort(this.ipc, port);
      this.ipc.ports.collectIfGone(port);
    }
  }
}

const kernelPort = (ipc: IpcContext, server: KernelServer): Port => {
  const port = ipc.ports.create(PORT_IN_KERNEL);
  port.server = server;
  return port;
};

/** A send right of one's own to the same port; null stays null. */
export const copySend = (right: Port | null): Port | null => {
  if (right === null || right.state === PORT_DEAD) return null;
  right.sendRights += 1;
  return right;
};
