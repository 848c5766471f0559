// Data between a disk and the pages of messages. What is written goes out of the frames where the pages are,
// what is read comes into fresh frames, which travel in the reply: nothing is copied.

import { assert } from "../base/assert.ts";
import { DISK_RECORD_BYTES } from "../base/limits.ts";
import { D_IO_ERROR, D_NO_MEMORY, KERN_MEMORY_ERROR, KERN_SUCCESS } from "../base/status.ts";
import { FRAME_MESSAGE, NO_FRAME } from "../hardware/frame-table.ts";
import type { MapCopy } from "../vm/map-copy.ts";
import { ABSENT, frameOf, PageList, residentEntry } from "../vm/page-list.ts";
import type { VirtualMemory } from "../vm/virtual-memory.ts";
import { type DiskDevice, PIECES_MAX } from "./disk-device.ts";

export class DiskTransfer {
  private readonly vm: VirtualMemory;
  private readonly pageBytes: number;
  /** Whole frames, byte by byte; made when first they are needed. */
  private readonly views: Uint8Array[] = [];
  /** The transfer under way: its pieces, their bytes, and the pages to be done with after it. */
  private readonly pieces: Uint8Array[] = [];
  private pieceBytes = 0;
  private readonly held: number[] = [];

  constructor(vm: VirtualMemory) {
    this.vm = vm;
    this.pageBytes = vm.memory.layout.pageBytes;
  }

  /** Writes data from a record on; the pages of a list are given up one after the other, the rest is the
   *  caller's to discard. Returns KERN_SUCCESS, what writable() says, D_IO_ERROR, or D_NO_MEMORY if a page is on
   *  swap and finds no frame; some may be written then. */
  write(disk: DiskDevice, recnum: number, data: PageList | MapCopy): number {
    let status = disk.writable(recnum, data.bytes);
    let position = recnum * DISK_RECORD_BYTES;
    let from = data.offset;
    let left = data.bytes;
    for (let page = 0; left > 0 && status === KERN_SUCCESS; ) {
      const entry = this.entryOf(data, page);
      if (entry >= 0) {
        const length = Math.min(left, this.pageBytes - from);
        this.add(frameOf(entry), from, length);
        from = 0;
        left -= length;
        page += 1;
        if (left > 0 && this.pieces.length < PIECES_MAX) continue;
      } else if (entry === -KERN_MEMORY_ERROR || this.pieces.length === 0) {
        status = entry === -KERN_MEMORY_ERROR ? D_IO_ERROR : D_NO_MEMORY;
        break;
      }
      // When frames are short, those of what is at hand are to be had once it is written.
      status = disk.write(position, this.pieces, this.pieceBytes);
      position += this.pieceBytes;
      this.done();
    }
    this.done();
    return status;
  }

  /** Reads up to `wanted` bytes from a record on into `list`, which is empty. Returns KERN_SUCCESS, what
   *  readable() says, D_IO_ERROR, or D_NO_MEMORY; the list is empty then. */
  read(disk: DiskDevice, recnum: number, wanted: number, list: PageList): number {
    assert(list.count === 0, "the list is empty");
    const bytes = disk.readable(recnum, wanted);
    if (bytes < 0) return -bytes;
    // One message does not drive everything else out of memory.
    if (bytes > (this.vm.memory.layout.frameCount >> 1) * this.pageBytes) return D_NO_MEMORY;
    let position = recnum * DISK_RECORD_BYTES;
    let status = KERN_SUCCESS;
    for (let left = bytes; left > 0 && status === KERN_SUCCESS; ) {
      const frame = this.vm.grab(FRAME_MESSAGE);
      if (frame === NO_FRAME) {
        status = D_NO_MEMORY;
        break;
      }
      list.push(residentEntry(frame));
      const length = Math.min(left, this.pageBytes);
      // What lies behind the data is somebody else's.
      if (length < this.pageBytes) this.viewOf(frame).fill(0, length);
      this.add(frame, 0, length);
      left -= length;
      if (left > 0 && this.pieces.length < PIECES_MAX) continue;
      status = disk.read(position, this.pieces, this.pieceBytes);
      position += this.pieceBytes;
      this.done();
    }
    this.done();
    if (status === KERN_SUCCESS) list.bytes = bytes;
    else this.vm.discardList(list);
    return status;
  }

  /** The entry of a page of data, in memory and held; or -KERN_MEMORY_ERROR, -KERN_RESOURCE_SHORTAGE. It is taken
   *  off a list, so that pageout, which may know the list, leaves it alone. */
  private entryOf(data: PageList | MapCopy, page: number): number {
    if (data instanceof PageList) {
      const status = this.vm.bringIn(data, page);
      if (status !== KERN_SUCCESS) return -status;
      const entry = data.entries[page]!;
      assert(page < data.count && entry !== ABSENT, "data has pages");
      data.entries[page] = ABSENT;
      this.held.push(entry);
      return entry;
    }
    const entry = this.vm.pageOfCopy(data, page);
    assert(entry !== ABSENT, "data has pages");
    if (entry > 0) this.held.push(entry);
    return entry;
  }

  private add(frame: number, from: number, length: number): void {
    const view = this.viewOf(frame);
    const whole = length === this.pageBytes;
    this.pieces.push(whole ? view : view.subarray(from, from + length));
    this.pieceBytes += length;
  }

  /** The pieces have been transferred, or will not be. */
  private done(): void {
    for (const entry of this.held) this.vm.pageDone(entry);
    this.held.length = 0;
    this.pieces.length = 0;
    this.pieceBytes = 0;
  }

  private viewOf(frame: number): Uint8Array {
    let view = this.views[frame];
    if (view === undefined) {
      const { bytes } = this.vm.memory;
      const at = this.vm.memory.frameByte(frame);
      view = bytes.subarray(at, at + this.pageBytes);
      this.views[frame] = view;
    }
    return view;
  }
}
