// Access to a task's memory by the task itself and by the kernel for it: whole ranges at any alignment, the
// page fault, and the frames behind a range.

import { KERN_INVALID_ADDRESS, KERN_RESOURCE_SHORTAGE, KERN_SUCCESS } from "../base/status.ts";
import { WORD_SHIFT } from "../base/words.ts";
import { listPages } from "./list-copy.ts";
import { frameOf, PageList } from "./page-list.ts";
import { PTE_FLAGS, PTE_WRITE } from "./page-table.ts";
import { VM_PROT_READ, VM_PROT_WRITE } from "./protection.ts";
import { ADDRESS_END, type TaskMemory } from "./task-memory.ts";

/** Bytes [from, from + length) of a frame. */
export type VisitFrame = (frame: number, from: number, length: number) => void;

/** True if a range is within the addresses that there are. */
export const isRange = (address: number, bytes: number): boolean =>
  address >= 0 && bytes >= 0 && address + bytes <= ADDRESS_END;

/** KERN_SUCCESS if every page of a range is allocated and allows `protection`; or why not. */
export const checkBytes = (
  task: TaskMemory,
  address: number,
  bytes: number,
  protection: number,
): number => {
  if (!isRange(address, bytes)) return KERN_INVALID_ADDRESS;
  if (bytes === 0) return KERN_SUCCESS;
  const { pageBytes, map } = task;
  return map.check(
    Math.floor(address / pageBytes),
    Math.ceil((address + bytes) / pageBytes),
    protection,
  );
};

export const hasBytes = (
  task: TaskMemory,
  address: number,
  bytes: number,
  protection: number,
): boolean => checkBytes(task, address, bytes, protection) === KERN_SUCCESS;

/** checkBytes() for a store. While any page of the node is busy, every page of the range is made ready first: a
 *  page of an object that is copied from is the task's own, and may be found busy, once the page beside it has been
 *  copied. So FAULT_BUSY comes before the first byte is stored. */
export const checkStore = (task: TaskMemory, address: number, bytes: number): number => {
  const status = checkBytes(task, address, bytes, VM_PROT_WRITE);
  const { pageBytes, pageTable, map, vm } = task;
  if (status !== KERN_SUCCESS || bytes === 0 || vm.pages.busyFrames === 0) return status;
  const end = Math.ceil((address + bytes) / pageBytes);
  for (let page = Math.floor(address / pageBytes); page < end; page++) {
    if ((pageTable.entry(page) & PTE_WRITE) !== 0) continue;
    if (task.touch(map.lookup(page)!, page, true) === null) return vm.status;
  }
  return KERN_SUCCESS;
};

/** Byte of the region where an address is, ready for a load or a store; negative: not, see vm.status. */
const locate = (task: TaskMemory, address: number, write: boolean): number => {
  const { pageTable, vm, map, pageBytes } = task;
  const offset = address & (pageBytes - 1);
  const page = address >>> pageTable.pageShift;
  const mapped = pageTable.entry(page);
  if (mapped !== 0 && (!write || (mapped & PTE_WRITE) !== 0)) {
    return (((mapped & ~PTE_FLAGS) << WORD_SHIFT) >>> 0) + offset;
  }
  const found = task.touch(map.lookup(page)!, page, write);
  return found === null ? -1 : vm.memory.frameByte(found.frame) + offset;
};

export const readBytes = (task: TaskMemory, address: number, into: Uint8Array): number => {
  const status = checkBytes(task, address, into.length, VM_PROT_READ);
  if (status !== KERN_SUCCESS) return status;
  const { pageBytes, vm } = task;
  const { bytes } = vm.memory;
  for (let at = 0; at < into.length; ) {
    const from = locate(task, address + at, false);
    if (from < 0) return vm.status;
    const length = Math.min(into.length - at, pageBytes - (from & (pageBytes - 1)));
    into.set(bytes.subarray(from, from + length), at);
    at += length;
  }
  return KERN_SUCCESS;
};

export const writeBytes = (task: TaskMemory, address: number, from: Uint8Array): number => {
  const status = checkStore(task, address, from.length);
  if (status !== KERN_SUCCESS) return status;
  const { pageBytes, vm } = task;
  const { bytes } = vm.memory;
  for (let at = 0; at < from.length; ) {
    const to = locate(task, address + at, true);
    if (to < 0) return vm.status;
    const length = Math.min(from.length - at, pageBytes - (to & (pageBytes - 1)));
    bytes.set(length === from.length ? from : from.subarray(at, at + length), to);
    at += length;
  }
  return KERN_SUCCESS;
};

export const fillBytes = (
  task: TaskMemory,
  address: number,
  bytes: number,
  byte: number,
): number => {
  const status = checkStore(task, address, bytes);
  if (status !== KERN_SUCCESS) return status;
  const { pageBytes, vm } = task;
  for (let at = 0; at < bytes; ) {
    const to = locate(task, address + at, true);
    if (to < 0) return vm.status;
    const length = Math.min(bytes - at, pageBytes - (to & (pageBytes - 1)));
    vm.memory.bytes.fill(byte, to, to + length);
    at += length;
  }
  return KERN_SUCCESS;
};

export const faultAt = (task: TaskMemory, address: number, write: boolean): number => {
  const status = checkBytes(task, address, 1, write ? VM_PROT_WRITE : VM_PROT_READ);
  if (status !== KERN_SUCCESS) return status;
  const { map, pageBytes, pageTable, vm } = task;
  const page = Math.floor(address / pageBytes);
  if (task.touch(map.lookup(page)!, page, write) === null) return vm.status;
  return pageTable.entry(page) === 0 ? KERN_RESOURCE_SHORTAGE : KERN_SUCCESS;
};

const visited = new PageList();

export const framesOf = (
  task: TaskMemory,
  address: number,
  bytes: number,
  visit: VisitFrame,
): number => {
  const status = listPages(task, address, bytes, visited);
  if (status !== KERN_SUCCESS) return status;
  let from = visited.offset;
  let left = bytes;
  for (let i = 0; i < visited.count; i++) {
    const length = Math.min(left, task.pageBytes - from);
    visit(frameOf(visited.entries[i]!), from, length);
    left -= length;
    from = 0;
  }
  task.vm.discardList(visited);
  return KERN_SUCCESS;
};
