// Serves the vm calls of task ports (mach/mach.defs): a task's address space, for whoever has a send right to
// the task's port. Data of vm_read and vm_write travels out of line: copied on write on a node, page by page
// between nodes. A call that finds a page busy is answered when the interface is done with that page.

import { COUNTERS } from "../base/counters.ts";
import { KERN_INVALID_ARGUMENT, KERN_SUCCESS } from "../base/status.ts";
import { FRAME_OBJECT } from "../hardware/frame-table.ts";
import type { IpcContext } from "../ipc/context.ts";
import { PORT_PROXY } from "../ipc/port.ts";
import { releaseRight } from "../ipc/release.ts";
import { PORT_SEND } from "../ipc/rights.ts";
import type { Interface } from "../task/interface.ts";
import type { mach } from "../task/kernel-interfaces.ts";
import { MachError } from "../task/mach-error.ts";
import type { Task } from "../task/task.ts";
import { FAULT_BUSY } from "../vm/fault.ts";
import { MapCopy } from "../vm/map-copy.ts";
import type { PageList } from "../vm/page-list.ts";
import type { TaskMemory } from "../vm/task-memory.ts";
import type { KernelFunctions } from "./kernel-routines.ts";
import type { KernelTask } from "./kernel-task.ts";

type MachFunctions =
  typeof mach extends Interface<infer Shapes> ? KernelFunctions<Shapes, KernelTask> : never;

export type VmFunctions = Pick<
  MachFunctions,
  | "vmAllocate"
  | "vmDeallocate"
  | "vmProtect"
  | "vmInherit"
  | "vmRead"
  | "vmWrite"
  | "vmCopy"
  | "vmRegion"
  | "vmStatistics"
  | "vmMap"
>;

/** What these calls need of their kernel. */
export interface VmHost {
  readonly ipc: IpcContext;
  whenNotBusy(task: Task | null, frame: number): Promise<void>;
}

export const vmFunctions = (host: VmHost): VmFunctions => {
  const { ipc } = host;
  return {
    vmAllocate: ({ address, bytes, anywhere }, { space: { memory } }) => {
      const status = memory.vmAllocate(address, bytes, anywhere);
      return status === KERN_SUCCESS ? { address: memory.address } : status;
    },
    vmDeallocate: ({ address, bytes }, { space: { memory } }) =>
      memory.vmDeallocate(address, bytes),
    vmProtect: ({ address, bytes, setMaximum, protection }, { space: { memory } }) =>
      memory.vmProtect(address, bytes, setMaximum, protection),
    vmInherit: ({ address, bytes, inheritance }, { space: { memory } }) =>
      memory.vmInherit(address, bytes, inheritance),
    vmRead: ({ address, bytes }, { space: { memory } }, { local: replyPort }) => {
      if (bytes === 0) return { data: null };
      const direct = replyPort !== null && replyPort.state === PORT_PROXY;
      const data = ipc.transfer.take(memory, address, bytes, false, direct);
      return data === null ? memory.status : { data };
    },
    vmWrite: ({ address, data }, { space: { memory } }) => {
      if (data === null) return KERN_SUCCESS;
      const copy = listAsCopy(ipc, data);
      return typeof copy === "number" ? copy : overwrite(host, memory, address, copy);
    },
    vmCopy: ({ source, bytes, destination }, { space: { memory } }) =>
      unlessBusy(host, memory, () => memory.vmCopy(source, bytes, destination)),
    vmRegion: ({ address }, { space: { memory } }) => {
      const status = memory.vmRegion(address);
      return status === KERN_SUCCESS ? { ...memory.region, object: null } : status;
    },
    vmStatistics: () => ({ statistics: statistics(ipc) }),
    vmMap: (args, { space: { memory } }) => {
      const { address, bytes, mask, anywhere, object, offset, copy } = args;
      if (object !== null) {
        releaseRight(ipc, object, PORT_SEND); // no port stands for a memory object
        return KERN_INVALID_ARGUMENT;
      }
      const { protection, maxProtection, inheritance } = args;
      const status = memory.vmMap(
        address,
        bytes,
        mask,
        anywhere,
        null,
        offset,
        copy,
        protection,
        maxProtection,
        inheritance,
      );
      return status === KERN_SUCCESS ? { address: memory.address } : status;
    },
  };
};

/** Puts a copy over what lies at an address. The copy is used up. */
const overwrite = (
  host: VmHost,
  memory: TaskMemory,
  address: number,
  copy: MapCopy,
): number | Promise<number> =>
  unlessBusy(host, memory, () => {
    const status = memory.overwriteObject(address, copy);
    if (status !== FAULT_BUSY) host.ipc.transfer.discard(copy);
    return status;
  });

/** Data of a message as a copy like those of this node, also if its pages have come from another; or the status that
 *  says why not. The data is used up. */
export const listAsCopy = (ipc: IpcContext, list: PageList | MapCopy): MapCopy | number => {
  if (list instanceof MapCopy) return list;
  const { bytes } = list;
  const map = ipc.vm.newTaskMemory();
  let status = ipc.transfer.give(map, list);
  let copy: MapCopy | null = null;
  if (status === KERN_SUCCESS) {
    copy = map.copyinObject(map.address, bytes, true);
    status = map.status;
  } else {
    ipc.transfer.discard(list);
  }
  map.destroy();
  return copy ?? status;
};

/** What the attempt answers, now or when the page that it met is not busy any more. */
const unlessBusy = (
  host: VmHost,
  memory: TaskMemory,
  attempt: () => number,
): number | Promise<number> => {
  const status = attempt();
  return status === FAULT_BUSY ? afterBusy(host, memory, attempt) : status;
};

const afterBusy = async (
  host: VmHost,
  memory: TaskMemory,
  attempt: () => number,
): Promise<number> => {
  let status: number;
  try {
    do {
      await host.whenNotBusy(null, memory.busyFrame);
      status = attempt();
    } while (status === FAULT_BUSY);
  } catch (error) {
    if (!(error instanceof MachError)) throw error;
    status = error.status; // the machine is being halted
  }
  return status;
};

/** vm_statistics: page size; pages free, active, inactive, wired; then how often: zero fills, reactivations,
 *  pages in, pages out, faults, copies on write, lookups of objects, hits among these. Pages in use all count as
 *  active; what nobody counts is 0. */
const statistics = ({ memory, frames }: IpcContext): number[] => {
  const count = (counter: { readonly index: number }): number =>
    memory.counters[counter.index]! | 0;
  return [
    memory.layout.pageBytes,
    frames.freeCount,
    frames.count(FRAME_OBJECT),
    0,
    0,
    count(COUNTERS.zeroFills),
    0,
    count(COUNTERS.pageIns),
    count(COUNTERS.pageOuts),
    count(COUNTERS.faults),
    count(COUNTERS.cowCopies),
    0,
    0,
  ];
};
