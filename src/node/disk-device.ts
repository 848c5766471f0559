// A disk of a node: records of 512 bytes, in a file of the host's. Its data goes out of and comes into
// pieces of memory, page frames say, by gather and scatter I/O: nothing is copied on the way.
// The thread stands still for as long as the host's file system takes.

import { readvSync, writevSync } from "node:fs";
import { assert } from "../base/assert.ts";
import { DISK_RECORD_BYTES } from "../base/limits.ts";
import {
  D_INVALID_RECNUM,
  D_INVALID_SIZE,
  D_IO_ERROR,
  D_READ_ONLY,
  KERN_SUCCESS,
} from "../base/status.ts";
import type { DiskRecord } from "./disk-file.ts";

/** Pieces of one transfer, at most: so many pages are wired at once, and every system takes as many in one
 *  call (IOV_MAX). */
export const PIECES_MAX = 64;

export class DiskDevice {
  readonly name: string;
  readonly bytes: number;
  readonly readOnly: boolean;
  private readonly file: DiskRecord;

  constructor(file: DiskRecord) {
    this.file = file;
    this.name = file.name;
    this.bytes = file.bytes;
    this.readOnly = file.readOnly;
  }

  /** Records, the last of which may be short. */
  get records(): number {
    return Math.ceil(this.bytes / DISK_RECORD_BYTES);
  }

  /** How many of `wanted` bytes there are from a record on, 1 at least; or -D_INVALID_RECNUM,
   *  -D_INVALID_SIZE. */
  readable(recnum: number, wanted: number): number {
    if (wanted <= 0) return -D_INVALID_SIZE;
    if (!this.has(recnum)) return -D_INVALID_RECNUM;
    return Math.min(wanted, this.bytes - recnum * DISK_RECORD_BYTES);
  }

  /** Whether `bytes` bytes can be written from a record on: KERN_SUCCESS, D_READ_ONLY, D_INVALID_RECNUM, or
   *  D_INVALID_SIZE if they are not whole records, or do not fit. */
  writable(recnum: number, bytes: number): number {
    if (this.readOnly) return D_READ_ONLY;
    if (!this.has(recnum)) return D_INVALID_RECNUM;
    const room = this.bytes - recnum * DISK_RECORD_BYTES;
    const whole = bytes % DISK_RECORD_BYTES === 0 || bytes === room;
    return whole && bytes > 0 && bytes <= room ? KERN_SUCCESS : D_INVALID_SIZE;
  }

  /** Fills all pieces with `bytes` bytes, their sum, from byte `position` on. D_IO_ERROR: they may hold
   *  anything. */
  read(position: number, pieces: readonly Uint8Array[], bytes: number): number {
    assert(pieces.length <= PIECES_MAX, "the pieces are one transfer");
    try {
      return readvSync(this.file.fd, pieces, position) === bytes ? KERN_SUCCESS : D_IO_ERROR;
    } catch {
      return D_IO_ERROR;
    }
  }

  /** Writes `bytes` bytes, the sum of all pieces, from byte `position` on. D_IO_ERROR: some may be written. */
  write(position: number, pieces: readonly Uint8Array[], bytes: number): number {
    assert(pieces.length <= PIECES_MAX, "the pieces are one transfer");
    try {
      return writevSync(this.file.fd, pieces, position) === bytes ? KERN_SUCCESS : D_IO_ERROR;
    } catch {
      return D_IO_ERROR;
    }
  }

  private has(recnum: number): boolean {
    return recnum >= 0 && recnum < this.records;
  }
}
