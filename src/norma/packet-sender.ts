// The sending half of the transport: the window of each peer, what is sent again, and everything that goes out.
//
// States of a peer that has packets unacknowledged (peer.ts has the list of them):
//   flowing    an acknowledgement is expected within two timeout periods (paper 2.6.2)
//   asking     none came: SYNC, and again after one period, two, four, ... up to the longest; from the fifth on the packet
//              that is missing in turn with SYNC
//   quenched   it has no buffer and said QUENCH: nothing is sent to it until it says NACK; only if it has been
//              silent for a long time it is asked
// A NACK goes back: everything unacknowledged is sent again, in order. If it tells of room for what had been refused, that
// packet goes alone, as in the paper (2.6.1), and the window opens again as packets are stored: whoever had no buffer
// for one has none for a window. On a reliable network there is only "flowing", without a timer: whoever was refused
// is told so by a NACK that cannot be lost.

import { COUNTERS } from "../base/counters.ts";
import { positionBefore } from "../base/words.ts";
import { type NetworkInterface, NO_PACKET } from "../hardware/network-interface.ts";
import { CLASS_ACK, CLASS_NACK, CLASS_QUENCH, CLASS_SYNC } from "../hardware/packet-class.ts";
import {
  PACKET_INLINE,
  PACKET_LINK,
  PACKET_NUMBER,
  PACKET_PAGE,
  setPacketRoute,
} from "../hardware/packet-layout.ts";
import type { PhysicalMemory } from "../hardware/physical-memory.ts";
import type { PacketCheck } from "./packet-check.ts";
import { controlNumber, dataNumber, nextAttempt } from "./packet-number.ts";
import { ORDER_ACK, ORDER_NACK, ORDER_QUENCH, ORDER_SYNC, PEER_CALLED, type Peer } from "./peer.ts";
import { PeerQueue } from "./peer-queue.ts";
import type { PeerTimes } from "./peer-times.ts";
import {
  WIRE_ACK,
  WIRE_CHECKSUM,
  WIRE_CONTROL,
  WIRE_KIND,
  WIRE_LAST,
  WIRE_SEQUENCE,
} from "./wire-layout.ts";
import {
  CONTROL_ACK,
  CONTROL_NACK,
  CONTROL_NONE,
  CONTROL_QUENCH,
  CONTROL_SYNC,
  KIND_CONTROL,
  NACK_ALONE,
  NACK_WINDOW,
} from "./wire-values.ts";

/** Timeout periods within which an acknowledgement is expected (paper 2.6.2). */
const EXPECTED_PERIODS = 2;
/** Questions without an answer, after which every second one is the packet itself. Two nodes that ask each other in turn may
 *  lose all their answers for ever, on a network that loses every second control. */
const ASKED_IN_VAIN = 4;
/** Longest periods after which a node that said QUENCH is asked all the same: its NACK is repeated, so that this is for
 *  a QUENCH that was overtaken. */
const QUENCHED_PERIODS = 4;

/** Gets packets back that are stored over there. */
export interface PacketOwner {
  packetReleased(packet: number): void;
}

export class PacketSender {
  private readonly words: Int32Array;
  private readonly counters: Float64Array;
  private readonly network: NetworkInterface;
  private readonly node: number;
  private readonly controlPacket: number;
  private readonly windowPackets: number;
  private readonly unreliable: boolean;
  private readonly check: PacketCheck;
  private readonly times: PeerTimes;
  private readonly owner: PacketOwner;
  private readonly ready: PeerQueue = new PeerQueue();
  /** Acknowledged, and not the owner's yet: the first was being sent again when it was acknowledged, the others come
   *  after it. Linked like a peer's. */
  private keptFirst = NO_PACKET;
  private keptLast = NO_PACKET;

  /** `controlPacket`: a packet buffer of its own for control packets. */
  constructor(
    memory: PhysicalMemory,
    network: NetworkInterface,
    controlPacket: number,
    windowPackets: number,
    unreliable: boolean,
    check: PacketCheck,
    times: PeerTimes,
    owner: PacketOwner,
  ) {
    this.words = memory.words;
    this.counters = memory.counters;
    this.node = memory.node;
    this.network = network;
    this.controlPacket = controlPacket;
    this.windowPackets = windowPackets;
    this.unreliable = unreliable;
    this.check = check;
    this.times = times;
    this.owner = owner;
  }

  // --- what goes out ------------------------------------------------------------------------------

  /** Takes a packet whose kind, inline and page words are set. Never refuses: the window delays. */
  submit(peer: Peer, packet: number): void {
    const { words } = this;
    peer.submitted = (peer.submitted + 1) | 0;
    setPacketRoute(words, packet, this.node, peer.node);
    words[packet + WIRE_SEQUENCE] = peer.submitted;
    words[packet + WIRE_CONTROL] = CONTROL_NONE;
    words[packet + PACKET_NUMBER] = dataNumber(peer.submitted);
    words[packet + PACKET_LINK] = NO_PACKET;
    if (peer.last === NO_PACKET) peer.first = packet;
    else words[peer.last + PACKET_LINK] = packet;
    peer.last = packet;
    if (peer.cursor === NO_PACKET) peer.cursor = packet;
    if (peer.inReady) return;
    // Nobody queues before us and the interface is free: go straight out.
    if (this.ready.isEmpty && this.canSend(peer) && this.network.sending() === NO_PACKET) {
      this.sendNext(peer);
    } else {
      this.makeReady(peer);
    }
  }

  /** A control packet is to go to the peer, ORDER_ACK or another. */
  order(peer: Peer, order: number): void {
    if (order === ORDER_NACK) peer.orders &= ~ORDER_QUENCH;
    else if (order === ORDER_QUENCH) peer.orders &= ~ORDER_NACK;
    peer.orders |= order;
    this.makeReady(peer);
  }

  private canSend(peer: Peer): boolean {
    if (peer.cursor === NO_PACKET || peer.quenched) return false;
    return ((peer.sent - peer.acked) | 0) < peer.window;
  }

  private makeReady(peer: Peer): void {
    if (!peer.inReady) this.ready.push(peer);
  }

  get hasReady(): boolean {
    return !this.ready.isEmpty;
  }

  /** Sends what is ready, one packet per peer in turn, as long as the interface takes it. Returns packets sent. */
  sendReady(): number {
    let sent = 0;
    while (!this.ready.isEmpty && this.network.sending() === NO_PACKET) {
      const peer = this.ready.shift();
      if (peer.orders !== 0) this.sendControl(peer);
      else if (this.canSend(peer)) this.sendNext(peer);
      else continue;
      sent += 1;
      if (peer.orders !== 0 || this.canSend(peer)) this.makeReady(peer);
    }
    return sent;
  }

  private sendNext(peer: Peer): void {
    const { words } = this;
    const packet = peer.cursor;
    const sequence = words[packet + WIRE_SEQUENCE]!;
    peer.cursor = words[packet + PACKET_LINK]!;
    peer.sent = sequence;
    if (positionBefore(peer.highest, sequence)) {
      peer.highest = sequence;
      if (this.unreliable && peer.timed === 0) {
        peer.timed = sequence;
        this.times.packetLeaves(peer.node);
      }
    } else {
      this.counters[COUNTERS.retransmitted.index]! += 1;
      words[packet + PACKET_NUMBER] = nextAttempt(words[packet + PACKET_NUMBER]!);
    }
    if (this.unreliable && !this.times.isExpecting(peer.node)) this.expect(peer);
    this.transmit(peer, packet);
  }

  /** NACK or QUENCH before SYNC before ACK: what is most of use to the peer first. */
  private sendControl(peer: Peer): void {
    const { orders } = peer;
    if ((orders & ORDER_NACK) !== 0) {
      this.sendOrder(peer, ORDER_NACK, CONTROL_NACK, CLASS_NACK, COUNTERS.nacksSent.index);
    } else if ((orders & ORDER_QUENCH) !== 0) {
      this.sendOrder(peer, ORDER_QUENCH, CONTROL_QUENCH, CLASS_QUENCH, COUNTERS.quenchesSent.index);
    } else if ((orders & ORDER_SYNC) !== 0) {
      this.sendOrder(peer, ORDER_SYNC, CONTROL_SYNC, CLASS_SYNC, COUNTERS.syncsSent.index);
    } else {
      this.sendOrder(peer, ORDER_ACK, CONTROL_ACK, CLASS_ACK, COUNTERS.acksSent.index);
    }
  }

  private sendOrder(
    peer: Peer,
    order: number,
    control: number,
    packetClass: number,
    counter: number,
  ): void {
    const { words, controlPacket } = this;
    const sync = control === CONTROL_SYNC;
    const calls = control === CONTROL_NACK && peer.state === PEER_CALLED;
    peer.orders &= ~order;
    peer.controlNumber = (peer.controlNumber + 1) | 0;
    if (sync) {
      peer.syncTimed = peer.controlNumber;
      this.times.syncLeaves(peer.node);
    }
    setPacketRoute(words, controlPacket, this.node, peer.node);
    words[controlPacket + PACKET_INLINE] = 0;
    words[controlPacket + PACKET_PAGE] = 0;
    words[controlPacket + PACKET_NUMBER] = controlNumber(packetClass, peer.controlNumber);
    words[controlPacket + WIRE_KIND] = KIND_CONTROL;
    words[controlPacket + WIRE_SEQUENCE] = sync ? peer.controlNumber : peer.echo;
    words[controlPacket + WIRE_CONTROL] = control;
    words[controlPacket + WIRE_LAST] = sync ? peer.sent : calls ? NACK_ALONE : NACK_WINDOW;
    if (!sync) peer.echo = 0;
    this.counters[counter]! += 1;
    this.transmit(peer, controlPacket);
  }

  /** The last touch: the acknowledgement that rides along, the checksum, and out. */
  private transmit(peer: Peer, packet: number): void {
    const { words } = this;
    words[packet + WIRE_ACK] = peer.received;
    peer.ackOwed = 0;
    peer.orders &= ~ORDER_ACK;
    words[packet + WIRE_CHECKSUM] = this.unreliable ? this.check.checksum(packet) : 0;
    this.counters[COUNTERS.packetsSent.index]! += 1;
    this.network.transmit(packet);
  }

  // --- what the peer says of it ---------------------------------------------------------------------

  /** Everything up to `ack` is stored over there. */
  acknowledged(peer: Peer, ack: number): void {
    if (!positionBefore(peer.acked, ack)) return;
    const { words } = this;
    if (peer.window < this.windowPackets) this.widen(peer, (ack - peer.acked) | 0);
    peer.acked = ack;
    peer.backoff = 0;
    peer.quenched = false;
    peer.orders &= ~ORDER_SYNC;
    if (positionBefore(peer.sent, ack)) peer.sent = ack;
    while (peer.first !== NO_PACKET && !positionBefore(ack, words[peer.first + WIRE_SEQUENCE]!)) {
      const packet = peer.first;
      peer.first = words[packet + PACKET_LINK]!;
      if (peer.first === NO_PACKET) peer.last = NO_PACKET;
      if (peer.cursor === packet) peer.cursor = peer.first;
      this.release(packet); // its owner may submit the next one at once
    }
    if (this.unreliable) this.restartTimer(peer, ack);
    if (this.canSend(peer)) this.makeReady(peer);
  }

  /** After a refusal: with every window that was stored the next is twice as wide. */
  private widen(peer: Peer, stored: number): void {
    peer.window = Math.min(this.windowPackets, peer.window + stored);
  }

  private restartTimer(peer: Peer, ack: number): void {
    if (peer.timed !== 0 && !positionBefore(ack, peer.timed)) {
      this.times.packetReturns(peer.node);
      peer.timed = 0;
    }
    if (peer.first === NO_PACKET) this.times.clearExpected(peer.node);
    else this.expect(peer);
  }

  /** It asks for what comes after `ack`: everything unacknowledged is sent again, in order; what it had refused for want of a
   *  buffer at first `alone`. */
  nacked(peer: Peer, ack: number, alone: boolean): void {
    if (ack !== peer.acked || peer.first === NO_PACKET) return; // obsolete: more has been stored since
    this.goBack(peer, alone);
    peer.backoff = 0;
    peer.quenched = false;
    peer.orders &= ~ORDER_SYNC;
    if (this.unreliable) this.expect(peer);
    this.makeReady(peer);
  }

  private goBack(peer: Peer, alone: boolean): void {
    if (alone) peer.window = 1;
    peer.cursor = peer.first;
    peer.sent = peer.acked;
    peer.timed = 0;
  }

  /** It has no buffer for what comes after `ack`, and will say when it has. */
  quench(peer: Peer, ack: number): void {
    if (ack !== peer.acked || peer.first === NO_PACKET || !this.unreliable) return;
    peer.quenched = true;
    peer.timed = 0;
    peer.backoff = 0;
    peer.orders &= ~ORDER_SYNC;
    this.times.expectLate(peer.node, QUENCHED_PERIODS);
  }

  /** A control answers the SYNC of that number. */
  answered(peer: Peer, number: number): void {
    if (number === 0 || number !== peer.syncTimed) return;
    peer.syncTimed = 0;
    this.times.syncReturns(peer.node);
  }

  // --- packets on their way back to their owner --------------------------------------------------------

  /** Gives an acknowledged packet back: in the order in which packets were acknowledged, because a client may free
   *  with the last packet of a message what the first lies in. */
  private release(packet: number): void {
    if (this.keptFirst === NO_PACKET && this.network.sending() !== packet) {
      this.owner.packetReleased(packet);
      return;
    }
    this.words[packet + PACKET_LINK] = NO_PACKET;
    if (this.keptFirst === NO_PACKET) this.keptFirst = packet;
    else this.words[this.keptLast + PACKET_LINK] = packet;
    this.keptLast = packet;
  }

  /** Gives back what was kept, as far as the interface has let go of it. */
  releaseKept(): void {
    while (this.keptFirst !== NO_PACKET && this.network.sending() !== this.keptFirst) {
      const packet = this.keptFirst;
      this.keptFirst = this.words[packet + PACKET_LINK]!;
      this.owner.packetReleased(packet);
    }
  }

  // --- time -------------------------------------------------------------------------------------------

  /** Asks peers whose acknowledgement is overdue. */
  tick(peers: readonly Peer[]): void {
    const { times } = this;
    times.expectedSweepBegins();
    for (const peer of peers) {
      if (times.isOverdue(peer.node)) this.ask(peer);
      else times.watchExpected(peer.node);
    }
  }

  /** SYNC, whose answer times a round trip; or the packet that is missing. Never both: behind a SYNC a packet may find no
   *  descriptor, every time. */
  private ask(peer: Peer): void {
    if (peer.backoff >= ASKED_IN_VAIN && peer.backoff % 2 === 0) {
      this.goBack(peer, true);
      peer.quenched = false; // a node that is still without a buffer would have said so again
      this.makeReady(peer);
    } else {
      this.order(peer, ORDER_SYNC);
    }
    this.times.expectAgain(peer.node, peer.backoff);
    peer.backoff += 1;
  }

  private expect(peer: Peer): void {
    this.times.expect(peer.node, EXPECTED_PERIODS);
  }
}
