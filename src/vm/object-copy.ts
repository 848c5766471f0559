// Message data as copy-on-write copies of objects: nothing is copied until somebody stores (MK83
// vm_map_copyin, vm_map_copyout, vm_map_copy_overwrite).

import { KERN_INVALID_ADDRESS, KERN_NO_SPACE, KERN_SUCCESS } from "../base/status.ts";
import { NO_PLACE } from "./address-map.ts";
import { Backing } from "./backing.ts";
import { findPage } from "./fault.ts";
import { MapCopy } from "./map-copy.ts";
import { checkBytes, checkStore } from "./memory-access.ts";
import { frameOf } from "./page-list.ts";
import { VM_PROT_READ } from "./protection.ts";
import type { TaskMemory } from "./task-memory.ts";
import type { VirtualMemory } from "./virtual-memory.ts";

/** The lowest place that there is. */
export const ANYWHERE = -1;

/** From now on the backing's object is in somebody's copy too: the next store to any page faults. The caller
 *  takes a reference to the object. */
export const markCopied = (vm: VirtualMemory, backing: Backing): void => {
  if (backing.needsCopy) return;
  backing.needsCopy = true;
  const { object, offset, pages } = backing;
  const end = Math.min(offset + pages, object.entries.length);
  for (let index = offset; index < end; index++) {
    const entry = object.entries[index]!;
    if (entry > 0) vm.pages.at(frameOf(entry)).writeProtect();
  }
};

/** Before the first store after markCopied(): an object of its own, unless nobody has a copy any more. */
export const makePrivate = (vm: VirtualMemory, backing: Backing): void => {
  const { object, offset, pages } = backing;
  if (object.references > 1) {
    backing.object = vm.objects.make(pages, object, offset);
    backing.offset = 0;
  }
  backing.needsCopy = false;
};

export const copyinObject = (
  task: TaskMemory,
  address: number,
  bytes: number,
  deallocate: boolean,
): MapCopy | null => {
  task.status = checkBytes(task, address, bytes, VM_PROT_READ);
  if (task.status !== KERN_SUCCESS) return null;
  const { pageBytes, map, vm } = task;
  const copy = new MapCopy(address & (pageBytes - 1), bytes);
  if (bytes === 0) return copy;
  const first = Math.floor(address / pageBytes);
  const end = Math.ceil((address + bytes) / pageBytes);
  for (let page = first; page < end; ) {
    let entry = map.lookup(page)!;
    if (!entry.shared) {
      // Only what is copied shall need copies.
      map.cut(page);
      map.cut(end);
      entry = map.lookup(page)!;
      map.ownBacking(entry);
    }
    const { backing } = entry;
    const objectOffset = backing.offset + entry.offset + page - entry.start;
    const pages = Math.min(end, entry.end) - page;
    vm.objects.collapse(backing.object);
    markCopied(vm, backing);
    backing.object.references += 1;
    copy.pieces.push({ object: backing.object, objectOffset, pages });
    page += pages;
  }
  if (deallocate) map.remove(first, end);
  return copy;
};

export const copyoutObject = (task: TaskMemory, copy: MapCopy, address: number): number => {
  const { map, pageBytes } = task;
  task.address = 0;
  let pages = 0;
  for (const piece of copy.pieces) pages += piece.pages;
  if (pages === 0) return KERN_SUCCESS;
  if (map.pages + pages > task.pagesMax) return KERN_NO_SPACE;
  const anywhere = address === ANYWHERE;
  const start = anywhere ? map.findPlace(pages, 0) : address / pageBytes;
  if (start === NO_PLACE) return KERN_NO_SPACE;
  if (!anywhere) {
    if (!(start >= map.first && start + pages <= map.end)) return KERN_INVALID_ADDRESS;
    if (!map.isFree(start, start + pages)) return KERN_NO_SPACE;
  }
  // --- committed ---
  let page = start;
  for (const { object, objectOffset, pages: length } of copy.pieces) {
    const backing = new Backing(object, objectOffset, length, object.references > 1);
    map.insert(page, length, backing, 0);
    page += length;
  }
  copy.pieces.length = 0;
  task.address = start * pageBytes + copy.offset;
  return KERN_SUCCESS;
};

export const overwriteObject = (task: TaskMemory, address: number, copy: MapCopy): number => {
  const status = checkStore(task, address, copy.bytes);
  if (status !== KERN_SUCCESS) return status;
  const { pageBytes } = task;
  let to = address;
  let from = copy.offset;
  let left = copy.bytes;
  for (const { object, objectOffset, pages } of copy.pieces) {
    for (let index = 0; index < pages; ) {
      const toOffset = to & (pageBytes - 1);
      const length = Math.min(left, pageBytes - from, pageBytes - toOffset);
      if (length === 0) return KERN_SUCCESS;
      const failure = copyPart(task, to, object, objectOffset + index, from, length);
      if (failure !== KERN_SUCCESS) return failure;
      left -= length;
      to += length;
      from = (from + length) & (pageBytes - 1);
      if (from === 0) index += 1;
    }
  }
  return KERN_SUCCESS;
};

/** Copies bytes of one page of an object to one page of the task. */
const copyPart = (
  task: TaskMemory,
  to: number,
  object: MapCopy["pieces"][number]["object"],
  index: number,
  from: number,
  length: number,
): number => {
  const { vm, map, pageBytes } = task;
  const source = findPage(vm, object, index, false, false);
  if (source === null) return vm.status;
  vm.pages.wire(source.frame);
  const page = Math.floor(to / pageBytes);
  const target = task.touch(map.lookup(page)!, page, true);
  vm.pages.unwire(source.frame);
  if (target === null) return vm.status;
  const { memory } = vm;
  const toByte = memory.frameByte(target.frame) + (to & (pageBytes - 1));
  memory.copyBytes(toByte, memory.frameByte(source.frame) + from, length);
  return KERN_SUCCESS;
};
