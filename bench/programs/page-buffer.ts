// The data that a program of the large-message suites sends over and over: nothing, a few bytes inline, or
// whole pages of its task's memory. Marks the first and last byte of every page, so that the
// receiver can tell that each has come (held-region.ts).
//   writeBody(message)   once: the body stays as it is when the message is sent again
//   renew(message)       before each send: new pages if they go with the message, or written ones
//   release()            gives the pages up

import type { Message, Task } from "../../src/index.ts";
import { firstByteOf, lastByteOf } from "./page-args.ts";
import { fillPayload } from "./slice-args.ts";

export class PageBuffer {
  private readonly task: Task;
  private readonly bytes: number;
  private readonly salt: number;
  private readonly deallocate: boolean;
  private readonly rewrite: boolean;
  private address = 0;
  /** Only of memory that goes with the message: it has gone. */
  private isSent = false;

  /** `bytes` below a page go inline; from a page on it must be whole pages. */
  constructor(task: Task, bytes: number, salt: number, deallocate: boolean, rewrite: boolean) {
    const { pageBytes } = task.vm;
    if (bytes > pageBytes && bytes % pageBytes !== 0) {
      throw new RangeError(`${bytes} bytes are not whole pages of ${pageBytes}`);
    }
    this.task = task;
    this.bytes = bytes;
    this.salt = salt;
    this.deallocate = deallocate && bytes >= pageBytes;
    this.rewrite = rewrite && bytes >= pageBytes;
    if (bytes >= pageBytes) this.make();
  }

  writeBody(message: Message): void {
    message.clear();
    if (this.address !== 0) {
      message.addRegion(this.address, this.bytes, this.deallocate);
      return;
    }
    fillPayload(message.bytes, this.bytes);
    message.size = this.bytes;
  }

  renew(message: Message): void {
    if (this.deallocate) {
      // The memory of the last time has gone with its message, if there was one.
      if (this.isSent) this.make();
      this.isSent = true;
      this.writeBody(message);
    } else if (this.rewrite) {
      this.mark();
    }
  }

  release(): void {
    if (this.address !== 0 && !this.isSent) this.task.vm.deallocate(this.address, this.bytes);
    this.address = 0;
  }

  private make(): void {
    this.address = this.task.vm.allocate(this.bytes);
    this.mark();
  }

  private mark(): void {
    const { memory, vm } = this.task;
    const { pageBytes } = vm;
    const end = this.address + this.bytes;
    for (let at = this.address, page = 0; at < end; at += pageBytes, page++) {
      memory.store8(at, firstByteOf(page, this.salt));
      memory.store8(at + pageBytes - 1, lastByteOf(page, this.salt));
    }
  }
}
