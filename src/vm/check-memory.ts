// Recounts a node's virtual memory and tells what does not agree: for simulators' checkers and tests, between
// two steps of the node.
//
// I-1: a frame has one owner, and I-2: nobody can store to a busy one; and whatever is counted (wired, busy,
// mappings, references, swap slots) is what a walk finds.

import { FRAME_FREE, FRAME_MESSAGE, FRAME_OBJECT, FRAME_TABLE } from "../hardware/frame-table.ts";
import { FRAME_STATE, FRAME_WORDS } from "../hardware/machine-layout.ts";
import type { Backing } from "./backing.ts";
import type { MapCopy } from "./map-copy.ts";
import type { MemoryObject } from "./memory-object.ts";
import {
  ABSENT,
  frameOf,
  isBorrowed,
  PAGE_LOCKED,
  PAGE_PARKED,
  type PageList,
  residentEntry,
} from "./page-list.ts";
import { PTE_FLAGS, PTE_WRITE } from "./page-table.ts";
import type { VirtualMemory } from "./virtual-memory.ts";

/** What is wrong, a sentence each. `lists`: all page lists that the kernel has, entries in any order;
 *  `copies`: all copies that it has. */
export const checkMemory = (
  vm: VirtualMemory,
  lists: Iterable<PageList>,
  copies: Iterable<MapCopy>,
): string[] => {
  const check = new MemoryCheck(vm);
  for (const list of lists) check.countList(list);
  for (const copy of copies) {
    for (const { object } of copy.pieces) check.countReference(object);
  }
  check.countMaps();
  check.countTables();
  check.compareFrames();
  check.compareCounts();
  return check.wrong;
};

class MemoryCheck {
  readonly wrong: string[] = [];
  private readonly vm: VirtualMemory;
  /** By frame: what has been found. */
  private readonly owners: Int32Array;
  private readonly wired: Int32Array;
  private readonly busy: Int32Array;
  private readonly parked: Int32Array;
  private readonly mappings: Int32Array;
  private readonly objects = new Map<MemoryObject, number>();
  private readonly backings = new Map<Backing, number>();
  private slots = 0;

  constructor(vm: VirtualMemory) {
    const { frameCount } = vm.memory.layout;
    this.vm = vm;
    this.owners = new Int32Array(frameCount);
    this.wired = new Int32Array(frameCount);
    this.busy = new Int32Array(frameCount);
    this.parked = new Int32Array(frameCount);
    this.mappings = new Int32Array(frameCount);
  }

  countList(list: PageList): void {
    for (let i = 0; i < list.count; i++) {
      const entry = list.entries[i]!;
      if (entry < 0) this.slots += 1;
      else if (isBorrowed(entry)) {
        this.wired[frameOf(entry)]! += 1;
        if ((entry & PAGE_LOCKED) !== 0) this.busy[frameOf(entry)]! += 1;
        if ((entry & PAGE_PARKED) !== 0) this.parked[frameOf(entry)]! += 1;
      } else if (entry !== ABSENT) this.own(frameOf(entry), FRAME_MESSAGE);
    }
  }

  /** One more reference to an object; the first time, its pages and what it shadows. */
  countReference(object: MemoryObject): void {
    const before = this.objects.get(object) ?? 0;
    this.objects.set(object, before + 1);
    if (before > 0) return;
    let present = 0;
    for (let index = 0; index < object.entries.length; index++) {
      const entry = object.entries[index]!;
      if (entry === ABSENT) continue;
      present += 1;
      if (entry < 0) this.slots += 1;
      else this.countPage(object, index, frameOf(entry));
    }
    this.expect(present === object.present, "an object's pages are miscounted");
    this.expect(present <= object.pages, "an object has too many pages");
    if (object.shadow !== null) this.countReference(object.shadow);
  }

  countMaps(): void {
    for (const { map } of this.vm.tasks) {
      let end = map.first;
      let pages = 0;
      for (const entry of map.entries) {
        const { backing } = entry;
        this.expect(entry.start >= end && entry.end > entry.start, "map entries are out of order");
        this.expect(
          entry.offset + entry.end - entry.start <= backing.pages,
          "an entry is too long",
        );
        end = entry.end;
        pages += entry.end - entry.start;
        const before = this.backings.get(backing) ?? 0;
        this.backings.set(backing, before + 1);
        if (before === 0) this.countReference(backing.object);
      }
      this.expect(pages === map.pages, "a map's pages are miscounted");
    }
  }

  countTables(): void {
    const { tasks, memory, pages } = this.vm;
    for (const { pageTable } of tasks) {
      for (const table of pageTable.directory) {
        if (table === 0) continue;
        this.own((table - memory.layout.framesAt) / memory.pageWords, FRAME_TABLE);
        for (let at = table; at < table + memory.pageWords; at++) {
          const entry = memory.words[at]!;
          if (entry === 0) continue;
          const page = pageTable.pageOf(entry);
          this.mappings[page.frame]! += 1;
          this.expect(page.object !== null, "what is mapped is no object's page");
          this.expect((entry & ~PTE_FLAGS) === memory.frameWord(page.frame), "an entry is odd");
          if ((entry & PTE_WRITE) === 0) continue;
          this.expect(page.dirty, "a page that swap has too can be stored to");
          this.expect(pages.busy(page.frame) === 0, "a busy page can be stored to (I-2)");
        }
      }
    }
  }

  compareFrames(): void {
    const { memory, pages } = this.vm;
    let busyFrames = 0;
    let wiredFrames = 0;
    for (let frame = 0; frame < this.owners.length; frame++) {
      const state = memory.words[memory.layout.frameTableAt + frame * FRAME_WORDS + FRAME_STATE]!;
      const page = pages.at(frame);
      if (pages.busy(frame) > 0) busyFrames += 1;
      if (pages.wired(frame) > 0) wiredFrames += 1;
      this.compare(frame, "wired", this.wired[frame]!, pages.wired(frame));
      this.compare(frame, "busy", this.busy[frame]!, pages.busy(frame));
      this.compare(frame, "parked", this.parked[frame]!, pages.parked(frame));
      this.compare(frame, "mappings", this.mappings[frame]!, page.mappings);
      // Frames of messages' bodies, of the ring and of the wire are not seen from here; nor is a page that
      // its object has given up while it was borrowed.
      if (this.owners[frame] !== 0 || state === FRAME_OBJECT || state === FRAME_TABLE) {
        this.compare(frame, "state", this.owners[frame]!, state);
      }
      const isPage = state === FRAME_OBJECT ? 1 : 0;
      this.compare(frame, "object", isPage, page.object === null ? 0 : 1);
      this.compare(frame, "queue", isPage, page.queue === null ? 0 : 1);
      if (state === FRAME_FREE) this.compare(frame, "wired though free", 0, pages.wired(frame));
    }
    this.expect(busyFrames === pages.busyFrames, "busy frames are miscounted");
    this.expect(wiredFrames === pages.wiredFrames, "wired frames are miscounted");
  }

  compareCounts(): void {
    // Somebody outside may hold an object that is mapped as such.
    for (const [object, references] of this.objects) {
      if (object.shared !== null || references === object.references) continue;
      this.wrong.push(`${references} references to an object, not ${object.references}`);
    }
    for (const [backing, references] of this.backings) {
      this.expect(references === backing.references, "a backing's references are miscounted");
    }
    const { slots } = this.vm;
    if (slots.used === this.slots) return;
    this.wrong.push(`${slots.used} slots in use, ${this.slots} found`);
  }

  private countPage(object: MemoryObject, index: number, frame: number): void {
    const page = this.vm.pages.at(frame);
    this.own(frame, FRAME_OBJECT);
    this.expect(object.entries[index] === residentEntry(frame), "an object's entry is odd");
    this.expect(page.object === object && page.index === index, "a page is another object's");
    if (!page.dirty) this.slots += 1;
  }

  private compare(frame: number, what: string, counted: number, found: number): void {
    if (counted !== found) this.wrong.push(`frame ${frame}: ${what} is ${found}, not ${counted}`);
  }

  private own(frame: number, state: number): void {
    if (this.owners[frame] !== 0) this.wrong.push(`frame ${frame} has two owners (I-1)`);
    this.owners[frame] = state;
  }

  private expect(fine: boolean, otherwise: string): void {
    if (!fine) this.wrong.push(otherwise);
  }
}
