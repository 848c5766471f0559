// The part of the WebAssembly JavaScript interface that the hardware uses. Declared here because it comes with
// TypeScript's lib "dom" only, and the product is compiled without a browser's globals.
// https://webassembly.github.io/spec/js-api/ and the threads proposal (a shared memory's buffer is a SharedArrayBuffer).

declare namespace WebAssembly {
  type ExportValue = Memory | ((...args: number[]) => number | undefined);
  type Exports = Record<string, ExportValue>;
  type ImportValue = Memory | number | ((...args: number[]) => number | undefined);
  type Imports = Record<string, Record<string, ImportValue>>;

  interface MemoryDescriptor {
    /** In WebAssembly pages of 64 KiB. */
    initial: number;
    /** In WebAssembly pages of 64 KiB. */
    maximum: number;
    /** The product has no use for an unshared memory. */
    shared: true;
  }

  class Memory {
    constructor(descriptor: MemoryDescriptor);
    readonly buffer: SharedArrayBuffer;
    grow(deltaPages: number): number;
  }

  class Module {
    constructor(bytes: Uint8Array);
  }

  class Instance {
    constructor(module: Module, imports?: Imports);
    readonly exports: Exports;
  }

  function validate(bytes: Uint8Array): boolean;

  class CompileError extends Error {}
  class LinkError extends Error {}
  class RuntimeError extends Error {}
}
