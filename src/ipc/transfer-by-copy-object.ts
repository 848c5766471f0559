// The way that the paper found too dear (2.3.2): data is a copy object of the general copy-on-write machinery. To be
// sent it is mapped into the kernel's address space, faulted in and wired there; after that unwired and unmapped. What
// arrives is mapped into the kernel's address space and copied, on write, from there into the receiver's.

import { KERN_SUCCESS } from "../base/status.ts";
import type { MapCopy } from "../vm/map-copy.ts";
import { PAGES_HOLD, PageList } from "../vm/page-list.ts";
import type { TaskMemory } from "../vm/task-memory.ts";
import type { VirtualMemory } from "../vm/virtual-memory.ts";
import { Transfer } from "./transfer.ts";

export class TransferByCopyObject extends Transfer {
  private readonly kernelMemory: TaskMemory;
  /** Where in the kernel's address space what is being sent is mapped. */
  private readonly mappedAt = new Map<PageList, number>();

  constructor(vm: VirtualMemory) {
    super(vm);
    this.kernelMemory = vm.newTaskMemory();
  }

  take(
    memory: TaskMemory,
    address: number,
    bytes: number,
    deallocate: boolean,
    direct: boolean,
  ): PageList | MapCopy | null {
    const copy = memory.copyinObject(address, bytes, deallocate);
    if (copy === null || !direct) return copy;
    const { kernelMemory } = this;
    const { offset } = copy;
    // What the kernel's address space has no room for, the interface takes piece by piece.
    if (kernelMemory.copyoutObject(copy) !== KERN_SUCCESS) return copy;
    const mapped = kernelMemory.address;
    const list = new PageList();
    if (kernelMemory.copyinPages(mapped, bytes, list, PAGES_HOLD) === KERN_SUCCESS) {
      this.mappedAt.set(list, mapped - offset);
      return list;
    }
    return kernelMemory.copyinObject(mapped, bytes, true);
  }

  give(memory: TaskMemory, region: PageList | MapCopy): number {
    if (!(region instanceof PageList)) return memory.copyoutObject(region);
    const { kernelMemory } = this;
    const { bytes } = region;
    const status = kernelMemory.copyoutPages(region);
    if (status !== KERN_SUCCESS) return status;
    const copy = kernelMemory.copyinObject(kernelMemory.address, bytes, true);
    if (copy === null) return kernelMemory.status;
    const given = memory.copyoutObject(copy);
    if (given !== KERN_SUCCESS) this.vm.discardCopy(copy);
    return given;
  }

  override discard(region: PageList | MapCopy): void {
    const { offset, bytes } = region;
    super.discard(region);
    if (!(region instanceof PageList)) return;
    const mapped = this.mappedAt.get(region);
    if (mapped === undefined) return;
    this.mappedAt.delete(region);
    this.kernelMemory.vmDeallocate(mapped, offset + bytes);
  }
}
