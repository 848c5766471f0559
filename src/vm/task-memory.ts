// A task's memory: its address map and its page table, and all that a task or the kernel does with them.
//   allocate, vmAllocate, vmDeallocate, vmProtect, ...  the vm calls of Mach 3.0 (vm-calls.ts)
//   read, write, fill, has, fault                       access, any alignment (memory-access.ts)
//   copyinPages, copyoutPages                           message data as a page list (list-copy.ts)
//   copyinObject, copyoutObject                         message data copy-on-write (object-copy.ts)
// Everything answers with a status, KERN_SUCCESS or why not; a failure has changed nothing unless it is said.
// What could store to a page that is busy answers FAULT_BUSY: `busyFrame` is to be waited for, and the call
// made again.

import { COUNTERS } from "../base/counters.ts";
import { TASK_MEMORY_BYTES_MAX } from "../base/limits.ts";
import { KERN_SUCCESS } from "../base/status.ts";
import { AddressMap } from "./address-map.ts";
import { findPage } from "./fault.ts";
import { copyinPages, copyoutPages } from "./list-copy.ts";
import type { MapCopy } from "./map-copy.ts";
import type { MapEntry } from "./map-entry.ts";
import {
  faultAt,
  fillBytes,
  framesOf,
  hasBytes,
  readBytes,
  type VisitFrame,
  writeBytes,
} from "./memory-access.ts";
import type { MemoryObject } from "./memory-object.ts";
import {
  ANYWHERE,
  copyinObject,
  copyoutObject,
  makePrivate,
  overwriteObject,
} from "./object-copy.ts";
import type { Page } from "./page.ts";
import type { PageList, PageMode } from "./page-list.ts";
import { PageTable } from "./page-table.ts";
import { VM_PROT_READ, VM_PROT_WRITE } from "./protection.ts";
import type { VirtualMemory } from "./virtual-memory.ts";
import * as calls from "./vm-calls.ts";

/** Addresses below are never given out: a null address is not one's own. */
const FIRST_ADDRESS = 0x10000;
/** Addresses are 32 bits, and a range may end at the last. */
export const ADDRESS_END = 0x100000000;

/** What vmRegion() found. */
export interface Region {
  address: number;
  bytes: number;
  protection: number;
  maxProtection: number;
  inheritance: number;
  shared: boolean;
  /** Bytes of its object that lie before it. */
  offset: number;
}

export class TaskMemory {
  readonly vm: VirtualMemory;
  readonly pageBytes: number;
  readonly pageTable: PageTable;
  readonly map: AddressMap;
  readonly pagesMax: number;
  /** Result of the last call that found or made a place in memory. */
  address = 0;
  /** Result of vmRegion(). */
  readonly region: Region = {
    address: 0,
    bytes: 0,
    protection: 0,
    maxProtection: 0,
    inheritance: 0,
    shared: false,
    offset: 0,
  };
  /** Why copyinObject() answered null. */
  status = KERN_SUCCESS;

  constructor(vm: VirtualMemory) {
    this.vm = vm;
    this.pageBytes = vm.memory.layout.pageBytes;
    this.pagesMax = TASK_MEMORY_BYTES_MAX / this.pageBytes;
    this.pageTable = new PageTable(vm);
    const first = FIRST_ADDRESS / this.pageBytes;
    this.map = new AddressMap(vm.objects, this.pageTable, first, ADDRESS_END / this.pageBytes);
    vm.tasks.add(this);
  }

  /** Bytes allocated, in whole pages. */
  get bytesInUse(): number {
    return this.map.pages * this.pageBytes;
  }

  /** The frame that the last FAULT_BUSY was about. */
  get busyFrame(): number {
    return this.vm.busyFrame;
  }

  // --- pages: for the parts of this folder -----------------------------------------------------------

  /** The page of virtual page `page` of an entry; with `write`, ready to be stored to. Null: vm.status. */
  resolve(entry: MapEntry, page: number, write: boolean): Page | null {
    const { backing } = entry;
    if (write && backing.needsCopy) makePrivate(this.vm, backing);
    const index = backing.offset + entry.offset + page - entry.start;
    return findPage(this.vm, backing.object, index, write, entry.shared);
  }

  /** resolve(), and the page is mapped then if there is room for a page table. */
  touch(entry: MapEntry, page: number, write: boolean): Page | null {
    const { vm } = this;
    vm.counters[COUNTERS.faults.index]! += 1;
    const found = this.resolve(entry, page, write);
    if (found !== null) this.enter(entry, page, found);
    return found;
  }

  /** Maps a page that resolve() has found: for stores only if nothing has to be done before one. */
  enter(entry: MapEntry, virtualPage: number, page: Page): boolean {
    const { backing, protection } = entry;
    const { pages } = this.vm;
    const writable =
      (protection & VM_PROT_WRITE) !== 0 &&
      page.object === backing.object &&
      !backing.needsCopy &&
      page.dirty &&
      pages.busy(page.frame) === 0;
    pages.wire(page.frame); // or else a new page table could take its frame
    const entered = this.pageTable.enter(virtualPage, page, writable);
    pages.unwire(page.frame);
    return entered;
  }

  // --- vm calls ----------------------------------------------------------------------------------

  /** The address of new zero-filled memory; 0 for no bytes, and null when there is no room. */
  allocate(bytes: number): number | null {
    return this.vmAllocate(0, bytes, true) === KERN_SUCCESS ? this.address : null;
  }

  /** New zero-filled memory, at `address` rounded down unless `anywhere`; result in this.address.
   *  KERN_NO_SPACE, KERN_INVALID_ADDRESS. */
  vmAllocate(address: number, bytes: number, anywhere: boolean): number {
    return calls.vmAllocate(this, address, bytes, anywhere);
  }

  /** Gives up every page that the range touches; holes are fine. KERN_INVALID_ARGUMENT. */
  vmDeallocate(address: number, bytes: number): number {
    return calls.vmDeallocate(this, address, bytes);
  }

  /** Changes the protection, or the maximum one, which lowers the other with it. Holes are fine.
   *  KERN_INVALID_ARGUMENT; KERN_PROTECTION_FAILURE: more than the maximum. */
  vmProtect(address: number, bytes: number, setMaximum: boolean, protection: number): number {
    return calls.vmProtect(this, address, bytes, setMaximum, protection);
  }

  /** What children get of the range. Holes are fine. KERN_INVALID_ARGUMENT. */
  vmInherit(address: number, bytes: number, inheritance: number): number {
    return calls.vmInherit(this, address, bytes, inheritance);
  }

  /** The first region at or above `address`, in this.region. KERN_NO_SPACE: there is none. */
  vmRegion(address: number): number {
    return calls.vmRegion(this, address);
  }

  /** Copies a range; the two may overlap. KERN_INVALID_ADDRESS, KERN_PROTECTION_FAILURE, FAULT_BUSY;
   *  KERN_MEMORY_ERROR, KERN_RESOURCE_SHORTAGE: part of it may have been copied. */
  vmCopy(source: number, bytes: number, destination: number): number {
    return calls.vmCopy(this, source, bytes, destination);
  }

  /** Maps an object from byte `offset` on, or a copy of it; zeros without an object. `mask`: bits that must
   *  be 0 in the address. Result in this.address. KERN_INVALID_ARGUMENT, _NO_SPACE, _INVALID_ADDRESS. */
  vmMap(
    address: number,
    bytes: number,
    mask: number,
    anywhere: boolean,
    object: MemoryObject | null,
    offset: number,
    copy: boolean,
    protection: number,
    maxProtection: number,
    inheritance: number,
  ): number {
    const place = { address, bytes, mask, anywhere };
    const what = { object, offset, copy, protection, maxProtection, inheritance };
    return calls.vmMap(this, place, what);
  }

  /** A child's memory, by the inheritance of each entry. */
  fork(): TaskMemory {
    return calls.fork(this);
  }

  /** The task is dead: all its memory is given up. */
  destroy(): void {
    this.map.remove(this.map.first, this.map.end);
    this.pageTable.shrink(true);
    this.vm.tasks.delete(this);
  }

  // --- access ------------------------------------------------------------------------------------

  /** Fills `into` with what lies at `address`. */
  read(address: number, into: Uint8Array): number {
    return readBytes(this, address, into);
  }

  /** Copies `from` to `address`. After KERN_MEMORY_ERROR or KERN_RESOURCE_SHORTAGE part of it may be there. */
  write(address: number, from: Uint8Array): number {
    return writeBytes(this, address, from);
  }

  /** Sets `bytes` bytes to `byte`. Fails as write() does. */
  fill(address: number, bytes: number, byte: number): number {
    return fillBytes(this, address, bytes, byte);
  }

  /** True if every page of the range is allocated and may be read. */
  has(address: number, bytes: number): boolean {
    return hasBytes(this, address, bytes, VM_PROT_READ);
  }

  /** Puts what lies at an address into the page table, for loads or for stores. KERN_SUCCESS, or
   *  KERN_INVALID_ADDRESS, _PROTECTION_FAILURE, _MEMORY_ERROR, _RESOURCE_SHORTAGE, FAULT_BUSY. */
  fault(address: number, write: boolean): number {
    return faultAt(this, address, write);
  }

  /** Shows the frames that hold a range, in order. They stay until the memory is used again. */
  framesOf(address: number, bytes: number, visit: VisitFrame): number {
    return framesOf(this, address, bytes, visit);
  }

  // --- message data ------------------------------------------------------------------------------

  /** The pages of a range, on a list; `mode` tells how the task is kept off them. After PAGES_STEAL the range
   *  is deallocated. */
  copyinPages(address: number, bytes: number, list: PageList, mode: PageMode): number {
    return copyinPages(this, address, bytes, list, mode);
  }

  /** A copy of a range. Null: this.status tells why. */
  copyinObject(address: number, bytes: number, deallocate: boolean): MapCopy | null {
    return copyinObject(this, address, bytes, deallocate);
  }

  /** New memory with the pages of a list, which is empty then; the data is at this.address. KERN_NO_SPACE,
   *  KERN_RESOURCE_SHORTAGE: the list is still good. */
  copyoutPages(list: PageList): number {
    return copyoutPages(this, list);
  }

  /** New memory with what is in a copy, which is used up then; the data is at this.address. `address`: of the page
   *  that it must begin at, if that is not anywhere. KERN_NO_SPACE, KERN_INVALID_ADDRESS. */
  copyoutObject(copy: MapCopy, address: number = ANYWHERE): number {
    return copyoutObject(this, copy, address);
  }

  /** Copies what is in a copy to memory that there is (vm_write). The copy stays. Fails as write() does. */
  overwriteObject(address: number, copy: MapCopy): number {
    return overwriteObject(this, address, copy);
  }
}
