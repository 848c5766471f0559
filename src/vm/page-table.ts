// A task's page table (Mach's pmap): from virtual pages to frames, in two levels. The lower level is frames
// of the node's memory, FRAME_TABLE, one word for each virtual page; the directory says where they are.
//   const table = directory[address >>> directoryShift];
//   if (table !== 0) { const entry = words[table + ((address >>> pageShift) & tableMask)]; ... }
// An entry is the first word of a frame with PTE_READ and PTE_WRITE; 0 = not mapped.
// A page table is a cache of what the address map says: any entry may be thrown away, the next fault puts it
// back. Every entry is known to the page that it leads to.

import { WORD_SHIFT } from "../base/words.ts";
import { FRAME_TABLE, type FrameTable, NO_FRAME } from "../hardware/frame-table.ts";
import type { PhysicalMemory } from "../hardware/physical-memory.ts";
import type { Page } from "./page.ts";

export const PTE_READ = 1;
export const PTE_WRITE = 2;
/** The bits of an entry that are not the frame's word: frames begin at multiples of their size. */
export const PTE_FLAGS = 0xff;

/** What a page table needs of its node. */
export interface TableMemory {
  readonly memory: PhysicalMemory;
  readonly frames: FrameTable;
  readonly pages: { at(frame: number): Page };
  grab(owner: typeof FRAME_TABLE): number;
}

export class PageTable {
  /** Word of each leaf table; 0 = none. */
  readonly directory: Int32Array;
  readonly directoryShift: number;
  readonly pageShift: number;
  readonly tableMask: number;
  /** Entries in use of each leaf table. */
  private readonly used: Int32Array;
  /** Leaf tables without an entry. */
  private emptyLeaves = 0;
  private readonly leafShift: number;
  private readonly words: Int32Array;
  private readonly vm: TableMemory;

  constructor(vm: TableMemory) {
    const { words, pageWords, layout } = vm.memory;
    this.vm = vm;
    this.words = words;
    this.leafShift = Math.log2(pageWords);
    this.pageShift = Math.log2(layout.pageBytes);
    this.directoryShift = this.pageShift + this.leafShift;
    this.tableMask = pageWords - 1;
    this.directory = new Int32Array(2 ** (32 - this.directoryShift));
    this.used = new Int32Array(this.directory.length);
  }

  /** The entry of a virtual page; 0 = not mapped. */
  entry(virtualPage: number): number {
    const table = this.directory[virtualPage >>> this.leafShift]!;
    return table === 0 ? 0 : this.words[table + (virtualPage & this.tableMask)]!;
  }

  /** Maps a page in place of what was there. False if there is no frame for the table: not mapped then. */
  enter(virtualPage: number, page: Page, writable: boolean): boolean {
    const leaf = virtualPage >>> this.leafShift;
    if (this.directory[leaf] === 0 && !this.makeLeaf(leaf)) return false;
    const at = this.directory[leaf]! + (virtualPage & this.tableMask);
    const base = this.vm.memory.frameWord(page.frame);
    const old = this.words[at]!;
    if ((old & ~PTE_FLAGS) !== base) {
      if (old === 0) {
        if (this.used[leaf] === 0) this.emptyLeaves -= 1;
        this.used[leaf]! += 1;
      } else this.pageOf(old).removeMapping(this, virtualPage);
      page.addMapping(this, virtualPage);
    }
    this.words[at] = base | (writable ? PTE_READ | PTE_WRITE : PTE_READ);
    return true;
  }

  /** Clears an entry that its page has forgotten, or is about to. */
  forget(virtualPage: number): void {
    const leaf = virtualPage >>> this.leafShift;
    this.words[this.directory[leaf]! + (virtualPage & this.tableMask)] = 0;
    this.used[leaf]! -= 1;
    if (this.used[leaf] === 0) this.emptyLeaves += 1;
  }

  /** Takes the right to store from the entry of a virtual page that is mapped. */
  writeProtect(virtualPage: number): void {
    const table = this.directory[virtualPage >>> this.leafShift]!;
    this.words[table + (virtualPage & this.tableMask)]! &= ~PTE_WRITE;
  }

  /** Unmaps the virtual pages from `first` to before `end`. */
  remove(first: number, end: number): void {
    for (let page = first; page < end; ) {
      const leaf = page >>> this.leafShift;
      const stop = Math.min(end, (leaf + 1) << this.leafShift);
      if (this.used[leaf] !== 0) {
        for (; page < stop; page++) {
          const entry = this.entry(page);
          if (entry === 0) continue;
          this.pageOf(entry).removeMapping(this, page);
          this.forget(page);
        }
      }
      page = stop;
    }
  }

  /** Takes the right to store from the virtual pages from `first` to before `end`. */
  protect(first: number, end: number): void {
    for (let page = first; page < end; ) {
      const leaf = page >>> this.leafShift;
      const stop = Math.min(end, (leaf + 1) << this.leafShift);
      if (this.used[leaf] !== 0) {
        for (; page < stop; page++) if (this.entry(page) !== 0) this.writeProtect(page);
      }
      page = stop;
    }
  }

  /** Gives leaf tables' frames back: those without entries, or all. Returns how many. */
  shrink(all: boolean): number {
    let freed = 0;
    if (!all && this.emptyLeaves === 0) return freed;
    for (let leaf = 0; leaf < this.directory.length; leaf++) {
      if (this.directory[leaf] === 0 || (!all && this.used[leaf] !== 0)) continue;
      const first = leaf << this.leafShift;
      if (this.used[leaf] !== 0) this.remove(first, first + this.tableMask + 1);
      this.vm.frames.free(this.frameAt(this.directory[leaf]!), FRAME_TABLE);
      this.directory[leaf] = 0;
      this.emptyLeaves -= 1;
      freed += 1;
    }
    return freed;
  }

  /** The page that an entry leads to. */
  pageOf(entry: number): Page {
    return this.vm.pages.at(this.frameAt(entry & ~PTE_FLAGS));
  }

  private frameAt(word: number): number {
    return (word - this.vm.memory.layout.framesAt) >> (this.pageShift - WORD_SHIFT);
  }

  private makeLeaf(leaf: number): boolean {
    const frame = this.vm.grab(FRAME_TABLE);
    if (frame === NO_FRAME) return false;
    this.vm.memory.zeroFrame(frame);
    this.emptyLeaves += 1;
    this.directory[leaf] = this.vm.memory.frameWord(frame);
    return true;
  }
}
