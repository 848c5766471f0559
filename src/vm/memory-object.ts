// A memory object: a number of pages, each in memory, on swap, or not there yet; and the object that it
// shadows, whose pages show where it has none of its own (Mach's vm_object, Rashid 1988). Objects are made,
// referred to, merged and dropped by ObjectPool.

import type { Backing } from "./backing.ts";
import { ABSENT } from "./page-list.ts";

export class MemoryObject {
  /** How many pages it has at most. */
  pages = 0;
  /** Its entries (page-list.ts), as far as there has been one; beyond that all are ABSENT. */
  entries = new Int32Array(1);
  /** Entries that are not ABSENT. */
  present = 0;
  /** What shows through: its page `index + shadowOffset` where this object's page `index` is ABSENT. */
  shadow: MemoryObject | null = null;
  shadowOffset = 0;
  /** Backings, pieces of copies and shadowing objects that refer to it. */
  references = 0;
  /** Through which all maps share it that map the object itself, not a copy. */
  shared: Backing | null = null;

  entry(index: number): number {
    return index < this.entries.length ? this.entries[index]! : ABSENT;
  }

  setEntry(index: number, entry: number): void {
    if (index >= this.entries.length) {
      if (entry === ABSENT) return;
      this.reserve(index + 1);
    }
    const old = this.entries[index]!;
    if (old === ABSENT && entry !== ABSENT) this.present += 1;
    else if (old !== ABSENT && entry === ABSENT) this.present -= 1;
    this.entries[index] = entry;
  }

  /** Makes room for `count` entries: twice what there was, within the object's pages. */
  reserve(count: number): void {
    if (count <= this.entries.length) return;
    const room = Math.max(count, Math.min(this.pages, 2 * this.entries.length));
    const larger = new Int32Array(room);
    larger.set(this.entries);
    this.entries = larger;
  }
}
