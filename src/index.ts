// The public API of normacube. Programs import it too, each in the threads of its nodes: the drivers and the schemas of options
// are loaded when a host first makes a machine.

import type { ThreadMachineInput } from "./machine/thread-machine.ts";
import type { Machine as MachineInterface, Simulation } from "./node/machine-interface.ts";
import type { SimulatedMachineInput } from "./sim/simulated-machine.ts";

export * from "./base/status.ts";
export { describeFaults } from "./config/describe-faults.ts";
export type { FaultOptions, FaultOptionsInput } from "./config/fault-options.ts";
export { FAULT_PRESETS } from "./config/fault-presets.ts";
export type { MachineOptions, MachineOptionsInput } from "./config/machine-options.ts";
export { OptionError } from "./config/option-error.ts";
export { describeTrace, type TraceRecord } from "./hardware/trace-wrapper.ts";
export { Message } from "./ipc/message.ts";
export * from "./ipc/rights.ts";
export * as fields from "./mig/fields.ts";
export { at, oneway, routine, skip } from "./mig/subsystem.ts";
export type { NodeCensus } from "./node/census.ts";
export type {
  MachineStats,
  MachineTask,
  NodeStats,
  Simulation,
  SpawnOptions,
} from "./node/machine-interface.ts";
export type { ReceiveOptions, RpcOptions, SendOptions } from "./task/call-options.ts";
export {
  type ComlinkModule,
  type ComlinkOverPorts,
  comlinkOverPorts,
} from "./task/comlink-over-ports.ts";
export {
  D_READ,
  D_WRITE,
  DEV_GET_RECORDS,
  DEV_GET_SIZE,
  device,
} from "./task/device-interface.ts";
export { connect, listen, type PortEndpoint } from "./task/endpoint.ts";
export { defineInterface, type Interface } from "./task/interface.ts";
export {
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
} from "./task/kernel-interfaces.ts";
export { MachError } from "./task/mach-error.ts";
export type { TaskCreateOptions } from "./task/norma.ts";
export { demux, type Implementation, type ServeOptions } from "./task/serve.ts";
export {
  DEVICE_SPECIAL_PORT,
  HOST_PRIV_SPECIAL_PORT,
  HOST_SPECIAL_PORT,
  SPECIAL_PORT_MAX,
} from "./task/special-ports.ts";
export type { CallOptions, Client } from "./task/stubs.ts";
export type { Program, Task } from "./task/task.ts";
export * from "./task/trap.ts";
export type { MapOptions, RegionInfo } from "./task/virtual-memory.ts";
export * from "./vm/protection.ts";

export type Machine = MachineInterface;

/** Makes machines. */
export const Machine = {
  /** Boots a machine of worker threads. Rejects with OptionError. */
  boot: async (options: ThreadMachineInput = {}): Promise<Machine> => {
    const { ThreadMachine } = await import("./machine/thread-machine.ts");
    return ThreadMachine.boot(options);
  },
  /** Makes a machine in simulation: one thread, virtual time, the same run for the same seed. */
  simulate: async (options: SimulatedMachineInput = {}): Promise<Simulation> => {
    const { SimulatedMachine } = await import("./sim/simulated-machine.ts");
    return SimulatedMachine.boot(options);
  },
} as const;
