// Makes the shared memory of a machine: one shared WebAssembly.Memory, whose buffer is a
// SharedArrayBuffer, or a plain SharedArrayBuffer where that cannot be had (ulimit -v, for one: V8
// reserves 10 GB of addresses for each WebAssembly memory).

import { readFileSync } from "node:fs";
import type { MachineOptions } from "../config/machine-options.ts";
import { OptionError } from "../config/option-error.ts";
import type { MachineMemory } from "../hardware/dma-engine.ts";
import {
  MACHINE_AWAKE,
  MACHINE_MAGIC,
  MACHINE_MAGIC_VALUE,
  MACHINE_NODES,
  type MachineLayout,
  REG_WORKER,
  regionWord,
} from "../hardware/machine-layout.ts";

const WASM_PAGE_BYTES = 65536;

let dmaModule: WebAssembly.Module | undefined;

/** The DMA engine's module, compiled once per thread. */
const loadDmaModule = (): WebAssembly.Module => {
  dmaModule ??= new WebAssembly.Module(
    readFileSync(new URL("../hardware/dma.wasm", import.meta.url)),
  );
  return dmaModule;
};

/** Memory of `totalBytes`. With kind "auto", plain memory if no WebAssembly memory can be had. */
export const createMachineMemory = (
  totalBytes: number,
  kind: MachineOptions["memory"]["kind"],
): MachineMemory => {
  if (kind !== "shared-array-buffer") {
    const pages = Math.ceil(totalBytes / WASM_PAGE_BYTES);
    try {
      const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
      return { buffer: memory.buffer, wasm: { memory, module: loadDmaModule() } };
    } catch (error) {
      if (kind === "wasm") {
        throw new OptionError(
          `option memory.kind is "wasm"; no shared WebAssembly.Memory of ${totalBytes} bytes ` +
            `can be had here (${String(error)})`,
        );
      }
    }
  }
  return { buffer: new SharedArrayBuffer(totalBytes) };
};

/** Writes what is constant after boot. `workerOf`: the worker that steps a node. */
export const prepareMachineMemory = (
  memory: MachineMemory,
  layout: MachineLayout,
  workerOf: (node: number) => number,
): void => {
  const words = new Int32Array(memory.buffer, 0, layout.totalBytes / 4);
  words[MACHINE_MAGIC] = MACHINE_MAGIC_VALUE;
  words[MACHINE_NODES] = layout.nodes;
  words[MACHINE_AWAKE] = layout.workers;
  for (let node = 0; node < layout.nodes; node++) {
    words[regionWord(layout, node) + REG_WORKER] = workerOf(node);
  }
};
