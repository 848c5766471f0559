// A task's memory: page-aligned regions at 32-bit addresses, zero when they are new. Here a page is
// where its region's bytes are; nothing is shared, protected or paged.
//   allocate(bytes), deallocate(address, bytes)    in whole pages
//   read(address, into), write(address, from)      any alignment, over neighbouring regions too
// Both answer false, having done nothing, when part of the range is not allocated.

import { assert } from "../base/assert.ts";
import { TASK_MEMORY_BYTES_MAX } from "../base/limits.ts";
import { alignUp } from "../base/words.ts";

/** Addresses below are never given out: a null address is not one's own. */
const FIRST_ADDRESS = 0x10000;
/** Addresses are 32 bits, and a range may end at the last. */
const ADDRESS_END = 0x100000000;

/** Where a page is: its region's bytes, from `start` on. */
interface Page {
  readonly bytes: Uint8Array;
  readonly start: number;
}

export class TaskMemory {
  readonly pageBytes: number;
  private readonly pages = new Map<number, Page>();
  /** Never given out so far from here on. */
  private nextAddress = FIRST_ADDRESS;
  private inUse = 0;

  constructor(pageBytes: number) {
    this.pageBytes = pageBytes;
  }

  /** Bytes allocated, in whole pages. */
  get bytesInUse(): number {
    return this.inUse;
  }

  /** The address of new zero-filled pages for `bytes`; 0 for no bytes, and null when there is no room. */
  allocate(bytes: number): number | null {
    if (bytes === 0) return 0;
    const size = alignUp(bytes, this.pageBytes);
    if (this.inUse + size > TASK_MEMORY_BYTES_MAX) return null;
    const fresh = this.nextAddress + size <= ADDRESS_END;
    const address = fresh ? this.nextAddress : this.findGap(size);
    if (address === null) return null;
    if (fresh) this.nextAddress += size;
    const region = new Uint8Array(size);
    for (let start = 0; start < size; start += this.pageBytes) {
      this.pages.set((address + start) / this.pageBytes, { bytes: region, start });
    }
    this.inUse += size;
    return address;
  }

  /** Takes every page that the range touches away; holes are fine. */
  deallocate(address: number, bytes: number): void {
    if (bytes === 0) return;
    const first = Math.floor(address / this.pageBytes);
    const end = Math.ceil(Math.min(address + bytes, ADDRESS_END) / this.pageBytes);
    if (end - first > this.pages.size) {
      for (const page of [...this.pages.keys()]) if (page >= first && page < end) this.drop(page);
      return;
    }
    for (let page = first; page < end; page++) this.drop(page);
  }

  /** Fills `into` with what lies at `address`. */
  read(address: number, into: Uint8Array): boolean {
    if (!this.has(address, into.length)) return false;
    this.run(address, into.length, (page, from, at, length) => {
      into.set(page.subarray(from, from + length), at);
    });
    return true;
  }

  /** Copies `from` to `address`. */
  write(address: number, from: Uint8Array): boolean {
    if (!this.has(address, from.length)) return false;
    this.run(address, from.length, (page, to, at, length) => {
      page.set(from.subarray(at, at + length), to);
    });
    return true;
  }

  /** Sets `bytes` bytes to `byte`. */
  fill(address: number, bytes: number, byte: number): boolean {
    if (!this.has(address, bytes)) return false;
    this.run(address, bytes, (page, to, _at, length) => void page.fill(byte, to, to + length));
    return true;
  }

  /** True if every page of the range is allocated. */
  has(address: number, bytes: number): boolean {
    if (!(address >= 0) || !(bytes >= 0) || address + bytes > ADDRESS_END) return false;
    const end = Math.ceil((address + bytes) / this.pageBytes);
    for (let page = Math.floor(address / this.pageBytes); page < end; page++) {
      if (!this.pages.has(page)) return false;
    }
    return true;
  }

  /** The page-sized steps of a range that has() approved. */
  private run(
    address: number,
    bytes: number,
    step: (page: Uint8Array, from: number, at: number, length: number) => void,
  ): void {
    for (let at = 0; at < bytes; ) {
      const page = this.pages.get(Math.floor((address + at) / this.pageBytes));
      assert(page !== undefined);
      const offset = (address + at) % this.pageBytes;
      const length = Math.min(bytes - at, this.pageBytes - offset);
      step(page.bytes, page.start + offset, at, length);
      at += length;
    }
  }

  private drop(page: number): void {
    if (this.pages.delete(page)) this.inUse -= this.pageBytes;
  }

  /** The first gap that is large enough: when all addresses have been given out once. */
  private findGap(size: number): number | null {
    let address = FIRST_ADDRESS;
    for (const page of [...this.pages.keys()].sort((a, b) => a - b)) {
      if (page * this.pageBytes - address >= size) return address;
      address = Math.max(address, (page + 1) * this.pageBytes);
    }
    return address + size <= ADDRESS_END ? address : null;
  }
}
