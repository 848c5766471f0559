// The pages of a node by frame, the two queues that pageout works on, and the counts that keep a page where
// it is (FRAME_WIRED) and as it is (FRAME_BUSY) while somebody reads it.
//
// I-2: no store changes a page while FRAME_BUSY is not 0: making it busy takes the right to store out of
// every page table, and a fault does not give it back until it is 0.

import { assert } from "../base/assert.ts";
import { FRAME_BUSY, FRAME_PARKED, FRAME_WIRED, FRAME_WORDS } from "../hardware/machine-layout.ts";
import type { PhysicalMemory } from "../hardware/physical-memory.ts";
import { Page } from "./page.ts";
import { PageQueue } from "./page-queue.ts";

export class ResidentPages {
  /** Pages of objects in use, and those that will go next; in the order in which they came. */
  readonly active = new PageQueue();
  readonly inactive = new PageQueue();
  /** Frames whose FRAME_BUSY is not 0, and whose FRAME_WIRED is not 0. */
  busyFrames = 0;
  wiredFrames = 0;
  private readonly pages: Page[] = [];
  private readonly words: Int32Array;
  private readonly tableAt: number;

  constructor(memory: PhysicalMemory) {
    this.words = memory.words;
    this.tableAt = memory.layout.frameTableAt;
    for (let frame = 0; frame < memory.layout.frameCount; frame++) this.pages.push(new Page(frame));
  }

  at(frame: number): Page {
    return this.pages[frame]!;
  }

  /** How many need the page where it is. */
  wired(frame: number): number {
    return this.words[this.tableAt + frame * FRAME_WORDS + FRAME_WIRED]!;
  }

  wire(frame: number): void {
    const at = this.tableAt + frame * FRAME_WORDS + FRAME_WIRED;
    if (this.words[at]! === 0) this.wiredFrames += 1;
    this.words[at]! += 1;
  }

  /** Returns how many still need it. */
  unwire(frame: number): number {
    const at = this.tableAt + frame * FRAME_WORDS + FRAME_WIRED;
    assert(this.words[at]! > 0, "the page is wired");
    const left = this.words[at]! - 1;
    this.words[at] = left;
    if (left === 0) this.wiredFrames -= 1;
    return left;
  }

  /** How many transfers read it. */
  busy(frame: number): number {
    return this.words[this.tableAt + frame * FRAME_WORDS + FRAME_BUSY]!;
  }

  /** One more transfer reads the page: nobody stores to it any more. */
  setBusy(frame: number): void {
    const at = this.tableAt + frame * FRAME_WORDS + FRAME_BUSY;
    if (this.words[at]! === 0) {
      this.busyFrames += 1;
      this.pages[frame]!.writeProtect();
    }
    this.words[at]! += 1;
  }

  /** A transfer is done. The next store finds that out in the fault. */
  clearBusy(frame: number): void {
    const at = this.tableAt + frame * FRAME_WORDS + FRAME_BUSY;
    assert(this.words[at]! > 0, "the page is busy (I-2)");
    this.words[at]! -= 1;
    if (this.words[at]! === 0) this.busyFrames -= 1;
  }

  /** How many of those that keep it busy do not read it yet: their messages wait for room. */
  parked(frame: number): number {
    return this.words[this.tableAt + frame * FRAME_WORDS + FRAME_PARKED]!;
  }

  park(frame: number): void {
    this.words[this.tableAt + frame * FRAME_WORDS + FRAME_PARKED]! += 1;
  }

  unpark(frame: number): void {
    const at = this.tableAt + frame * FRAME_WORDS + FRAME_PARKED;
    assert(this.words[at]! > 0, "the page is parked");
    this.words[at]! -= 1;
  }

  /** Somebody uses a page that would have gone soon. */
  activate(page: Page): void {
    if (page.queue === this.active) return;
    if (page.queue !== null) page.queue.remove(page);
    this.active.append(page);
  }
}
