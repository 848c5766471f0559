// The swap file of a machine: one temporary file, in which each node has an extent of its own, as many slots
// of a page as memory.swapBytes holds. The host opens and closes it; the nodes, whichever thread they run
// in, read and write it by position through the same descriptor, and none can name another's slots.

import { readSync, writeSync } from "node:fs";
import { assert } from "../base/assert.ts";
import type { SwapDevice } from "../vm/swap.ts";
import { CLOSED, ScratchFile } from "./scratch-file.ts";

/** A swap file as it crosses threads. */
export interface SwapFileRecord {
  /** CLOSED at the host's end once the file is; other threads have ended by then. */
  fd: number;
  readonly slotsPerNode: number;
  readonly pageBytes: number;
}

/** The host's end. */
export class SwapFile {
  readonly record: SwapFileRecord;
  private readonly scratch: ScratchFile;

  /** Throws the system's error. */
  constructor(nodes: number, bytesPerNode: number, pageBytes: number) {
    const slotsPerNode = Math.floor(bytesPerNode / pageBytes);
    this.scratch = new ScratchFile(nodes * slotsPerNode * pageBytes);
    this.record = { fd: this.scratch.fd, slotsPerNode, pageBytes };
  }

  close(): void {
    this.record.fd = CLOSED;
    this.scratch.close();
  }
}

/** A node's slots, 0 to `slots` - 1. */
export class SwapExtent implements SwapDevice {
  readonly slots: number;
  private readonly file: SwapFileRecord;
  private readonly start: number;

  constructor(file: SwapFileRecord, node: number) {
    this.slots = file.slotsPerNode;
    this.file = file;
    this.start = node * file.slotsPerNode * file.pageBytes;
  }

  /** Fills `page` with what was written to the slot last. False: an I/O error; `page` may be anything. */
  read(slot: number, page: Uint8Array): boolean {
    const position = this.positionOf(slot, page);
    try {
      return readSync(this.file.fd, page, 0, page.length, position) === page.length;
    } catch {
      return false;
    }
  }

  /** False: an I/O error, or the disk is full; the slot may hold anything. */
  write(slot: number, page: Uint8Array): boolean {
    const position = this.positionOf(slot, page);
    try {
      return writeSync(this.file.fd, page, 0, page.length, position) === page.length;
    } catch {
      return false;
    }
  }

  private positionOf(slot: number, page: Uint8Array): number {
    assert(slot >= 0 && slot < this.slots, "a slot is the node's own");
    assert(page.length === this.file.pageBytes, "a slot holds a page");
    return this.start + slot * page.length;
  }
}
