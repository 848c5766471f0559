// The life of memory objects: made, referred to, dropped with their pages; and the upkeep of shadow chains,
// so that memory that is copied again and again does not get a chain that grows (Rashid 1988, section 3.5).

import { assert } from "../base/assert.ts";
import { FRAME_MESSAGE, FRAME_OBJECT, type FrameTable } from "../hardware/frame-table.ts";
import { MemoryObject } from "./memory-object.ts";
import { NO_SLOT, type Page } from "./page.ts";
import { ABSENT, frameOf, residentEntry, slotOf } from "./page-list.ts";
import type { ResidentPages } from "./resident-pages.ts";
import type { SwapSlots } from "./swap.ts";

/** Objects kept for later, and how much room of theirs is worth keeping. */
const SPARE_MAX = 64;
const SPARE_ENTRIES_MAX = 1024;

export class ObjectPool {
  /** Objects in use: for checks. */
  count = 0;
  private readonly frames: FrameTable;
  private readonly pages: ResidentPages;
  private readonly slots: SwapSlots;
  private readonly spare: MemoryObject[] = [];

  constructor(frames: FrameTable, pages: ResidentPages, slots: SwapSlots) {
    this.frames = frames;
    this.pages = pages;
    this.slots = slots;
  }

  /** A new object with one reference. Takes over one reference to the object that it shadows. */
  make(pages: number, shadow: MemoryObject | null, shadowOffset: number): MemoryObject {
    const object = this.spare.pop() ?? new MemoryObject();
    object.pages = pages;
    object.shadow = shadow;
    object.shadowOffset = shadowOffset;
    object.references = 1;
    this.count += 1;
    return object;
  }

  /** Gives up one reference; without any, the object and its pages go, and its hold on what it shadows. */
  release(object: MemoryObject): void {
    for (let next: MemoryObject | null = object; next !== null; ) {
      assert(next.references > 0, "the object is referred to");
      next.references -= 1;
      if (next.references > 0) return;
      const { shadow }: MemoryObject = next;
      this.dropPages(next, 0, next.entries.length);
      this.recycle(next);
      next = shadow;
    }
  }

  /** Makes a frame (FRAME_OBJECT) a page of an object that has none there. `slot`: where swap has it too. */
  insert(object: MemoryObject, index: number, frame: number, slot = NO_SLOT): Page {
    const page = this.pages.at(frame);
    page.object = object;
    page.index = index;
    page.slot = slot;
    object.setEntry(index, residentEntry(frame));
    this.pages.active.append(page);
    return page;
  }

  /** Takes a page out of its object and out of all page tables. Its frame stays FRAME_OBJECT. */
  detach(page: Page): void {
    assert(page.object !== null, "the page is an object's");
    page.unmap();
    page.object.setEntry(page.index, ABSENT);
    page.object = null;
    this.makeDirty(page);
    page.queue?.remove(page);
  }

  /** The page is about to be changed: what swap has of it is worth nothing any more. */
  makeDirty(page: Page): void {
    if (page.slot === NO_SLOT) return;
    this.slots.release(page.slot);
    page.slot = NO_SLOT;
  }

  /** Drops the pages from `first` to before `end`. One that is wired stays for whom it is wired, as a page
   *  of a message. */
  dropPages(object: MemoryObject, first: number, end: number): void {
    const stop = Math.min(end, object.entries.length);
    for (let index = first; index < stop && object.present > 0; index++) {
      const entry = object.entries[index]!;
      if (entry === ABSENT) continue;
      if (entry < 0) {
        this.slots.release(slotOf(entry));
        object.setEntry(index, ABSENT);
        continue;
      }
      const frame = frameOf(entry);
      this.detach(this.pages.at(frame));
      if (this.pages.wired(frame) > 0) this.frames.hand(frame, FRAME_OBJECT, FRAME_MESSAGE);
      else this.frames.free(frame, FRAME_OBJECT);
    }
  }

  /** Shortens the chain below an object: what it shadows is merged into it if nobody else refers to it, and
   *  left out if nothing of it shows through. */
  collapse(object: MemoryObject): void {
    for (let { shadow } = object; shadow !== null; shadow = object.shadow) {
      if (shadow.references === 1) this.merge(object, shadow);
      else if (object.present === object.pages) {
        object.shadow = null;
        this.release(shadow);
      } else return;
    }
  }

  /** Moves to the object what shows through of its shadow, whose only reference it has. */
  private merge(object: MemoryObject, shadow: MemoryObject): void {
    const offset = object.shadowOffset;
    const end = Math.min(object.pages, shadow.entries.length - offset);
    for (let index = 0; index < end && shadow.present > 0; index++) {
      const entry = shadow.entries[index + offset]!;
      if (entry === ABSENT || object.entry(index) !== ABSENT) continue;
      shadow.setEntry(index + offset, ABSENT);
      object.setEntry(index, entry);
      if (entry < 0) continue;
      const page = this.pages.at(frameOf(entry));
      page.object = object;
      page.index = index;
    }
    object.shadow = shadow.shadow;
    object.shadowOffset = offset + shadow.shadowOffset;
    this.dropPages(shadow, 0, shadow.entries.length);
    this.recycle(shadow);
  }

  private recycle(object: MemoryObject): void {
    assert(object.present === 0, "no page is left");
    if (object.shared !== null) object.shared.origin = null;
    object.shared = null;
    object.shadow = null;
    object.references = 0;
    this.count -= 1;
    if (this.spare.length < SPARE_MAX && object.entries.length <= SPARE_ENTRIES_MAX) {
      this.spare.push(object);
    }
  }
}
