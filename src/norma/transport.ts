// Reliable delivery between each ordered pair of nodes: exactly once and in order (I-3), nothing
// acknowledged that is not stored (I-4). It knows packets, not messages; clients do.
//   submit(destination, packet)  the packet buffer, header and page frame, are the transport's until
//                                the client's released()
//   poll(budget)                 takes packets off the receive ring and gives them to clients
//   tick()                       timers; isDue() says when; quiesce() before the node idles
//   buffersAvailable()           a client that refused a packet can take one again
//
// On a reliable network (paper 2.6.1) there are no timers: a packet is refused only for want of a
// buffer, its sender is owed a NACK, and goes back when the NACK comes. On an unreliable one (2.6.2)
// the sender goes back on a timeout as well, which follows the measured round trip; the receiver
// answers a gap with one NACK; packets carry checksums. The paper's SYNC and QUENCH are not here yet.
// Go-back-n: the receiver stores only the next in order.

import { assert } from "../base/assert.ts";
import { NEVER, type StepClock } from "../base/clock.ts";
import { COUNTERS } from "../base/counters.ts";
import { positionBefore } from "../base/words.ts";
import { type NetworkInterface, NO_PACKET } from "../hardware/network-interface.ts";
import {
  PACKET_FRAME,
  PACKET_INLINE,
  PACKET_LINK,
  PACKET_NUMBER,
  PACKET_PAGE,
  packetSource,
  setPacketRoute,
} from "../hardware/packet-layout.ts";
import type { PhysicalMemory } from "../hardware/physical-memory.ts";
import { PacketCheck } from "./packet-check.ts";
import { controlNumber, dataNumber, nextAttempt } from "./packet-number.ts";
import { Peer } from "./peer.ts";
import { PeerQueue } from "./peer-queue.ts";
import { RoundTrips, type TimeoutBounds } from "./round-trip.ts";
import { WIRE_ACK, WIRE_CHECKSUM, WIRE_CONTROL, WIRE_KIND, WIRE_SEQUENCE } from "./wire-layout.ts";
import {
  CONTROL_ACK,
  CONTROL_NACK,
  CONTROL_NONE,
  KIND_CONTROL,
  KINDS_MAX,
  WIRE_KIND_MASK,
} from "./wire-values.ts";

/** Answer of a client that has no room: the packet will come again. */
export const REFUSED = -1;

/** Who handles the packets of one kind. */
export interface TransportClient {
  /** Stores what it needs of the packet in the descriptor at word `at`. Returns the frame to arm the
   *  descriptor with (its own, if the page was not kept), or REFUSED with nothing done. */
  accept(at: number, source: number): number;
  /** The packet is stored over there: its buffer and frame are the client's again. In the order of submission
   *  for each destination. */
  released(packet: number): void;
}

export interface TransportOptions {
  /** Packets that may be unacknowledged per destination; 1 is the paper's. */
  readonly windowPackets: number;
  /** False: the interconnect loses nothing; no timers, no checksums. */
  readonly unreliable: boolean;
  /** How long an acknowledgement waits for a packet to ride on, ns. */
  readonly ackDelayNs: number;
  readonly timeouts: TimeoutBounds;
}

export class Transport {
  private readonly words: Int32Array;
  private readonly counters: Float64Array;
  private readonly network: NetworkInterface;
  private readonly clock: StepClock;
  private readonly options: TransportOptions;
  private readonly windowPackets: number;
  private readonly unreliable: boolean;
  private readonly check: PacketCheck;
  private readonly ackEvery: number;
  private readonly node: number;
  private readonly controlPacket: number;
  private readonly clients: (TransportClient | null)[] = new Array(KINDS_MAX).fill(null);
  private readonly peers: (Peer | undefined)[];
  private readonly contacts: Peer[] = [];
  private readonly roundTrips: RoundTrips;

  private readonly ready: PeerQueue = new PeerQueue();
  private readonly owing: Peer[] = [];
  /** Peers whose pages are busy until they hear from us. */
  private readonly urgent: Peer[] = [];
  private readonly stopped: Peer[] = [];
  /** Acknowledged, and not the client's yet: the first was being sent again when it was acknowledged, the others
   *  come after it. Linked like a peer's. */
  private keptFirst = NO_PACKET;
  private keptLast = NO_PACKET;
  private readonly deadlines = new Float64Array([NEVER, NEVER]);

  /** `controlPacket`: a packet buffer of its own for explicit acknowledgements. */
  constructor(
    memory: PhysicalMemory,
    network: NetworkInterface,
    controlPacket: number,
    clock: StepClock,
    options: TransportOptions,
  ) {
    this.clock = clock;
    this.words = memory.words;
    this.counters = memory.counters;
    this.network = network;
    this.controlPacket = controlPacket;
    this.options = options;
    this.windowPackets = options.windowPackets;
    this.unreliable = options.unreliable;
    this.check = new PacketCheck(memory, options.unreliable);
    this.ackEvery = Math.max(1, options.windowPackets >> 1);
    this.node = memory.node;
    this.peers = new Array(memory.layout.nodes).fill(undefined);
    this.roundTrips = new RoundTrips(memory.layout.nodes, options.timeouts);
  }

  register(kind: number, client: TransportClient): void {
    assert(kind > KIND_CONTROL && kind < KINDS_MAX && this.clients[kind] === null, `kind ${kind}`);
    this.clients[kind] = client;
    if (this.isStopped) this.buffersAvailable();
  }

  // --- sending ------------------------------------------------------------------------------------

  /** Takes a packet whose kind, inline and page words are set. Never refuses: the window delays. */
  submit(destination: number, packet: number): void {
    const { words } = this;
    const peer = this.peer(destination);
    peer.submitted = (peer.submitted + 1) | 0;
    setPacketRoute(words, packet, this.node, destination);
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
    if (this.ready.isEmpty && this.windowOpen(peer) && this.network.sending() === NO_PACKET) {
      this.sendNext(peer);
    } else {
      this.makeReady(peer);
    }
  }

  private windowOpen(peer: Peer): boolean {
    return ((peer.sent - peer.acked) | 0) < this.windowPackets;
  }

  private canSend(peer: Peer): boolean {
    return peer.cursor !== NO_PACKET && this.windowOpen(peer);
  }

  private makeReady(peer: Peer): void {
    if (!peer.inReady) this.ready.push(peer);
  }

  /** Sends what is ready, one packet per peer in turn, as long as the interface takes it. */
  private sendReady(): number {
    let sent = 0;
    while (!this.ready.isEmpty && this.network.sending() === NO_PACKET) {
      const peer = this.ready.shift();
      if (peer.control !== CONTROL_NONE) this.sendControl(peer);
      else if (this.canSend(peer)) this.sendNext(peer);
      else continue;
      sent += 1;
      if (peer.control !== CONTROL_NONE || this.canSend(peer)) this.makeReady(peer);
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
        this.roundTrips.startTiming(peer.node, this.clock.now());
      }
    } else {
      this.counters[COUNTERS.retransmitted.index]! += 1;
      words[packet + PACKET_NUMBER] = nextAttempt(words[packet + PACKET_NUMBER]!);
    }
    if (this.unreliable && this.roundTrips.deadline(peer.node) === NEVER) {
      this.watch(this.roundTrips.setDeadline(peer.node, this.clock.now(), peer.backoff));
    }
    this.transmit(peer, packet);
  }

  private sendControl(peer: Peer): void {
    const { words, controlPacket } = this;
    const nack = peer.control === CONTROL_NACK;
    peer.controlNumber += 1;
    setPacketRoute(words, controlPacket, this.node, peer.node);
    words[controlPacket + PACKET_INLINE] = 0;
    words[controlPacket + PACKET_PAGE] = 0;
    words[controlPacket + PACKET_NUMBER] = controlNumber(peer.controlNumber);
    words[controlPacket + WIRE_KIND] = KIND_CONTROL;
    words[controlPacket + WIRE_SEQUENCE] = 0;
    words[controlPacket + WIRE_CONTROL] = peer.control;
    peer.control = CONTROL_NONE;
    this.counters[(nack ? COUNTERS.nacksSent : COUNTERS.acksSent).index]! += 1;
    this.transmit(peer, controlPacket);
  }

  /** The last touch: the acknowledgement that rides along, the checksum, and out. */
  private transmit(peer: Peer, packet: number): void {
    const { words } = this;
    words[packet + WIRE_ACK] = peer.received;
    peer.ackOwed = 0;
    if (peer.control === CONTROL_ACK) peer.control = CONTROL_NONE;
    words[packet + WIRE_CHECKSUM] = this.unreliable ? this.check.checksum(packet) : 0;
    this.counters[COUNTERS.packetsSent.index]! += 1;
    this.network.transmit(packet);
  }

  // --- acknowledgements -----------------------------------------------------------------------------

  private acknowledge(peer: Peer, ack: number): void {
    if (!positionBefore(peer.acked, ack)) return;
    const { words } = this;
    peer.acked = ack;
    peer.backoff = 0;
    if (positionBefore(peer.sent, ack)) peer.sent = ack;
    while (peer.first !== NO_PACKET && !positionBefore(ack, words[peer.first + WIRE_SEQUENCE]!)) {
      const packet = peer.first;
      peer.first = words[packet + PACKET_LINK]!;
      if (peer.first === NO_PACKET) peer.last = NO_PACKET;
      if (peer.cursor === packet) peer.cursor = peer.first;
      this.release(packet); // its client may submit the next one at once
    }
    if (this.unreliable) this.restartTimer(peer, ack);
    if (this.canSend(peer)) this.makeReady(peer);
  }

  private restartTimer(peer: Peer, ack: number): void {
    if (peer.timed !== 0 && !positionBefore(ack, peer.timed)) {
      this.roundTrips.stopTiming(peer.node, this.clock.now());
      peer.timed = 0;
    }
    if (peer.first === NO_PACKET) this.roundTrips.clearDeadline(peer.node);
    else this.watch(this.roundTrips.setDeadline(peer.node, this.clock.now(), peer.backoff));
  }

  /** Gives an acknowledged packet back: in the order in which packets were acknowledged, because a client may free
   *  with the last packet of a message what the first lies in. */
  private release(packet: number): void {
    if (this.keptFirst === NO_PACKET && this.network.sending() !== packet) {
      this.giveBack(packet);
      return;
    }
    this.words[packet + PACKET_LINK] = NO_PACKET;
    if (this.keptFirst === NO_PACKET) this.keptFirst = packet;
    else this.words[this.keptLast + PACKET_LINK] = packet;
    this.keptLast = packet;
  }

  private releaseKept(): void {
    while (this.keptFirst !== NO_PACKET && this.network.sending() !== this.keptFirst) {
      const packet = this.keptFirst;
      this.keptFirst = this.words[packet + PACKET_LINK]!;
      this.giveBack(packet);
    }
  }

  private giveBack(packet: number): void {
    this.clients[this.words[packet + WIRE_KIND]! & WIRE_KIND_MASK]!.released(packet);
  }

  /** Everything unacknowledged is to be sent again, in order. */
  private goBack(peer: Peer): void {
    if (peer.first === NO_PACKET) return;
    peer.cursor = peer.first;
    peer.sent = peer.acked;
    peer.timed = 0;
    this.makeReady(peer);
  }

  // --- receiving --------------------------------------------------------------------------------------

  /** Takes up to `budget` packets off the ring, then sends what that made ready. Returns the work. */
  poll(budget: number): number {
    let work = 0;
    if (this.urgent.length > 0) this.acknowledgeUrgent();
    while (work < budget) {
      const at = this.network.poll();
      if (at === NO_PACKET) break;
      this.take(at);
      work += 1;
    }
    if (this.keptFirst !== NO_PACKET) this.releaseKept();
    if (!this.ready.isEmpty) work += this.sendReady();
    return work;
  }

  private take(at: number): void {
    const { words, network } = this;
    const frame = words[at + PACKET_FRAME]!;
    if (!this.check.isSound(at) || !this.isPlausibleAck(at)) {
      this.check.countRejected();
      network.arm(frame);
      return;
    }
    this.counters[COUNTERS.packetsReceived.index]! += 1;
    const peer = this.peer(packetSource(words, at));
    this.acknowledge(peer, words[at + WIRE_ACK]!);
    if (words[at + WIRE_KIND] === KIND_CONTROL) {
      if (words[at + WIRE_CONTROL] === CONTROL_NACK) this.goBack(peer);
      network.arm(frame);
      return;
    }
    network.arm(this.takeData(peer, at, frame));
  }

  /** Returns the frame to arm the descriptor with. */
  private takeData(peer: Peer, at: number, frame: number): number {
    const sequence = this.words[at + WIRE_SEQUENCE]!;
    const ahead = (sequence - peer.received) | 0;
    if (ahead !== 1) {
      this.discard(peer, ahead);
      return frame;
    }
    // Before accept(): a reply sent from within it acknowledges this packet, which by then is stored.
    peer.received = sequence;
    peer.ackOwed += 1;
    const kind = this.words[at + WIRE_KIND]! & WIRE_KIND_MASK;
    const client = this.clients[kind] ?? null;
    // Nobody handles this kind yet: as if there were no buffer, until register().
    const kept = client === null ? REFUSED : client.accept(at, peer.node);
    if (kept === REFUSED) {
      peer.received = (sequence - 1) | 0;
      peer.ackOwed -= 1;
      this.refuse(peer);
      return frame;
    }
    peer.nackOwed = false;
    if (peer.ackOwed > 0) this.oweAck(peer);
    return kept;
  }

  private oweAck(peer: Peer): void {
    if (peer.ackOwed >= this.ackEvery) {
      if (peer.control === CONTROL_NONE) peer.control = CONTROL_ACK;
      this.makeReady(peer);
    } else if (!peer.inOwing) {
      peer.inOwing = true;
      peer.receivedAtTick = peer.received;
      this.owing.push(peer);
      if (this.deadlines[ACKS] === NEVER)
        this.deadlines[ACKS] = this.clock.now() + this.options.ackDelayNs;
    }
  }

  /** Somebody's pages stay write-protected until it hears that they are stored: it is told in the next poll, or
   *  by the packet that goes to it before. */
  ackSoon(node: number): void {
    const peer = this.peer(node);
    if (peer.inUrgent) return;
    peer.inUrgent = true;
    this.urgent.push(peer);
  }

  private acknowledgeUrgent(): void {
    for (const peer of this.urgent) {
      peer.inUrgent = false;
      if (peer.ackOwed === 0) continue;
      if (peer.control === CONTROL_NONE) peer.control = CONTROL_ACK;
      this.makeReady(peer);
    }
    this.urgent.length = 0;
  }

  /** Not the next in order: a duplicate is acknowledged again, a gap is answered once. */
  private discard(peer: Peer, ahead: number): void {
    if (ahead <= 0) {
      this.counters[COUNTERS.duplicates.index]! += 1;
      if (peer.control === CONTROL_NONE) peer.control = CONTROL_ACK;
      this.makeReady(peer);
      return;
    }
    this.counters[COUNTERS.outOfOrder.index]! += 1;
    if (peer.nackOwed || peer.gapNackedAt === peer.received) return;
    peer.gapNackedAt = peer.received;
    peer.control = CONTROL_NACK;
    this.makeReady(peer);
  }

  private refuse(peer: Peer): void {
    this.counters[COUNTERS.noBuffer.index]! += 1;
    peer.nackOwed = true;
    if (peer.inStopped) return;
    peer.inStopped = true;
    this.stopped.push(peer);
  }

  /** True while some sender is owed a NACK. */
  get isStopped(): boolean {
    return this.stopped.length > 0;
  }

  /** There is room again: every sender that was refused is told to go back. */
  buffersAvailable(): void {
    for (const peer of this.stopped) {
      peer.inStopped = false;
      if (!peer.nackOwed) continue;
      peer.control = CONTROL_NACK;
      this.makeReady(peer);
    }
    this.stopped.length = 0;
  }

  /** An acknowledgement of what was never sent is a forgery. */
  private isPlausibleAck(at: number): boolean {
    const peer = this.peer(packetSource(this.words, at));
    return !positionBefore(peer.highest, this.words[at + WIRE_ACK]!);
  }

  // --- time -------------------------------------------------------------------------------------------

  /** True when tick() has something to do. */
  isDue(): boolean {
    const nowNs = this.clock.now();
    return nowNs >= this.deadlines[ACKS]! || nowNs >= this.deadlines[TIMEOUTS]!;
  }

  /** When tick() has something to do, ns. */
  nextDeadlineNs(): number {
    return Math.min(this.deadlines[ACKS]!, this.deadlines[TIMEOUTS]!);
  }

  /** Acknowledgements that found nothing to ride on; timeouts. Returns packets sent. */
  tick(): number {
    const nowNs = this.clock.now();
    if (nowNs >= this.deadlines[ACKS]!) this.tickAcks();
    if (nowNs >= this.deadlines[TIMEOUTS]!) this.tickTimeouts();
    return this.ready.isEmpty ? 0 : this.sendReady();
  }

  /** Sends all acknowledgements that are owed: before the node's worker parks. */
  quiesce(): number {
    for (const peer of this.owing) {
      peer.inOwing = false;
      if (peer.ackOwed === 0) continue;
      if (peer.control === CONTROL_NONE) peer.control = CONTROL_ACK;
      this.makeReady(peer);
    }
    this.owing.length = 0;
    this.deadlines[ACKS] = NEVER;
    return this.ready.isEmpty ? 0 : this.sendReady();
  }

  /** Acknowledges peers that have been quiet since the last look; looks again at the others. */
  private tickAcks(): void {
    let kept = 0;
    for (const peer of this.owing) {
      if (peer.ackOwed === 0) {
        peer.inOwing = false;
      } else if (peer.receivedAtTick === peer.received) {
        peer.inOwing = false;
        if (peer.control === CONTROL_NONE) peer.control = CONTROL_ACK;
        this.makeReady(peer);
      } else {
        peer.receivedAtTick = peer.received;
        this.owing[kept++] = peer;
      }
    }
    this.owing.length = kept;
    this.deadlines[ACKS] = kept === 0 ? NEVER : this.clock.now() + this.options.ackDelayNs;
  }

  private tickTimeouts(): void {
    const nowNs = this.clock.now();
    this.deadlines[TIMEOUTS] = NEVER;
    for (const peer of this.contacts) {
      if (nowNs >= this.roundTrips.deadline(peer.node)) {
        peer.backoff += 1;
        this.goBack(peer);
        this.roundTrips.setDeadline(peer.node, nowNs, peer.backoff);
      }
      this.watch(this.roundTrips.deadline(peer.node));
    }
  }

  private watch(deadlineNs: number): void {
    if (deadlineNs < this.deadlines[TIMEOUTS]!) this.deadlines[TIMEOUTS] = deadlineNs;
  }

  // --- peers --------------------------------------------------------------------------------------------

  private peer(node: number): Peer {
    return this.peers[node] ?? this.meet(node);
  }

  private meet(node: number): Peer {
    const peer = new Peer(node);
    this.peers[node] = peer;
    this.contacts.push(peer);
    return peer;
  }

  /** Packets submitted to a node and not acknowledged. */
  backlog(node: number): number {
    const peer = this.peers[node];
    return peer === undefined ? 0 : (peer.submitted - peer.acked) | 0;
  }

  /** Packets submitted and not acknowledged, over all peers: 0 when everything has drained (I-11). */
  unacknowledged(): number {
    let count = 0;
    for (const peer of this.contacts) count += (peer.submitted - peer.acked) | 0;
    return count;
  }

  /** The peers met so far: for checkers and descriptions. */
  get met(): readonly Peer[] {
    return this.contacts;
  }
}

const ACKS = 0;
const TIMEOUTS = 1;
