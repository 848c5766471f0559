// The receiving half of ethernet interfaces: puts fragments together and packets into descriptors. It
// is hardware, and runs in the thread of the node that sends, while that one holds the cable: that is
// what guards every word that it touches, in whatever node's memory.
//   receive(destination, id, packet, offset, bytes)   one fragment of the packet, as it comes off the cable
//
// A packet of one fragment goes straight into a descriptor. For longer ones each node has a table of
// `reassemblies` entries, each with a slot, at most one entry per source:
//   unused        REASSEMBLY_SOURCE = 0
//   under way     bytes [0, REASSEMBLY_RECEIVED) of packet REASSEMBLY_ID are in the slot
// Fragments of a source come in order or not at all. A gap ends the reassembly, as does the first
// fragment of the source's next packet. An entry of a source that has been silent for STALE_NS goes to
// whoever needs one. There is no flow control: what finds no entry or no descriptor is lost, and counted.
// Counters are those of the sender, whose thread it is.

import { NS_PER_MS, type StepClock } from "../base/clock.ts";
import { COUNTERS } from "../base/counters.ts";
import { WORD_BYTES } from "../base/words.ts";
import type { Board } from "./board.ts";
import { headBytesOf, packetBytesOf } from "./ethernet-frame.ts";
import {
  REASSEMBLY_ID,
  REASSEMBLY_RECEIVED,
  REASSEMBLY_SOURCE,
  REASSEMBLY_TIME,
  REASSEMBLY_WORDS,
} from "./machine-layout.ts";
import { NO_PACKET } from "./network-interface.ts";
import { PACKET_FRAME, PACKET_PAGE } from "./packet-layout.ts";
import { frameWordOf, moveHeader, movePacket, movePage } from "./packet-mover.ts";
import { armedDescriptor, publishDescriptor } from "./receive-ring.ts";
import { slotPage } from "./slot-channel.ts";

/** A source of which nothing has been heard for so long has given its packet up. Longer than a busy cable
 *  keeps a fragment waiting. */
export const STALE_NS = 100 * NS_PER_MS;

const NO_ENTRY = -1;

export class Reassembly {
  private readonly board: Board;
  private readonly source: number;
  private readonly regionAt: number;
  private readonly counters: Float64Array;
  private readonly clock: StepClock;

  /** What `source` sends. */
  constructor(board: Board, source: number, counters: Float64Array, clock: StepClock) {
    this.board = board;
    this.source = source;
    this.regionAt = board.regionAt[source]!;
    this.counters = counters;
    this.clock = clock;
  }

  /** `packet`: word of the source's packet in the whole memory. Condition: the source holds the cable. */
  receive(destination: number, id: number, packet: number, offset: number, bytes: number): void {
    const { board } = this;
    const toRegion = board.regionAt[destination]!;
    const last = offset + bytes === packetBytesOf(board.words, packet);
    let entry = this.entryOf(toRegion);
    if (offset === 0) {
      if (entry !== NO_ENTRY) this.giveUp(toRegion, entry);
      if (last) {
        this.deliver(destination, packet, NO_ENTRY);
        return;
      }
      entry = this.takeEntry(toRegion, id);
      if (entry === NO_ENTRY) {
        this.counters[COUNTERS.noReassembly.index]! += 1;
        return;
      }
    } else if (entry === NO_ENTRY || !this.continues(toRegion, entry, id, offset)) {
      this.counters[COUNTERS.strayFragments.index]! += 1;
      return;
    }
    this.store(toRegion, entry, packet, offset, bytes);
    if (!last) return;
    this.board.words[tableWord(board, toRegion, entry) + REASSEMBLY_SOURCE] = 0;
    this.deliver(destination, slotWord(board, toRegion, entry), entry);
  }

  // --- the table ----------------------------------------------------------------------------------

  /** This source's entry at the node, or NO_ENTRY. */
  private entryOf(toRegion: number): number {
    const { board } = this;
    for (let entry = 0; entry < board.layout.reassemblies; entry++) {
      const at = tableWord(board, toRegion, entry);
      if (board.words[at + REASSEMBLY_SOURCE] === this.source + 1) return entry;
    }
    return NO_ENTRY;
  }

  /** An entry for packet `id`: an unused one, or that of a source that has fallen silent, or NO_ENTRY. */
  private takeEntry(toRegion: number, id: number): number {
    const { board } = this;
    const { words, doubles, layout } = board;
    let taken = NO_ENTRY;
    for (let entry = 0; entry < layout.reassemblies; entry++) {
      const at = tableWord(board, toRegion, entry);
      if (words[at + REASSEMBLY_SOURCE] === 0) {
        taken = entry;
        break;
      }
      if (this.clock.now() - doubles[(at + REASSEMBLY_TIME) >> 1]! >= STALE_NS) taken = entry;
    }
    if (taken === NO_ENTRY) return NO_ENTRY;
    const at = tableWord(board, toRegion, taken);
    if (words[at + REASSEMBLY_SOURCE] !== 0) this.giveUp(toRegion, taken);
    words[at + REASSEMBLY_SOURCE] = this.source + 1;
    words[at + REASSEMBLY_ID] = id;
    words[at + REASSEMBLY_RECEIVED] = 0;
    return taken;
  }

  /** True if a fragment is the next of the packet under way. One of that packet that is not ends it. */
  private continues(toRegion: number, entry: number, id: number, offset: number): boolean {
    const { board } = this;
    const at = tableWord(board, toRegion, entry);
    if (board.words[at + REASSEMBLY_ID] !== id) return false;
    if (board.words[at + REASSEMBLY_RECEIVED] === offset) return true;
    this.giveUp(toRegion, entry);
    return false;
  }

  private giveUp(toRegion: number, entry: number): void {
    this.board.words[tableWord(this.board, toRegion, entry) + REASSEMBLY_SOURCE] = 0;
    this.counters[COUNTERS.reassembliesGivenUp.index]! += 1;
  }

  // --- moving -------------------------------------------------------------------------------------

  private store(
    toRegion: number,
    entry: number,
    packet: number,
    offset: number,
    bytes: number,
  ): void {
    const { board, regionAt } = this;
    const { words, doubles } = board;
    const slot = slotWord(board, toRegion, entry);
    const headBytes = headBytesOf(words, packet);
    let pageOffset = offset - headBytes;
    let pageBytes = bytes;
    let moved = 0;
    if (offset === 0) {
      moved = moveHeader(board, slot, packet);
      pageOffset = 0;
      pageBytes = bytes - headBytes;
    }
    const from = frameWordOf(board, regionAt, words[packet + PACKET_FRAME]!) * WORD_BYTES;
    const to = slotPage(slot) * WORD_BYTES;
    board.dma.copy(to + pageOffset, from + pageOffset, pageBytes);
    this.counters[COUNTERS.dmaBytes.index]! += moved + pageBytes;
    const at = tableWord(board, toRegion, entry);
    words[at + REASSEMBLY_RECEIVED] = offset + bytes;
    doubles[(at + REASSEMBLY_TIME) >> 1] = this.clock.now();
  }

  /** Moves a whole packet into the next descriptor: the source's own, or what `entry` holds. */
  private deliver(destination: number, from: number, entry: number): void {
    const { board } = this;
    const { words } = board;
    const toRegion = board.regionAt[destination]!;
    const descriptor = armedDescriptor(board, toRegion);
    if (descriptor === NO_PACKET) {
      this.counters[COUNTERS.noDescriptor.index]! += 1;
      return;
    }
    let moved = 0;
    if (entry === NO_ENTRY) {
      moved = movePacket(board, toRegion, descriptor, this.regionAt, from);
    } else {
      moved = moveHeader(board, descriptor, from);
      const toPage = frameWordOf(board, toRegion, words[descriptor + PACKET_FRAME]!);
      moved += movePage(board, toPage, slotPage(from), words[from + PACKET_PAGE]!);
    }
    this.counters[COUNTERS.dmaBytes.index]! += moved;
    publishDescriptor(board, toRegion, descriptor);
    board.ring(destination);
  }
}

const tableWord = (board: Board, regionAt: number, entry: number): number =>
  regionAt + board.layout.reassemblyTableAt + entry * REASSEMBLY_WORDS;

const slotWord = (board: Board, regionAt: number, entry: number): number =>
  regionAt + board.layout.reassemblySlotsAt + entry * board.layout.channelSlotStride;
