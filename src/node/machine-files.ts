// The files of a machine: its swap file and its disks. The host opens them at boot and closes them when no
// node runs any more; the record of them crosses to the threads, where each node gets its own part.

import type { MachineOptions } from "../config/machine-options.ts";
import type { SwapDevice } from "../vm/swap.ts";
import { DiskFile, type DiskRecord } from "./disk-file.ts";
import { SwapExtent, SwapFile, type SwapFileRecord } from "./swap-file.ts";

/** The files as they cross threads. */
export interface MachineFilesRecord {
  readonly swap: SwapFileRecord | null;
  readonly disks: readonly DiskRecord[];
}

/** One node's part of them. */
export interface NodeFiles {
  /** Null: the machine has no swap file. */
  readonly swap: SwapDevice | null;
  readonly disks: readonly DiskRecord[];
}

export class MachineFiles {
  readonly record: MachineFilesRecord;
  private readonly open: { close(): void }[] = [];

  /** Throws OptionError, or the system's error; nothing is open then. */
  constructor(options: MachineOptions) {
    const { memory } = options;
    try {
      let swap: SwapFileRecord | null = null;
      if (memory.swapBytes >= memory.pageBytes) {
        const file = new SwapFile(2 ** options.dimension, memory.swapBytes, memory.pageBytes);
        this.open.push(file);
        swap = file.record;
      }
      const disks: DiskRecord[] = [];
      for (const [i, device] of options.devices.entries()) {
        const file = new DiskFile(device, `devices.${i}`);
        this.open.push(file);
        disks.push(file.record);
      }
      this.record = { swap, disks };
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Idempotent. Nobody may use the files any more. */
  close(): void {
    for (const file of this.open.splice(0)) file.close();
  }
}

/** What a node gets of the machine's files. */
export const nodeFiles = ({ swap, disks }: MachineFilesRecord, node: number): NodeFiles => ({
  swap: swap === null ? null : new SwapExtent(swap, node),
  disks: disks.filter((disk) => disk.node === node),
});
