// What a message holds beside its packet buffer and its frame: a body longer than a page, and out-of-line
// data (region.ts). On the wire it follows the message's own packet (norma/overflow-stream.ts).

import type { Region } from "./region.ts";

export class Overflow {
  /** The body, if it is longer than a page. */
  body: Int32Array | null = null;
  /** Out-of-line data, in the order of its items. The data word of an item is 1 + its region's index; 0 for one
   *  without data. null: it has been taken out. */
  readonly regions: (Region | null)[] = [];
  /** Bytes of kernel memory counted against the node's limit: body and rights. */
  bytes = 0;

  addBody(bytes: number): void {
    this.body = new Int32Array((bytes + 3) >> 2);
  }

  /** Forgets everything. */
  clear(): this {
    this.body = null;
    while (this.regions.length > 0) this.regions.pop(); // setting the length costs ten times as much
    this.bytes = 0;
    return this;
  }

  /** Appends a region; returns what its item's data word is to be. */
  add(region: Region): number {
    this.regions.push(region);
    return this.regions.length;
  }

  /** The region that an item's data word stands for. */
  at(word: number): Region {
    return this.regions[word - 1]!;
  }

  /** The region of rights that an item's data word stands for. */
  rightsAt(word: number): Int32Array {
    return this.regions[word - 1] as Int32Array;
  }

  /** Takes a region out: it is the caller's. */
  take(word: number): Region {
    const region = this.regions[word - 1]!;
    this.regions[word - 1] = null;
    return region;
  }
}
