// task.memory and task.vm: the task's own memory, byte by byte and region by region. Addresses are 32-bit
// numbers; out-of-line data of messages lies here. Every failure is a MachError.

import { KERN_INVALID_ADDRESS, KERN_INVALID_ARGUMENT, KERN_NO_SPACE } from "../base/status.ts";
import type { TaskMemory } from "../vm/task-memory.ts";
import { MachError } from "./mach-error.ts";

/** Loads and stores, little-endian, at any alignment. KERN_INVALID_ADDRESS if part of what is asked for is
 *  not allocated; nothing has been stored then. */
export class Memory {
  readonly #memory: TaskMemory;
  readonly #scratch = new Uint8Array(8);
  readonly #view = new DataView(this.#scratch.buffer);
  readonly #one = this.#scratch.subarray(0, 1);
  readonly #two = this.#scratch.subarray(0, 2);
  readonly #four = this.#scratch.subarray(0, 4);

  constructor(memory: TaskMemory) {
    this.#memory = memory;
  }

  /** An unsigned byte. */
  load8(address: number): number {
    this.#read(address, this.#one);
    return this.#view.getUint8(0);
  }

  /** Two bytes, unsigned. */
  load16(address: number): number {
    this.#read(address, this.#two);
    return this.#view.getUint16(0, true);
  }

  /** Four bytes, signed. */
  load32(address: number): number {
    this.#read(address, this.#four);
    return this.#view.getInt32(0, true);
  }

  /** Eight bytes, signed. */
  load64(address: number): bigint {
    this.#read(address, this.#scratch);
    return this.#view.getBigInt64(0, true);
  }

  store8(address: number, value: number): void {
    this.#view.setUint8(0, value);
    this.write(address, this.#one);
  }

  store16(address: number, value: number): void {
    this.#view.setUint16(0, value, true);
    this.write(address, this.#two);
  }

  store32(address: number, value: number): void {
    this.#view.setInt32(0, value, true);
    this.write(address, this.#four);
  }

  store64(address: number, value: bigint): void {
    this.#view.setBigInt64(0, value, true);
    this.write(address, this.#scratch);
  }

  /** A copy of `length` bytes. */
  read(address: number, length: number): Uint8Array {
    if (!this.#memory.has(address, length)) throw invalidAddress(address, length);
    const bytes = new Uint8Array(length);
    this.#read(address, bytes);
    return bytes;
  }

  write(address: number, bytes: Uint8Array): void {
    if (!this.#memory.write(address, bytes)) throw invalidAddress(address, bytes.length);
  }

  fill(address: number, length: number, byte: number): void {
    if (!this.#memory.fill(address, length, byte)) throw invalidAddress(address, length);
  }

  #read(address: number, into: Uint8Array): void {
    if (!this.#memory.read(address, into)) throw invalidAddress(address, into.length);
  }
}

/** Regions of memory, in whole pages. */
export class VirtualMemory {
  readonly #memory: TaskMemory;

  constructor(memory: TaskMemory) {
    this.#memory = memory;
  }

  get pageBytes(): number {
    return this.#memory.pageBytes;
  }

  /** The address of new zero-filled memory; 0 for no bytes. KERN_INVALID_ARGUMENT, KERN_NO_SPACE. */
  allocate(bytes: number): number {
    checkBytes(bytes);
    const address = this.#memory.allocate(bytes);
    if (address !== null) return address;
    throw new MachError(KERN_NO_SPACE, `${bytes} bytes are more than the task can have`);
  }

  /** Gives up every page that the range touches; holes are fine. */
  deallocate(address: number, bytes: number): void {
    checkBytes(bytes);
    checkBytes(address);
    this.#memory.deallocate(address, bytes);
  }
}

const checkBytes = (value: number): void => {
  if (Number.isInteger(value) && value >= 0 && value <= 0xffffffff) return;
  throw new MachError(KERN_INVALID_ARGUMENT, `${value} is not a 32-bit number`);
};

const invalidAddress = (address: number, length: number): MachError =>
  new MachError(
    KERN_INVALID_ADDRESS,
    `${length} bytes at 0x${address.toString(16)} are not all allocated`,
  );
