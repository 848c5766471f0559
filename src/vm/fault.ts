// The page fault below the address map: finds a page of an object along its shadow chain, brings it in from
// swap, makes it with zeros, or copies it where it is to be written and is not the object's own.

import { COUNTERS } from "../base/counters.ts";
import { KERN_MEMORY_ERROR, KERN_RESOURCE_SHORTAGE, KERN_SUCCESS } from "../base/status.ts";
import { FRAME_OBJECT, NO_FRAME } from "../hardware/frame-table.ts";
import type { MemoryObject } from "./memory-object.ts";
import type { Page } from "./page.ts";
import { frameOf, slotOf } from "./page-list.ts";
import type { VirtualMemory } from "./virtual-memory.ts";

/** No status of Mach's: a store found its page busy, and is to be tried again when it is not. */
export const FAULT_BUSY = -1;

/** The page that shows at `index` of an object. With `write`, one of the object's own, that is not busy: a page
 *  that is, but that nobody reads yet, is replaced by a copy.
 *  `shared`: several maps look at this object, and must not go on seeing a page that has been copied.
 *  Returns null with vm.status FAULT_BUSY (vm.busyFrame tells which), KERN_MEMORY_ERROR or
 *  KERN_RESOURCE_SHORTAGE. */
export const findPage = (
  vm: VirtualMemory,
  object: MemoryObject,
  index: number,
  write: boolean,
  shared: boolean,
): Page | null => {
  let holder = object;
  let at = index;
  let entry = holder.entry(at);
  while (entry === 0) {
    const { shadow } = holder;
    if (shadow === null) return makeZero(vm, object, index);
    if (shadow.references === 1) {
      vm.objects.collapse(holder);
    } else {
      at += holder.shadowOffset;
      holder = shadow;
    }
    entry = holder.entry(at);
  }
  const page = entry > 0 ? vm.pages.at(frameOf(entry)) : bringIn(vm, holder, at);
  if (page === null) return null;
  if (page.queue === vm.pages.inactive) vm.pages.activate(page);
  if (!write) return page;
  if (holder !== object) return copyUp(vm, object, index, page, shared);
  if (vm.pages.parked(page.frame) > 0) return vm.replaceBusy(page.frame);
  if (vm.pages.busy(page.frame) > 0) {
    vm.counters[COUNTERS.busyWaits.index]! += 1;
    vm.busyFrame = page.frame;
    vm.status = FAULT_BUSY;
    return null;
  }
  vm.objects.makeDirty(page);
  return page;
};

const makeZero = (vm: VirtualMemory, object: MemoryObject, index: number): Page | null => {
  const frame = grabFrame(vm);
  if (frame === NO_FRAME) return null;
  vm.memory.zeroFrame(frame);
  vm.counters[COUNTERS.zeroFills.index]! += 1;
  return vm.objects.insert(object, index, frame);
};

const copyUp = (
  vm: VirtualMemory,
  object: MemoryObject,
  index: number,
  from: Page,
  shared: boolean,
): Page | null => {
  vm.pages.wire(from.frame); // or else making room could take it away
  const frame = grabFrame(vm);
  vm.pages.unwire(from.frame);
  if (frame === NO_FRAME) return null;
  vm.memory.copyFrame(frame, from.frame);
  vm.counters[COUNTERS.cowCopies.index]! += 1;
  if (shared) from.unmap();
  const page = vm.objects.insert(object, index, frame);
  if (object.present === object.pages) vm.objects.collapse(object);
  return page;
};

/** Reads a page of an object back from swap. Swap keeps its copy until the page is changed. */
const bringIn = (vm: VirtualMemory, object: MemoryObject, index: number): Page | null => {
  const slot = slotOf(object.entry(index));
  const frame = grabFrame(vm);
  if (frame === NO_FRAME) return null;
  if (!vm.readSlot(slot, frame)) {
    vm.frames.free(frame, FRAME_OBJECT);
    vm.status = KERN_MEMORY_ERROR;
    return null;
  }
  return vm.objects.insert(object, index, frame, slot);
};

const grabFrame = (vm: VirtualMemory): number => {
  const frame = vm.grab(FRAME_OBJECT);
  vm.status = frame === NO_FRAME ? KERN_RESOURCE_SHORTAGE : KERN_SUCCESS;
  return frame;
};
