// A page list: the pages of out-of-line data in a message, sent or arrived, and how an entry of it is read.
// An entry, here and in a memory object, is one number:
//   0                          nothing is there
//   frame + 1                  a page in memory; on a list, one that the list owns (FRAME_MESSAGE)
//     with PAGE_BORROWED       a page of an object, which this list only borrows: it is wired
//     with PAGE_LOCKED too     and busy, so that nobody changes it meanwhile
//     with PAGE_PARKED too     whose message waits for room: nobody reads it yet
//   -(slot + 1)                a page on swap
// (Mach 3.0's vm_map_copy of type page list.)

export const ABSENT = 0;
export const PAGE_BORROWED = 1 << 30;
export const PAGE_LOCKED = 1 << 29;
export const PAGE_PARKED = 1 << 28;
const FRAME_BITS = PAGE_PARKED - 1;

export const isResident = (entry: number): boolean => entry > 0;
export const isSwapped = (entry: number): boolean => entry < 0;
export const isBorrowed = (entry: number): boolean => entry > 0 && (entry & PAGE_BORROWED) !== 0;

/** The frame of a resident entry. */
export const frameOf = (entry: number): number => (entry & FRAME_BITS) - 1;
export const residentEntry = (frame: number): number => frame + 1;

/** The swap slot of a swapped entry. */
export const slotOf = (entry: number): number => -entry - 1;
export const swappedEntry = (slot: number): number => -(slot + 1);

/** How copyinPages() keeps the sender off the pages: not at all (the sender waits), by making them busy,
 *  or by taking them away. */
export const PAGES_HOLD = 0;
export const PAGES_BUSY = 1;
export const PAGES_STEAL = 2;
export type PageMode = typeof PAGES_HOLD | typeof PAGES_BUSY | typeof PAGES_STEAL;

/** Entries of a new list; it grows when it must. */
const ENTRIES_FIRST = 16;

export class PageList {
  /** Bytes of the first page that lie before the data. */
  offset = 0;
  /** Bytes of data. */
  bytes = 0;
  /** Entries in use; of a list that is arriving, `pages` in the end. */
  count = 0;
  pages = 0;
  entries = new Int32Array(ENTRIES_FIRST);
  /** Arrived lists that pageout knows are linked, oldest first. */
  linked = false;
  next: PageList | null = null;
  previous: PageList | null = null;

  /** Forgets what is on it. The pages must be somebody else's by now, and the list not linked. */
  reset(): void {
    this.offset = 0;
    this.bytes = 0;
    this.count = 0;
  }

  /** Makes an empty list one for `pages` pages of data that are still to come. */
  expect(offset: number, bytes: number, pages: number): this {
    this.offset = offset;
    this.bytes = bytes;
    this.count = 0;
    this.pages = pages;
    this.reserve(pages);
    return this;
  }

  push(entry: number): void {
    if (this.count === this.entries.length) this.grow(this.count + 1);
    this.entries[this.count++] = entry;
  }

  /** Makes room for `count` entries. */
  reserve(count: number): void {
    if (count > this.entries.length) this.grow(count);
  }

  private grow(count: number): void {
    const larger = new Int32Array(Math.max(count, 2 * this.entries.length));
    larger.set(this.entries);
    this.entries = larger;
  }
}
