// One entry of an address map: virtual pages that are next to each other and have the same backing and the
// same attributes.

import type { Backing } from "./backing.ts";

export class MapEntry {
  /** Virtual pages [start, end). */
  start: number;
  end: number;
  backing: Backing;
  /** Page of the backing that `start` is. */
  offset: number;
  /** VM_PROT_* and VM_INHERIT_* (protection.ts). */
  protection: number;
  maxProtection: number;
  inheritance: number;
  /** Other maps see the same memory. */
  shared = false;

  /** Takes over one reference to the backing. */
  constructor(
    start: number,
    end: number,
    backing: Backing,
    offset: number,
    protection: number,
    maxProtection: number,
    inheritance: number,
  ) {
    this.start = start;
    this.end = end;
    this.backing = backing;
    this.offset = offset;
    this.protection = protection;
    this.maxProtection = maxProtection;
    this.inheritance = inheritance;
  }

  /** A part of it, or all, with the same backing. */
  part(start: number, end: number): MapEntry {
    const offset = this.offset + start - this.start;
    const { backing, protection, maxProtection, inheritance } = this;
    const part = new MapEntry(start, end, backing, offset, protection, maxProtection, inheritance);
    part.shared = this.shared;
    backing.references += 1;
    return part;
  }

  /** True if `next` goes on where this ends, in every respect. */
  joins(next: MapEntry): boolean {
    return (
      this.end === next.start &&
      this.backing === next.backing &&
      this.offset + next.start - this.start === next.offset &&
      this.protection === next.protection &&
      this.maxProtection === next.maxProtection &&
      this.inheritance === next.inheritance &&
      this.shared === next.shared
    );
  }
}
