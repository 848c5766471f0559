// Serves the kernel ports of a node's tasks, threads and host: the calls of task/kernel-interfaces.ts, for
// whoever has a send right, on this node or another. Arguments' rights are the function's, whatever happens
// (kernel-routines.ts): what is not kept is released.

import {
  KERN_FAILURE,
  KERN_INVALID_ARGUMENT,
  KERN_INVALID_CAPABILITY,
  KERN_INVALID_RIGHT,
  KERN_INVALID_TASK,
  KERN_SUCCESS,
} from "../base/status.ts";
import { VERSION } from "../base/version.ts";
import { makeOut } from "../ipc/call-out.ts";
import type { IpcContext } from "../ipc/context.ts";
import { atHome } from "../ipc/copyout.ts";
import type { KernelMessage } from "../ipc/kernel-message.ts";
import { checkInsert, insertChecked, portExtractRight } from "../ipc/mach-port-insert.ts";
import {
  destroySpace,
  portAllocate,
  portAllocateName,
  portDeallocate,
  portDestroy,
  portGetRefs,
  portModRefs,
  portRename,
  portType,
} from "../ipc/mach-port-names.ts";
import { portRequestNotification } from "../ipc/mach-port-notify.ts";
import {
  portGetReceiveStatus,
  portGetSetStatus,
  portMoveMember,
  portSetMscount,
  portSetQlimit,
  portSetSeqno,
} from "../ipc/mach-port-receive.ts";
import { NO_ENTRY } from "../ipc/name-table.ts";
import { PORT_DEAD } from "../ipc/port.ts";
import { releaseRight } from "../ipc/release.ts";
import {
  type CarriedRight,
  MOVE_RECEIVE,
  MOVE_SEND,
  PORT_RECEIVE,
  PORT_SEND,
  PORT_SEND_ONCE,
} from "../ipc/rights.ts";
import type { Space } from "../ipc/space.ts";
import type { Interface } from "../task/interface.ts";
import {
  HOST_BASIC_INFO,
  loader,
  mach,
  machHost,
  machPort,
  TASK_BASIC_INFO,
  TASK_BOOTSTRAP_PORT,
  TASK_EXCEPTION_PORT,
  TASK_KERNEL_PORT,
} from "../task/kernel-interfaces.ts";
import type { Task } from "../task/task.ts";
import type { TaskMemory } from "../vm/task-memory.ts";
import type { KernelRight } from "./kernel-items.ts";
import { type KernelFunctions, KernelRoutines } from "./kernel-routines.ts";
import { copySend, KernelTask, type TaskPortServer } from "./kernel-task.ts";
import { vmFunctions } from "./vm-server.ts";

type ShapesOf<I> = I extends Interface<infer S> ? S : never;

/** Starts programs in tasks. */
export interface ProgramLoader {
  /** Resolves with KERN_SUCCESS once the program runs, or with what was wrong. */
  run(task: KernelTask, url: string, args: unknown): Promise<number>;
}

/** What the server needs of its kernel. */
export interface TaskHost {
  readonly ipc: IpcContext;
  readonly loader: ProgramLoader | null;
  /** The name space of a new task, with memory if it inherits some. */
  newSpace(memory?: TaskMemory): Space;
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

  constructor(host: TaskHost) {
    const { ipc } = host;
    const wake = (): void => host.wake();
    this.host = host;
    this.tasks = new KernelRoutines<KernelTask>(ipc, wake)
      .add(machPort.subsystem, portFunctions(ipc))
      .add(mach.subsystem, this.taskFunctions())
      .add(loader.subsystem, { run: ({ url, args }, task) => this.run(task, url, args) });
    this.threads = new KernelRoutines<KernelTask>(ipc, wake).add(mach.subsystem, {
      ...noTaskFunctions(ipc),
      threadAbort: (_args, { task }) => {
        task?.abort();
        return KERN_SUCCESS;
      },
    });
    this.hosts = new KernelRoutines(ipc).add(machHost.subsystem, {
      hostInfo: ({ flavor }) =>
        flavor === HOST_BASIC_INFO
          ? { info: [1, 1, ipc.memory.layout.memoryBytes, CPU_TYPE_I386, CPU_SUBTYPE_I386] }
          : KERN_INVALID_ARGUMENT,
      hostKernelVersion: () => ({ version: `normacube ${VERSION}` }),
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

  /** The kernel's record of the task with this space. */
  recordOf(space: Space): KernelTask {
    return (space.kernelTask as KernelTask | null) ?? new KernelTask(this.host.ipc, space, this);
  }

  private taskFunctions(): KernelFunctions<ShapesOf<typeof mach>, KernelTask> {
    return {
      ...vmFunctions(this.host),
      taskCreate: ({ inheritMemory }, parent) => {
        const { memory } = parent.space;
        const child = this.recordOf(this.host.newSpace(inheritMemory ? memory.fork() : undefined));
        child.inherit(parent);
        return { child: copySend(child.port) };
      },
      taskTerminate: (_args, { space, task }) => {
        destroySpace(this.host.ipc, space);
        task?.abort();
        return KERN_SUCCESS;
      },
      taskThreads: (_args, { thread }) => ({ threads: [copySend(thread)] }),
      taskInfo: ({ flavor }, { space }) => {
        if (flavor !== TASK_BASIC_INFO) return KERN_INVALID_ARGUMENT;
        const { bytesInUse } = space.memory;
        return { info: [0, 0, bytesInUse, bytesInUse, space.count] };
      },
      machPortsRegister: ({ ports }, task) => {
        if (task.register(ports)) return KERN_SUCCESS;
        for (const right of ports) task.release(right);
        return KERN_INVALID_ARGUMENT;
      },
      machPortsLookup: (_args, { registered }) => ({ ports: registered.map(copySend) }),
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

/** A thread port answers to thread calls only; what the others carry is given up. */
const noTaskFunctions = (
  ipc: IpcContext,
): Omit<KernelFunctions<ShapesOf<typeof mach>, KernelTask>, "threadAbort"> => {
  const refuse = (): number => KERN_INVALID_ARGUMENT;
  const release = (right: KernelRight): void => {
    if (right !== null) releaseRight(ipc, right, PORT_SEND);
  };
  return {
    taskCreate: refuse,
    taskTerminate: refuse,
    taskThreads: refuse,
    taskInfo: refuse,
    machPortsRegister: ({ ports }) => {
      for (const right of ports) release(right);
      return KERN_INVALID_ARGUMENT;
    },
    machPortsLookup: refuse,
    taskGetSpecialPort: refuse,
    taskSetSpecialPort: ({ port }) => {
      release(port);
      return KERN_INVALID_ARGUMENT;
    },
    vmAllocate: refuse,
    vmDeallocate: refuse,
    vmProtect: refuse,
    vmInherit: refuse,
    vmRead: refuse,
    vmWrite: ({ data }) => {
      if (data !== null) ipc.transfer.discard(data);
      return KERN_INVALID_ARGUMENT;
    },
    vmCopy: refuse,
    vmRegion: refuse,
    vmStatistics: refuse,
    vmMap: ({ object }) => {
      release(object);
      return KERN_INVALID_ARGUMENT;
    },
  };
};

/** The mach_port calls on a task's space. */
const portFunctions = (ipc: IpcContext): KernelFunctions<ShapesOf<typeof machPort>, KernelTask> => {
  const out = makeOut();
  const release = (right: KernelRight, kind: CarriedRight): void => {
    if (right !== null) releaseRight(ipc, right, kind);
  };
  return {
    names: (_args, { space }) => {
      const names = [...space.names()];
      const types = names.map((name) => {
        portType(space, name, out);
        return out.value | 0;
      });
      return { names: names.map(toWord), types };
    },
    type: ({ name }, { space }) => {
      const status = portType(space, name, out);
      return status === KERN_SUCCESS ? { type: out.value | 0 } : status;
    },
    rename: ({ oldName, newName }, { space }) => portRename(space, oldName, newName),
    allocateName: ({ right, name }, { space }) => portAllocateName(ipc, space, right, name),
    allocate: ({ right }, { space }) => {
      const status = portAllocate(ipc, space, right, out);
      return status === KERN_SUCCESS ? { name: out.value } : status;
    },
    destroy: ({ name }, { space }) => portDestroy(ipc, space, name),
    deallocate: ({ name }, { space }) => portDeallocate(ipc, space, name),
    getRefs: ({ name, right }, { space }) => {
      const status = portGetRefs(space, name, right, out);
      return status === KERN_SUCCESS ? { refs: out.value } : status;
    },
    modRefs: ({ name, right, delta }, { space }) => portModRefs(ipc, space, name, right, delta),
    setQlimit: ({ name, qlimit }, { space }) => portSetQlimit(ipc, space, name, qlimit),
    setMscount: ({ name, mscount }, { space }) => portSetMscount(space, name, mscount),
    getSetStatus: ({ name }, { space }) => {
      const members = portGetSetStatus(space, name, out);
      return members === null ? out.value : { members: members.map(toWord) };
    },
    moveMember: ({ member, after }, { space }) => portMoveMember(ipc, space, member, after),
    requestNotification: ({ name, id, sync, notify }, { space }) => {
      const { right, kind, dead } = notify;
      const usable = right === null ? !dead : kind === PORT_SEND_ONCE && right.state !== PORT_DEAD;
      const status = usable
        ? portRequestNotification(ipc, space, name, id, sync, right, out)
        : KERN_INVALID_CAPABILITY;
      if (status === KERN_SUCCESS) return { previous: out.right };
      release(right, kind);
      return status;
    },
    insertRight: ({ name, poly }, { space }) => {
      if (poly.right === null) return KERN_INVALID_CAPABILITY;
      const right = atHome(ipc, space, poly.right, poly.kind);
      const status = checkInsert(space, name, right, poly.kind, NO_ENTRY);
      if (status === KERN_SUCCESS) insertChecked(space, name, right, poly.kind);
      else release(right, poly.kind);
      return status;
    },
    extractRight: ({ name, disposition }, { space }, replyPort) => {
      const stays = replyPort !== null && !ipc.remote.acceptsReceiveRight(replyPort);
      if (disposition === MOVE_RECEIVE && stays) return KERN_INVALID_RIGHT;
      const status = portExtractRight(ipc, space, name, disposition, out);
      if (status !== KERN_SUCCESS) return status;
      return { poly: { right: out.right, disposition: moveOf(out.value) } };
    },
    getReceiveStatus: ({ name }, { space }) => portGetReceiveStatus(space, name, out) ?? out.value,
    oldGetReceiveStatus: ({ name }, { space }) =>
      portGetReceiveStatus(space, name, out) ?? out.value,
    setSeqno: ({ name, seqno }, { space }) => portSetSeqno(space, name, seqno),
  };
};

/** A name as an element of an array of integers. */
const toWord = (name: number): number => name | 0;

/** A right in a reply is the kernel's own, and goes. */
const moveOf = (kind: number): CarriedRight => {
  if (kind === PORT_RECEIVE) return MOVE_RECEIVE;
  return kind === PORT_SEND ? MOVE_SEND : PORT_SEND_ONCE;
};
