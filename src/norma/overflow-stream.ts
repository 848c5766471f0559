// The part of a message that its own packet has no room for (ipc/overflow.ts) follows it, in order: the body, if it
// is longer than a page, then the regions. Data goes page by page from its frames (page-sender.ts), and arrives in
// frames that were armed: no CPU copies it on either side (paper 2.3.2, 2.3.3). Bodies and rights are words in
// kernel memory; they go through a frame that is kept for them, one packet at a time.
// The first page of data rides in the message's own packet if the body is inline.
// While a message is going out to a node, later messages to that node wait here: the order of messages is kept.

import { assert } from "../base/assert.ts";
import { COUNTERS } from "../base/counters.ts";
import { LARGE_BYTES_MAX, REGION_BYTES_MAX } from "../base/limits.ts";
import { FRAME_ARMED, FRAME_MESSAGE, NO_FRAME } from "../hardware/frame-table.ts";
import {
  PACKET_FRAME,
  PACKET_INLINE,
  PACKET_PAGE,
  packetDestination,
} from "../hardware/packet-layout.ts";
import type { PhysicalMemory } from "../hardware/physical-memory.ts";
import type { IpcContext } from "../ipc/context.ts";
import { bodyWord, bodyWords, type KernelMessage } from "../ipc/kernel-message.ts";
import type { Overflow } from "../ipc/overflow.ts";
import { isPaged, regionPages } from "../ipc/region.ts";
import { destroyMessage } from "../ipc/release.ts";
import { isPortDisposition } from "../ipc/rights.ts";
import {
  checkItem,
  ITEM_GOOD,
  isInline,
  itemBytes,
  itemData,
  itemEnd,
  itemType,
} from "../ipc/typed-item.ts";
import type { MapCopy } from "../vm/map-copy.ts";
import { frameOf, isBorrowed, PageList, residentEntry } from "../vm/page-list.ts";
import { Outbox } from "./outbox.ts";
import { PAGE_LATER, PageSender, type PageSink } from "./page-sender.ts";
import { REFUSED, type Transport, type TransportClient } from "./transport.ts";
import { WIRE_BITS, WIRE_KIND, WIRE_SIZE } from "./wire-layout.ts";
import { KIND_OVERFLOW, KIND_PAGE, WIRE_ABANDONED, WIRE_BUSY, WIRE_PAGE } from "./wire-values.ts";

/** Takes the messages whose overflow has come. */
export interface OverflowReceiver {
  /** The message is whole. */
  overflowArrived(source: number, message: KernelMessage): void;
  /** A packet to `node` is acknowledged. */
  packetReleased(node: number): void;
}

/** A message that is arriving; pieces are known as soon as its body is. */
interface Arrival {
  readonly message: KernelMessage;
  piece: number;
  /** The word of a body or of rights that is next. */
  word: number;
  /** The body was not sound: what follows is thrown away. */
  spoilt: boolean;
}

export class OverflowStream implements TransportClient, PageSink {
  private readonly ipc: IpcContext;
  private readonly transport: Transport;
  private readonly receiver: OverflowReceiver;
  private readonly pages: PageSender;
  private readonly outboxes: Outbox[] = [];
  /** By the node that they come from. */
  private readonly arrivals: (Arrival | null | undefined)[] = [];
  /** The packet and the frame that words travel in. */
  private readonly packet: KernelMessage;
  private readonly frame: number;
  /** The message whose words are out; it ends with them. */
  private wordsOf: KernelMessage | null = null;
  private wordsOut = false;
  /** Something was refused for want of a frame. */
  framesWanted = false;

  constructor(ipc: IpcContext, transport: Transport, receiver: OverflowReceiver) {
    this.ipc = ipc;
    this.transport = transport;
    this.receiver = receiver;
    const packet = ipc.pool.takeForKernel();
    assert(packet !== null, "the kernel's own packets are taken first");
    this.packet = packet;
    this.frame = ipc.frames.allocate(FRAME_MESSAGE);
    assert(this.frame >= 0, "memory has a frame for the kernel");
    transport.register(KIND_OVERFLOW, this);
    const pages = new PageSender(ipc, transport, this);
    this.pages = pages;
    transport.register(KIND_PAGE, {
      accept: (at, source) => this.acceptPage(at, source),
      released: (at) => pages.released(at),
    });
  }

  // --- out ----------------------------------------------------------------------------------------

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

  /** True while a message is going out. */
  get isBusy(): boolean {
    return this.outboxes.length > 0;
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
    if (entry === PAGE_LATER) return false;
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
    this.submitWords(outbox.node, words * 4, 0, last ? message : null);
    if (last) this.next(outbox);
    return true;
  }

  /** The message's data cannot be read: its receiver is told that nothing more comes. */
  private abandon(outbox: Outbox, message: KernelMessage): boolean {
    this.submitWords(outbox.node, 0, WIRE_ABANDONED, message);
    this.next(outbox);
    return true;
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
    this.receiver.packetReleased(node);
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
    this.receiver.packetReleased(node);
  }

  // --- in -----------------------------------------------------------------------------------------

  /** A message has come whose overflow follows, or came with it in the frame of the descriptor at word `at`. Its
   *  body, unless that is longer than a page, is sound. Returns the frame to arm the descriptor with. */
  expect(source: number, message: KernelMessage, at: number, armNext: number): number {
    assert((this.arrivals[source] ?? null) === null, "one message at a time from each node");
    const { pool, memory } = this.ipc;
    const overflow = pool.overflowOf(message);
    let spoilt = false;
    if (message.size > memory.layout.pageBytes) {
      overflow.addBody(message.size);
      pool.chargeLarge(message, message.size);
    } else {
      spoilt = !this.makeRegions(message);
    }
    const carriesPage = (memory.words[at + WIRE_BITS]! & WIRE_PAGE) !== 0;
    if (carriesPage && !spoilt && overflow.regions.length === 1) {
      const list = overflow.regions[0];
      if (list instanceof PageList && list.pages === 1 && this.fits(list, at)) {
        // Most messages with data are one packet: it is whole.
        const next = this.threadPage(list, at, source);
        this.receiver.overflowArrived(source, message);
        return next;
      }
    }
    const arrival: Arrival = { message, piece: 0, word: 0, spoilt };
    this.arrivals[source] = arrival;
    return carriesPage ? this.takePage(arrival, at, source) : armNext;
  }

  /** True if the packet's page is as long as the next of the list is to be. */
  private fits(list: PageList, at: number): boolean {
    const { words, layout } = this.ipc.memory;
    return words[at + PACKET_PAGE] === wireBytes(list, layout.pageBytes);
  }

  /** A page of data. */
  private acceptPage(at: number, source: number): number {
    const { ipc } = this;
    const { words } = ipc.memory;
    const arrival = this.arrivals[source] ?? null;
    if (arrival === null) {
      ipc.memory.counters[COUNTERS.damaged.index]! += 1;
      return words[at + PACKET_FRAME]!;
    }
    if (ipc.frames.freeCount === 0) return this.refuseForFrames();
    return this.takePage(arrival, at, source);
  }

  /** There is no frame to arm the descriptor with: the sender is told when there is. */
  refuseForFrames(): typeof REFUSED {
    this.framesWanted = true;
    return REFUSED;
  }

  /** Threads the page on its list. Condition: a frame is free to arm the descriptor with. */
  private takePage(arrival: Arrival, at: number, source: number): number {
    const list = pieceAt(arrival.message.overflow!, arrival.piece);
    if (arrival.spoilt || !(list instanceof PageList) || !this.fits(list, at)) {
      arrival.spoilt = true;
      this.ended(arrival, source);
      return this.ipc.memory.words[at + PACKET_FRAME]!;
    }
    const next = this.threadPage(list, at, source);
    if (list.count === list.pages) {
      arrival.piece += 1;
      this.ended(arrival, source);
    }
    return next;
  }

  /** Returns the frame to arm the descriptor with. */
  private threadPage(list: PageList, at: number, source: number): number {
    const { ipc } = this;
    const { memory, frames } = ipc;
    const { words } = memory;
    const frame = words[at + PACKET_FRAME]!;
    const next = frames.allocate(FRAME_ARMED);
    assert(next !== NO_FRAME, "somebody has looked");
    frames.hand(frame, FRAME_ARMED, FRAME_MESSAGE);
    if (list.count === 0) ipc.vm.linkArrived(list);
    list.entries[list.count++] = residentEntry(frame);
    if (list.count === 1 || list.count === list.pages) clearEdges(memory, list, frame);
    if ((words[at + WIRE_BITS]! & WIRE_BUSY) !== 0) this.transport.ackSoon(source);
    return next;
  }

  accept(at: number, source: number): number {
    const { words, pageWords, counters } = this.ipc.memory;
    const frame = words[at + PACKET_FRAME]!;
    const arrival = this.arrivals[source] ?? null;
    const count = words[at + PACKET_PAGE]! >>> 2;
    if (arrival === null || count > pageWords) {
      counters[COUNTERS.damaged.index]! += 1;
      return frame;
    }
    if ((words[at + WIRE_BITS]! & WIRE_ABANDONED) !== 0) arrival.spoilt = true;
    else this.takeWords(arrival, frame, count);
    this.ended(arrival, source);
    return frame;
  }

  /** Goes on with a message that is whole, or ends one that never will be. */
  private ended(arrival: Arrival, source: number): void {
    const { message, spoilt } = arrival;
    if (!spoilt && pieceAt(message.overflow!, arrival.piece) !== null) return;
    this.arrivals[source] = null;
    if (spoilt) this.destroySpoilt(message);
    else this.receiver.overflowArrived(source, message);
  }

  /** The body is not believed; the header's rights are given up. */
  private destroySpoilt(message: KernelMessage): void {
    this.ipc.memory.counters[COUNTERS.damaged.index]! += 1;
    message.complex = false;
    destroyMessage(this.ipc, message);
  }

  private takeWords(arrival: Arrival, frame: number, count: number): void {
    const { memory } = this.ipc;
    const start = memory.frameWord(frame);
    const overflow = arrival.message.overflow!;
    for (let taken = 0; taken < count; ) {
      const piece = pieceAt(overflow, arrival.piece);
      if (piece === null || piece instanceof PageList) return; // more than was announced
      const run = Math.min(piece.length - arrival.word, count - taken);
      piece.set(memory.words.subarray(start + taken, start + taken + run), arrival.word);
      memory.counters[COUNTERS.copiedBytes.index]! += run * 4;
      taken += run;
      arrival.word += run;
      if (arrival.word < piece.length) continue;
      arrival.word = 0;
      arrival.piece += 1;
      if (arrival.piece === 1 && overflow.body !== null) {
        arrival.spoilt = !this.makeRegions(arrival.message);
      }
      if (arrival.spoilt) return;
    }
  }

  /** Makes room for the regions that the body speaks of: the data word of an item with data is 1 + the offset of
   *  the data in its first page. False: the body is not sound. */
  private makeRegions(message: KernelMessage): boolean {
    if (!message.complex) return true;
    const { pool, memory, transfer } = this.ipc;
    const { pageBytes } = memory.layout;
    const words = bodyWords(memory, message);
    const start = bodyWord(memory, message);
    const end = start + (message.size >> 2);
    const overflow = message.overflow!;
    for (let at = start; at < end; at = itemEnd(words, at)) {
      if (checkItem(words, at, end, isPortDisposition) !== ITEM_GOOD) return false;
      const data = itemData(words, at);
      const rights = isPortDisposition(itemType(words, at));
      if (rights) message.rights = true;
      if (isInline(words, at) || words[data] === 0) continue;
      const bytes = itemBytes(words, at);
      const offset = (words[data]! - 1) >>> 0;
      if (bytes === 0 || bytes > REGION_BYTES_MAX || overflow.bytes > LARGE_BYTES_MAX) return false;
      if (offset >= (rights ? 1 : pageBytes)) return false;
      if (rights) {
        words[data] = overflow.add(new Int32Array(bytes >> 2));
        pool.chargeLarge(message, bytes);
      } else {
        const pages = regionPages(offset, bytes, pageBytes);
        words[data] = overflow.add(transfer.newList(offset, bytes, pages));
      }
    }
    return true;
  }
}

/** True if a message ends with the first page of its only region. */
const endsWithFirstPage = ({ regions }: Overflow, pageBytes: number): boolean => {
  const region = regions[0] as PageList | MapCopy;
  return regions.length === 1 && region.offset + region.bytes <= pageBytes;
};

/** Bytes of the page that a list gets next, as its sender tells them. */
const wireBytes = (list: PageList, pageBytes: number): number => {
  const left = list.offset + list.bytes - list.count * pageBytes;
  return Math.min(pageBytes, (left + 3) & ~3);
};

/** Nobody is to see what else was in the sender's first page, or in the frame of the last. */
const clearEdges = (memory: PhysicalMemory, list: PageList, frame: number): void => {
  const { pageBytes } = memory.layout;
  const start = memory.frameWord(frame) * 4;
  if (list.count === 1 && list.offset > 0) memory.bytes.fill(0, start, start + list.offset);
  const left = list.offset + list.bytes - (list.count - 1) * pageBytes;
  if (left < pageBytes) memory.bytes.fill(0, start + left, start + pageBytes);
};

/** The pieces of an overflow in the order of the wire: the body, if it is there, then the regions. */
const pieceAt = (overflow: Overflow, piece: number): Int32Array | PageList | null => {
  const { body, regions } = overflow;
  const region = body === null ? piece : piece - 1;
  return region < 0 ? body : ((regions[region] as Int32Array | PageList | undefined) ?? null);
};
