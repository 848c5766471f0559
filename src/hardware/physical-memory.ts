// One node's physical memory: a window on its own region and nothing else. A kernel gets this object;
// it cannot name another node's words with it. Frames are numbered from 0 within the region.

import { assert } from "../base/assert.ts";
import { COUNTERS_MAX } from "../base/counters.ts";
import { WORD_BYTES } from "../base/words.ts";
import type { DmaEngine } from "./dma-engine.ts";
import { type MachineLayout, regionWord } from "./machine-layout.ts";
import { LANES_PAGE, sumWords } from "./word-sum.ts";

/** What copies and sums faster than JavaScript: the board's DMA engine, as far as one region is concerned. */
export type BlockEngine = Pick<DmaEngine, "copy" | "sum">;

export class PhysicalMemory {
  readonly node: number;
  readonly layout: MachineLayout;
  /** The region, word by word; offsets are those of the layout. */
  readonly words: Int32Array;
  /** The region, byte by byte. */
  readonly bytes: Uint8Array;
  /** This node's counters (base/counters.ts), [N]. */
  readonly counters: Float64Array;
  readonly pageWords: number;
  /** Byte address of the region in the machine's memory: for hardware and statistics. */
  readonly regionByte: number;
  private readonly engine: BlockEngine | null;

  /** `engine`: the board's, if there is one; else JavaScript copies and sums. */
  constructor(
    buffer: SharedArrayBuffer,
    layout: MachineLayout,
    node: number,
    engine: BlockEngine | null = null,
  ) {
    assert(node >= 0 && node < layout.nodes, `no node ${node}`);
    this.node = node;
    this.layout = layout;
    this.regionByte = regionWord(layout, node) * WORD_BYTES;
    this.words = new Int32Array(buffer, this.regionByte, layout.regionWords);
    this.bytes = new Uint8Array(buffer, this.regionByte, layout.memoryBytes);
    this.counters = new Float64Array(
      buffer,
      this.regionByte + layout.countersAt * WORD_BYTES,
      COUNTERS_MAX,
    );
    this.pageWords = layout.pageBytes / WORD_BYTES;
    this.engine = engine;
  }

  /** First word of a frame within the region. */
  frameWord(frame: number): number {
    return this.layout.framesAt + frame * this.pageWords;
  }

  /** First byte of a frame within the region. */
  frameByte(frame: number): number {
    return (this.layout.framesAt + frame * this.pageWords) * WORD_BYTES;
  }

  /** Copies a whole frame. */
  copyFrame(to: number, from: number): void {
    this.copyBytes(this.frameByte(to), this.frameByte(from), this.layout.pageBytes);
  }

  /** Copies bytes within the region; byte offsets of the region. */
  copyBytes(toByte: number, fromByte: number, bytes: number): void {
    const { engine, regionByte } = this;
    if (engine === null) this.bytes.copyWithin(toByte, fromByte, fromByte + bytes);
    else engine.copy(regionByte + toByte, regionByte + fromByte, bytes);
  }

  /** Sum of the first `words` words of a frame (word-sum.ts). */
  sumFrame(frame: number, words: number, start: number): number {
    const { engine } = this;
    const at = this.frameWord(frame);
    if (engine === null) return sumWords(this.words, at, at + words, start, LANES_PAGE);
    return engine.sum(this.regionByte + at * WORD_BYTES, words, start);
  }

  /** Sets every word of a frame to 0. */
  zeroFrame(frame: number): void {
    const at = this.frameWord(frame);
    this.words.fill(0, at, at + this.pageWords);
  }
}
