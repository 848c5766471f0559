// The paper's way (2.3.2, 2.3.3). What goes to an interface is listed page by page: located, faulted in and wired;
// it becomes busy when it is handed over, unless the sender waits (protect-pages.ts). Or it is taken out of the sender's map if it deallocates. What stays on the node, and
// what is longer than a page list may be, is copied on write; the interface lists that as it goes.

import { KERN_RESOURCE_SHORTAGE, KERN_SUCCESS } from "../base/status.ts";
import type { MapCopy } from "../vm/map-copy.ts";
import { PAGES_HOLD, PAGES_STEAL, PageList } from "../vm/page-list.ts";
import type { TaskMemory } from "../vm/task-memory.ts";
import type { VirtualMemory } from "../vm/virtual-memory.ts";
import { regionPages } from "./region.ts";
import { Transfer } from "./transfer.ts";

/** Lists kept for the next messages. */
const SPARE_LISTS_MAX = 32;

export class TransferByPageList extends Transfer {
  /** Most pages that are wired for lists at once: a part of the node's memory. */
  private readonly wiredMax: number;
  private readonly spare: PageList[] = [];

  constructor(vm: VirtualMemory, frameCount: number) {
    super(vm);
    this.wiredMax = Math.max(1, frameCount >> 1);
  }

  take(
    memory: TaskMemory,
    address: number,
    bytes: number,
    deallocate: boolean,
    direct: boolean,
  ): PageList | MapCopy | null {
    const pages = regionPages(address % memory.pageBytes, bytes, memory.pageBytes);
    if (direct && pages + this.vm.pages.wiredFrames <= this.wiredMax) {
      const list = this.spare.pop() ?? new PageList();
      const mode = deallocate ? PAGES_STEAL : PAGES_HOLD;
      const status = memory.copyinPages(address, bytes, list, mode);
      if (status === KERN_SUCCESS) return list;
      this.recycle(list);
      memory.status = status;
      // What does not fit into memory at once may go piece by piece.
      if (status !== KERN_RESOURCE_SHORTAGE) return null;
    }
    return memory.copyinObject(address, bytes, deallocate);
  }

  give(memory: TaskMemory, region: PageList | MapCopy): number {
    if (!(region instanceof PageList)) return memory.copyoutObject(region);
    const status = memory.copyoutPages(region);
    if (status === KERN_SUCCESS) this.recycle(region);
    return status;
  }

  override discard(region: PageList | MapCopy): void {
    super.discard(region);
    if (region instanceof PageList) this.recycle(region);
  }

  override newList(offset: number, bytes: number, pages: number): PageList {
    return (this.spare.pop() ?? new PageList()).expect(offset, bytes, pages);
  }

  private recycle(list: PageList): void {
    if (this.spare.length < SPARE_LISTS_MAX) this.spare.push(list);
  }
}
