// How out-of-line data gets from one address space into another. A machine has one way for all of its messages
// (option kernel.transfer): page lists, the paper's, or one of those that it is compared with. What most of the ways
// have in common stands here.

import type { MapCopy } from "../vm/map-copy.ts";
import { PageList } from "../vm/page-list.ts";
import type { TaskMemory } from "../vm/task-memory.ts";
import type { VirtualMemory } from "../vm/virtual-memory.ts";

export abstract class Transfer {
  protected readonly vm: VirtualMemory;

  constructor(vm: VirtualMemory) {
    this.vm = vm;
  }

  /** Takes `bytes` bytes at `address`. `direct`: they go to an interface (another node, a device) rather than into
   *  a queue of this node. null: nothing has happened, and memory.status says why. */
  abstract take(
    memory: TaskMemory,
    address: number,
    bytes: number,
    deallocate: boolean,
    direct: boolean,
  ): PageList | MapCopy | null;

  /** Makes a region memory of the task at memory.address. Returns KERN_SUCCESS, and the region is used up; or
   *  another status, and nothing has happened. */
  abstract give(memory: TaskMemory, region: PageList | MapCopy): number;

  /** A whole list has come from the network; `awaited`: somebody is waiting for its message. Returns the list that
   *  the message holds from now on. */
  arrived(list: PageList, _awaited: boolean): PageList {
    return list;
  }

  /** Gives up a region, or what is left of one that was sent. */
  discard(region: PageList | MapCopy): void {
    if (region instanceof PageList) this.vm.discardList(region);
    else this.vm.discardCopy(region);
  }

  /** An empty list for data that is to arrive, `pages` pages long. */
  newList(offset: number, bytes: number, pages: number): PageList {
    return new PageList().expect(offset, bytes, pages);
  }

  /** A task has ended: what it had for its messages goes before its memory does. */
  taskEnded(_memory: TaskMemory): void {
    // Most ways have nothing for a task.
  }

  /** Lists of pages that are kept beside those of messages: for checks. */
  keptLists(): PageList[] {
    return [];
  }
}
