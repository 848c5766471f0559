// The part of a message that its own packet has no room for (ipc/overflow.ts) follows it, in order: the body, if it
// is longer than a page, then the regions. Data goes page by page from its frames (page-sender.ts): no CPU copies it
// (paper 2.3.2). Bodies and rights are words in kernel memory; they go through a frame that is kept for them, one packet
// at a time. What comes of it on the other node: overflow-arrivals.ts.
// The first page of data rides in the message's own packet if the body is inline.
// While a message is going out to a node, later messages to that node wait here: the order of messages is kept.

import { assert } from "../base/assert.ts";
import { COUNTERS } from "../base/counters.ts";
import { FRAME_MESSAGE, NO_FRAME } from "../hardware/frame-table.ts";
import {
  PACKET_FRAME,
  PACKET_INLINE,
  PACKET_PAGE,
  packetDestination,
} from "../hardware/packet-layout.ts";
import type { IpcContext } from "../ipc/context.ts";
import type { KernelMessage } from "../ipc/kernel-message.ts";
import type { Overflow } from "../ipc/overflow.ts";
import { isPaged } from "../ipc/region.ts";
import type { MapCopy } from "../vm/map-copy.ts";
import { frameOf, isBorrowed, type PageList } from "../vm/page-list.ts";
import { Outbox } from "./outbox.ts";
import type { OverflowArrivals } from "./overflow-arrivals.ts";
import { PAGE_LATER, PageSender, type PageSink } from "./page-sender.ts";
import type { Transport } from "./transport.ts";
import { WIRE_BITS, WIRE_KIND, WIRE_SIZE } from "./wire-layout.ts";
import { KIND_OVERFLOW, KIND_PAGE, WIRE_ABANDONED, WIRE_BUSY, WIRE_PAGE } from "./wire-values.ts";

/** Hears of packets that are acknowledged. */
export interface OverflowSink {
  packetReleased(node: number): void;
}

export class OverflowStream implements PageSink {
  private readonly ipc: IpcContext;
  private readonly transport: Transport;
  private readonly sink: OverflowSink;
  private readonly pages: PageSender;
  private readonly outboxes: Outbox[] = [];
  /** The packet and the frame that words travel in. */
  private readonly packet: KernelMessage;
  private readonly frame: number;
  /** The message whose words are out; it ends with them. */
  private wordsOf: KernelMessage | null = null;
  private wordsOut = false;

  constructor(
    ipc: IpcContext,
    transport: Transport,
    arrivals: OverflowArrivals,
    sink: OverflowSink,
  ) {
    this.ipc = ipc;
    this.transport = transport;
    this.sink = sink;
    const packet = ipc.pool.takeForKernel();
    assert(packet !== null, "the kernel's own packets are taken first");
    this.packet = packet;
    this.frame = ipc.frames.allocate(FRAME_MESSAGE);
    assert(this.frame >= 0, "memory has a frame for the kernel");
    transport.register(KIND_OVERFLOW, {
      accept: (at, source) => arrivals.acceptWords(at, source),
      released: (at) => this.released(at),
    });
    const pages = new PageSender(ipc, transport, this);
    this.pages = pages;
    transport.register(KIND_PAGE, {
      accept: (at, source) => arrivals.acceptPage(at, source),
      released: (at) => pages.released(at),
    });
  }

  /** Submits a message whose packet is ready, when its turn has come. */
  submit(node: number, message: KernelMessage): void {
    if (this.outboxes.length > 0) {
      const outbox = this.outboxes.find((one) => one.node === node);
      if (outbox !== undefined) {
        outbox.messages.push(message);
        return;
      }
    }
    const begun = this.begin(node, message);
    if (begun === null) return;
    this.outboxes.push(begun);
    this.sendMore();
  }

  /** Submits a message's own packet. Returns an outbox if something is to follow it. */
  private begin(node: number, message: KernelMessage): Outbox | null {
    const { overflow } = message;
    if (overflow === null) {
      this.transport.submit(node, message.at);
      return null;
    }
    const attached =
      overflow.body === null && message.frame === NO_FRAME && this.attachPage(message);
    if (attached && endsWithFirstPage(overflow, this.ipc.memory.layout.pageBytes)) {
      this.transport.submit(node, message.at);
      return null;
    }
    const outbox = new Outbox(node, overflow, this.ipc.memory.layout.pageBytes);
    if (attached) outbox.advance(1);
    message.streaming = outbox.piece !== null;
    this.transport.submit(node, message.at);
    if (!message.streaming) return null;
    outbox.messages.push(message);
    return outbox;
  }

  /** The first page of data goes in the message's own packet. False: it follows, or is given up, when its turn
   *  comes. */
  private attachPage(message: KernelMessage): boolean {
    const overflow = message.overflow!;
    const region = overflow.regions[0];
    if (region === undefined || region === null || !isPaged(region)) return false;
    const entry = this.pages.entryOf(region, 0);
    if (entry <= 0) return false;
    const { words, layout } = this.ipc.memory;
    const { at } = message;
    message.page = entry;
    words[at + PACKET_PAGE] = this.pages.bytesOf(region, 0);
    words[at + PACKET_FRAME] = frameOf(entry);
    const ends = endsWithFirstPage(overflow, layout.pageBytes);
    const busy = ends && isBorrowed(entry) && message.hold === null;
    words[at + WIRE_BITS]! |= busy ? WIRE_PAGE | WIRE_BUSY : WIRE_PAGE;
    return true;
  }

  /** Messages to a node that are not on their way yet. */
  backlog(node: number): number {
    if (this.outboxes.length === 0) return 0;
    const outbox = this.outboxes.find((one) => one.node === node);
    return outbox === undefined ? 0 : outbox.messages.length - 1;
  }

  /** The packet of a message is acknowledged. True if the message must be kept, since more of it is still on
   *  its way; it is freed from here then. */
  keeps(message: KernelMessage): boolean {
    if (message.page !== 0) {
      this.ipc.vm.pageDone(message.page);
      message.page = 0;
    }
    return message.streaming;
  }

  /** Sends what can be sent now, a packet of each outbox in turn. */
  sendMore(): void {
    for (let stuck = 0; stuck < this.outboxes.length; ) {
      const outbox = this.outboxes[0]!;
      stuck = this.sendPiece(outbox) ? 0 : stuck + 1;
      if (this.outboxes[0] === outbox && this.outboxes.length > 1) {
        this.outboxes.push(this.outboxes.shift()!);
      }
    }
  }

  /** Entries of the pages that are on their way: for checks. */
  pagesOnTheWay(): number[] {
    return this.pages.onTheWay();
  }

  /** One packet of the outbox's first message. False: not now. */
  private sendPiece(outbox: Outbox): boolean {
    const message = outbox.messages[0]!;
    const { node } = outbox;
    const piece = outbox.piece!;
    if (!isPaged(piece)) return !this.wordsOut && this.sendWords(outbox, message);
    if (!this.pages.roomFor(node)) return false;
    const page = outbox.at;
    const entry = this.pages.entryOf(piece, page);
    if (entry === PAGE_LATER) {
      this.ipc.vm.framesWanted = true;
      return false;
    }
    if (entry < 0) return !this.wordsOut && this.abandon(outbox, message);
    outbox.advance(1);
    const last = outbox.piece === null;
    this.pages.send(node, message, piece, page, entry, last);
    if (last) this.next(outbox);
    return true;
  }

  private sendWords(outbox: Outbox, message: KernelMessage): boolean {
    const words = this.fill(outbox);
    const last = outbox.piece === null;
    const bits = outbox.abandoned ? WIRE_ABANDONED : 0;
    this.submitWords(outbox.node, words * 4, bits, last ? message : null);
    if (last) this.next(outbox);
    return true;
  }

  /** The message's data cannot be read: its receiver is told so, and gets the rights, to give them up. */
  private abandon(outbox: Outbox, message: KernelMessage): boolean {
    outbox.abandon();
    return this.sendWords(outbox, message);
  }

  private submitWords(
    node: number,
    bytes: number,
    bits: number,
    endOf: KernelMessage | null,
  ): void {
    const { at } = this.packet;
    const { words } = this.ipc.memory;
    words[at + WIRE_KIND] = KIND_OVERFLOW;
    words[at + WIRE_BITS] = bits;
    words[at + WIRE_SIZE] = bytes;
    words[at + PACKET_INLINE] = 0;
    words[at + PACKET_PAGE] = bytes;
    words[at + PACKET_FRAME] = this.frame;
    this.wordsOut = true;
    this.wordsOf = endOf;
    this.transport.submit(node, at);
  }

  /** Copies as many words as fit into the frame; returns their number. */
  private fill(outbox: Outbox): number {
    const { memory } = this.ipc;
    const start = memory.frameWord(this.frame);
    let filled = 0;
    for (;;) {
      const { piece } = outbox;
      if (piece === null || isPaged(piece) || filled === memory.pageWords) return filled;
      const count = Math.min(piece.length - outbox.at, memory.pageWords - filled);
      memory.words.set(piece.subarray(outbox.at, outbox.at + count), start + filled);
      memory.counters[COUNTERS.copiedBytes.index]! += count * 4;
      filled += count;
      outbox.advance(count);
    }
  }

  /** The outbox's first message is out: those that waited behind it go, up to one that is as large. */
  private next(outbox: Outbox): void {
    this.outboxes.splice(this.outboxes.indexOf(outbox), 1);
    const waiting = outbox.messages;
    for (let i = 1; i < waiting.length; i++) {
      const begun = this.begin(outbox.node, waiting[i]!);
      if (begun === null) continue;
      for (i += 1; i < waiting.length; i++) begun.messages.push(waiting[i]!);
      this.outboxes.push(begun);
    }
  }

  /** PageSink. */
  pageReleased(node: number, message: KernelMessage, last: boolean): void {
    if (last) this.finish(message);
    if (this.outboxes.length > 0) this.sendMore();
    this.sink.packetReleased(node);
  }

  /** All packets of a message are acknowledged. */
  private finish(message: KernelMessage): void {
    message.streaming = false;
    this.ipc.pool.put(message);
  }

  released(packet: number): void {
    assert(packet === this.packet.at);
    const node = packetDestination(this.ipc.memory.words, packet);
    this.wordsOut = false;
    const done = this.wordsOf;
    this.wordsOf = null;
    if (done !== null) this.finish(done);
    this.sendMore();
    this.sink.packetReleased(node);
  }
}

/** True if a message ends with the first page of its only region. */
const endsWithFirstPage = ({ regions }: Overflow, pageBytes: number): boolean => {
  const region = regions[0] as PageList | MapCopy;
  return regions.length === 1 && region.offset + region.bytes <= pageBytes;
};
