// Pageout: what goes to swap when frames run short, in the order in which it came (first in, first out, with a
// second chance): pages of arrived messages that nobody has received, then pages of objects. There are no
// reference bits: a page that becomes inactive is unmapped, and the fault that wants it back makes it active.
// Wired pages stay. A page whose bytes swap has already is dropped; one that cannot be written stays.

import { COUNTERS } from "../base/counters.ts";
import { FRAME_MESSAGE, FRAME_OBJECT } from "../hardware/frame-table.ts";
import { NO_SLOT, type Page } from "./page.ts";
import { frameOf, isBorrowed, isResident, type PageList, swappedEntry } from "./page-list.ts";
import type { PageQueue } from "./page-queue.ts";
import { NO_SWAP_SLOT } from "./swap.ts";
import type { VirtualMemory } from "./virtual-memory.ts";

/** Of the pages of objects, one in so many should be inactive. */
const INACTIVE_SHARE = 3;

export class Pageout {
  private readonly vm: VirtualMemory;
  /** Arrived lists, oldest first. */
  private first: PageList | null = null;
  private last: PageList | null = null;

  constructor(vm: VirtualMemory) {
    this.vm = vm;
  }

  /** Frees frames until `wanted` are free or nothing more can go. */
  run(wanted: number): void {
    const { frames, tasks } = this.vm;
    if (frames.freeCount >= wanted) return;
    for (const { pageTable } of tasks) pageTable.shrink(false);
    if (this.vm.slots.device !== null) {
      if (frames.freeCount < wanted) this.swapLists(wanted);
      if (frames.freeCount < wanted) this.swapObjects(wanted);
    }
    // Page tables that are left with nothing mapped.
    if (frames.freeCount < wanted) for (const { pageTable } of tasks) pageTable.shrink(false);
  }

  link(list: PageList): void {
    if (list.linked) return;
    list.linked = true;
    list.previous = this.last;
    list.next = null;
    if (this.last === null) this.first = list;
    else this.last.next = list;
    this.last = list;
  }

  unlink(list: PageList): void {
    if (!list.linked) return;
    list.linked = false;
    if (list.previous === null) this.first = list.next;
    else list.previous.next = list.next;
    if (list.next === null) this.last = list.previous;
    else list.next.previous = list.previous;
    list.previous = null;
    list.next = null;
  }

  private swapLists(wanted: number): void {
    const { frames } = this.vm;
    for (let list = this.first; list !== null; list = list.next) {
      for (let i = 0; i < list.count; i++) {
        if (frames.freeCount >= wanted) return;
        const entry = list.entries[i]!;
        if (!isResident(entry) || isBorrowed(entry)) continue;
        const slot = this.write(frameOf(entry));
        if (slot === NO_SWAP_SLOT) return;
        frames.free(frameOf(entry), FRAME_MESSAGE);
        list.entries[i] = swappedEntry(slot);
      }
    }
  }

  /** Every page is looked at twice at most: once on each queue. */
  private swapObjects(wanted: number): void {
    const { frames, pages } = this.vm;
    const { active, inactive } = pages;
    for (let left = 2 * active.length + inactive.length; left > 0; left--) {
      if (frames.freeCount >= wanted) return;
      if (inactive.length * INACTIVE_SHARE < active.length || inactive.first === null) {
        if (active.first === null) return;
        this.deactivate(active.first, active, inactive);
      } else this.pageOut(inactive.first);
    }
  }

  private deactivate(page: Page, active: PageQueue, inactive: PageQueue): void {
    active.remove(page);
    page.unmap();
    inactive.append(page);
  }

  /** Frees the page's frame; or, if it is wired or cannot be written, the page becomes active. */
  private pageOut(page: Page): void {
    const { frames, objects, pages } = this.vm;
    const { frame, object, index } = page;
    let slot = NO_SWAP_SLOT;
    if (pages.wired(frame) === 0) slot = page.dirty ? this.write(frame) : page.slot;
    if (slot === NO_SWAP_SLOT) {
      pages.activate(page);
      return;
    }
    page.slot = NO_SLOT; // the object's entry has it now
    objects.detach(page);
    object!.setEntry(index, swappedEntry(slot));
    frames.free(frame, FRAME_OBJECT);
  }

  /** Writes a frame to a slot; NO_SWAP_SLOT if there is none, or the device failed. */
  private write(frame: number): number {
    const { slots, counters } = this.vm;
    const slot = slots.allocate();
    if (slot === NO_SWAP_SLOT) return slot;
    if (slots.device!.write(slot, this.vm.pageBytesOf(frame))) {
      counters[COUNTERS.pageOuts.index]! += 1;
      return slot;
    }
    slots.release(slot);
    return NO_SWAP_SLOT;
  }
}
