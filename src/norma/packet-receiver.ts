// The receiving half of the transport: what arrives from each peer, in order, and what it is told of that.
//   next in order, stored       acknowledged: by a packet that goes there anyway, or by an ACK after a short while
//   next in order, no buffer    discarded; the peer is owed a NACK, which it gets when there is room (paper 2.6.1)
//   behind                      a duplicate: acknowledged again, never delivered
//   ahead                       discarded; a gap is answered by one NACK, unless the peer was refused anyway
//   SYNC                        answered by what is true: QUENCH, NACK or ACK
// States of a peer: peer.ts. The buffer that a refused packet lies in is armed again at once: it is the fallback buffer
// of 2.6.1, and nothing of it is ever delivered. On an unreliable network (2.6.2) a peer for which there is still no
// room a timeout period later is sent a QUENCH; and a NACK that tells of room is repeated until the packet is here.
// Go-back-n: only the next in order is stored.

import { NEVER, type StepClock } from "../base/clock.ts";
import { COUNTERS } from "../base/counters.ts";
import { positionBefore } from "../base/words.ts";
import { PACKET_FRAME } from "../hardware/packet-layout.ts";
import type { PhysicalMemory } from "../hardware/physical-memory.ts";
import type { PacketSender } from "./packet-sender.ts";
import {
  ORDER_ACK,
  ORDER_NACK,
  ORDER_QUENCH,
  PEER_CALLED,
  PEER_OPEN,
  PEER_STOPPED,
  type Peer,
} from "./peer.ts";
import type { PeerTimes } from "./peer-times.ts";
import { WIRE_SEQUENCE } from "./wire-layout.ts";

/** Answer of whoever takes packets, if there is no room: the packet will come again. */
export const REFUSED = -1;

/** Who takes the packets that are next in order. */
export interface PacketTaker {
  /** Stores what is needed of the packet in the descriptor at word `at`. Returns the frame to arm the descriptor with,
   *  or REFUSED with nothing done. */
  takePacket(at: number, source: number): number;
}

export class PacketReceiver {
  private readonly words: Int32Array;
  private readonly counters: Float64Array;
  private readonly clock: StepClock;
  private readonly ackDelayNs: number;
  private readonly ackEveryMax: number;
  private readonly unreliable: boolean;
  private readonly times: PeerTimes;
  private readonly sender: PacketSender;
  private readonly taker: PacketTaker;
  private readonly owing: Peer[] = [];
  /** Peers whose pages are busy until they hear from us. */
  private readonly urgent: Peer[] = [];
  private readonly stopped: Peer[] = [];
  /** When to look at `owing`. */
  private readonly acksAt = new Float64Array([NEVER]);

  constructor(
    memory: PhysicalMemory,
    clock: StepClock,
    ackDelayNs: number,
    ackEveryMax: number,
    unreliable: boolean,
    times: PeerTimes,
    sender: PacketSender,
    taker: PacketTaker,
  ) {
    this.words = memory.words;
    this.counters = memory.counters;
    this.clock = clock;
    this.ackDelayNs = ackDelayNs;
    this.ackEveryMax = ackEveryMax;
    this.unreliable = unreliable;
    this.times = times;
    this.sender = sender;
    this.taker = taker;
  }

  // --- what arrives ---------------------------------------------------------------------------------

  /** A packet with data, in the descriptor at word `at`. Returns the frame to arm the descriptor with. */
  data(peer: Peer, at: number): number {
    const frame = this.words[at + PACKET_FRAME]!;
    const sequence = this.words[at + WIRE_SEQUENCE]!;
    const ahead = (sequence - peer.received) | 0;
    if (ahead !== 1) {
      this.discard(peer, ahead);
      return frame;
    }
    // Before takePacket(): a reply sent from within it acknowledges this packet, which by then is stored.
    peer.received = sequence;
    peer.ackOwed += 1;
    const kept = this.taker.takePacket(at, peer.node);
    if (kept === REFUSED) {
      peer.received = (sequence - 1) | 0;
      peer.ackOwed -= 1;
      this.refuse(peer);
      return frame;
    }
    if (peer.state !== PEER_OPEN) this.open(peer);
    if (peer.ackOwed > 0) this.oweAck(peer);
    return kept;
  }

  /** Not the next in order: a duplicate is acknowledged again, a gap is answered once. */
  private discard(peer: Peer, ahead: number): void {
    if (ahead <= 0) {
      this.counters[COUNTERS.duplicates.index]! += 1;
      this.sender.order(peer, ORDER_ACK);
      return;
    }
    this.counters[COUNTERS.outOfOrder.index]! += 1;
    if (peer.state !== PEER_OPEN || peer.gapNackedAt === peer.received) return;
    peer.gapNackedAt = peer.received;
    this.sender.order(peer, ORDER_NACK);
  }

  /** The peer asks what has become of everything up to `last`. */
  sync(peer: Peer, number: number, last: number): void {
    peer.echo = number;
    if (peer.state === PEER_STOPPED) {
      if (this.unreliable) this.times.clearOwed(peer.node);
      this.sender.order(peer, ORDER_QUENCH);
    } else if (positionBefore(peer.received, last)) {
      this.sender.order(peer, ORDER_NACK);
    } else {
      this.sender.order(peer, ORDER_ACK);
    }
  }

  // --- acknowledgements -------------------------------------------------------------------------------

  private oweAck(peer: Peer): void {
    if (peer.ackOwed >= peer.ackEvery) {
      this.sender.order(peer, ORDER_ACK);
      if (peer.ackEvery < this.ackEveryMax)
        peer.ackEvery = Math.min(this.ackEveryMax, 2 * peer.ackEvery);
    } else if (!peer.inOwing) {
      peer.inOwing = true;
      peer.receivedAtTick = peer.received;
      this.owing.push(peer);
      if (this.acksAt[0] === NEVER) this.acksAt[0] = this.clock.now() + this.ackDelayNs;
    }
  }

  /** The peer's pages stay write-protected until it hears that they are stored: it is told in the next poll, or by the
   *  packet that goes to it before. */
  ackSoon(peer: Peer): void {
    if (peer.inUrgent) return;
    peer.inUrgent = true;
    this.urgent.push(peer);
  }

  get hasUrgent(): boolean {
    return this.urgent.length > 0;
  }

  acknowledgeUrgent(): void {
    for (const peer of this.urgent) {
      peer.inUrgent = false;
      if (peer.ackOwed > 0) this.sender.order(peer, ORDER_ACK);
    }
    this.urgent.length = 0;
  }

  /** All acknowledgements that are owed are to go now. */
  acknowledgeAll(): void {
    for (const peer of this.owing) {
      peer.inOwing = false;
      if (peer.ackOwed > 0) this.sender.order(peer, ORDER_ACK);
    }
    this.owing.length = 0;
    this.acksAt[0] = NEVER;
  }

  // --- buffers ------------------------------------------------------------------------------------------

  private refuse(peer: Peer): void {
    this.counters[COUNTERS.noBuffer.index]! += 1;
    const waits = peer.state === PEER_STOPPED && this.times.isOwing(peer.node);
    if (this.unreliable && !waits) this.times.owe(peer.node, 0);
    peer.state = PEER_STOPPED;
    peer.orders &= ~ORDER_NACK;
    if (peer.inStopped) return;
    peer.inStopped = true;
    this.stopped.push(peer);
  }

  /** A packet that had been refused is here, alone (packet-sender.ts). */
  private open(peer: Peer): void {
    peer.state = PEER_OPEN;
    peer.ackEvery = 1;
    peer.repeats = 0;
    peer.orders &= ~(ORDER_NACK | ORDER_QUENCH);
    this.times.clearOwed(peer.node);
  }

  /** True while some peer is owed a NACK. */
  get isStopped(): boolean {
    return this.stopped.length > 0;
  }

  /** There is room again: every peer that was refused is told to go back. */
  buffersAvailable(): void {
    for (const peer of this.stopped) {
      peer.inStopped = false;
      if (peer.state !== PEER_STOPPED) continue;
      peer.state = PEER_CALLED;
      peer.repeats = 0;
      this.call(peer);
    }
    this.stopped.length = 0;
  }

  /** NACK: there is room. Repeated, since it may be lost, until the packet is here. */
  private call(peer: Peer): void {
    this.sender.order(peer, ORDER_NACK);
    if (!this.unreliable) return;
    this.times.owe(peer.node, peer.repeats + 1);
    peer.repeats += 1;
  }

  // --- time -------------------------------------------------------------------------------------------

  /** True when acknowledgements wait that have found nothing to ride on. */
  areAcksDue(): boolean {
    return this.clock.now() >= this.acksAt[0]!;
  }

  /** When they do, ns. */
  acksDueNs(): number {
    return this.acksAt[0]!;
  }

  /** Acknowledges peers that have been quiet since the last look; looks again at the others. */
  tickAcks(): void {
    let kept = 0;
    for (const peer of this.owing) {
      if (peer.ackOwed === 0) {
        peer.inOwing = false;
      } else if (peer.receivedAtTick === peer.received) {
        peer.inOwing = false;
        this.sender.order(peer, ORDER_ACK);
      } else {
        peer.receivedAtTick = peer.received;
        this.owing[kept++] = peer;
      }
    }
    this.owing.length = kept;
    this.acksAt[0] = kept === 0 ? NEVER : this.clock.now() + this.ackDelayNs;
  }

  /** QUENCH and repeated NACKs, where they are due. */
  tickOwed(peers: readonly Peer[]): void {
    const { times } = this;
    times.owedSweepBegins();
    for (const peer of peers) {
      if (times.isOwedDue(peer.node)) this.remind(peer);
      else times.watchOwed(peer.node);
    }
  }

  /** A period has passed, and a refused packet is not here: for want of a buffer, or because something was lost. */
  private remind(peer: Peer): void {
    this.times.clearOwed(peer.node);
    if (peer.state === PEER_STOPPED) this.sender.order(peer, ORDER_QUENCH);
    else if (peer.state === PEER_CALLED) this.call(peer);
  }
}
