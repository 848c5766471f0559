// One directed channel of store-and-forward: a ring of packet slots, one producer, one consumer.
//   output, at the channel's node   slotToFill() -> slot or NO_PACKET; fill it; publish()
//   input, at the far node          poll() -> slot or NO_PACKET; take it; release()
// A slot is a packet's 64 words and a page right behind them (slotPage); the slots lie in the memory
// of the channel's node. Nobody waits in here: who found no room is rung by the next release.
//
//   position   head (consumer's) <= tail (producer's) <= head + channelSlots
//   filled     slots [head, tail): PACKET_LINK holds position + 1
//
// Why no wake-up is lost: as in channel.ts, with CHANNEL_HEAD in the place of the holder. The consumer
// looks for word in the waiter set, not in CHANNEL_WAITING: that line is written with every packet.

import { assert } from "../base/assert.ts";
import { isPowerOfTwo } from "../base/words.ts";
import type { Board } from "./board.ts";
import { leaveWord, wakeWaiters, wordStands } from "./channel.ts";
import { CHANNEL_HEAD, CHANNEL_TAIL, CHANNEL_WORDS, PACKET_WORDS } from "./machine-layout.ts";
import { NO_PACKET } from "./network-interface.ts";
import { PACKET_LINK } from "./packet-layout.ts";

/** First word of a slot's page. */
export const slotPage = (slot: number): number => slot + PACKET_WORDS;

/** Word of the block of the channel (node, dimension) in the whole memory. */
const channelWord = (board: Board, node: number, dimension: number): number =>
  board.regionAt[node]! + board.layout.channelsAt + dimension * board.layout.channelStride;

/** Word of the first slot of the channel (node, dimension). */
const slotsWord = (board: Board, node: number, dimension: number): number => {
  const { layout, regionAt } = board;
  assert(isPowerOfTwo(layout.channelSlots), "channel slots are a power of two");
  const slots = dimension * layout.channelSlots;
  return regionAt[node]! + layout.channelSlotsAt + slots * layout.channelSlotStride;
};

/** The producer's end. */
export class ChannelOutput {
  /** Word of the channel's block, whose counters are ours. */
  readonly at: number;
  private readonly board: Board;
  private readonly node: number;
  private readonly farNode: number;
  private readonly slotsAt: number;
  private tail = 0;
  private headSeen = 0;

  constructor(board: Board, node: number, dimension: number) {
    this.board = board;
    this.node = node;
    this.farNode = node ^ (1 << dimension);
    this.at = channelWord(board, node, dimension);
    this.slotsAt = slotsWord(board, node, dimension);
  }

  /** Word of the slot to fill next, or NO_PACKET when there is no room; then the release of a slot
   *  rings our worker. */
  slotToFill(): number {
    const { words, layout } = this.board;
    if (this.isFull()) {
      // acquire: the consumer is done with what it released; pairs with the store in release().
      this.headSeen = Atomics.load(words, this.at + CHANNEL_HEAD);
      if (this.isFull()) {
        leaveWord(words, this.at, this.at + CHANNEL_WORDS, this.node);
        this.headSeen = Atomics.load(words, this.at + CHANNEL_HEAD); // released before our word?
        if (this.isFull()) return NO_PACKET;
      }
    }
    return this.slotsAt + (this.tail & (layout.channelSlots - 1)) * layout.channelSlotStride;
  }

  /** Makes the slot that slotToFill() gave visible to the far node. */
  publish(): void {
    const { board } = this;
    const { words, layout } = board;
    const index = this.tail & (layout.channelSlots - 1);
    this.tail = (this.tail + 1) | 0;
    words[this.at + CHANNEL_TAIL] = this.tail; // for the host to see; nobody acts on it
    // release: header, inline bytes and page; pairs with the load in poll().
    Atomics.store(words, this.slotsAt + index * layout.channelSlotStride + PACKET_LINK, this.tail);
    board.ring(this.farNode);
  }

  /** True if slotToFill() would find room now. */
  hasRoom(): boolean {
    // acquire: pairs with the store in release().
    this.headSeen = Atomics.load(this.board.words, this.at + CHANNEL_HEAD);
    return !this.isFull();
  }

  /** True while the word left by a slotToFill() that found no room stands: the next release rings. */
  wordStands(): boolean {
    return wordStands(this.board.words, this.at + CHANNEL_WORDS, this.node);
  }

  private isFull(): boolean {
    return ((this.tail - this.headSeen) | 0) === this.board.layout.channelSlots;
  }
}

/** The consumer's end, at the node across `dimension`. */
export class ChannelInput {
  private readonly board: Board;
  private readonly at: number;
  private readonly farNode: number;
  private readonly slotsAt: number;
  private head = 0;

  /** `node` is the consumer. */
  constructor(board: Board, node: number, dimension: number) {
    this.board = board;
    this.farNode = node ^ (1 << dimension);
    this.at = channelWord(board, this.farNode, dimension);
    this.slotsAt = slotsWord(board, this.farNode, dimension);
  }

  /** Word of the first filled slot, or NO_PACKET. */
  poll(): number {
    const { words, layout } = this.board;
    const slot = this.slotsAt + (this.head & (layout.channelSlots - 1)) * layout.channelSlotStride;
    // acquire: all that was moved into the slot; pairs with the store in publish().
    return Atomics.load(words, slot + PACKET_LINK) === ((this.head + 1) | 0) ? slot : NO_PACKET;
  }

  /** Gives the slot that poll() gave back to the producer. */
  release(): void {
    const { board, at } = this;
    this.head = (this.head + 1) | 0;
    // release: our reads of the slot; pairs with the loads in slotToFill().
    Atomics.store(board.words, at + CHANNEL_HEAD, this.head);
    // acquire: pairs with the or in leaveWord().
    if (wordStands(board.words, at + CHANNEL_WORDS, this.farNode)) {
      wakeWaiters(board, at, at + CHANNEL_WORDS);
    }
  }
}
