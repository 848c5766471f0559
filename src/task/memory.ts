// task.memory: the task's own memory, byte by byte. Addresses are 32-bit numbers, bytes are in little-endian
// order, any alignment is good. What is mapped is reached through the page table, as the processor would;
// everything else goes through the kernel's fault. Every failure is a MachError:
//   KERN_INVALID_ADDRESS      part of what is asked for is not allocated
//   KERN_PROTECTION_FAILURE   part of it may not be read, or written (vm_protect)
//   KERN_MEMORY_ERROR         a page could not be read back from swap
//   KERN_RESOURCE_SHORTAGE    no frame is to be had
// After the first two nothing has been stored. A store to a page that an interface still reads waits until that
// is done.

import { KERN_INVALID_ADDRESS, KERN_SUCCESS } from "../base/status.ts";
import { FAULT_BUSY } from "../vm/fault.ts";
import { PTE_FLAGS, PTE_READ, PTE_WRITE } from "../vm/page-table.ts";
import type { TaskMemory } from "../vm/task-memory.ts";
import { MachError } from "./mach-error.ts";
import type { Task } from "./task.ts";
import type { TaskKernel } from "./task-kernel.ts";

/** It is not mapped so. */
const UNMAPPED = -1;

export class Memory {
  readonly #task: Task;
  readonly #kernel: TaskKernel;
  readonly #memory: TaskMemory;
  /** The node's physical memory. */
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #directory: Int32Array;
  readonly #directoryShift: number;
  readonly #tableMask: number;
  readonly #pageShift: number;
  readonly #pageMask: number;
  /** An access that is not aligned, or not mapped, goes by here. */
  readonly #scratch = new Uint8Array(8);
  readonly #view = new DataView(this.#scratch.buffer);
  readonly #one = this.#scratch.subarray(0, 1);
  readonly #two = this.#scratch.subarray(0, 2);
  readonly #four = this.#scratch.subarray(0, 4);

  constructor(task: Task, kernel: TaskKernel, memory: TaskMemory) {
    this.#task = task;
    this.#kernel = kernel;
    this.#memory = memory;
    this.#words = kernel.ipc.memory.words;
    this.#bytes = kernel.ipc.memory.bytes;
    const { directory, directoryShift, tableMask, pageShift } = memory.pageTable;
    this.#directory = directory;
    this.#directoryShift = directoryShift;
    this.#tableMask = tableMask;
    this.#pageShift = pageShift;
    this.#pageMask = memory.pageBytes - 1;
  }

  // --- loads and stores -------------------------------------------------------------------------

  /** An unsigned byte. */
  load8(address: number): number {
    const at = this.#placed(address, PTE_READ);
    if (at === UNMAPPED) {
      this.#load(address, this.#one);
      return this.#view.getUint8(0);
    }
    return this.#bytes[at]!;
  }

  /** Two bytes, unsigned. */
  load16(address: number): number {
    const at = this.#placed(address, PTE_READ);
    if (at === UNMAPPED || (at & 1) !== 0) {
      this.#load(address, this.#two);
      return this.#view.getUint16(0, true);
    }
    return this.#bytes[at]! | (this.#bytes[at + 1]! << 8);
  }

  /** Four bytes, signed. */
  load32(address: number): number {
    const at = this.#placed(address, PTE_READ);
    if (at === UNMAPPED || (at & 3) !== 0) {
      this.#load(address, this.#four);
      return this.#view.getInt32(0, true);
    }
    return this.#words[at >>> 2]!;
  }

  /** Eight bytes, signed. */
  load64(address: number): bigint {
    const at = this.#placed(address, PTE_READ);
    if (at === UNMAPPED || (at & 7) !== 0) {
      this.#load(address, this.#scratch);
      return this.#view.getBigInt64(0, true);
    }
    const high = BigInt(this.#words[(at >>> 2) + 1]!);
    return (high << 32n) | BigInt(this.#words[at >>> 2]! >>> 0);
  }

  store8(address: number, value: number): void {
    const at = this.#placed(address, PTE_WRITE);
    if (at === UNMAPPED) {
      this.#view.setUint8(0, value);
      this.write(address, this.#one);
      return;
    }
    this.#bytes[at] = value;
  }

  store16(address: number, value: number): void {
    const at = this.#placed(address, PTE_WRITE);
    if (at === UNMAPPED || (at & 1) !== 0) {
      this.#view.setUint16(0, value, true);
      this.write(address, this.#two);
      return;
    }
    this.#bytes[at] = value;
    this.#bytes[at + 1] = value >>> 8;
  }

  store32(address: number, value: number): void {
    const at = this.#placed(address, PTE_WRITE);
    if (at === UNMAPPED || (at & 3) !== 0) {
      this.#view.setInt32(0, value, true);
      this.write(address, this.#four);
      return;
    }
    this.#words[at >>> 2] = value;
  }

  store64(address: number, value: bigint): void {
    const at = this.#placed(address, PTE_WRITE);
    if (at === UNMAPPED || (at & 7) !== 0) {
      this.#view.setBigInt64(0, value, true);
      this.write(address, this.#scratch);
      return;
    }
    this.#words[at >>> 2] = Number(BigInt.asIntN(32, value));
    this.#words[(at >>> 2) + 1] = Number(BigInt.asIntN(32, value >> 32n));
  }

  // --- ranges -----------------------------------------------------------------------------------

  /** A copy of `length` bytes. */
  read(address: number, length: number): Uint8Array<ArrayBuffer> {
    checkRange(address, length);
    // A range longer than all that the task has is not there, and need not be made room for.
    if (length > this.#memory.bytesInUse) throw failure(KERN_INVALID_ADDRESS, address, length);
    const bytes = new Uint8Array(length);
    this.#check(this.#memory.read(address, bytes), address, length);
    return bytes;
  }

  write(address: number, bytes: Uint8Array): void {
    checkAddress(address);
    let status = this.#memory.write(address, bytes);
    while (status === FAULT_BUSY) {
      this.#waitNotBusy();
      status = this.#memory.write(address, bytes);
    }
    this.#check(status, address, bytes.length);
  }

  fill(address: number, length: number, byte: number): void {
    checkRange(address, length);
    let status = this.#memory.fill(address, length, byte);
    while (status === FAULT_BUSY) {
      this.#waitNotBusy();
      status = this.#memory.fill(address, length, byte);
    }
    this.#check(status, address, length);
  }

  /** The bytes of a range where they are, page by page, for reading. They may be elsewhere after the task's
   *  next call of any kind. */
  pages(address: number, length: number): Uint8Array[] {
    checkRange(address, length);
    const pages: Uint8Array[] = [];
    const physical = this.#kernel.ipc.memory;
    const status = this.#memory.framesOf(address, length, (frame, from, bytes) => {
      const start = physical.frameWord(frame) * 4 + from;
      pages.push(physical.bytes.subarray(start, start + bytes));
    });
    this.#check(status, address, length);
    return pages;
  }

  /** Resolves when every page of a range can be stored to: waits until interfaces are done with them, and does
   *  not hold the thread meanwhile, as a store does. */
  async whenWritable(address: number, length: number): Promise<void> {
    checkRange(address, length);
    const step = this.#memory.pageBytes;
    for (let page = address - (address % step); page < address + length; page += step) {
      let status = this.#memory.fault(page, true);
      while (status === FAULT_BUSY) {
        await this.#kernel.whenNotBusy(this.#task, this.#memory.busyFrame);
        status = this.#memory.fault(page, true);
      }
      this.#check(status, address, length);
    }
    const { suspension } = this.#task;
    if (suspension.waiting) await suspension.over();
  }

  // --- through the page table -------------------------------------------------------------------

  /** Where `address` lies in the node's memory, in bytes, if its page is mapped for `access`. */
  #placed(address: number, access: number): number {
    if (address !== address >>> 0) return UNMAPPED;
    const table = this.#directory[address >>> this.#directoryShift]!;
    if (table === 0) return UNMAPPED;
    const entry = this.#words[table + ((address >>> this.#pageShift) & this.#tableMask)]!;
    if ((entry & access) === 0) return UNMAPPED;
    return (entry & ~PTE_FLAGS) * 4 + (address & this.#pageMask);
  }

  /** A load that is not aligned or not mapped; the kernel maps what it meets. */
  #load(address: number, into: Uint8Array): void {
    checkAddress(address);
    this.#check(this.#memory.read(address, into), address, into.length);
  }

  // --- what goes wrong --------------------------------------------------------------------------

  #waitNotBusy(): void {
    this.#kernel.waitNotBusy(this.#memory.busyFrame);
  }

  #check(status: number, address: number, length: number): void {
    if (status !== KERN_SUCCESS) throw failure(status, address, length);
  }
}

const checkAddress = (address: number): void => {
  if (address === address >>> 0) return;
  throw new MachError(KERN_INVALID_ADDRESS, `${address} is no address`);
};

const checkRange = (address: number, length: number): void => {
  checkAddress(address);
  if (!Number.isInteger(length) || length < 0) throw failure(KERN_INVALID_ADDRESS, address, length);
};

const failure = (status: number, address: number, length: number): MachError =>
  new MachError(status, `${length} bytes at 0x${address.toString(16)} cannot be used so`);
