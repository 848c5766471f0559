// Messages to one node of which the first is being sent: its own packet is out, and what follows it is going out
// packet by packet. Pieces in the order of the wire: the body, if it is longer than a page, then the regions.

import type { KernelMessage } from "../ipc/kernel-message.ts";
import type { Overflow } from "../ipc/overflow.ts";
import { isPaged, type Region, regionPages } from "../ipc/region.ts";

export class Outbox {
  readonly node: number;
  readonly messages: KernelMessage[] = [];
  /** The piece of the first message that is next, null at the end; and the word or page in it. */
  piece: Region | null;
  at = 0;
  /** Data of the first message cannot be read: only what is words still follows. */
  abandoned = false;
  private readonly overflow: Overflow;
  private readonly pageBytes: number;
  private index = 0;
  /** Words or pages of the piece. */
  private length = 0;

  constructor(node: number, overflow: Overflow, pageBytes: number) {
    this.node = node;
    this.overflow = overflow;
    this.pageBytes = pageBytes;
    this.piece = this.begin();
  }

  /** Goes on by `count` words of rights or body, or by a page. */
  advance(count: number): void {
    this.at += count;
    if (this.at < this.length) return;
    this.index += 1;
    this.at = 0;
    this.piece = this.begin();
  }

  /** Leaves out what is not words. */
  abandon(): void {
    this.abandoned = true;
    this.at = 0;
    this.piece = this.begin();
  }

  private begin(): Region | null {
    let piece = this.pieceAtIndex();
    while (this.abandoned && piece !== null && isPaged(piece)) {
      this.index += 1;
      piece = this.pieceAtIndex();
    }
    if (piece === null) return null;
    this.length = isPaged(piece)
      ? regionPages(piece.offset, piece.bytes, this.pageBytes)
      : piece.length;
    return piece;
  }

  private pieceAtIndex(): Region | null {
    const { body, regions } = this.overflow;
    const region = body === null ? this.index : this.index - 1;
    return region < 0 ? body : (regions[region] ?? null);
  }
}
