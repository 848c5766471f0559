// Who owns each page frame of a node, and the list of free ones.
//   allocate(owner) -> frame or NO_FRAME;  hand(frame, from, to);  free(frame, from)
// The states are words in shared memory so that the host and the checkers can count frames of a
// machine that runs; the free list is private to the node.
//
// I-1: a frame has one owner: the free list, an armed descriptor, a message, the wire, an object, or a
// page table.

import { assert } from "../base/assert.ts";
import { FRAME_BUSY, FRAME_STATE, FRAME_WORDS } from "./machine-layout.ts";
import type { PhysicalMemory } from "./physical-memory.ts";

export const FRAME_FREE = 0; // on the free list
export const FRAME_ARMED = 1; // in a receive descriptor
export const FRAME_MESSAGE = 2; // holds the body of a message, or a page on its page list
export const FRAME_WIRE = 3; // belongs to a fault wrapper: holds the page of a packet held back
export const FRAME_OBJECT = 4; // a page of a memory object
export const FRAME_TABLE = 5; // part of a task's page table
export type FrameState =
  | typeof FRAME_FREE
  | typeof FRAME_ARMED
  | typeof FRAME_MESSAGE
  | typeof FRAME_WIRE
  | typeof FRAME_OBJECT
  | typeof FRAME_TABLE;

/** No frame is free. */
export const NO_FRAME = -1;

/** What a freed page is filled with under `poison`: a use after free reads this, not old data. */
export const FRAME_POISON = 0x6b6b6b6b;

export class FrameTable {
  private readonly memory: PhysicalMemory;
  private readonly tableAt: number;
  private readonly freeFrames: Int32Array;
  private freeTop: number;
  private readonly poison: boolean;

  constructor(memory: PhysicalMemory, poison = false) {
    const count = memory.layout.frameCount;
    this.memory = memory;
    this.tableAt = memory.layout.frameTableAt;
    this.freeFrames = new Int32Array(count);
    // Low frames are handed out first: they are the ones already touched, hence resident.
    for (let i = 0; i < count; i++) this.freeFrames[i] = count - 1 - i;
    this.freeTop = count;
    this.poison = poison;
  }

  /** True while a transfer reads the frame (I-2). */
  isBusy(frame: number): boolean {
    return this.memory.words[this.tableAt + frame * FRAME_WORDS + FRAME_BUSY] !== 0;
  }

  get freeCount(): number {
    return this.freeTop;
  }

  /** A free frame for `owner`, contents undefined; NO_FRAME when none is left. */
  allocate(owner: FrameState): number {
    if (this.freeTop === 0) return NO_FRAME;
    const frame = this.freeFrames[--this.freeTop]!;
    this.hand(frame, FRAME_FREE, owner);
    return frame;
  }

  /** Changes a frame's owner. Asserts that `from` owns it (I-1). */
  hand(frame: number, from: FrameState, to: FrameState): void {
    const at = this.tableAt + frame * FRAME_WORDS + FRAME_STATE;
    const words = this.memory.words;
    assert(words[at] === from, "a frame has one owner (I-1)");
    words[at] = to;
  }

  free(frame: number, from: FrameState): void {
    this.hand(frame, from, FRAME_FREE);
    if (this.poison) {
      const at = this.memory.frameWord(frame);
      this.memory.words.fill(FRAME_POISON, at, at + this.memory.pageWords);
    }
    this.freeFrames[this.freeTop++] = frame;
  }

  /** How many frames are in `state`, counted from the table: for checks and stats. */
  count(state: FrameState): number {
    return countFrames(this.memory, state);
  }
}

/** Counts frames in a state from shared memory alone: the host may call it on a running machine. */
export const countFrames = (memory: PhysicalMemory, state: FrameState): number => {
  const { frameTableAt, frameCount } = memory.layout;
  let count = 0;
  for (let i = 0; i < frameCount; i++) {
    if (memory.words[frameTableAt + i * FRAME_WORDS + FRAME_STATE] === state) count += 1;
  }
  return count;
};
