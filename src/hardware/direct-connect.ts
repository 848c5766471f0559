// The direct-connect interconnect (iPSC/2, iPSC/860): a circuit is reserved channel by channel, then
// the destination's ejection channel, held while the packet moves, and released. CPUs of nodes on the
// way take no part. One circuit at a time per node, like the DCM (CMU kernel/i386ipsc/dcm_output.c).
//
// States of the sender's side:
//   idle      current === NO_PACKET
//   reserving channels up to `here` are held; waits for the next one          (left word there)
//   starving  all held, ejection too; nothing armed at the destination        (EJECT_STARVED)
//   paced     all held, descriptor found; the modelled wire is still busy     (readyNs)
// A blocked circuit keeps what it has; pump() tries again. Nothing is lost.

import { assert } from "../base/assert.ts";
import { NEVER, NS_PER_S, type StepClock } from "../base/clock.ts";
import { COUNTERS } from "../base/counters.ts";
import type { Board } from "./board.ts";
import { holdOrLeaveWord, release, wordStands } from "./channel.ts";
import { nextDimension } from "./ecube-route.ts";
import {
  CHANNEL_BLOCKED_NS,
  CHANNEL_BYTES,
  CHANNEL_PACKETS,
  CHANNEL_WORDS,
  EJECT_WORDS,
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
import { descriptorToFill, isStarving, publishDescriptor, ReceiveRing } from "./receive-ring.ts";

/** The modelled wire; zeros mean: as fast as the host can. */
export interface Pacing {
  /** Time from the first channel to delivery of an empty packet, ns. */
  readonly latencyNs: number;
  /** Bytes per second of the circuit; 0 = not modelled. */
  readonly bytesPerSecond: number;
}

export class DirectConnect implements NetworkInterface {
  private readonly board: Board;
  private readonly node: number;
  private readonly regionAt: number;
  private readonly counters: Float64Array;
  private readonly ring: ReceiveRing;
  private readonly clock: StepClock;
  private readonly pacing: Pacing;
  private readonly paced: boolean;

  private current = NO_PACKET;
  private destination = 0;
  private here = 0;
  private ejectionHeld = false;
  private descriptor = NO_PACKET;
  private blockedAt = NO_PACKET;
  // In a typed array: doubles in fields of an object would be boxed at every store.
  private readonly times = new Float64Array(2);

  constructor(board: Board, memory: PhysicalMemory, clock: StepClock, pacing: Pacing) {
    this.board = board;
    this.node = memory.node;
    this.regionAt = board.regionAt[memory.node]!;
    this.counters = memory.counters;
    this.ring = new ReceiveRing(board, memory);
    this.clock = clock;
    this.pacing = pacing;
    this.paced = pacing.latencyNs > 0 || pacing.bytesPerSecond > 0;
    this.times[READY] = NEVER;
  }

  transmit(packet: number): TransmitStatus {
    assert(this.current === NO_PACKET, "one circuit at a time");
    const at = this.regionAt + packet;
    this.current = packet;
    this.destination = packetDestination(this.board.words, at);
    this.here = this.node;
    if (this.advance()) return TRANSMIT_SENT;
    this.counters[COUNTERS.circuitsHeld.index]! += 1;
    return TRANSMIT_HELD;
  }

  sending(): number {
    return this.current;
  }

  pump(): number {
    if (this.current === NO_PACKET) return 0;
    return this.advance() ? 1 : 0;
  }

  poll(): number {
    return this.ring.poll();
  }

  hasWork(): boolean {
    if (this.ring.poll() !== NO_PACKET) return true;
    return this.current !== NO_PACKET && this.canGoOn();
  }

  arm(frame: number): void {
    this.ring.arm(frame);
  }

  armAll(frames: Int32Array): void {
    this.ring.armAll(frames);
  }

  nextDeadlineNs(): number {
    return this.times[READY]!;
  }

  /** True unless the word left where the circuit waits still stands. A release that found our worker
   *  awake took the word and rang nobody; before parking, pump() must leave it again. */
  private canGoOn(): boolean {
    if (this.blockedAt !== NO_PACKET) {
      return !wordStands(this.board.words, this.blockedAt + this.waitersOffset(), this.node);
    }
    if (this.descriptor !== NO_PACKET) return false; // paced: nextDeadlineNs() tells when
    return !isStarving(this.board, this.board.regionAt[this.destination]!, this.node);
  }

  private waitersOffset(): number {
    return this.here === this.destination ? EJECT_WORDS : CHANNEL_WORDS;
  }

  /** Takes the circuit as far as it goes; true when the packet was delivered. */
  private advance(): boolean {
    if (!this.reserve()) return false;
    if (this.descriptor === NO_PACKET) {
      const toRegion = this.board.regionAt[this.destination]!;
      this.descriptor = descriptorToFill(this.board, toRegion, this.node);
      if (this.descriptor === NO_PACKET) return false; // starving
      if (this.paced) this.times[READY] = this.clock.now() + this.wireNs();
    }
    if (this.paced && this.clock.now() < this.times[READY]!) return false;
    this.deliver();
    return true;
  }

  /** Holds the next channels of the path, then ejection; false at the first that is taken. */
  private reserve(): boolean {
    const { words, layout } = this.board;
    while (this.here !== this.destination) {
      const dimension = nextDimension(this.here ^ this.destination);
      const at =
        this.board.regionAt[this.here]! + layout.channelsAt + dimension * layout.channelStride;
      if (!this.hold(words, at, at + CHANNEL_WORDS)) return false;
      this.here ^= 1 << dimension;
    }
    if (this.ejectionHeld) return true;
    const at = this.board.regionAt[this.destination]! + layout.ejectionAt;
    if (!this.hold(words, at, at + EJECT_WORDS)) return false;
    this.ejectionHeld = true;
    return true;
  }

  private hold(words: Int32Array, at: number, waitersAt: number): boolean {
    if (!holdOrLeaveWord(words, at, waitersAt, this.node)) {
      if (this.blockedAt !== at) {
        this.blockedAt = at;
        this.times[BLOCKED_SINCE] = this.clock.now();
      }
      return false;
    }
    if (this.blockedAt === at) {
      // Ours now, so we may write its counter. Ejection channels keep no times.
      if (this.here !== this.destination) {
        this.board.doubles[(at + CHANNEL_BLOCKED_NS) >> 1]! +=
          this.clock.now() - this.times[BLOCKED_SINCE]!;
      }
      this.blockedAt = NO_PACKET;
    }
    return true;
  }

  /** Time the modelled wire is busy with the current packet. */
  private wireNs(): number {
    const { latencyNs, bytesPerSecond } = this.pacing;
    if (bytesPerSecond === 0) return latencyNs;
    const at = this.regionAt + this.current;
    const { words } = this.board;
    const bytes = PACKET_CARRIED_BYTES + words[at + PACKET_INLINE]! + words[at + PACKET_PAGE]!;
    return latencyNs + (bytes * NS_PER_S) / bytesPerSecond;
  }

  /** Moves the packet, publishes it, frees the circuit and rings the destination. */
  private deliver(): void {
    const { board, regionAt } = this;
    const toRegion = board.regionAt[this.destination]!;
    const from = regionAt + this.current;
    const bytes = movePacket(board, toRegion, this.descriptor, regionAt, from);
    this.counters[COUNTERS.dmaBytes.index]! += bytes;
    publishDescriptor(board, toRegion, this.descriptor);
    board.ring(this.destination);
    this.releaseCircuit(bytes);
    this.current = NO_PACKET;
    this.descriptor = NO_PACKET;
    this.ejectionHeld = false;
    this.times[READY] = NEVER;
  }

  private releaseCircuit(bytes: number): void {
    const { board } = this;
    const { layout, doubles } = board;
    const ejectAt = board.regionAt[this.destination]! + layout.ejectionAt;
    release(board, ejectAt, ejectAt + EJECT_WORDS);
    let here = this.node;
    while (here !== this.destination) {
      const dimension = nextDimension(here ^ this.destination);
      const at = board.regionAt[here]! + layout.channelsAt + dimension * layout.channelStride;
      doubles[(at + CHANNEL_PACKETS) >> 1]! += 1;
      doubles[(at + CHANNEL_BYTES) >> 1]! += bytes;
      release(board, at, at + CHANNEL_WORDS);
      here ^= 1 << dimension;
    }
  }
}

const READY = 0;
const BLOCKED_SINCE = 1;
