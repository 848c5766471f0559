// Reliable delivery between each ordered pair of nodes: exactly once and in order (I-3), nothing
// acknowledged that is not stored (I-4). It knows packets, not messages; clients do.
//   submit(destination, packet)  the packet buffer, header and page frame, are the transport's until
//                                the client's released()
//   poll(budget)                 takes packets off the receive ring and gives them to clients
//   tick()                       timers; isDue() says when; quiesce() before the node idles
//   buffersAvailable()           a client that refused a packet can take one again
// One protocol for two kinds of network (paper 2.6), in two halves: packet-sender.ts and packet-receiver.ts.
//   reliable     every packet is acknowledged, or refused for want of a buffer and called by a NACK later; no timers but
//                that of acknowledgements that find nothing to ride on; no checksums
//   unreliable   also SYNC, QUENCH, repeated NACKs, timeouts that follow the measured round trips, and checksums

import { assert } from "../base/assert.ts";
import type { StepClock } from "../base/clock.ts";
import { COUNTERS } from "../base/counters.ts";
import { positionBefore } from "../base/words.ts";
import { type NetworkInterface, NO_PACKET } from "../hardware/network-interface.ts";
import { PACKET_FRAME, packetSource } from "../hardware/packet-layout.ts";
import type { PhysicalMemory } from "../hardware/physical-memory.ts";
import { PacketCheck } from "./packet-check.ts";
import { PacketReceiver, type PacketTaker, REFUSED } from "./packet-receiver.ts";
import { type PacketOwner, PacketSender } from "./packet-sender.ts";
import { Peer } from "./peer.ts";
import { PeerTimes, type TimeoutBounds } from "./peer-times.ts";
import { WIRE_ACK, WIRE_CONTROL, WIRE_KIND, WIRE_LAST, WIRE_SEQUENCE } from "./wire-layout.ts";
import {
  CONTROL_NACK,
  CONTROL_QUENCH,
  CONTROL_SYNC,
  KIND_CONTROL,
  KINDS_MAX,
  NACK_ALONE,
  WIRE_KIND_MASK,
} from "./wire-values.ts";

export { REFUSED };

/** Who handles the packets of one kind. */
export interface TransportClient {
  /** Stores what it needs of the packet in the descriptor at word `at`. Returns the frame to arm the
   *  descriptor with (its own, if the page was not kept), or REFUSED with nothing done. */
  accept(at: number, source: number): number;
  /** The packet is stored over there: its buffer and frame are the client's again. In the order of submission for
   *  each destination. */
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

export class Transport implements PacketOwner, PacketTaker {
  private readonly words: Int32Array;
  private readonly counters: Float64Array;
  private readonly network: NetworkInterface;
  private readonly check: PacketCheck;
  private readonly windowPackets: number;
  private readonly ackEvery: number;
  private readonly times: PeerTimes;
  private readonly sender: PacketSender;
  private readonly receiver: PacketReceiver;
  private readonly clients: (TransportClient | null)[] = new Array(KINDS_MAX).fill(null);
  private readonly peers: (Peer | undefined)[];
  private readonly contacts: Peer[] = [];

  /** `controlPacket`: a packet buffer of its own for control packets. */
  constructor(
    memory: PhysicalMemory,
    network: NetworkInterface,
    controlPacket: number,
    clock: StepClock,
    { windowPackets, unreliable, ackDelayNs, timeouts }: TransportOptions,
  ) {
    this.words = memory.words;
    this.counters = memory.counters;
    this.network = network;
    this.check = new PacketCheck(memory, unreliable);
    this.windowPackets = windowPackets;
    this.ackEvery = Math.max(1, windowPackets >> 1);
    this.peers = new Array(memory.layout.nodes).fill(undefined);
    this.times = new PeerTimes(memory.layout.nodes, timeouts, clock);
    this.sender = new PacketSender(
      memory,
      network,
      controlPacket,
      windowPackets,
      unreliable,
      this.check,
      this.times,
      this,
    );
    this.receiver = new PacketReceiver(
      memory,
      clock,
      ackDelayNs,
      this.ackEvery,
      unreliable,
      this.times,
      this.sender,
      this,
    );
  }

  register(kind: number, client: TransportClient): void {
    assert(kind > KIND_CONTROL && kind < KINDS_MAX && this.clients[kind] === null, `kind ${kind}`);
    this.clients[kind] = client;
    if (this.isStopped) this.buffersAvailable();
  }

  // --- sending ------------------------------------------------------------------------------------

  /** Takes a packet whose kind, inline and page words are set. Never refuses: the window delays. */
  submit(destination: number, packet: number): void {
    this.sender.submit(this.peer(destination), packet);
  }

  /** PacketOwner. */
  packetReleased(packet: number): void {
    this.clients[this.words[packet + WIRE_KIND]! & WIRE_KIND_MASK]!.released(packet);
  }

  // --- receiving --------------------------------------------------------------------------------------

  /** Takes up to `budget` packets off the ring, then sends what that made ready. Returns the work. */
  poll(budget: number): number {
    const { sender, receiver } = this;
    let work = 0;
    if (receiver.hasUrgent) receiver.acknowledgeUrgent();
    while (work < budget) {
      const at = this.network.poll();
      if (at === NO_PACKET) break;
      this.take(at);
      work += 1;
    }
    sender.releaseKept();
    if (sender.hasReady) work += sender.sendReady();
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
    this.sender.acknowledged(peer, words[at + WIRE_ACK]!);
    if (words[at + WIRE_KIND] === KIND_CONTROL) {
      this.takeControl(peer, at);
      network.arm(frame);
      return;
    }
    network.arm(this.receiver.data(peer, at));
  }

  private takeControl(peer: Peer, at: number): void {
    const { words, sender } = this;
    const control = words[at + WIRE_CONTROL]!;
    const number = words[at + WIRE_SEQUENCE]!;
    if (control === CONTROL_SYNC) {
      this.receiver.sync(peer, number, words[at + WIRE_LAST]!);
      return;
    }
    sender.answered(peer, number);
    if (control === CONTROL_NACK) {
      sender.nacked(peer, words[at + WIRE_ACK]!, words[at + WIRE_LAST] === NACK_ALONE);
    } else if (control === CONTROL_QUENCH) sender.quench(peer, words[at + WIRE_ACK]!);
  }

  /** PacketTaker. Nobody handles this kind yet: as if there were no buffer, until register(). */
  takePacket(at: number, source: number): number {
    const client = this.clients[this.words[at + WIRE_KIND]! & WIRE_KIND_MASK] ?? null;
    return client === null ? REFUSED : client.accept(at, source);
  }

  /** Somebody's pages stay write-protected until it hears that they are stored: it is told in the next poll, or
   *  by the packet that goes to it before. */
  ackSoon(node: number): void {
    this.receiver.ackSoon(this.peer(node));
  }

  /** True while some sender is owed a NACK. */
  get isStopped(): boolean {
    return this.receiver.isStopped;
  }

  /** There is room again: every sender that was refused is told to go back. */
  buffersAvailable(): void {
    this.receiver.buffersAvailable();
  }

  /** An acknowledgement of what was never sent is a forgery. */
  private isPlausibleAck(at: number): boolean {
    const peer = this.peer(packetSource(this.words, at));
    return !positionBefore(peer.highest, this.words[at + WIRE_ACK]!);
  }

  // --- time -------------------------------------------------------------------------------------------

  /** True when tick() has something to do. */
  isDue(): boolean {
    const { receiver, times } = this;
    return receiver.areAcksDue() || times.isAnyOverdue() || times.isAnyOwedDue();
  }

  /** When tick() has something to do, ns. */
  nextDeadlineNs(): number {
    return Math.min(this.receiver.acksDueNs(), this.times.nextDeadlineNs());
  }

  /** Acknowledgements that found nothing to ride on; timeouts. Returns packets sent. */
  tick(): number {
    const { sender, receiver, times } = this;
    if (receiver.areAcksDue()) receiver.tickAcks();
    if (times.isAnyOwedDue()) receiver.tickOwed(this.contacts);
    if (times.isAnyOverdue()) sender.tick(this.contacts);
    return sender.hasReady ? sender.sendReady() : 0;
  }

  /** Sends all acknowledgements that are owed: before the node's worker parks. */
  quiesce(): number {
    this.receiver.acknowledgeAll();
    return this.sender.hasReady ? this.sender.sendReady() : 0;
  }

  // --- peers --------------------------------------------------------------------------------------------

  private peer(node: number): Peer {
    return this.peers[node] ?? this.meet(node);
  }

  private meet(node: number): Peer {
    const peer = new Peer(node, this.windowPackets, this.ackEvery);
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
