// The public API of normacube.

import { ThreadMachine, type ThreadMachineInput } from "./machine/thread-machine.ts";
import type { Machine as MachineInterface } from "./node/machine-interface.ts";
import { SimulatedMachine, type SimulatedMachineInput } from "./sim/simulated-machine.ts";

export * from "./base/status.ts";
export { OptionError } from "./config/machine-options.ts";
export { Message } from "./ipc/message.ts";
export * from "./ipc/rights.ts";
export { MachError } from "./task/mach-error.ts";
export type { Program, ReceiveOptions, Task } from "./task/task.ts";

export type Machine = MachineInterface;

/** Makes machines. */
export const Machine = {
  /** Boots a machine of worker threads. Rejects with OptionError. */
  boot: (options: ThreadMachineInput = {}): Promise<Machine> => ThreadMachine.boot(options),
  /** Makes a machine in simulation: one thread, virtual time, the same run for the same seed. */
  simulate: (options: SimulatedMachineInput = {}): Promise<SimulatedMachine> =>
    SimulatedMachine.boot(options),
} as const;
