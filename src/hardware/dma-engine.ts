// The DMA engine: the only thing that moves bytes between the regions of two nodes; it also sums words.
// Two makes of it: WebAssembly's memory.copy and vectors on the machine's shared WebAssembly.Memory, and
// copyWithin and JavaScript on a plain SharedArrayBuffer where such a memory cannot be had. Same interface, same
// results, same tests. It checks nothing: addresses come from layouts, lengths from checked packets.

import { WORD_BYTES } from "../base/words.ts";
import { LANES_PAGE, sumWords } from "./word-sum.ts";

/** Works on byte addresses of the machine's memory, below 2^32. */
export interface DmaEngine {
  readonly kind: "wasm" | "copyWithin";
  /** Moves `bytes` from one address to another. */
  copy(toByte: number, fromByte: number, bytes: number): void;
  /** Sum of so many words, from an address that is a multiple of 4, as word-sum.ts has it: LANES_PAGE. */
  sum(atByte: number, words: number, start: number): number;
}

class WasmDma implements DmaEngine {
  readonly kind = "wasm";
  readonly copy: DmaEngine["copy"];
  readonly sum: DmaEngine["sum"];

  constructor(module: WebAssembly.Module, memory: WebAssembly.Memory) {
    const instance = new WebAssembly.Instance(module, { env: { memory } });
    this.copy = instance.exports.copy as DmaEngine["copy"];
    this.sum = instance.exports.sum as DmaEngine["sum"];
  }
}

class CopyWithinDma implements DmaEngine {
  readonly kind = "copyWithin";
  private readonly bytes: Uint8Array;
  private readonly words: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.bytes = new Uint8Array(buffer);
    this.words = new Int32Array(buffer);
  }

  copy(toByte: number, fromByte: number, bytes: number): void {
    this.bytes.copyWithin(toByte, fromByte, fromByte + bytes);
  }

  sum(atByte: number, words: number, start: number): number {
    const from = atByte / WORD_BYTES;
    return sumWords(this.words, from, from + words, start, LANES_PAGE);
  }
}

/** What the host made at boot and every processor gets: structured-cloneable. */
export interface MachineMemory {
  readonly buffer: SharedArrayBuffer;
  /** Present when the buffer belongs to a WebAssembly memory. */
  readonly wasm?: { readonly memory: WebAssembly.Memory; readonly module: WebAssembly.Module };
}

export const createDmaEngine = (memory: MachineMemory): DmaEngine =>
  memory.wasm === undefined
    ? new CopyWithinDma(memory.buffer)
    : new WasmDma(memory.wasm.module, memory.wasm.memory);
