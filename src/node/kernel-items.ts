// Items of a kernel message, for kernel servers: rights are Ports, null for a null or dead one. A request is
// read first; then its reply is written over it, in the same kernel message.

import { PACKET_INLINE_BYTES_MAX } from "../hardware/packet-layout.ts";
import type { IpcContext } from "../ipc/context.ts";
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

  protected override rightOf(word: number): KernelRight {
    return word > 0 ? this.ipc.ports.byIndex(word) : null;
  }
}

/** Writes a reply; every right written is given away. What does not fit is released. */
export class KernelWriter extends BodyWriter<KernelRight> {
  /** Something did not fit: the reply is to be discarded. */
  overflowed = false;
  private readonly ipc: IpcContext;
  private start = 0;

  constructor(ipc: IpcContext) {
    super(ipc.memory.words, ipc.memory.bytes);
    this.ipc = ipc;
  }

  begin(reply: KernelMessage): void {
    if (reply.overflow !== null) this.ipc.pool.dropOverflow(reply);
    const inline = reply.frame < 0;
    const { memory } = this.ipc;
    const bytes = inline ? PACKET_INLINE_BYTES_MAX : memory.layout.pageBytes;
    this.start = bodyWord(memory, reply);
    this.at = this.start;
    this.end = this.start + bytes / 4;
    this.complex = false;
    this.overflowed = false;
  }

  /** Makes what was written the body of `reply`. */
  finish(reply: KernelMessage): void {
    reply.complex = this.complex;
    reply.size = (this.at - this.start) * 4;
  }

  /** Releases the rights written so far. */
  discard(reply: KernelMessage): void {
    this.finish(reply);
    if (reply.complex) releaseBody(this.ipc, reply);
    reply.complex = false;
  }

  protected override grow(): boolean {
    this.overflowed = true;
    return false;
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
