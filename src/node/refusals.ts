// What kernel-owned ports answer to calls that are not theirs, as the original does when a port does not convert to what a
// call wants. What such a request carries is given up.

import { KERN_INVALID_ARGUMENT, KERN_INVALID_HOST } from "../base/status.ts";
import type { IpcContext } from "../ipc/context.ts";
import { releaseRight } from "../ipc/release.ts";
import { PORT_SEND } from "../ipc/rights.ts";
import type { Interface } from "../task/interface.ts";
import type { mach, machNorma } from "../task/kernel-interfaces.ts";
import type { KernelRight } from "./kernel-items.ts";
import type { KernelFunctions } from "./kernel-routines.ts";
import type { KernelTask } from "./kernel-task.ts";

type ShapesOf<I> = I extends Interface<infer S> ? S : never;

/** Of a thread port to calls of tasks. */
export const noTaskFunctions = (
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
    taskSuspend: refuse,
    taskResume: refuse,
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

/** Of any port to the calls of mach_norma that are not its own. */
export const noNormaFunctions = <Subject>(
  ipc: IpcContext,
): KernelFunctions<ShapesOf<typeof machNorma>, Subject> => {
  const release = (right: KernelRight): void => {
    if (right !== null) releaseRight(ipc, right, PORT_SEND);
  };
  return {
    getSpecialPort: () => KERN_INVALID_HOST,
    setSpecialPort: ({ port }) => {
      release(port);
      return KERN_INVALID_HOST;
    },
    portLocationHint: ({ port }) => {
      release(port);
      return KERN_INVALID_ARGUMENT;
    },
    taskCreate: () => KERN_INVALID_ARGUMENT,
    taskSetChildNode: () => KERN_INVALID_ARGUMENT,
  };
};
