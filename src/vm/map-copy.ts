// A copy of a range of memory that is in no map: pieces of objects, copy-on-write (Mach's vm_map_copy). What
// copyinObject() takes out of one map and copyoutObject() puts into another.

import type { MemoryObject } from "./memory-object.ts";

/** Pages [objectOffset, objectOffset + pages) of an object; holds one reference to it. */
export interface CopyPiece {
  readonly object: MemoryObject;
  readonly objectOffset: number;
  readonly pages: number;
}

export class MapCopy {
  /** Bytes of the first page that lie before the data. */
  readonly offset: number;
  /** Bytes of data. */
  readonly bytes: number;
  /** In order; empty once the copy has been copied out or discarded. */
  readonly pieces: CopyPiece[] = [];

  constructor(offset: number, bytes: number) {
    this.offset = offset;
    this.bytes = bytes;
  }
}
