// Items of a kernel message, for kernel servers: rights are Ports, null for a null or dead one. A request is
// read first; then its reply is written over it, in the same kernel message.

import { MESSAGE_BODY_BYTES_MAX } from "../base/limits.ts";
import { FRAME_MESSAGE, NO_FRAME } from "../hardware/frame-table.ts";
import { PACKET_INLINE_BYTES_MAX } from "../hardware/packet-layout.ts";
import type { IpcContext } from "../ipc/context.ts";
import { BODY_DEAD } from "../ipc/copyin.ts";
import { bodyWord, bodyWords, type KernelMessage } from "../ipc/kernel-message.ts";
import type { Port } from "../ipc/port.ts";
import { releaseBody, releaseRight } from "../ipc/release.ts";
import { type CarriedRight, carriedRight, type Disposition } from "../ipc/rights.ts";
import { BodyReader, BodyWriter } from "../mig/body-items.ts";
import type { Region } from "../mig/items.ts";

/** What stands for a right in a kernel server's arguments and results. */
export type KernelRight = Port | null;

/** Reads a request. Its rights stay the request's until the server takes them all (takeRights). */
export class KernelReader extends BodyReader<KernelRight> {
  protected override readonly noRight = null;
  private readonly ipc: IpcContext;
  private complex = false;

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

  /** No kernel server takes memory yet. */
  override region(): Region {
    this.failed = true;
    return { address: 0, bytes: 0 };
  }

  protected override isDead(word: number): boolean {
    return word === BODY_DEAD;
  }

  protected override rightOf(word: number): KernelRight {
    return word > 0 ? this.ipc.ports.byIndex(word) : null;
  }
}

/** Writes a reply; every right written is given away. Written apart, and put into the reply when it is
 *  whole: results may be larger than the request was. */
export class KernelWriter extends BodyWriter<KernelRight> {
  private readonly ipc: IpcContext;
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
  }

  /** Makes what was written the body of `reply`. False: there is no room for it, and its rights are
   *  released; the reply has no body. */
  finish(reply: KernelMessage): boolean {
    const { pool, memory } = this.ipc;
    if (reply.overflow !== null) pool.dropOverflow(reply);
    reply.size = this.at * 4;
    reply.complex = this.complex;
    const placed = this.makeRoom(reply) && !this.overflowed;
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

  /** Releases the rights of a finished reply and empties it. */
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
    const larger = new Int32Array(Math.max(needed, 2 * this.words.length));
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
