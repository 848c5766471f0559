// task.vm: Mach's vm calls on the task's own address space, region by region, in whole pages: addresses are
// rounded down and sizes up. What they cannot do is a MachError:
//   KERN_INVALID_ADDRESS      part of the range is not allocated, or the range does not end below 2^32
//   KERN_INVALID_ARGUMENT     a number that is no size, no protection, no inheritance
//   KERN_PROTECTION_FAILURE   more is asked for than the protection, or its maximum, allows
//   KERN_NO_SPACE             there is no room, or there is something there already
// The same calls on other tasks, of this node or another, are those of a task port (kernel-interfaces.ts).
// VM_PROT_ and VM_INHERIT_ constants: vm/protection.ts.

import { KERN_INVALID_ARGUMENT, KERN_SUCCESS } from "../base/status.ts";
import type { Space } from "../ipc/space.ts";
import { FAULT_BUSY } from "../vm/fault.ts";
import { VM_INHERIT_COPY, VM_PROT_ALL, VM_PROT_DEFAULT } from "../vm/protection.ts";
import type { TaskMemory } from "../vm/task-memory.ts";
import { MachError } from "./mach-error.ts";
import { checkLive } from "./ports.ts";
import type { TaskKernel } from "./task-kernel.ts";

/** A stretch of an address space whose pages have all of this in common. */
export interface RegionInfo {
  readonly address: number;
  readonly bytes: number;
  readonly protection: number;
  readonly maxProtection: number;
  readonly inheritance: number;
  /** Other tasks have it too, and see what is written. */
  readonly shared: boolean;
  /** Bytes into the memory object behind it. */
  readonly offset: number;
}

/** How map() is to place new memory, and what may be done with it. */
export interface MapOptions {
  /** Where it must be. Default: anywhere. */
  readonly address?: number;
  readonly bytes: number;
  /** Bits that must be 0 in its address: 0xffff for a multiple of 64 KiB. */
  readonly mask?: number;
  readonly protection?: number;
  readonly maxProtection?: number;
  readonly inheritance?: number;
}

export class VirtualMemory {
  readonly #kernel: TaskKernel;
  readonly #space: Space;
  readonly #memory: TaskMemory;

  constructor(kernel: TaskKernel, space: Space) {
    this.#kernel = kernel;
    this.#space = space;
    this.#memory = space.memory;
  }

  get pageBytes(): number {
    return this.#memory.pageBytes;
  }

  /** The address of new zero-filled memory, anywhere or where it is asked for; 0 for no bytes. */
  allocate(where: number | { readonly address: number; readonly bytes: number }): number {
    const anywhere = typeof where === "number";
    const bytes = anywhere ? where : where.bytes;
    const address = anywhere ? 0 : where.address;
    checkNumbers(address, bytes);
    checkLive(this.#space);
    check(this.#memory.vmAllocate(address, bytes, anywhere), () =>
      anywhere ? `${bytes} bytes of memory` : `memory: ${range(address, bytes)}`,
    );
    return this.#memory.address;
  }

  /** Gives up every page that the range touches; holes are fine. */
  deallocate(address: number, bytes: number): void {
    checkNumbers(address, bytes);
    check(this.#memory.vmDeallocate(address, bytes), () => range(address, bytes));
  }

  /** What may be done with memory: bits of VM_PROT_. `maximum`: the most that may be asked for from now on, and
   *  the present protection no more than that. */
  protect(
    address: number,
    bytes: number,
    protection: number,
    { maximum = false }: { readonly maximum?: boolean } = {},
  ): void {
    checkNumbers(address, bytes, protection);
    check(
      this.#memory.vmProtect(address, bytes, maximum, protection),
      () => `protection ${protection} for ${range(address, bytes)}`,
    );
  }

  /** What a child of the task gets of it: VM_INHERIT_SHARE, _COPY or _NONE. */
  inherit(address: number, bytes: number, inheritance: number): void {
    checkNumbers(address, bytes, inheritance);
    check(
      this.#memory.vmInherit(address, bytes, inheritance),
      () => `inheritance ${inheritance} for ${range(address, bytes)}`,
    );
  }

  /** The address of a copy in new memory, made on write; any alignment. 0 for no bytes. */
  read(address: number, bytes: number): number {
    checkNumbers(address, bytes);
    checkLive(this.#space);
    if (bytes === 0) return 0;
    const memory = this.#memory;
    const copy = memory.copyinObject(address, bytes, false);
    if (copy === null) throw failure(memory.status, range(address, bytes));
    const status = memory.copyoutObject(copy);
    if (status !== KERN_SUCCESS) {
      this.#kernel.ipc.vm.discardCopy(copy);
      throw failure(status, `a copy of ${range(address, bytes)}`);
    }
    return memory.address;
  }

  /** Copies the bytes at `data` over those at `address`, any alignment. */
  write(address: number, data: number, bytes: number): void {
    this.copy(data, bytes, address);
  }

  /** Copies `bytes` bytes from `source` to `destination`, any alignment. */
  copy(source: number, bytes: number, destination: number): void {
    checkNumbers(source, bytes, destination);
    const memory = this.#memory;
    let status = memory.vmCopy(source, bytes, destination);
    while (status === FAULT_BUSY) {
      this.#kernel.waitNotBusy(memory.busyFrame);
      status = memory.vmCopy(source, bytes, destination);
    }
    check(status, () => `${range(source, bytes)}, to 0x${destination.toString(16)}`);
  }

  /** The first region at or above `address`; KERN_NO_SPACE if there is none. */
  region(address: number): RegionInfo {
    checkNumbers(address);
    check(this.#memory.vmRegion(address), () => `no memory from 0x${address.toString(16)} on`);
    return { ...this.#memory.region };
  }

  /** The address of new zero-filled memory that is placed and protected as the options say. */
  map(options: MapOptions): number {
    const { address, bytes, mask = 0, inheritance = VM_INHERIT_COPY } = options;
    const { protection = VM_PROT_DEFAULT, maxProtection = VM_PROT_ALL } = options;
    checkNumbers(address ?? 0, bytes, mask, protection, maxProtection, inheritance);
    checkLive(this.#space);
    const status = this.#memory.vmMap(
      address ?? 0,
      bytes,
      mask,
      address === undefined,
      null,
      0,
      false,
      protection,
      maxProtection,
      inheritance,
    );
    check(status, () => `memory: ${range(address ?? 0, bytes)}`);
    return this.#memory.address;
  }
}

const checkNumbers = (...values: readonly number[]): void => {
  for (const value of values) {
    if (value === value >>> 0) continue;
    throw new MachError(KERN_INVALID_ARGUMENT, `${value} is not a 32-bit number`);
  }
};

const check = (status: number, what: () => string): void => {
  if (status !== KERN_SUCCESS) throw failure(status, what());
};

const failure = (status: number, what: string): MachError => new MachError(status, what);

const range = (address: number, bytes: number): string =>
  `${bytes} bytes at 0x${address.toString(16)}`;
