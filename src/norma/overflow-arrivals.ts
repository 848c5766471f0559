// Messages whose overflow is arriving (overflow-stream.ts sends it). Each page of data has been put by the interface into
// the anonymous frame that its descriptor was armed with, whether anybody waits for it or not; the frame is threaded on the
// message's page list and the descriptor armed with another (paper 2.3.3). Words of bodies and rights are copied into place.

import { assert } from "../base/assert.ts";
import { COUNTERS } from "../base/counters.ts";
import { LARGE_BYTES_MAX, REGION_BYTES_MAX } from "../base/limits.ts";
import { WORD_BYTES } from "../base/words.ts";
import { FRAME_ARMED, FRAME_MESSAGE, NO_FRAME } from "../hardware/frame-table.ts";
import { PACKET_FRAME, PACKET_PAGE } from "../hardware/packet-layout.ts";
import type { PhysicalMemory } from "../hardware/physical-memory.ts";
import type { IpcContext } from "../ipc/context.ts";
import { bodyWord, bodyWords, type KernelMessage } from "../ipc/kernel-message.ts";
import type { Overflow } from "../ipc/overflow.ts";
import { regionPages } from "../ipc/region.ts";
import { destroyMessage } from "../ipc/release.ts";
import { isPortDisposition, PORT_RECEIVE } from "../ipc/rights.ts";
import {
  checkItem,
  ITEM_GOOD,
  isInline,
  itemBytes,
  itemData,
  itemEnd,
  itemNumber,
  itemType,
} from "../ipc/typed-item.ts";
import { PageList, residentEntry } from "../vm/page-list.ts";
import { MOVED_RIGHT_WORDS } from "./moved-right-layout.ts";
import { reject } from "./rejections.ts";
import { REFUSED, type Transport } from "./transport.ts";
import { WIRE_BITS } from "./wire-layout.ts";
import { WIRE_ABANDONED, WIRE_BUSY, WIRE_PAGE } from "./wire-values.ts";

/** Takes the messages whose overflow has come. */
export interface OverflowReceiver {
  /** The message is whole. */
  overflowArrived(source: number, message: KernelMessage): void;
  /** Its rights are whole; some of its data will never come. */
  overflowAbandoned(source: number, message: KernelMessage): void;
}

/** A message that is arriving; pieces are known as soon as its body is. */
interface Arrival {
  readonly message: KernelMessage;
  piece: number;
  /** The word of a body or of rights that is next. */
  word: number;
  /** The body was not sound: what follows is thrown away. */
  spoilt: boolean;
  /** Of what follows only words come. */
  abandoned: boolean;
}

export class OverflowArrivals {
  private readonly ipc: IpcContext;
  private readonly transport: Transport;
  private readonly receiver: OverflowReceiver;
  /** By the node that they come from. */
  private readonly arrivals: (Arrival | null | undefined)[] = [];
  /** Packets were refused for want of a frame. */
  private refused = false;

  constructor(ipc: IpcContext, transport: Transport, receiver: OverflowReceiver) {
    this.ipc = ipc;
    this.transport = transport;
    this.receiver = receiver;
  }

  /** A message has come from a node that had not sent all of the one before. */
  breakOff(source: number): void {
    const arrival = this.arrivals[source] ?? null;
    if (arrival === null) return;
    arrival.spoilt = true;
    this.ended(arrival, source);
  }

  /** A message has come whose overflow follows, or came with it in the frame of the descriptor at word `at`. Its
   *  body, unless that is longer than a page, is sound. Returns the frame to arm the descriptor with. */
  expect(source: number, message: KernelMessage, at: number, armNext: number): number {
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
    const arrival: Arrival = { message, piece: 0, word: 0, spoilt, abandoned: false };
    this.arrivals[source] = arrival;
    return carriesPage ? this.takePage(arrival, at, source) : armNext;
  }

  /** True if the packet's page is as long as the next of the list is to be. */
  private fits(list: PageList, at: number): boolean {
    const { words, layout } = this.ipc.memory;
    return words[at + PACKET_PAGE] === wireBytes(list, layout.pageBytes);
  }

  /** A page of data. */
  acceptPage(at: number, source: number): number {
    const { ipc } = this;
    const { words } = ipc.memory;
    const arrival = this.arrivals[source] ?? null;
    if (arrival === null) {
      reject(ipc.memory.counters, "rejectedOverflow");
      return words[at + PACKET_FRAME]!;
    }
    if (ipc.frames.freeCount === 0 || ipc.pool.starved) return this.refuseForFrames();
    return this.takePage(arrival, at, source);
  }

  /** There is no frame to arm the descriptor with, or arrivals are to starve: the sender is told when there is. */
  refuseForFrames(): typeof REFUSED {
    this.refused = true;
    this.ipc.vm.framesWanted = true;
    return REFUSED;
  }

  /** There is a frame: whose packets were refused is told. */
  framesFreed(): void {
    if (!this.refused) return;
    this.refused = false;
    this.transport.buffersAvailable();
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

  /** Words of a body or of rights. */
  acceptWords(at: number, source: number): number {
    const { words, pageWords, counters } = this.ipc.memory;
    const frame = words[at + PACKET_FRAME]!;
    const arrival = this.arrivals[source] ?? null;
    const count = words[at + PACKET_PAGE]! >>> 2;
    if (arrival === null || count > pageWords) {
      reject(counters, "rejectedOverflow");
      return frame;
    }
    arrival.abandoned ||= (words[at + WIRE_BITS]! & WIRE_ABANDONED) !== 0;
    arrival.spoilt ||= count === 0 && !arrival.abandoned;
    this.takeWords(arrival, frame, count);
    skipPages(arrival);
    this.ended(arrival, source);
    return frame;
  }

  /** Goes on with a message that is whole, or ends one that never will be. */
  private ended(arrival: Arrival, source: number): void {
    const { message, spoilt, abandoned } = arrival;
    if (!spoilt && pieceAt(message.overflow!, arrival.piece) !== null) return;
    this.arrivals[source] = null;
    if (spoilt) this.destroySpoilt(message);
    else if (abandoned) this.receiver.overflowAbandoned(source, message);
    else this.receiver.overflowArrived(source, message);
  }

  /** The body is not believed; the header's rights are given up. */
  private destroySpoilt(message: KernelMessage): void {
    reject(this.ipc.memory.counters, "rejectedOverflow");
    message.complex = false;
    destroyMessage(this.ipc, message);
  }

  private takeWords(arrival: Arrival, frame: number, count: number): void {
    const { memory } = this.ipc;
    const start = memory.frameWord(frame);
    const overflow = arrival.message.overflow!;
    for (let taken = 0; taken < count; ) {
      skipPages(arrival);
      const piece = pieceAt(overflow, arrival.piece);
      if (piece === null || piece instanceof PageList) {
        arrival.spoilt = true; // more than was announced
        return;
      }
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
    let receiveRights = 0;
    for (let at = start; at < end; at = itemEnd(words, at)) {
      if (checkItem(words, at, end, isPortDisposition) !== ITEM_GOOD) return false;
      const data = itemData(words, at);
      const rights = isPortDisposition(itemType(words, at));
      if (rights && !isInline(words, at) && words[data] === 0 && itemNumber(words, at) > 0) {
        return false; // without the words that they are in
      }
      if (rights) message.rights = true;
      if (itemType(words, at) === PORT_RECEIVE) receiveRights += itemNumber(words, at);
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
        pool.chargeLarge(message, pages * WORD_BYTES);
      }
    }
    if (!message.moves) return true;
    if (receiveRights * MOVED_RIGHT_WORDS * WORD_BYTES > LARGE_BYTES_MAX) return false;
    const details = new Int32Array(receiveRights * MOVED_RIGHT_WORDS);
    overflow.add(details);
    pool.chargeLarge(message, details.byteLength);
    return receiveRights > 0;
  }
}

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

/** Goes past data that will not come. */
const skipPages = (arrival: Arrival): void => {
  const overflow = arrival.message.overflow!;
  while (arrival.abandoned && pieceAt(overflow, arrival.piece) instanceof PageList) {
    arrival.piece += 1;
  }
};

/** The pieces of an overflow in the order of the wire: the body, if it is there, then the regions. */
const pieceAt = (overflow: Overflow, piece: number): Int32Array | PageList | null => {
  const { body, regions } = overflow;
  const region = body === null ? piece : piece - 1;
  return region < 0 ? body : ((regions[region] as Int32Array | PageList | undefined) ?? null);
};
