// The token ring that the paper supposes (2.6.1): one ring through all nodes, reliable, with hardware flow
// control. Whoever has the permission sends one packet; then it goes to the next node round the ring
// that wants it. A packet whose destination has nothing armed comes back to its sender, as a frame does
// whose "copied" bit nobody has set; the permission goes on without it, and the sender wants it again
// as soon as the destination arms. So a blocked packet keeps nobody else from sending, and as long as
// kernels go on arming there is no deadlock.
//
// The ring is hardware and asks no node for its time. It is driven by whichever node's interface has taken
// MEDIUM_HOLDER: that one carries the packets of all who want to send, in their order round the ring.
//   REG_OFFER          a node's packet, offered with its word + 1; 0 again when it has been delivered
//   the waiter set     of the medium: who wants the permission. With MEDIUM_WAITING, as in channel.ts
//   EJECT_WAITING and  of a node: whose packets have come back for want of a descriptor there. Those
//   its waiter set     who are in it want nothing, until the node arms: each time it puts one of them
//                      among those who do
//
// An offered packet's sender is in exactly one of the two sets, or has its packet carried.
//
// Why nothing is forgotten: a node says that it wants the permission, then tries to take the ring; who had
// the ring frees it, then looks whether anybody wants it. A carrier that finds nothing armed puts the sender
// into the destination's set, then looks again; the destination arms, then looks at its set. (Dekker, twice.)

import { assert } from "../base/assert.ts";
import { NEVER, NS_PER_S, type StepClock } from "../base/clock.ts";
import { COUNTERS } from "../base/counters.ts";
import type { Board } from "./board.ts";
import { CHANNEL_FREE, leaveWord, tryHold, wordStands } from "./channel.ts";
import type { Pacing } from "./direct-connect.ts";
import {
  EJECT_WAITING,
  EJECT_WORDS,
  MEDIUM_HOLDER,
  MEDIUM_LAST,
  MEDIUM_WAITING,
  MEDIUM_WORDS,
  REG_OFFER,
  REG_RETURNS,
} from "./machine-layout.ts";
import {
  type NetworkInterface,
  NO_PACKET,
  TRANSMIT_HELD,
  TRANSMIT_SENT,
  type TransmitStatus,
} from "./network-interface.ts";
import {
  PACKET_CARRIED_BYTES,
  PACKET_INLINE,
  PACKET_PAGE,
  packetDestination,
} from "./packet-layout.ts";
import { movePacket } from "./packet-mover.ts";
import type { PhysicalMemory } from "./physical-memory.ts";
import { armedDescriptor, publishDescriptor, ReceiveRing } from "./receive-ring.ts";

const NO_NODE = -1;
/** REG_OFFER when there is nothing to be sent. */
const NOTHING = 0;

export class TokenRing implements NetworkInterface {
  private readonly board: Board;
  private readonly node: number;
  private readonly regionAt: number;
  private readonly ejectAt: number;
  private readonly ringAt: number;
  private readonly wantsAt: number;
  private readonly setWords: number;
  private readonly counters: Float64Array;
  private readonly descriptors: ReceiveRing;
  private readonly clock: StepClock;
  private readonly pacing: Pacing;
  private readonly paced: boolean;

  /** The own packet that is offered. */
  private current = NO_PACKET;
  private currentBytes = 0;
  private returnsSeen = 0;
  /** Whose packet was let in last after it had come back from here. */
  private readmitted: number;
  /** Paced: whose packet this node carries round the ring, which it holds. */
  private carried = NO_NODE;
  // In a typed array: doubles in fields of an object would be boxed at every store.
  private readonly times = new Float64Array([NEVER]);

  constructor(board: Board, memory: PhysicalMemory, clock: StepClock, pacing: Pacing) {
    const { layout } = board;
    this.board = board;
    this.node = memory.node;
    this.regionAt = board.regionAt[memory.node]!;
    this.ejectAt = this.regionAt + layout.ejectionAt;
    this.ringAt = layout.mediumAt;
    this.wantsAt = layout.mediumAt + MEDIUM_WORDS;
    this.readmitted = memory.node;
    this.setWords = (layout.nodes + 31) >>> 5;
    this.counters = memory.counters;
    this.descriptors = new ReceiveRing(board, memory);
    this.clock = clock;
    this.pacing = pacing;
    this.paced = pacing.latencyNs > 0 || pacing.bytesPerSecond > 0;
  }

  transmit(packet: number): TransmitStatus {
    assert(this.current === NO_PACKET, "one packet at a time");
    const { words } = this.board;
    const at = this.regionAt + packet;
    this.current = packet;
    this.currentBytes = packetBytes(words, at);
    // release: the packet and its page; pairs with the load in takeOffer().
    Atomics.store(words, this.regionAt + REG_OFFER, packet + 1);
    leaveWord(words, this.ringAt, this.wantsAt, this.node);
    this.drive();
    if (this.collect()) return TRANSMIT_SENT;
    this.counters[COUNTERS.circuitsHeld.index]! += 1;
    return TRANSMIT_HELD;
  }

  sending(): number {
    return this.current;
  }

  pump(): number {
    let work = this.carried === NO_NODE ? 0 : this.carryOn();
    if (this.current === NO_PACKET) return work;
    if (!this.isDelivered() && this.wantsFreeRing()) work += this.drive();
    return this.collect() ? work + 1 : work;
  }

  poll(): number {
    return this.descriptors.poll();
  }

  hasWork(): boolean {
    if (this.descriptors.poll() !== NO_PACKET) return true;
    return this.current !== NO_PACKET && (this.isDelivered() || this.wantsFreeRing());
  }

  arm(frame: number): void {
    this.descriptors.arm(frame);
    // acquire: pairs with the store in leaveWord(), after which the carrier looks again.
    if (Atomics.load(this.board.words, this.ejectAt + EJECT_WAITING) !== 0) this.readmit();
  }

  armAll(frames: Int32Array): void {
    this.descriptors.armAll(frames);
    for (let armed = 0; armed < frames.length; armed++) this.readmit();
  }

  nextDeadlineNs(): number {
    return this.times[DUE]!;
  }

  // --- the own packet -------------------------------------------------------------------------------

  private isDelivered(): boolean {
    // acquire: the carrier is done with the packet; pairs with the store in deliver().
    return Atomics.load(this.board.words, this.regionAt + REG_OFFER) === NOTHING;
  }

  /** Sees to a packet that was delivered; false if it was not yet. */
  private collect(): boolean {
    if (!this.isDelivered()) return false;
    const { counters } = this;
    const returns = this.board.words[this.regionAt + REG_RETURNS]!; // written before the offer's end
    counters[COUNTERS.dmaBytes.index]! += this.currentBytes;
    counters[COUNTERS.ringReturns.index]! += (returns - this.returnsSeen) | 0;
    this.returnsSeen = returns;
    this.current = NO_PACKET;
    return true;
  }

  /** True if nobody drives the ring although this node wants the permission: who freed it found us awake
   *  and rang nobody. Without the flag somebody is just saying that we want it, and will drive. */
  private wantsFreeRing(): boolean {
    const { words } = this.board;
    if (Atomics.load(words, this.ringAt + MEDIUM_HOLDER) !== CHANNEL_FREE) return false;
    if (Atomics.load(words, this.ringAt + MEDIUM_WAITING) === 0) return false;
    return wordStands(words, this.wantsAt, this.node);
  }

  /** One of those whose packets came back from here wants the permission again; they take turns. One only: more
   *  would but come back again. */
  private readmit(): void {
    const { words } = this.board;
    const setAt = this.ejectAt + EJECT_WORDS;
    const flagAt = this.ejectAt + EJECT_WAITING;
    // The flag first: a bit set after this comes with a flag set after this.
    Atomics.store(words, flagAt, 0);
    const next = this.firstAfter(this.readmitted, setAt);
    if (next === NO_NODE) return;
    Atomics.store(words, flagAt, 1); // there may be others
    const bit = 1 << (next & 31);
    // It is gone if its carrier has found the new descriptor itself.
    if ((Atomics.and(words, setAt + (next >>> 5), ~bit) & bit) === 0) return;
    this.readmitted = next;
    leaveWord(words, this.ringAt, this.wantsAt, next);
    this.drive();
  }

  // --- driving the ring -----------------------------------------------------------------------------

  /** Takes the ring, if it is free, and carries a packet for each who wants it, a round at most. Whoever
   *  wants it still is rung, to drive on. Returns packets carried. */
  private drive(): number {
    const { board, ringAt, node } = this;
    const { words, layout } = board;
    if (this.carried !== NO_NODE) return 0; // ours already; carryOn() drives on
    let carried = 0;
    for (let left = layout.nodes; left > 0; left--) {
      // acquire: pairs with the store in leaveWord().
      if (Atomics.load(words, ringAt + MEDIUM_WAITING) === 0) return carried;
      if (!tryHold(words, ringAt, node)) return carried; // its holder looks who wants it once he has freed it
      const next = this.takeNext();
      if (next !== NO_NODE) {
        if (this.paced) {
          this.carry(next);
          return carried;
        }
        this.deliver(next);
        carried += 1;
      }
      this.free();
    }
    this.ringWanting();
    return carried;
  }

  private free(): void {
    // release: MEDIUM_LAST and descriptors' tails; pairs with the compareExchange in tryHold().
    Atomics.store(this.board.words, this.ringAt + MEDIUM_HOLDER, CHANNEL_FREE);
  }

  /** The next node round the ring, after who sent last, that wants to send; it does no more. NO_NODE: there
   *  is none, and MEDIUM_WAITING says so. Condition: this node holds the ring, as for all that follows. */
  private takeNext(): number {
    const { words } = this.board;
    let next = this.findNext();
    if (next === NO_NODE) {
      // The flag first, then once more: a bit set after this comes with a flag set after this.
      Atomics.store(words, this.ringAt + MEDIUM_WAITING, 0);
      next = this.findNext();
      if (next === NO_NODE) return NO_NODE;
      Atomics.store(words, this.ringAt + MEDIUM_WAITING, 1); // there may be others
    }
    Atomics.and(words, this.wantsAt + (next >>> 5), ~(1 << (next & 31)));
    words[this.ringAt + MEDIUM_LAST] = next;
    return next;
  }

  private findNext(): number {
    return this.firstAfter(this.board.words[this.ringAt + MEDIUM_LAST]!, this.wantsAt);
  }

  /** The first node of a set after `last` round the ring, or NO_NODE. */
  private firstAfter(last: number, setAt: number): number {
    const { board, setWords } = this;
    const { words, layout } = board;
    const first = last + 1 < layout.nodes ? last + 1 : 0;
    // The first word twice: its upper part to begin with, the rest when the round comes back to it.
    let mask = -1 << (first & 31);
    let index = first >>> 5;
    for (let i = 0; i <= setWords; i++) {
      const bits = Atomics.load(words, setAt + index) & mask;
      if (bits !== 0) return index * 32 + (31 - Math.clz32(bits & -bits));
      mask = -1;
      index = index + 1 < setWords ? index + 1 : 0;
    }
    return NO_NODE;
  }

  /** The offered packet of a node, in the whole memory. */
  private takeOffer(sender: number): number {
    const { board } = this;
    const region = board.regionAt[sender]!;
    // acquire: the packet and its page; pairs with the store in transmit().
    const offer = Atomics.load(board.words, region + REG_OFFER);
    assert(offer !== NOTHING, `node ${sender} wants to send nothing`);
    return region + offer - 1;
  }

  /** Puts the packet of `sender` into a descriptor of its destination; or it comes back. */
  private deliver(sender: number): void {
    const { board } = this;
    const { words } = board;
    const packet = this.takeOffer(sender);
    const destination = packetDestination(words, packet);
    const toRegion = board.regionAt[destination]!;
    const descriptor = this.descriptorOf(toRegion, sender);
    if (descriptor === NO_PACKET) return;
    movePacket(board, toRegion, descriptor, board.regionAt[sender]!, packet);
    publishDescriptor(board, toRegion, descriptor);
    // release: we read its packet no longer; pairs with the load in isDelivered().
    Atomics.store(words, board.regionAt[sender]! + REG_OFFER, NOTHING);
    board.ring(destination);
    if (sender !== this.node) board.ring(sender);
  }

  /** An armed descriptor; or NO_PACKET, and the sender is among those who wait for one. */
  private descriptorOf(toRegion: number, sender: number): number {
    const { board } = this;
    const { words, layout } = board;
    const descriptor = armedDescriptor(board, toRegion);
    if (descriptor !== NO_PACKET) return descriptor;
    words[board.regionAt[sender]! + REG_RETURNS]! += 1;
    const ejectAt = toRegion + layout.ejectionAt;
    const starvedAt = ejectAt + EJECT_WORDS;
    leaveWord(words, ejectAt, starvedAt, sender);
    const armed = armedDescriptor(board, toRegion); // armed just before our word?
    if (armed === NO_PACKET) return NO_PACKET;
    const bit = 1 << (sender & 31);
    const before = Atomics.and(words, starvedAt + (sender >>> 5), ~bit);
    // The destination may have seen our word: then the sender is among those who want the ring again.
    return (before & bit) !== 0 ? armed : NO_PACKET;
  }

  private ringWanting(): void {
    const { board, wantsAt, setWords } = this;
    for (let i = 0; i < setWords; i++) {
      let bits = Atomics.load(board.words, wantsAt + i);
      while (bits !== 0) {
        board.ring(i * 32 + (31 - Math.clz32(bits & -bits)));
        bits &= bits - 1;
      }
    }
  }

  // --- the modelled wire ----------------------------------------------------------------------------

  private carry(sender: number): void {
    const { latencyNs, bytesPerSecond } = this.pacing;
    const bytes = packetBytes(this.board.words, this.takeOffer(sender));
    const wireNs = bytesPerSecond === 0 ? 0 : (bytes * NS_PER_S) / bytesPerSecond;
    this.carried = sender;
    this.times[DUE] = this.clock.now() + latencyNs + wireNs;
  }

  /** The packet has gone round, if its time is over: the next one's turn. Returns packets carried. */
  private carryOn(): number {
    if (this.clock.now() < this.times[DUE]!) return 0;
    this.deliver(this.carried);
    this.carried = NO_NODE;
    this.times[DUE] = NEVER;
    this.free();
    return 1 + this.drive();
  }
}

const DUE = 0;

const packetBytes = (words: Int32Array, at: number): number =>
  PACKET_CARRIED_BYTES + words[at + PACKET_INLINE]! + words[at + PACKET_PAGE]!;
