// What lies behind map entries: a window on a memory object. Entries that share memory share the backing
// (Mach's share map), and so do the parts of an entry that was cut. `needsCopy`: the object's pages are in
// somebody's copy too, and before the first store the backing gets an object of its own that shadows it.

import type { MemoryObject } from "./memory-object.ts";

export class Backing {
  object: MemoryObject;
  /** Pages [offset, offset + pages) of the object. */
  offset: number;
  pages: number;
  needsCopy: boolean;
  /** Map entries. */
  references = 0;
  /** The object whose `shared` this is. */
  origin: MemoryObject | null = null;

  /** Takes over one reference to the object. */
  constructor(object: MemoryObject, offset: number, pages: number, needsCopy: boolean) {
    this.object = object;
    this.offset = offset;
    this.pages = pages;
    this.needsCopy = needsCopy;
  }
}
