// A page: what the kernel knows of one frame while a memory object's page is in it (Mach's vm_page). There
// is one for each frame, made at boot; a page of no object is merely a frame.

import type { MemoryObject } from "./memory-object.ts";
import type { PageQueue } from "./page-queue.ts";
import type { PageTable } from "./page-table.ts";

/** A page has no copy on swap: it would have to be written before it goes. */
export const NO_SLOT = -1;

/** One more place where a page is mapped. Nearly all pages have one at most, which is in the page. */
interface Mapping {
  readonly table: PageTable;
  readonly virtualPage: number;
  readonly more: Mapping | null;
}

export class Page {
  readonly frame: number;
  /** Whose page it is, and which of its pages. */
  object: MemoryObject | null = null;
  index = 0;
  /** Where swap has the same bytes; NO_SLOT once it is written to. */
  slot = NO_SLOT;
  /** The queue it is on, and its neighbours there. */
  queue: PageQueue | null = null;
  next: Page | null = null;
  previous: Page | null = null;
  private table: PageTable | null = null;
  private virtualPage = 0;
  private more: Mapping | null = null;

  constructor(frame: number) {
    this.frame = frame;
  }

  /** True if its bytes are nowhere but here. */
  get dirty(): boolean {
    return this.slot === NO_SLOT;
  }

  get mapped(): boolean {
    return this.table !== null;
  }

  /** How many page tables' entries lead to it: for checks. */
  get mappings(): number {
    let count = this.table === null ? 0 : 1;
    for (let { more } = this; more !== null; more = more.more) count += 1;
    return count;
  }

  addMapping(table: PageTable, virtualPage: number): void {
    if (this.table !== null) {
      this.more = { table: this.table, virtualPage: this.virtualPage, more: this.more };
    }
    this.table = table;
    this.virtualPage = virtualPage;
  }

  /** Forgets one; the page table's entry is the caller's. */
  removeMapping(table: PageTable, virtualPage: number): void {
    if (this.table === table && this.virtualPage === virtualPage) {
      const { more } = this;
      this.table = more === null ? null : more.table;
      if (more !== null) this.virtualPage = more.virtualPage;
      this.more = more === null ? null : more.more;
      return;
    }
    this.more = without(this.more, table, virtualPage);
  }

  /** Takes it out of every page table. */
  unmap(): void {
    while (this.table !== null) {
      this.table.forget(this.virtualPage);
      this.removeMapping(this.table, this.virtualPage);
    }
  }

  /** From now on a store to it faults. */
  writeProtect(): void {
    if (this.table === null) return;
    this.table.writeProtect(this.virtualPage);
    for (let { more } = this; more !== null; more = more.more) {
      more.table.writeProtect(more.virtualPage);
    }
  }
}

const without = (
  mapping: Mapping | null,
  table: PageTable,
  virtualPage: number,
): Mapping | null => {
  if (mapping === null) return null;
  if (mapping.table === table && mapping.virtualPage === virtualPage) return mapping.more;
  return { ...mapping, more: without(mapping.more, table, virtualPage) };
};
