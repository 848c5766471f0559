// The DMA engine: the only thing that moves bytes between the regions of two nodes.
// Two makes of it: WebAssembly's memory.copy on the machine's shared WebAssembly.Memory, and
// copyWithin on a plain SharedArrayBuffer where such a memory cannot be had. Same interface, same
// tests. It checks nothing: addresses come from layouts, lengths from checked packets.

/** Moves `bytes` from one byte address of the machine's memory to another; addresses below 2^32. */
export interface DmaEngine {
  readonly kind: "wasm" | "copyWithin";
  copy(toByte: number, fromByte: number, bytes: number): void;
}

class WasmDma implements DmaEngine {
  readonly kind = "wasm";
  readonly copy: (toByte: number, fromByte: number, bytes: number) => void;

  constructor(module: WebAssembly.Module, memory: WebAssembly.Memory) {
    const instance = new WebAssembly.Instance(module, { env: { memory } });
    this.copy = instance.exports.copy as WasmDma["copy"];
  }
}

class CopyWithinDma implements DmaEngine {
  readonly kind = "copyWithin";
  private readonly bytes: Uint8Array;

  constructor(buffer: SharedArrayBuffer) {
    this.bytes = new Uint8Array(buffer);
  }

  copy(toByte: number, fromByte: number, bytes: number): void {
    this.bytes.copyWithin(toByte, fromByte, fromByte + bytes);
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
