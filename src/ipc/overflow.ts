// What a message holds beside its packet buffer and its frame: a body longer than a page, and out-of-line
// data. Plain memory of the process: the data is copied in from the sender's memory and out to the
// receiver's. On the wire it follows the message's own packet, page by page (norma/overflow-stream.ts).

export class Overflow {
  /** The body, if it is longer than a page. */
  body: Int32Array | null = null;
  /** Out-of-line data, in the order of its items: bytes padded to words, or one word for each right. The
   *  data word of an item is 1 + its region's index; 0 for one without data. */
  readonly regions: Int32Array[] = [];
  /** Bytes counted against the node's limit. */
  bytes = 0;

  addBody(bytes: number): void {
    this.body = new Int32Array((bytes + 3) >> 2);
  }

  /** Appends a region of `words` words; returns what its item's data word is to be. */
  addRegion(words: number): number {
    this.regions.push(new Int32Array(words));
    return this.regions.length;
  }
}

/** A region's first `bytes` bytes. */
export const regionBytes = (region: Int32Array, bytes: number): Uint8Array =>
  new Uint8Array(region.buffer, region.byteOffset, bytes);
