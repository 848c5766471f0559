// Firefly's way (Schroeder & Burrows 1989; paper 2.3.1): every task has a buffer whose pages stay in memory, and the
// interface sends from it. No page is mapped, protected or wired for a message; but data that is not in the buffer is
// copied into it, and the receiver copies what it got out of the interface's buffers.

import { COUNTERS } from "../base/counters.ts";
import { KERN_SUCCESS } from "../base/status.ts";
import type { PhysicalMemory } from "../hardware/physical-memory.ts";
import type { MapCopy } from "../vm/map-copy.ts";
import { frameOf, PAGES_HOLD, PageList } from "../vm/page-list.ts";
import type { TaskMemory } from "../vm/task-memory.ts";
import type { VirtualMemory } from "../vm/virtual-memory.ts";
import { regionPages } from "./region.ts";
import { TransferByCopy } from "./transfer-by-copy.ts";

/** Part of a node's frames that the buffer of one task may take up. */
const BUFFER_SHARE = 8;

/** A task's buffer: used in order, like a ring, so that room comes back in the order in which it went. */
interface SharedBuffer {
  readonly address: number;
  readonly pages: number;
  /** Its frames, wired for ever. */
  readonly wired: PageList;
  /** Pages ever taken and ever given back. */
  head: number;
  tail: number;
  /** Messages that lie in it, oldest first, and how many pages each ends at. */
  readonly messages: { readonly list: PageList; readonly end: number; done: boolean }[];
}

export class TransferBySharedBuffer extends TransferByCopy {
  private readonly buffers = new Map<TaskMemory, SharedBuffer>();
  private readonly buffered = new Map<PageList, SharedBuffer>();
  private readonly bufferPages: number;

  constructor(vm: VirtualMemory, memory: PhysicalMemory) {
    super(vm, memory);
    this.bufferPages = Math.max(1, Math.floor(memory.layout.frameCount / BUFFER_SHARE));
  }

  override take(
    memory: TaskMemory,
    address: number,
    bytes: number,
    deallocate: boolean,
    direct: boolean,
  ): PageList | MapCopy | null {
    const list = direct ? this.takeInBuffer(memory, address, bytes) : null;
    if (list === null) return super.take(memory, address, bytes, deallocate, direct);
    if (deallocate) memory.vmDeallocate(address, bytes);
    return list;
  }

  /** null: there is no buffer, or no room in it; the kernel's own buffers must do. */
  private takeInBuffer(memory: TaskMemory, address: number, bytes: number): PageList | null {
    const buffer = this.bufferOf(memory);
    if (buffer === null) return null;
    const offset = address % memory.pageBytes;
    const pages = regionPages(offset, bytes, memory.pageBytes);
    const start = roomIn(buffer, pages);
    if (start < 0) return null;
    const first = start % buffer.pages;
    const { memory: physical } = this;
    let page = first;
    const status = memory.framesOf(address, bytes, (frame, from, length) => {
      const to = physical.frameByte(frameOf(buffer.wired.entries[page]!)) + from;
      physical.copyBytes(to, physical.frameByte(frame) + from, length);
      page += 1;
    });
    if (status !== KERN_SUCCESS) return null; // the other way finds out what is wrong
    const list = new PageList();
    const at = buffer.address + first * memory.pageBytes + offset;
    if (memory.copyinPages(at, bytes, list, PAGES_HOLD) !== KERN_SUCCESS) return null;
    buffer.head = start + pages;
    buffer.messages.push({ list, end: buffer.head, done: false });
    this.buffered.set(list, buffer);
    physical.counters[COUNTERS.dataCopiedBytes.index]! += bytes;
    return list;
  }

  /** The task's buffer, made when it first sends; null if memory is too short for one. */
  private bufferOf(memory: TaskMemory): SharedBuffer | null {
    const known = this.buffers.get(memory);
    if (known !== undefined) return known;
    const pages = this.bufferPages;
    const bytes = pages * memory.pageBytes;
    const address = memory.allocate(bytes);
    if (address === null) return null;
    const wired = new PageList();
    const filled = memory.fill(address, bytes, 0) === KERN_SUCCESS; // its own pages, not the zero page
    if (!filled || memory.copyinPages(address, bytes, wired, PAGES_HOLD) !== KERN_SUCCESS) {
      memory.vmDeallocate(address, bytes);
      return null;
    }
    const buffer = { address, pages, wired, head: 0, tail: 0, messages: [] };
    this.buffers.set(memory, buffer);
    return buffer;
  }

  override keptLists(): PageList[] {
    return [...this.buffers.values()].map(({ wired }) => wired);
  }

  override taskEnded(memory: TaskMemory): void {
    const buffer = this.buffers.get(memory);
    if (buffer === undefined) return;
    this.buffers.delete(memory);
    this.vm.discardList(buffer.wired);
  }

  override discard(region: PageList | MapCopy): void {
    super.discard(region);
    if (!(region instanceof PageList)) return;
    const buffer = this.buffered.get(region);
    if (buffer === undefined) return;
    this.buffered.delete(region);
    const { messages } = buffer;
    messages.find(({ list }) => list === region)!.done = true;
    while (messages.length > 0 && messages[0]!.done) buffer.tail = messages.shift()!.end;
  }
}

/** The position at which `pages` pages lie together, or -1. */
const roomIn = (buffer: SharedBuffer, pages: number): number => {
  const { head, tail } = buffer;
  const left = buffer.pages - (head % buffer.pages);
  const start = pages <= left ? head : head + left; // not over the end
  return start + pages - tail <= buffer.pages ? start : -1;
};
