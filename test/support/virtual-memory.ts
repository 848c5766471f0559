// A node's virtual memory for tests: few small frames, swap in memory that fails when it is told to.

import { FRAME_FREE, FrameTable } from "../../src/hardware/frame-table.ts";
import { PhysicalMemory } from "../../src/hardware/physical-memory.ts";
import type { SwapDevice } from "../../src/vm/swap.ts";
import type { TaskMemory } from "../../src/vm/task-memory.ts";
import { VirtualMemory } from "../../src/vm/virtual-memory.ts";
import { testLayout } from "./machine-memory.ts";

export const PAGE = 1024;

export class MemorySwap implements SwapDevice {
  readonly slots: number;
  /** Asked before each transfer. */
  fails: (write: boolean) => boolean = () => false;
  private readonly pages = new Map<number, Uint8Array>();

  constructor(slots: number) {
    this.slots = slots;
  }

  read(slot: number, page: Uint8Array): boolean {
    const bytes = this.pages.get(slot);
    if (bytes === undefined || this.fails(false)) return false;
    page.set(bytes);
    return true;
  }

  write(slot: number, page: Uint8Array): boolean {
    if (slot < 0 || slot >= this.slots || this.fails(true)) return false;
    this.pages.set(slot, Uint8Array.from(page));
    return true;
  }
}

export interface TestVirtualMemory {
  readonly vm: VirtualMemory;
  readonly swap: MemorySwap;
  readonly task: TaskMemory;
  /** Frames that are free, counted in the table. */
  free(): number;
}

/** A node with exactly `frames` free frames, `slots` on swap, and one task. */
export const testVirtualMemory = (
  frames = 48,
  slots = 0,
  options = { reserveFrames: 0, lowFrames: 0, highFrames: 0 },
): TestVirtualMemory => {
  const layout = testLayout({ memoryBytes: Math.max(64, frames + 32) * PAGE * 2 });
  const buffer = new SharedArrayBuffer(layout.totalBytes);
  const memory = new PhysicalMemory(buffer, layout, 0);
  const table = new FrameTable(memory, true);
  while (table.freeCount > frames) table.allocate(1);
  const swap = new MemorySwap(slots);
  const vm = new VirtualMemory(memory, table, options, slots > 0 ? swap : null);
  const task = vm.newTaskMemory();
  return { vm, swap, task, free: () => table.count(FRAME_FREE) };
};

/** What lies in a range; or the status of the read. */
export const bytesAt = (task: TaskMemory, address: number, count: number): number[] | number => {
  const into = new Uint8Array(count);
  const status = task.read(address, into);
  return status === 0 ? [...into] : status;
};
