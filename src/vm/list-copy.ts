// Message data as a page list: pages are located, brought in and wired, and the list is handed on; a receiver
// gets the pages themselves as new memory (MK83 vm_map_copyin_page_list, vm_map_copyout_page_list).

import { assert } from "../base/assert.ts";
import { COUNTERS } from "../base/counters.ts";
import { KERN_NO_SPACE, KERN_RESOURCE_SHORTAGE, KERN_SUCCESS } from "../base/status.ts";
import { FRAME_MESSAGE, FRAME_OBJECT, NO_FRAME } from "../hardware/frame-table.ts";
import { NO_PLACE } from "./address-map.ts";
import { Backing } from "./backing.ts";
import { checkBytes } from "./memory-access.ts";
import {
  frameOf,
  isBorrowed,
  PAGE_BORROWED,
  PAGES_HOLD,
  PAGES_STEAL,
  type PageList,
  type PageMode,
  residentEntry,
} from "./page-list.ts";
import { VM_PROT_READ } from "./protection.ts";
import type { TaskMemory } from "./task-memory.ts";

/** Puts the pages of a range on a list: in memory, wired and borrowed. On failure the list is empty. */
export const listPages = (
  task: TaskMemory,
  address: number,
  bytes: number,
  list: PageList,
): number => {
  list.reset();
  const status = checkBytes(task, address, bytes, VM_PROT_READ);
  if (status !== KERN_SUCCESS || bytes === 0) return status;
  const { pageBytes, vm } = task;
  const first = Math.floor(address / pageBytes);
  const end = Math.ceil((address + bytes) / pageBytes);
  list.offset = address & (pageBytes - 1);
  list.bytes = bytes;
  list.reserve(end - first);
  if (wirePages(task, first, end, list)) return KERN_SUCCESS;
  vm.discardList(list);
  return vm.status;
};

export const copyinPages = (
  task: TaskMemory,
  address: number,
  bytes: number,
  list: PageList,
  mode: PageMode,
): number => {
  const status = listPages(task, address, bytes, list);
  if (status !== KERN_SUCCESS || bytes === 0) return status;
  // --- committed: the pages are in memory and stay there ---
  const { vm } = task;
  const first = Math.floor(address / task.pageBytes);
  const end = first + list.count;
  const stolen = mode === PAGES_STEAL ? stealPages(task, first, end, list) : 0;
  if (mode !== PAGES_HOLD) vm.protectList(list);
  vm.counters[COUNTERS.pagesStolen.index]! += stolen;
  vm.counters[COUNTERS.pagesBorrowed.index]! += list.count - stolen;
  if (mode === PAGES_STEAL) task.map.remove(first, end);
  return KERN_SUCCESS;
};

/** Puts every page on the list, borrowed. False: vm.status; those before the failure are on it. */
const wirePages = (task: TaskMemory, first: number, end: number, list: PageList): boolean => {
  const { vm, map } = task;
  for (let page = first; page < end; ) {
    const entry = map.lookup(page)!;
    const stop = Math.min(end, entry.end);
    for (; page < stop; page++) {
      const found = task.resolve(entry, page, false);
      if (found === null) return false;
      vm.pages.wire(found.frame);
      list.entries[list.count++] = residentEntry(found.frame) | PAGE_BORROWED;
    }
  }
  return true;
};

/** Takes those pages out of their objects that nobody else can see. Returns how many. */
const stealPages = (task: TaskMemory, first: number, end: number, list: PageList): number => {
  const { vm, map } = task;
  let stolen = 0;
  for (let page = first; page < end; ) {
    const entry = map.lookup(page)!;
    const stop = Math.min(end, entry.end);
    const { object } = entry.backing;
    if (entry.shared || object.references > 1) {
      page = stop;
      continue;
    }
    for (; page < stop; page++) {
      const found = vm.pages.at(frameOf(list.entries[page - first]!));
      if (found.object !== object || vm.pages.wired(found.frame) > 1) continue;
      vm.pages.unwire(found.frame);
      vm.objects.detach(found);
      vm.frames.hand(found.frame, FRAME_OBJECT, FRAME_MESSAGE);
      list.entries[page - first] = residentEntry(found.frame);
      stolen += 1;
    }
  }
  return stolen;
};

export const copyoutPages = (task: TaskMemory, list: PageList): number => {
  const { vm, map, pageBytes } = task;
  const { count, offset } = list;
  vm.unlinkArrived(list);
  task.address = 0;
  if (count === 0) return KERN_SUCCESS;
  if (map.pages + count > task.pagesMax) return KERN_NO_SPACE;
  const start = map.findPlace(count, 0);
  if (start === NO_PLACE) return KERN_NO_SPACE;
  if (!ownAll(task, list)) return KERN_RESOURCE_SHORTAGE;
  // --- committed ---
  const object = vm.objects.make(count, null, 0);
  object.reserve(count);
  for (let i = 0; i < count; i++) {
    const entry = list.entries[i]!;
    if (entry > 0) {
      const frame = frameOf(entry);
      vm.frames.hand(frame, FRAME_MESSAGE, FRAME_OBJECT);
      vm.objects.insert(object, i, frame);
    } else object.setEntry(i, entry);
  }
  const entry = map.insert(start, count, new Backing(object, 0, count, false), 0);
  for (let i = 0; i < count; i++) {
    // A frame for the page table may have been made free by paging one of these out.
    const resident = object.entries[i]!;
    if (resident > 0 && !task.enter(entry, start + i, vm.pages.at(frameOf(resident)))) break;
  }
  list.reset();
  task.address = start * pageBytes + offset;
  return KERN_SUCCESS;
};

/** Puts copies in the places of borrowed pages, which are given back. False: there was no frame for one. */
const ownAll = (task: TaskMemory, list: PageList): boolean => {
  const { vm } = task;
  for (let i = 0; i < list.count; i++) {
    const entry = list.entries[i]!;
    if (!isBorrowed(entry)) continue;
    const frame = vm.grab(FRAME_MESSAGE);
    if (frame === NO_FRAME) return false;
    assert(list.entries[i] === entry, "a borrowed page stays");
    vm.memory.copyFrame(frame, frameOf(entry));
    vm.pageDone(entry);
    list.entries[i] = residentEntry(frame);
  }
  return true;
};
