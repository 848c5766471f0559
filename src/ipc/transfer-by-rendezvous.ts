// V's way (Cheriton & Zwaenepoel 1983; paper 2.3.3): data that comes while somebody waits for it is mapped as it is;
// what comes before that is moved into a buffer of the kernel's, out of the interface's way, and copied out of it
// when it is received. Sending is as with page lists.

import type { PhysicalMemory } from "../hardware/physical-memory.ts";
import type { MapCopy } from "../vm/map-copy.ts";
import { PageList } from "../vm/page-list.ts";
import type { TaskMemory } from "../vm/task-memory.ts";
import type { VirtualMemory } from "../vm/virtual-memory.ts";
import { TransferByCopy } from "./transfer-by-copy.ts";
import { TransferByPageList } from "./transfer-by-page-list.ts";

export class TransferByRendezvous extends TransferByCopy {
  private readonly mapped: TransferByPageList;
  /** Lists that are buffers of the kernel's. */
  private readonly buffered = new Set<PageList>();

  constructor(vm: VirtualMemory, memory: PhysicalMemory) {
    super(vm, memory);
    this.mapped = new TransferByPageList(vm, memory.layout.frameCount);
  }

  override take(
    memory: TaskMemory,
    address: number,
    bytes: number,
    deallocate: boolean,
    direct: boolean,
  ): PageList | MapCopy | null {
    return this.mapped.take(memory, address, bytes, deallocate, direct);
  }

  /** A buffer that cannot be had leaves the data where it came. */
  override arrived(list: PageList, awaited: boolean): PageList {
    if (awaited) return list;
    const buffer = this.copyOfList(list);
    if (buffer === null) return list;
    this.vm.discardList(list);
    this.buffered.add(buffer);
    return buffer;
  }

  override give(memory: TaskMemory, region: PageList | MapCopy): number {
    if (region instanceof PageList && this.buffered.delete(region))
      return super.give(memory, region);
    return this.mapped.give(memory, region);
  }

  override discard(region: PageList | MapCopy): void {
    if (region instanceof PageList) this.buffered.delete(region);
    super.discard(region);
  }
}
