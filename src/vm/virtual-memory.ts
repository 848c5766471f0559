// The virtual memory of one node: its pages and objects, its swap, and the pages of messages that lie in the
// kernel. Tasks' memories are made here. One thread, the node's, uses all of it.
//   newTaskMemory()                        a task's memory (task-memory.ts)
//   grab(owner)                            a frame, for whom it may be made free by paging out
//   pageDone(entry), discardList(list)     a driver or a receiver is done with pages of a list
//   linkArrived(list)                      from now on pageout may swap out what the list owns
//   pageOfCopy(copy, index)                a page of a copy, for a sender that goes through it piece by piece

import { assert } from "../base/assert.ts";
import { COUNTERS } from "../base/counters.ts";
import { KERN_MEMORY_ERROR, KERN_RESOURCE_SHORTAGE, KERN_SUCCESS } from "../base/status.ts";
import {
  FRAME_MESSAGE,
  FRAME_OBJECT,
  type FrameState,
  type FrameTable,
  NO_FRAME,
} from "../hardware/frame-table.ts";
import type { PhysicalMemory } from "../hardware/physical-memory.ts";
import { findPage } from "./fault.ts";
import type { MapCopy } from "./map-copy.ts";
import { ObjectPool } from "./object-pool.ts";
import type { Page } from "./page.ts";
import {
  ABSENT,
  frameOf,
  isBorrowed,
  PAGE_BORROWED,
  PAGE_LOCKED,
  PAGE_PARKED,
  type PageList,
  residentEntry,
  slotOf,
} from "./page-list.ts";
import { Pageout } from "./pageout.ts";
import { ResidentPages } from "./resident-pages.ts";
import { type SwapDevice, SwapSlots } from "./swap.ts";
import { TaskMemory } from "./task-memory.ts";

/** Pageout has found what it looked for. */
const NEVER_STUCK = -1;

/** Numbers of frames. */
export interface VirtualMemoryOptions {
  /** grab() leaves so many to the network, which takes frames from the frame table itself. */
  readonly reserveFrames: number;
  /** balance() is due below this many free ones, and goes on up to that many. */
  readonly lowFrames: number;
  readonly highFrames: number;
}

export class VirtualMemory {
  readonly memory: PhysicalMemory;
  readonly frames: FrameTable;
  readonly pages: ResidentPages;
  readonly slots: SwapSlots;
  readonly objects: ObjectPool;
  readonly pageout: Pageout;
  readonly counters: Float64Array;
  readonly options: VirtualMemoryOptions;
  /** The memories of all tasks that are alive. */
  readonly tasks = new Set<TaskMemory>();
  /** Somebody could not go on for want of a frame; whoever steps the node tells when there is one. */
  framesWanted = false;
  /** Why the last thing that answered with nothing did so. */
  status = KERN_SUCCESS;
  /** Free frames when the last balance() gave up. */
  private stuckAt = NEVER_STUCK;
  /** The frame behind the last FAULT_BUSY. */
  busyFrame = NO_FRAME;

  constructor(
    memory: PhysicalMemory,
    frames: FrameTable,
    options: VirtualMemoryOptions,
    swap: SwapDevice | null,
  ) {
    this.memory = memory;
    this.frames = frames;
    this.options = options;
    this.counters = memory.counters;
    this.pages = new ResidentPages(memory);
    this.slots = new SwapSlots(swap);
    this.objects = new ObjectPool(frames, this.pages, this.slots);
    this.pageout = new Pageout(this);
  }

  newTaskMemory(): TaskMemory {
    return new TaskMemory(this);
  }

  // --- frames ------------------------------------------------------------------------------------

  /** A frame, contents undefined. When only the reserve is left, pages go out first; NO_FRAME = none can. */
  grab(owner: FrameState): number {
    const { frames } = this;
    const { reserveFrames, lowFrames } = this.options;
    if (frames.freeCount <= reserveFrames) {
      this.pageout.run(Math.max(reserveFrames + 1, lowFrames));
      if (frames.freeCount <= reserveFrames) return NO_FRAME;
    }
    return frames.allocate(owner);
  }

  /** True when few frames are free, unless the last balance() could not change that and nothing has happened since. */
  get needsBalance(): boolean {
    const { freeCount } = this.frames;
    return freeCount < this.options.lowFrames && freeCount !== this.stuckAt;
  }

  /** Pages out until enough frames are free, or no page can go. */
  balance(): void {
    const { lowFrames, highFrames } = this.options;
    this.pageout.run(highFrames);
    const { freeCount } = this.frames;
    this.stuckAt = freeCount < lowFrames ? freeCount : NEVER_STUCK;
  }

  /** Fills a frame with what swap has in a slot. False = the device failed. */
  readSlot(slot: number, frame: number): boolean {
    this.counters[COUNTERS.pageIns.index]! += 1;
    return this.slots.device!.read(slot, this.pageBytesOf(frame));
  }

  /** The bytes of a frame. */
  pageBytesOf(frame: number): Uint8Array {
    const at = this.memory.frameByte(frame);
    return this.memory.bytes.subarray(at, at + this.memory.layout.pageBytes);
  }

  // --- page lists --------------------------------------------------------------------------------

  /** Whoever had a page of a list is done with it: a borrowed one is given back, an owned one is free. */
  pageDone(entry: number): void {
    if (entry === ABSENT) return;
    if (entry < 0) {
      this.slots.release(slotOf(entry));
      return;
    }
    const frame = frameOf(entry);
    if ((entry & PAGE_BORROWED) === 0) {
      this.frames.free(frame, FRAME_MESSAGE);
      return;
    }
    if ((entry & PAGE_PARKED) !== 0) this.pages.unpark(frame);
    if ((entry & PAGE_LOCKED) !== 0) this.pages.clearBusy(frame);
    // The last one frees a page that its object has given up meanwhile.
    if (this.pages.unwire(frame) === 0 && this.pages.at(frame).object === null) {
      this.frames.free(frame, FRAME_MESSAGE);
    }
  }

  /** pageDone() of all that is on a list. The list is empty then, and not linked. */
  discardList(list: PageList): void {
    this.unlinkArrived(list);
    for (let i = 0; i < list.count; i++) this.pageDone(list.entries[i]!);
    list.reset();
  }

  /** From now on nobody stores to the pages that a list borrows, until they are given back: a store waits. */
  protectList(list: PageList): void {
    const { entries } = list;
    const { pages } = this;
    for (let i = 0; i < list.count; i++) {
      const entry = entries[i]!;
      if (!isBorrowed(entry)) continue;
      if ((entry & PAGE_LOCKED) === 0) pages.setBusy(frameOf(entry));
      if ((entry & PAGE_PARKED) !== 0) pages.unpark(frameOf(entry));
      entries[i] = (entry | PAGE_LOCKED) & ~PAGE_PARKED;
    }
  }

  /** The list's message waits for room, and who knows how long: a store to a page that the list borrows gets a copy
   *  of it. Until protectList(). */
  parkList(list: PageList): void {
    this.protectList(list);
    for (let i = 0; i < list.count; i++) {
      const entry = list.entries[i]!;
      if (!isBorrowed(entry)) continue;
      this.pages.park(frameOf(entry));
      list.entries[i] = entry | PAGE_PARKED;
    }
  }

  /** The list's pages need not stay in memory: it will be long until somebody wants them. */
  linkArrived(list: PageList): void {
    this.pageout.link(list);
  }

  /** The list's owner is going to use its entries. Those that are on swap stay there. */
  unlinkArrived(list: PageList): void {
    this.pageout.unlink(list);
  }

  /** Makes sure that an entry of a list is in memory. KERN_MEMORY_ERROR, KERN_RESOURCE_SHORTAGE: it is not. */
  bringIn(list: PageList, index: number): number {
    const entry = list.entries[index]!;
    if (entry >= 0) return KERN_SUCCESS;
    const frame = this.grab(FRAME_MESSAGE);
    if (frame === NO_FRAME) return KERN_RESOURCE_SHORTAGE;
    if (!this.readSlot(slotOf(entry), frame)) {
      this.frames.free(frame, FRAME_MESSAGE);
      return KERN_MEMORY_ERROR;
    }
    this.slots.release(slotOf(entry));
    list.entries[index] = residentEntry(frame);
    return KERN_SUCCESS;
  }

  /** Puts a copy in the place of a busy page, which its transfers keep: for whom it will not do to wait for them.
   *  Null: vm.status is KERN_RESOURCE_SHORTAGE. */
  replaceBusy(frame: number): Page | null {
    const page = this.pages.at(frame);
    const { object, index } = page;
    assert(object !== null && this.pages.busy(frame) > 0, "a fault has met the page");
    const copy = this.grab(FRAME_OBJECT);
    this.status = copy === NO_FRAME ? KERN_RESOURCE_SHORTAGE : KERN_SUCCESS;
    if (copy === NO_FRAME) return null;
    this.memory.copyFrame(copy, frame);
    this.counters[COUNTERS.cowCopies.index]! += 1;
    this.objects.detach(page);
    this.frames.hand(frame, FRAME_OBJECT, FRAME_MESSAGE);
    return this.objects.insert(object, index, copy);
  }

  // --- copies ------------------------------------------------------------------------------------

  /** Page `index` of a copy, in memory and borrowed: pageDone() gives it back, before discardCopy() of the
   *  copy. Or a negative status: -KERN_MEMORY_ERROR, -KERN_RESOURCE_SHORTAGE. */
  pageOfCopy(copy: MapCopy, index: number): number {
    let at = index;
    for (const piece of copy.pieces) {
      if (at < piece.pages) {
        const page = findPage(this, piece.object, piece.objectOffset + at, false, false);
        if (page === null) return -this.status;
        this.pages.wire(page.frame);
        this.counters[COUNTERS.pagesBorrowed.index]! += 1;
        return residentEntry(page.frame) | PAGE_BORROWED;
      }
      at -= piece.pages;
    }
    return ABSENT;
  }

  /** Gives up what a copy refers to. */
  discardCopy(copy: MapCopy): void {
    for (const { object } of copy.pieces) this.objects.release(object);
    copy.pieces.length = 0;
  }
}
