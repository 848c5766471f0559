// What one worker's interfaces share: the whole machine's words, the DMA engine, and each node's
// doorbell. A driver makes one and hands it to
// the interfaces; a kernel gets a PhysicalMemory and a NetworkInterface, and never this.

import { createDmaEngine, type DmaEngine, type MachineMemory } from "./dma-engine.ts";
import { ringDoorbell } from "./doorbell.ts";
import { type MachineLayout, REG_WORKER, regionWord, workerWord } from "./machine-layout.ts";

export class Board {
  readonly layout: MachineLayout;
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  readonly dma: DmaEngine;
  /** First word of each node's region. */
  readonly regionAt: Int32Array;
  /** First word of the block of the worker that steps each node. */
  private readonly workerAt: Int32Array;

  constructor(memory: MachineMemory, layout: MachineLayout) {
    this.layout = layout;
    this.words = new Int32Array(memory.buffer, 0, layout.totalBytes / 4);
    this.doubles = new Float64Array(memory.buffer, 0, layout.totalBytes / 8);
    this.dma = createDmaEngine(memory);
    this.regionAt = new Int32Array(layout.nodes);
    this.workerAt = new Int32Array(layout.nodes);
    for (let node = 0; node < layout.nodes; node++) {
      const at = regionWord(layout, node);
      this.regionAt[node] = at;
      // Constant after boot: the host wrote it before any worker started.
      this.workerAt[node] = workerWord(layout, this.words[at + REG_WORKER]!);
    }
  }

  /** Wakes the worker of `node` if it has parked. Call after publishing what it should see. */
  ring(node: number): void {
    ringDoorbell(this.words, this.workerAt[node]!);
  }
}
