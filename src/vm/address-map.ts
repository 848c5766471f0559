// A task's address map: which virtual pages are allocated, and what is behind them. Entries in order, found
// by binary search; new memory goes to the lowest place that is large enough, so that addresses are used again.
// Addresses here are numbers of virtual pages.

import { KERN_INVALID_ADDRESS, KERN_PROTECTION_FAILURE, KERN_SUCCESS } from "../base/status.ts";
import { Backing } from "./backing.ts";
import { MapEntry } from "./map-entry.ts";
import type { ObjectPool } from "./object-pool.ts";
import type { PageTable } from "./page-table.ts";
import { VM_INHERIT_COPY, VM_PROT_ALL, VM_PROT_DEFAULT } from "./protection.ts";

/** There is no such place. */
export const NO_PLACE = -1;

export class AddressMap {
  /** In order of their addresses. */
  readonly entries: MapEntry[] = [];
  /** Pages that may be allocated: [first, end). */
  readonly first: number;
  readonly end: number;
  /** Pages allocated. */
  pages = 0;
  private readonly objects: ObjectPool;
  private readonly pageTable: PageTable;
  /** No page below is free. */
  private firstFree: number;
  /** Where the last search ended. */
  private recent = 0;

  constructor(objects: ObjectPool, pageTable: PageTable, first: number, end: number) {
    this.objects = objects;
    this.pageTable = pageTable;
    this.first = first;
    this.end = end;
    this.firstFree = first;
  }

  /** The entry of a page, or null. */
  lookup(page: number): MapEntry | null {
    const recent = this.entries[this.recent];
    if (recent !== undefined && page >= recent.start && page < recent.end) return recent;
    const index = this.indexAt(page);
    const entry = this.entries[index];
    if (entry === undefined || page < entry.start) return null;
    this.recent = index;
    return entry;
  }

  /** Index of the first entry that ends behind a page. */
  indexAt(page: number): number {
    const { entries } = this;
    let low = 0;
    let high = entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (entries[middle]!.end > page) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** KERN_SUCCESS if all of [first, end) is allocated and allows `protection`; else KERN_INVALID_ADDRESS or
   *  KERN_PROTECTION_FAILURE, whichever comes first. */
  check(first: number, end: number, protection: number): number {
    let entry = this.lookup(first);
    for (let index = this.recent; ; index++) {
      if (entry === null) return KERN_INVALID_ADDRESS;
      if ((entry.protection & protection) !== protection) return KERN_PROTECTION_FAILURE;
      if (entry.end >= end) return KERN_SUCCESS;
      const next: MapEntry | undefined = this.entries[index + 1];
      entry = next !== undefined && next.start === entry.end ? next : null;
    }
  }

  /** The lowest place for `pages` pages whose number has none of the bits of `mask`; or NO_PLACE. */
  findPlace(pages: number, mask: number): number {
    const { entries } = this;
    let page = this.firstFree;
    let index = this.indexAt(page);
    for (; index < entries.length && entries[index]!.start <= page; index++) {
      page = entries[index]!.end;
    }
    this.firstFree = page;
    for (; ; index++) {
      page = (page + mask) & ~mask;
      const entry = entries[index];
      if (page + pages <= (entry === undefined ? this.end : entry.start)) return page;
      if (entry === undefined) return NO_PLACE;
      page = entry.end;
    }
  }

  /** True if none of [first, end) is allocated. */
  isFree(first: number, end: number): boolean {
    const next = this.entries[this.indexAt(first)];
    return next === undefined || next.start >= end;
  }

  /** Maps a backing, of which this becomes one more user, at pages that are free. */
  insert(start: number, pages: number, backing: Backing, offset: number): MapEntry {
    const entry = new MapEntry(
      start,
      start + pages,
      backing,
      offset,
      VM_PROT_DEFAULT,
      VM_PROT_ALL,
      VM_INHERIT_COPY,
    );
    backing.references += 1;
    this.put(entry);
    return entry;
  }

  /** Puts an entry in its place. */
  put(entry: MapEntry): void {
    const { entries } = this;
    const index = this.indexAt(entry.start);
    if (index === entries.length) entries.push(entry);
    else entries.splice(index, 0, entry);
    this.recent = index;
    this.pages += entry.end - entry.start;
  }

  /** Cuts the entry that a page is inside of, so that one begins there. */
  cut(page: number): void {
    const entry = this.lookup(page);
    if (entry === null || entry.start === page) return;
    const rest = entry.part(page, entry.end);
    entry.end = page;
    this.entries.splice(this.indexAt(page), 0, rest);
  }

  /** Joins again what was cut in and around [first, end) and does not differ. */
  join(first: number, end: number): void {
    const { entries } = this;
    for (let index = Math.max(1, this.indexAt(first)); index < entries.length; ) {
      const before = entries[index - 1]!;
      const entry = entries[index]!;
      if (entry.start > end) return;
      if (before.joins(entry)) {
        before.end = entry.end;
        entry.backing.references -= 1;
        entries.splice(index, 1);
      } else index += 1;
    }
  }

  /** Gives all of [first, end) up; holes are fine. */
  remove(first: number, end: number): void {
    const { entries } = this;
    this.cut(first);
    this.cut(end);
    const index = this.indexAt(first);
    if (index === entries.length || entries[index]!.start >= end) return;
    let stop = index;
    for (; stop < entries.length && entries[stop]!.start < end; stop++) this.drop(entries[stop]!);
    if (stop === entries.length) entries.length = index;
    else entries.splice(index, stop - index);
    this.firstFree = Math.min(this.firstFree, Math.max(first, this.first));
  }

  private drop(entry: MapEntry): void {
    const { start, end, backing, offset, shared } = entry;
    const { object } = backing;
    this.pageTable.remove(start, end);
    this.pages -= end - start;
    if (backing.references > 1 && object.references === 1 && !shared) {
      const first = backing.offset + offset;
      this.objects.dropPages(object, first, first + end - start);
    }
    this.releaseBacking(backing);
  }

  /** One map entry less; without any, the object is given up. */
  releaseBacking(backing: Backing): void {
    backing.references -= 1;
    if (backing.references > 0) return;
    if (backing.origin !== null) backing.origin.shared = null;
    this.objects.release(backing.object);
  }

  /** Gives an entry that was cut off others a backing of its own, on the same object. */
  ownBacking(entry: MapEntry): void {
    const { backing, offset } = entry;
    const pages = entry.end - entry.start;
    if (backing.pages === pages) return;
    if (backing.references === 1) {
      backing.offset += offset;
      backing.pages = pages;
    } else {
      const { object, needsCopy } = backing;
      object.references += 1;
      entry.backing = new Backing(object, backing.offset + offset, pages, needsCopy);
      entry.backing.references = 1;
      backing.references -= 1;
    }
    entry.offset = 0;
  }
}
