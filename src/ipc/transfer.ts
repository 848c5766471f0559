// How out-of-line data gets from one address space into another. A machine has one way for all of its messages
// (option kernel.transfer): page lists, the paper's, or one of those that it is compared with.

import type { MapCopy } from "../vm/map-copy.ts";
import type { PageList } from "../vm/page-list.ts";
import type { TaskMemory } from "../vm/task-memory.ts";

export interface Transfer {
  /** Takes `bytes` bytes at `address`. `direct`: they go to an interface (another node, a device) rather than into
   *  a queue of this node. null: nothing has happened, and memory.status says
   *  why. */
  take(
    memory: TaskMemory,
    address: number,
    bytes: number,
    deallocate: boolean,
    direct: boolean,
  ): PageList | MapCopy | null;
  /** Makes a region memory of the task at memory.address. Returns KERN_SUCCESS, and the region is used up; or
   *  another status, and nothing has happened. */
  give(memory: TaskMemory, region: PageList | MapCopy): number;
  /** A whole list has come from the network; `awaited`: somebody is waiting for its message. Returns the list that
   *  the message holds from now on. */
  arrived(list: PageList, awaited: boolean): PageList;
  /** Gives up a region, or what is left of one that was sent. */
  discard(region: PageList | MapCopy): void;
  /** Lists of pages that are kept beside those of messages: for checks. */
  keptLists(): PageList[];
  /** A task has ended: what it had for its messages goes before its memory does. */
  taskEnded(memory: TaskMemory): void;
  /** An empty list for data that is to arrive, `pages` pages long. */
  newList(offset: number, bytes: number, pages: number): PageList;
}
