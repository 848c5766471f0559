// The part of a message that its own packet has no room for (ipc/overflow.ts) follows it page by page. One
// packet buffer and one frame per node are kept for this alone, and the other side needs nothing but the
// descriptor that the page arrives in: so these packets are always sent and always accepted, and a message
// that has begun to arrive is finished whatever else is full. The first page goes when the message's own
// packet is acknowledged: until then it may be refused, and would hold the page up.
// While the overflow of a message is on its way to a node, later messages to that node wait here: the
// order of messages is kept.

import { assert } from "../base/assert.ts";
import { COUNTERS } from "../base/counters.ts";
import { LARGE_BYTES_MAX, REGION_BYTES_MAX } from "../base/limits.ts";
import { FRAME_MESSAGE } from "../hardware/frame-table.ts";
import {
  PACKET_FRAME,
  PACKET_INLINE,
  PACKET_PAGE,
  packetDestination,
} from "../hardware/packet-layout.ts";
import type { IpcContext } from "../ipc/context.ts";
import { bodyWord, bodyWords, type KernelMessage } from "../ipc/kernel-message.ts";
import type { Overflow } from "../ipc/overflow.ts";
import { destroyMessage } from "../ipc/release.ts";
import { isPortDisposition } from "../ipc/rights.ts";
import { checkItem, ITEM_GOOD, isInline, itemBytes, itemData, itemEnd } from "../ipc/typed-item.ts";
import type { Transport, TransportClient } from "./transport.ts";
import { WIRE_BITS, WIRE_KIND, WIRE_SIZE } from "./wire-layout.ts";
import { KIND_OVERFLOW } from "./wire-values.ts";

/** Takes the messages whose overflow has come. */
export interface OverflowReceiver {
  /** The message is whole. */
  overflowArrived(source: number, message: KernelMessage): void;
  /** A page to `node` is acknowledged. */
  packetReleased(node: number): void;
}

/** Messages to one node, of which the first is on its way. */
class Outbox {
  readonly node: number;
  readonly messages: KernelMessage[] = [];
  /** The piece of the first message's overflow that is next, and the word in it. */
  piece = 0;
  word = 0;

  constructor(node: number) {
    this.node = node;
  }
}

/** A message that is arriving; pieces are known as soon as its body is. */
interface Arrival {
  readonly message: KernelMessage;
  piece: number;
  word: number;
  /** The body was not sound: what follows is thrown away. */
  spoilt: boolean;
}

export class OverflowStream implements TransportClient {
  private readonly ipc: IpcContext;
  private readonly transport: Transport;
  private readonly receiver: OverflowReceiver;
  private readonly outboxes: Outbox[] = [];
  private readonly arrivals = new Map<number, Arrival>();
  private readonly packet: KernelMessage;
  private readonly frame: number;
  private packetOut = false;
  /** Messages whose own packet is acknowledged, and whose overflow is not out yet. */
  private readonly acknowledged = new Set<KernelMessage>();

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
    this.transport.submit(node, message.at);
    if (message.overflow === null) return;
    const begun = new Outbox(node);
    begun.messages.push(message);
    this.outboxes.push(begun);
  }

  /** Messages to a node that are not on their way yet. */
  backlog(node: number): number {
    if (this.outboxes.length === 0) return 0;
    const outbox = this.outboxes.find((one) => one.node === node);
    return outbox === undefined ? 0 : outbox.messages.length - 1;
  }

  /** The packet of a message is acknowledged. True if the message must be kept, since its overflow is
   *  still on its way; it is freed from here then. */
  keeps(message: KernelMessage): boolean {
    if (message.overflow === null) return false;
    this.acknowledged.add(message);
    if (!this.packetOut) this.sendNext();
    return true;
  }

  /** The next page of the node whose turn it is. */
  private sendNext(): void {
    const turn = this.outboxes.findIndex(({ messages }) => this.acknowledged.has(messages[0]!));
    if (turn < 0) return;
    const outbox = this.outboxes.splice(turn, 1)[0]!;
    const message = outbox.messages[0]!;
    const words = this.fill(outbox, message.overflow!);
    const { at } = this.packet;
    const memory = this.ipc.memory.words;
    memory[at + WIRE_KIND] = KIND_OVERFLOW;
    memory[at + WIRE_BITS] = 0;
    memory[at + WIRE_SIZE] = words * 4;
    memory[at + PACKET_INLINE] = 0;
    memory[at + PACKET_PAGE] = words * 4;
    memory[at + PACKET_FRAME] = this.frame;
    this.packetOut = true;
    this.transport.submit(outbox.node, at);
    if (pieceAt(message.overflow!, outbox.piece) === null) this.finish(outbox);
    else this.outboxes.push(outbox);
  }

  /** Copies as much as fits into the page; returns the number of words. */
  private fill(outbox: Outbox, overflow: Overflow): number {
    const { memory } = this.ipc;
    const start = memory.frameWord(this.frame);
    let filled = 0;
    for (;;) {
      const piece = pieceAt(overflow, outbox.piece);
      if (piece === null || filled === memory.pageWords) return filled;
      const count = Math.min(piece.length - outbox.word, memory.pageWords - filled);
      memory.words.set(piece.subarray(outbox.word, outbox.word + count), start + filled);
      memory.counters[COUNTERS.copiedBytes.index]! += count * 4;
      filled += count;
      outbox.word += count;
      if (outbox.word < piece.length) continue;
      outbox.piece += 1;
      outbox.word = 0;
    }
  }

  /** The first message's overflow is out: those that waited behind it go. */
  private finish(outbox: Outbox): void {
    const { pool } = this.ipc;
    const done = outbox.messages[0]!;
    this.acknowledged.delete(done);
    pool.put(done);
    const waiting = outbox.messages.slice(1);
    for (const message of waiting) this.submit(outbox.node, message);
  }

  released(packet: number): void {
    assert(packet === this.packet.at);
    const node = packetDestination(this.ipc.memory.words, packet);
    this.packetOut = false;
    this.sendNext();
    this.receiver.packetReleased(node);
  }

  // --- in -----------------------------------------------------------------------------------------

  /** A message has come whose overflow will follow. Its body, unless that is longer than a page, is sound. */
  expect(source: number, message: KernelMessage): void {
    assert(!this.arrivals.has(source), "one message at a time from each node");
    const { pool, memory } = this.ipc;
    const overflow = pool.overflowOf(message);
    const arrival: Arrival = { message, piece: 0, word: 0, spoilt: false };
    if (message.size > memory.layout.pageBytes) {
      overflow.addBody(message.size);
      pool.chargeLarge(message, message.size);
    } else {
      this.makeRegions(arrival);
    }
    this.arrivals.set(source, arrival);
  }

  accept(at: number, source: number): number {
    const { words, pageWords } = this.ipc.memory;
    const frame = words[at + PACKET_FRAME]!;
    const arrival = this.arrivals.get(source);
    const count = words[at + PACKET_PAGE]! >>> 2;
    if (arrival === undefined || count > pageWords) {
      this.ipc.memory.counters[COUNTERS.damaged.index]! += 1;
      return frame;
    }
    this.take(arrival, frame, count);
    const { message, spoilt } = arrival;
    if (!spoilt && pieceAt(message.overflow!, arrival.piece) !== null) return frame;
    this.arrivals.delete(source);
    if (spoilt) this.destroySpoilt(message);
    else this.receiver.overflowArrived(source, message);
    return frame;
  }

  /** The body is not believed; the header's rights are given up. */
  private destroySpoilt(message: KernelMessage): void {
    this.ipc.memory.counters[COUNTERS.damaged.index]! += 1;
    message.complex = false;
    destroyMessage(this.ipc, message);
  }

  private take(arrival: Arrival, frame: number, count: number): void {
    const { memory } = this.ipc;
    const start = memory.frameWord(frame);
    const overflow = arrival.message.overflow!;
    for (let taken = 0; taken < count; ) {
      const piece = pieceAt(overflow, arrival.piece);
      if (piece === null) return; // more than was announced
      const run = Math.min(piece.length - arrival.word, count - taken);
      piece.set(memory.words.subarray(start + taken, start + taken + run), arrival.word);
      memory.counters[COUNTERS.copiedBytes.index]! += run * 4;
      taken += run;
      arrival.word += run;
      if (arrival.word < piece.length) continue;
      arrival.word = 0;
      arrival.piece += 1;
      if (arrival.piece === 1 && overflow.body !== null) this.makeRegions(arrival);
      if (arrival.spoilt) return;
    }
  }

  /** Makes room for the regions that the body speaks of; a body that is not sound spoils the message. */
  private makeRegions(arrival: Arrival): void {
    const { message } = arrival;
    if (!message.complex) return;
    const { pool, memory } = this.ipc;
    const words = bodyWords(memory, message);
    const start = bodyWord(memory, message);
    const end = start + (message.size >> 2);
    const overflow = message.overflow!;
    for (let at = start; at < end; at = itemEnd(words, at)) {
      if (checkItem(words, at, end, isPortDisposition) !== ITEM_GOOD) {
        arrival.spoilt = true;
        return;
      }
      if (isInline(words, at) || words[itemData(words, at)] === 0) continue;
      const bytes = itemBytes(words, at);
      if (bytes === 0 || bytes > REGION_BYTES_MAX || overflow.bytes > LARGE_BYTES_MAX) {
        arrival.spoilt = true;
        return;
      }
      words[itemData(words, at)] = overflow.addRegion((bytes + 3) >> 2);
      pool.chargeLarge(message, bytes);
    }
  }
}

/** The pieces of an overflow in the order of the wire: the body, if it is there, then the regions. */
const pieceAt = (overflow: Overflow, piece: number): Int32Array | null => {
  const { body, regions } = overflow;
  if (body === null) return regions[piece] ?? null;
  return piece === 0 ? body : (regions[piece - 1] ?? null);
};
