// Serves the kernel ports of a node's tasks, threads and host: the calls of task/kernel-interfaces.ts, for
// whoever has a send right, on this node or another. Arguments' rights are the function's, whatever happens
// (kernel-routines.ts): what is not kept is released. The mach_port calls are in port-server.ts, those of memory in
// vm-server.ts, what has to do with other nodes in special-ports.ts and remote-tasks.ts.

import {
  KERN_FAILURE,
  KERN_INVALID_ARGUMENT,
  KERN_INVALID_TASK,
  KERN_SUCCESS,
} from "../base/status.ts";
import { VERSION } from "../base/version.ts";
import type { KernelMessage } from "../ipc/kernel-message.ts";
import { destroySpace } from "../ipc/mach-port-names.ts";
import { PORT_PROXY, type Port } from "../ipc/port.ts";
import { releaseRight } from "../ipc/release.ts";
import { PORT_SEND } from "../ipc/rights.ts";
import type { Space } from "../ipc/space.ts";
import type { Interface } from "../task/interface.ts";
import {
  HOST_BASIC_INFO,
  loader,
  mach,
  machHost,
  machNorma,
  machPort,
  TASK_BASIC_INFO,
  TASK_BOOTSTRAP_PORT,
  TASK_EXCEPTION_PORT,
  TASK_KERNEL_PORT,
} from "../task/kernel-interfaces.ts";
import type { Task } from "../task/task.ts";
import { type KernelFunctions, KernelRoutines, type PassedOn } from "./kernel-routines.ts";
import { copySend, KernelTask, type TaskPortServer } from "./kernel-task.ts";
import { portFunctions } from "./port-server.ts";
import { noNormaFunctions, noTaskFunctions } from "./refusals.ts";
import { createTaskAt, normaInternal, type RemoteTaskHost, taskAllocate } from "./remote-tasks.ts";
import { SpecialPorts, type SpecialPortsHost } from "./special-ports.ts";
import { vmFunctions } from "./vm-server.ts";

type ShapesOf<I> = I extends Interface<infer S> ? S : never;

/** Starts programs in tasks. */
export interface ProgramLoader {
  /** Resolves with KERN_SUCCESS once the program runs, or with what was wrong. */
  run(task: KernelTask, url: string, args: unknown): Promise<number>;
}

/** What the server needs of its kernel. */
export interface TaskHost extends RemoteTaskHost, SpecialPortsHost {
  readonly loader: ProgramLoader | null;
  /** Resolves when no interface reads a frame any more; `task` waits for it, or the kernel itself. */
  whenNotBusy(task: Task | null, frame: number): Promise<void>;
  /** The driver may be at rest: there is something to do. */
  wake(): void;
}

const CPU_TYPE_I386 = 7;
const CPU_SUBTYPE_I386 = 3;

export class TaskServer implements TaskPortServer {
  private readonly host: TaskHost;
  private readonly tasks: KernelRoutines<KernelTask>;
  private readonly threads: KernelRoutines<KernelTask>;
  private readonly hosts: KernelRoutines;
  private readonly privileged: KernelRoutines;
  readonly suspended = new Set<KernelTask>();

  constructor(host: TaskHost) {
    const { ipc } = host;
    const wake = (): void => host.wake();
    this.host = host;
    this.tasks = new KernelRoutines<KernelTask>(ipc, wake)
      .add(machPort.subsystem, portFunctions(ipc))
      .add(mach.subsystem, this.taskFunctions())
      .add(machNorma.subsystem, this.normaFunctions())
      .add(loader.subsystem, { run: ({ url, args }, task) => this.run(task, url, args) });
    this.threads = new KernelRoutines<KernelTask>(ipc, wake)
      .add(mach.subsystem, {
        ...noTaskFunctions(ipc),
        threadAbort: (_args, { task }) => {
          task?.abort();
          return KERN_SUCCESS;
        },
      })
      .add(machNorma.subsystem, noNormaFunctions(ipc));
    const hostFunctions: KernelFunctions<ShapesOf<typeof machHost>> = {
      hostInfo: ({ flavor }) =>
        flavor === HOST_BASIC_INFO
          ? { info: [1, 1, ipc.memory.layout.memoryBytes, CPU_TYPE_I386, CPU_SUBTYPE_I386] }
          : KERN_INVALID_ARGUMENT,
      hostKernelVersion: () => ({ version: `normacube ${VERSION}` }),
    };
    this.hosts = new KernelRoutines(ipc)
      .add(machHost.subsystem, hostFunctions)
      .add(machNorma.subsystem, noNormaFunctions(ipc));
    const specialPorts = new SpecialPorts(host);
    this.privileged = new KernelRoutines(ipc)
      .add(machHost.subsystem, hostFunctions)
      .add(machNorma.subsystem, {
        ...noNormaFunctions(ipc),
        getSpecialPort: ({ node, which }) => specialPorts.get(node, which),
        setSpecialPort: ({ which, port }) => specialPorts.set(which, port),
      })
      .add(normaInternal, {
        taskAllocate: (args, _host, request) => taskAllocate(host, this, args, request),
      });
  }

  serveTask(request: KernelMessage, task: KernelTask): void {
    this.tasks.serve(request, task);
  }

  serveThread(request: KernelMessage, task: KernelTask): void {
    this.threads.serve(request, task);
  }

  serveHost(request: KernelMessage): void {
    this.hosts.serve(request, undefined);
  }

  servePrivilegedHost(request: KernelMessage): void {
    this.privileged.serve(request, undefined);
  }

  /** The machine is being halted: nothing stays suspended. */
  halt(): void {
    for (const task of [...this.suspended]) task.goOn();
  }

  /** The kernel's record of the task with this space. */
  recordOf(space: Space): KernelTask {
    return (space.kernelTask as KernelTask | null) ?? new KernelTask(this.host.ipc, space, this);
  }

  private taskFunctions(): KernelFunctions<ShapesOf<typeof mach>, KernelTask> {
    return {
      ...vmFunctions(this.host),
      taskCreate: ({ inheritMemory }, parent, { id }) =>
        this.createTask(parent, inheritMemory, parent.childNode, id),
      taskTerminate: (_args, { space, task }) => {
        destroySpace(this.host.ipc, space);
        task?.abort();
        return KERN_SUCCESS;
      },
      taskThreads: (_args, { thread }) => ({ threads: [copySend(thread)] }),
      taskInfo: ({ flavor }, { space, suspendCount }) => {
        if (flavor !== TASK_BASIC_INFO) return KERN_INVALID_ARGUMENT;
        const { bytesInUse } = space.memory;
        return { info: [suspendCount, 0, bytesInUse, bytesInUse, space.count] };
      },
      machPortsRegister: ({ ports }, task) => {
        if (task.register(ports)) return KERN_SUCCESS;
        for (const right of ports) task.release(right);
        return KERN_INVALID_ARGUMENT;
      },
      machPortsLookup: (_args, { registered }) => ({ ports: registered.map(copySend) }),
      taskSuspend: (_args, task) => {
        task.suspend();
        return KERN_SUCCESS;
      },
      taskResume: (_args, task) => (task.resume() ? KERN_SUCCESS : KERN_FAILURE),
      taskGetSpecialPort: ({ which }, task) => {
        if (which === TASK_KERNEL_PORT) return { port: copySend(task.port) };
        if (which === TASK_BOOTSTRAP_PORT) return { port: copySend(task.bootstrap) };
        if (which === TASK_EXCEPTION_PORT) return { port: copySend(task.exception) };
        return KERN_INVALID_ARGUMENT;
      },
      taskSetSpecialPort: ({ which, port }, task) => {
        if (which === TASK_BOOTSTRAP_PORT) {
          task.release(task.bootstrap);
          task.bootstrap = port;
        } else if (which === TASK_EXCEPTION_PORT) {
          task.release(task.exception);
          task.exception = port;
        } else {
          task.release(port);
          return KERN_INVALID_ARGUMENT;
        }
        return KERN_SUCCESS;
      },
      threadAbort: () => KERN_INVALID_ARGUMENT, // of a thread port, not of a task port
    };
  }

  private normaFunctions(): KernelFunctions<ShapesOf<typeof machNorma>, KernelTask> {
    const { ipc, nodes } = this.host;
    return {
      ...noNormaFunctions(ipc),
      portLocationHint: ({ port }) => {
        if (port === null) return KERN_INVALID_ARGUMENT;
        const node = port.state === PORT_PROXY ? port.home : ipc.memory.node;
        releaseRight(ipc, port, PORT_SEND);
        return { node };
      },
      taskCreate: ({ inheritMemory, node }, parent, { id }) =>
        this.createTask(parent, inheritMemory, node, id),
      taskSetChildNode: ({ node }, task) => {
        if (!(node >= 0 && node < nodes)) return KERN_INVALID_ARGUMENT;
        task.childNode = node;
        return KERN_SUCCESS;
      },
    };
  }

  /** A child of a task, on any node. `id`: of the request, as which the caller expects an answer. */
  private createTask(
    parent: KernelTask,
    inheritMemory: boolean,
    node: number,
    id: number,
  ): number | { child: Port | null } | PassedOn {
    const { host } = this;
    if (!(node >= 0 && node < host.nodes)) return KERN_INVALID_ARGUMENT;
    if (node !== host.node) return createTaskAt(host, parent, inheritMemory, node, id);
    const memory = inheritMemory ? parent.space.memory.fork() : undefined;
    const child = this.recordOf(host.newSpace(memory));
    child.inherit(parent.forChild());
    return { child: copySend(child.port) };
  }

  private async run(task: KernelTask, url: string, args: unknown): Promise<number> {
    const { loader: programs } = this.host;
    if (!task.space.active) return KERN_INVALID_TASK;
    if (task.started || programs === null) return KERN_FAILURE;
    task.started = true;
    const status = await programs.run(task, url, args);
    task.started = status === KERN_SUCCESS;
    return status;
  }
}
