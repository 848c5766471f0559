// The receive ring of a node: descriptors {header area, frame} that software arms and the interface
// fills, in order. One filler at a time: whoever holds the node's ejection channel, or the medium that
// all nodes share. One software.
//
//   position   head (software's, private) <= tail (filler's, in EJECT_TAIL) <= armed (EJECT_ARMED)
//   filled     descriptors [head, tail): PACKET_LINK holds position + 1
//   armed      descriptors [tail, armed): ready to be filled
//   Nothing armed (tail === armed) means that the circuit is held: hardware backpressure (an ethernet
//   has none, and loses the packet).
//
// The filler keeps the last seen EJECT_ARMED beside its tail, so the line that software writes is
// fetched once a round of the ring and not for every packet.

import { assert } from "../base/assert.ts";
import { isPowerOfTwo } from "../base/words.ts";
import type { Board } from "./board.ts";
import {
  EJECT_ARMED,
  EJECT_ARMED_SEEN,
  EJECT_STARVED,
  EJECT_TAIL,
  PACKET_WORDS,
} from "./machine-layout.ts";
import { NO_PACKET } from "./network-interface.ts";
import { PACKET_FRAME, PACKET_LINK } from "./packet-layout.ts";
import type { PhysicalMemory } from "./physical-memory.ts";

/** Software's side of the ring. */
export class ReceiveRing {
  private readonly board: Board;
  private readonly words: Int32Array;
  private readonly ringAt: number;
  private readonly ejectAt: number;
  private readonly mask: number;
  private head = 0;
  private armed = 0;

  constructor(board: Board, memory: PhysicalMemory) {
    assert(isPowerOfTwo(memory.layout.ringLength), "ring length is a power of two");
    this.board = board;
    this.words = memory.words;
    this.ringAt = memory.layout.ringAt;
    this.ejectAt = memory.layout.ejectionAt;
    this.mask = memory.layout.ringLength - 1;
  }

  /** Word of the first filled descriptor, or NO_PACKET. */
  poll(): number {
    const at = this.ringAt + (this.head & this.mask) * PACKET_WORDS;
    // acquire: header, inline bytes and page; pairs with the store in publishDescriptor().
    return Atomics.load(this.words, at + PACKET_LINK) === ((this.head + 1) | 0) ? at : NO_PACKET;
  }

  /** Arms the descriptor at the head again, with `frame`. */
  arm(frame: number): void {
    const at = this.ringAt + (this.head & this.mask) * PACKET_WORDS;
    if (this.words[at + PACKET_FRAME] !== frame) this.words[at + PACKET_FRAME] = frame;
    this.head = (this.head + 1) | 0;
    this.publishArmed();
  }

  /** Arms every descriptor, at boot. */
  armAll(frames: Int32Array): void {
    assert(this.armed === 0 && frames.length === this.mask + 1, "armed once, at boot");
    for (let i = 0; i <= this.mask; i++) {
      this.words[this.ringAt + i * PACKET_WORDS + PACKET_FRAME] = frames[i]!;
    }
    this.armed = this.mask;
    this.publishArmed();
  }

  private publishArmed(): void {
    this.armed = (this.armed + 1) | 0;
    // release: the frame number above; pairs with the load in descriptorToFill().
    Atomics.store(this.words, this.ejectAt + EJECT_ARMED, this.armed);
    // acquire: pairs with the store in descriptorToFill(): a filler found nothing armed and waits.
    if (Atomics.load(this.words, this.ejectAt + EJECT_STARVED) !== 0) this.wakeStarved();
  }

  private wakeStarved(): void {
    const starved = Atomics.exchange(this.words, this.ejectAt + EJECT_STARVED, 0);
    if (starved !== 0) this.board.ring(starved - 1);
  }
}

/** The descriptor to fill next in the ring of the region at `regionAt` (words of the whole memory),
 *  or NO_PACKET when nothing is armed. Condition as below. */
export const armedDescriptor = (board: Board, regionAt: number): number => {
  const { words, layout } = board;
  const ejectAt = regionAt + layout.ejectionAt;
  const tail = words[ejectAt + EJECT_TAIL]!;
  if (words[ejectAt + EJECT_ARMED_SEEN] === tail) {
    // acquire: the frame numbers of what was armed; pairs with the store in publishArmed().
    const armed = Atomics.load(words, ejectAt + EJECT_ARMED);
    if (armed === tail) return NO_PACKET;
    words[ejectAt + EJECT_ARMED_SEEN] = armed;
  }
  return regionAt + layout.ringAt + (tail & (layout.ringLength - 1)) * PACKET_WORDS;
};

/** The same; and when nothing is armed, `node` is rung as soon as something is.
 *  Condition: the caller holds that node's ejection channel, or the medium. */
export const descriptorToFill = (board: Board, regionAt: number, node: number): number => {
  const descriptor = armedDescriptor(board, regionAt);
  if (descriptor !== NO_PACKET) return descriptor;
  const starvedAt = regionAt + board.layout.ejectionAt + EJECT_STARVED;
  Atomics.store(board.words, starvedAt, node + 1); // pairs with the load in publishArmed()
  return armedDescriptor(board, regionAt); // armed just before our word: not starved
};

/** True while `node`, whom descriptorToFill() gave nothing, is on record: the next arm rings it. */
export const isStarving = (board: Board, regionAt: number, node: number): boolean =>
  // acquire: pairs with the exchange in wakeStarved().
  Atomics.load(board.words, regionAt + board.layout.ejectionAt + EJECT_STARVED) === node + 1;

/** Makes a filled descriptor visible to software. Condition as above. */
export const publishDescriptor = (board: Board, regionAt: number, descriptor: number): void => {
  const { words, layout } = board;
  const tailAt = regionAt + layout.ejectionAt + EJECT_TAIL;
  const tail = (words[tailAt]! + 1) | 0;
  words[tailAt] = tail;
  // release: all that was moved into the descriptor and its frame; pairs with the load in poll().
  Atomics.store(words, descriptor + PACKET_LINK, tail);
};
