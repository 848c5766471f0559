// What tasks' memories should be, as plainly as it can be said: each page is a page of bytes with attributes,
// and two tasks that share a page have the same bytes.

import {
  KERN_INVALID_ADDRESS,
  KERN_PROTECTION_FAILURE,
  KERN_SUCCESS,
} from "../../src/base/status.ts";
import { VM_INHERIT_COPY, VM_INHERIT_NONE, VM_INHERIT_SHARE } from "../../src/vm/protection.ts";
import { PAGE } from "../support/virtual-memory.ts";

export interface ModelPage {
  readonly bytes: Uint8Array;
  protection: number;
  maxProtection: number;
  inheritance: number;
}

export const FIRST_PAGE = 0x10000 / PAGE;

export class ModelMemory {
  readonly pages = new Map<number, ModelPage>();

  /** The lowest place for so many pages. */
  findPlace(count: number): number {
    let run = 0;
    for (let page = FIRST_PAGE; ; page++) {
      run = this.pages.has(page) ? 0 : run + 1;
      if (run === count) return page - count + 1;
    }
  }

  add(page: number, bytes = new Uint8Array(PAGE)): void {
    this.pages.set(page, { bytes, protection: 3, maxProtection: 7, inheritance: VM_INHERIT_COPY });
  }

  check(address: number, bytes: number, protection: number): number {
    if (bytes === 0) return KERN_SUCCESS;
    for (let page = Math.floor(address / PAGE); page * PAGE < address + bytes; page++) {
      const found = this.pages.get(page);
      if (found === undefined) return KERN_INVALID_ADDRESS;
      if ((found.protection & protection) !== protection) return KERN_PROTECTION_FAILURE;
    }
    return KERN_SUCCESS;
  }

  /** The pages that are there of those that a range touches. */
  touched(address: number, bytes: number): [number, ModelPage][] {
    const found: [number, ModelPage][] = [];
    for (let page = Math.floor(address / PAGE); page * PAGE < address + bytes; page++) {
      const one = this.pages.get(page);
      if (one !== undefined) found.push([page, one]);
    }
    return found;
  }

  read(address: number, bytes: number): Uint8Array {
    const into = new Uint8Array(bytes);
    for (let i = 0; i < bytes; i++) {
      const page = this.pages.get(Math.floor((address + i) / PAGE))!;
      into[i] = page.bytes[(address + i) % PAGE]!;
    }
    return into;
  }

  write(address: number, from: Uint8Array): void {
    for (let i = 0; i < from.length; i++) {
      const page = this.pages.get(Math.floor((address + i) / PAGE))!;
      page.bytes[(address + i) % PAGE] = from[i]!;
    }
  }

  remove(address: number, bytes: number): void {
    for (const [page] of this.touched(address, bytes)) this.pages.delete(page);
  }

  fork(): ModelMemory {
    const child = new ModelMemory();
    for (const [page, one] of this.pages) {
      if (one.inheritance === VM_INHERIT_NONE) continue;
      const shared = one.inheritance === VM_INHERIT_SHARE;
      child.pages.set(page, { ...one, bytes: shared ? one.bytes : Uint8Array.from(one.bytes) });
    }
    return child;
  }
}
