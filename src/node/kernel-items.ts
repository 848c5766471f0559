// Items of a kernel message, for kernel servers: rights are Ports, null for a null or dead one; memory out of
// line is the message's pages, null for none. A request is read first; then its reply is written over it,
// in the same kernel message.

import { MESSAGE_BODY_BYTES_MAX } from "../base/limits.ts";
import { FRAME_MESSAGE, NO_FRAME } from "../hardware/frame-table.ts";
import { PACKET_INLINE_BYTES_MAX } from "../hardware/packet-layout.ts";
import type { IpcContext } from "../ipc/context.ts";
import { BODY_DEAD } from "../ipc/copyin.ts";
import { bodyWord, bodyWords, type KernelMessage } from "../ipc/kernel-message.ts";
import type { Overflow } from "../ipc/overflow.ts";
import type { Port } from "../ipc/port.ts";
import { releaseBody, releaseRight } from "../ipc/release.ts";
import { type CarriedRight, carriedRight, type Disposition } from "../ipc/rights.ts";
import { BodyReader, BodyWriter, NO_ROOM } from "../mig/body-items.ts";
import type { MapCopy } from "../vm/map-copy.ts";
import type { PageList } from "../vm/page-list.ts";

/** What stands for a right in a kernel server's arguments and results. */
export type KernelRight = Port | null;
/** What stands for memory out of line: the pages that a request has brought or that a reply takes along. */
export type KernelMemory = PageList | MapCopy | null;

/** Reads a request. Its rights and its memory stay the request's until the server takes them all. */
export class KernelReader extends BodyReader<KernelRight, KernelMemory> {
  protected override readonly noRight = null;
  private readonly ipc: IpcContext;
  private complex = false;
  private overflow: Overflow | null = null;
  /** The words of the regions read. */
  private readonly regionsRead: number[] = [];

  constructor(ipc: IpcContext) {
    super(ipc.memory.words, ipc.memory.bytes);
    this.ipc = ipc;
  }

  begin(request: KernelMessage): void {
    const { memory } = this.ipc;
    this.words = bodyWords(memory, request);
    this.byteView = this.words === memory.words ? memory.bytes : new Uint8Array(this.words.buffer);
    this.at = bodyWord(memory, request);
    this.end = this.at + (request.size >> 2);
    this.failed = (request.size & 3) !== 0;
    this.complex = request.complex;
    this.overflow = request.overflow;
    this.regionsRead.length = 0;
  }

  /** What a body that is not complex has in place of rights are not rights. */
  override right(kind: CarriedRight): KernelRight {
    if (!this.complex) this.failed = true;
    return super.right(kind);
  }

  override rights(kind: CarriedRight): KernelRight[] {
    if (!this.complex) this.failed = true;
    return super.rights(kind);
  }

  override region(): KernelMemory {
    if (!this.complex) this.failed = true;
    const data = this.regionItem();
    if (this.failed) return null;
    const word = this.words[data]!;
    if (word === 0) return null;
    this.regionsRead.push(word);
    return this.overflow!.at(word) as PageList | MapCopy;
  }

  /** The memory that was read is the server's from now on: the request no longer owns it. */
  takeRegions(): void {
    for (const word of this.regionsRead) this.overflow!.take(word);
    this.overflow = null;
  }

  protected override isDead(word: number): boolean {
    return word === BODY_DEAD;
  }

  protected override rightOf(word: number): KernelRight {
    return word > 0 ? this.ipc.ports.byIndex(word) : null;
  }
}

/** Writes a reply; every right and all memory written is given away. Written apart, and put into the reply when it is
 *  whole: results may be larger than the request was. */
export class KernelWriter extends BodyWriter<KernelRight, KernelMemory> {
  private readonly ipc: IpcContext;
  private readonly regions: (PageList | MapCopy)[] = [];
  /** Something was larger than any message. */
  private overflowed = false;

  constructor(ipc: IpcContext) {
    const words = new Int32Array(PACKET_INLINE_BYTES_MAX / 4);
    super(words, new Uint8Array(words.buffer));
    this.ipc = ipc;
  }

  begin(): void {
    this.at = 0;
    this.end = this.words.length;
    this.complex = false;
    this.overflowed = false;
    this.regions.length = 0;
  }

  override region(memory: KernelMemory): void {
    const data = this.regionItem(memory === null ? 0 : memory.bytes, true);
    if (memory !== null) this.regions.push(memory);
    if (data !== NO_ROOM) this.words[data] = memory === null ? 0 : this.regions.length;
  }

  /** Makes what was written the body of `reply`. False: there is no room for it, and its rights are
   *  released, its memory is discarded; the reply has no body. */
  finish(reply: KernelMessage): boolean {
    const { pool, memory } = this.ipc;
    if (reply.overflow !== null) pool.dropOverflow(reply);
    reply.size = this.at * 4;
    reply.complex = this.complex;
    reply.rights = this.complex;
    const placed = this.makeRoom(reply) && !this.overflowed;
    for (const region of this.regions) pool.overflowOf(reply).add(region);
    this.regions.length = 0;
    const body = this.words.subarray(0, this.at);
    bodyWords(memory, reply).set(body, bodyWord(memory, reply));
    if (!placed) this.discard(reply);
    return placed;
  }

  /** Inline, in a frame or beyond, as the size wants it. False: no frame is free, and the body is beyond. */
  private makeRoom(reply: KernelMessage): boolean {
    const { pool, memory, frames } = this.ipc;
    const paged = reply.size <= memory.layout.pageBytes;
    if (reply.size <= PACKET_INLINE_BYTES_MAX && reply.frame === NO_FRAME) return true;
    if (paged && reply.frame === NO_FRAME) reply.frame = frames.allocate(FRAME_MESSAGE);
    if (paged && reply.frame !== NO_FRAME) return true;
    if (reply.frame !== NO_FRAME) frames.free(reply.frame, FRAME_MESSAGE);
    reply.frame = NO_FRAME;
    pool.overflowOf(reply).addBody(reply.size);
    pool.chargeLarge(reply, reply.size);
    return !paged;
  }

  /** Releases what a finished reply carries and empties it. */
  discard(reply: KernelMessage): void {
    if (reply.complex) releaseBody(this.ipc, reply);
    if (reply.overflow !== null) this.ipc.pool.dropOverflow(reply);
    reply.complex = false;
    reply.size = 0;
  }

  protected override grow(words: number): boolean {
    const needed = this.end + words;
    if (needed * 4 > MESSAGE_BODY_BYTES_MAX) {
      this.overflowed = true;
      return false;
    }
    const room = Math.min(Math.max(needed, 2 * this.words.length), MESSAGE_BODY_BYTES_MAX / 4);
    const larger = new Int32Array(room);
    larger.set(this.words.subarray(0, this.at));
    this.words = larger;
    this.byteView = new Uint8Array(larger.buffer);
    this.end = larger.length;
    return true;
  }

  protected override wordOf(right: KernelRight): number {
    return right === null ? 0 : right.index;
  }

  protected override typeOf(disposition: Disposition): number {
    return carriedRight(disposition);
  }

  protected override refuse(right: KernelRight, disposition: Disposition): void {
    if (right !== null) releaseRight(this.ipc, right, carriedRight(disposition));
  }
}
