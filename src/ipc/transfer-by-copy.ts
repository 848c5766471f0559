// What page lists save: the kernel copies the data into frames of its own when it is sent, and out of them when it is
// received, as Mach did with data in line, and as a device wants it that cannot gather.

import { COUNTERS } from "../base/counters.ts";
import { KERN_RESOURCE_SHORTAGE, KERN_SUCCESS } from "../base/status.ts";
import { FRAME_MESSAGE, NO_FRAME } from "../hardware/frame-table.ts";
import type { PhysicalMemory } from "../hardware/physical-memory.ts";
import type { MapCopy } from "../vm/map-copy.ts";
import { frameOf, PageList, residentEntry } from "../vm/page-list.ts";
import type { TaskMemory } from "../vm/task-memory.ts";
import type { VirtualMemory } from "../vm/virtual-memory.ts";
import { regionPages } from "./region.ts";
import { Transfer } from "./transfer.ts";

export class TransferByCopy extends Transfer {
  protected readonly memory: PhysicalMemory;

  constructor(vm: VirtualMemory, memory: PhysicalMemory) {
    super(vm);
    this.memory = memory;
  }

  take(
    memory: TaskMemory,
    address: number,
    bytes: number,
    deallocate: boolean,
    _direct: boolean,
  ): PageList | MapCopy | null {
    const list = this.copyOfMemory(memory, address, bytes);
    if (list !== null && deallocate) memory.vmDeallocate(address, bytes);
    return list;
  }

  give(memory: TaskMemory, region: PageList | MapCopy): number {
    if (!(region instanceof PageList)) return memory.copyoutObject(region);
    const copy = this.copyOfList(region);
    if (copy === null) return KERN_RESOURCE_SHORTAGE;
    const status = memory.copyoutPages(copy);
    this.vm.discardList(status === KERN_SUCCESS ? region : copy);
    return status;
  }

  /** Frames of the kernel's with what is in a task's memory; null: memory.status says why. */
  protected copyOfMemory(memory: TaskMemory, address: number, bytes: number): PageList | null {
    const list = this.emptyFrames(address % memory.pageBytes, bytes);
    if (list === null) {
      memory.status = KERN_RESOURCE_SHORTAGE;
      return null;
    }
    const { memory: physical } = this;
    let page = 0;
    memory.status = memory.framesOf(address, bytes, (frame, from, length) => {
      const to = physical.frameByte(frameOf(list.entries[page]!)) + from;
      physical.copyBytes(to, physical.frameByte(frame) + from, length);
      page += 1;
    });
    if (memory.status !== KERN_SUCCESS) {
      this.vm.discardList(list);
      return null;
    }
    physical.counters[COUNTERS.dataCopiedBytes.index]! += bytes;
    return list;
  }

  /** The same of what a list holds; null: frames are short. */
  protected copyOfList(list: PageList): PageList | null {
    const copy = this.emptyFrames(list.offset, list.bytes);
    if (copy === null) return null;
    for (let page = 0; page < list.count; page++) {
      if (this.vm.bringIn(list, page) !== KERN_SUCCESS) {
        this.vm.discardList(copy);
        return null;
      }
      this.memory.copyFrame(frameOf(copy.entries[page]!), frameOf(list.entries[page]!));
    }
    this.memory.counters[COUNTERS.dataCopiedBytes.index]! += list.bytes;
    return copy;
  }

  private emptyFrames(offset: number, bytes: number): PageList | null {
    const pages = regionPages(offset, bytes, this.memory.layout.pageBytes);
    const list = new PageList().expect(offset, bytes, pages);
    while (list.count < pages) {
      const frame = this.vm.grab(FRAME_MESSAGE);
      if (frame === NO_FRAME) {
        this.vm.discardList(list);
        return null;
      }
      list.entries[list.count++] = residentEntry(frame);
    }
    return list;
  }
}
