// What the last message of a large-message suite brought: its out-of-line pages, kept until the next message
// comes, so that what was moved while the clock ran can be checked when it has stopped.

import type { Message, Task } from "../../src/index.ts";
import { firstByteOf, lastByteOf } from "./page-args.ts";
import { checkPayload } from "./slice-args.ts";

export class HeldRegion {
  private readonly task: Task;
  private address = 0;
  /** Of the region, or of the inline body. */
  private bytes = 0;

  constructor(task: Task) {
    this.task = task;
  }

  /** Takes over what `message` brought, in place of what the message before had. */
  take(message: Message): void {
    this.release();
    if (!message.complex) {
      this.bytes = message.size;
      return;
    }
    const region = message.takeRegion();
    this.address = region.address;
    this.bytes = region.bytes;
  }

  /** Throws unless it is `bytes` bytes, marked by a PageBuffer with `salt`. `inline`: the message, if it is
   *  still there, for bodies below a page. */
  check(bytes: number, salt: number, inline: Message | null): void {
    if (this.bytes !== bytes) throw new Error(`${this.bytes} bytes came of ${bytes}`);
    const { memory, vm } = this.task;
    const { pageBytes } = vm;
    if (bytes < pageBytes) {
      if (inline !== null) checkPayload(inline.bytes, inline.size, bytes);
      return;
    }
    if (this.address === 0) throw new Error(`no memory came with ${bytes} bytes`);
    for (let at = 0, page = 0; at < bytes; at += pageBytes, page++) {
      const first = memory.load8(this.address + at);
      const last = memory.load8(this.address + at + pageBytes - 1);
      if (first === firstByteOf(page, salt) && last === lastByteOf(page, salt)) continue;
      throw new Error(`page ${page} of ${bytes / pageBytes} came wrong: ${first} ... ${last}`);
    }
  }

  release(): void {
    if (this.address !== 0) this.task.vm.deallocate(this.address, this.bytes);
    this.address = 0;
    this.bytes = 0;
  }
}
