// The store-and-forward interconnect (iPSC/1): each channel is a ring of packet slots (slot-channel.ts)
// and the node in the middle forwards, with its own CPU, when it is stepped. Same packets, same
// routes, same receive ring as direct-connect; a packet is moved once per hop and once more into the
// destination's descriptor.
//   transmit  puts a packet of this node into the first channel of its path, or into the own ring
//   pump      takes packets out of the incoming channels: into the own ring, or into the next channel
//
// A packet that finds no room ahead stays where it is, and all behind it in that channel with it:
// backpressure, nothing is lost. No ring of full channels can form, since paths cross dimensions in
// ascending order (ecube-route.ts), and the last channel drains because software always arms again.
// Own packets and forwarded ones take turns where both want one channel: neither starves.
//
// Between two nodes there is one path and every queue on it is first in, first out: order is kept.

import { assert } from "../base/assert.ts";
import { NEVER, NS_PER_S, type StepClock } from "../base/clock.ts";
import { COUNTERS } from "../base/counters.ts";
import type { Board } from "./board.ts";
import type { Pacing } from "./direct-connect.ts";
import { nextDimension } from "./ecube-route.ts";
import { CHANNEL_BLOCKED_NS, CHANNEL_BYTES, CHANNEL_PACKETS } from "./machine-layout.ts";
import {
  type NetworkInterface,
  NO_PACKET,
  TRANSMIT_HELD,
  TRANSMIT_SENT,
  type TransmitStatus,
} from "./network-interface.ts";
import { PACKET_FRAME, PACKET_PAGE, packetDestination } from "./packet-layout.ts";
import { frameWordOf, moveHeader, movePage } from "./packet-mover.ts";
import type { PhysicalMemory } from "./physical-memory.ts";
import { descriptorToFill, publishDescriptor, ReceiveRing } from "./receive-ring.ts";
import { ChannelInput, ChannelOutput, slotPage } from "./slot-channel.ts";

/** Packets taken out of the incoming channels in one pump: the kernel must get its turn. */
const PUMP_PACKETS_MAX = 16;

/** The two channels of one dimension, and whose turn it is in the outgoing one. */
class Link {
  readonly input: ChannelInput;
  readonly output: ChannelOutput;
  /** The last packet put in was one of this node. */
  ownLast = false;
  /** A packet to be forwarded found no room and still waits. */
  forwardWaits = false;

  constructor(board: Board, node: number, dimension: number) {
    this.input = new ChannelInput(board, node, dimension);
    this.output = new ChannelOutput(board, node, dimension);
  }
}

export class StoreAndForward implements NetworkInterface {
  private readonly board: Board;
  private readonly node: number;
  private readonly regionAt: number;
  private readonly counters: Float64Array;
  private readonly ring: ReceiveRing;
  private readonly clock: StepClock;
  private readonly pacing: Pacing;
  private readonly paced: boolean;
  private readonly links: Link[] = [];
  /** Per dimension: when the packet on the modelled wire arrives; NEVER: the wire is free. */
  private readonly dueNs: Float64Array;
  /** Per dimension: since when somebody has waited for room; NEVER: nobody. */
  private readonly blockedSinceNs: Float64Array;
  /** The own packet that is held. */
  private current = NO_PACKET;
  /** The dimension whose channel is looked at first in the next pump. */
  private turn = 0;

  /** `pacing` holds for every hop. */
  constructor(board: Board, memory: PhysicalMemory, clock: StepClock, pacing: Pacing) {
    const { dimension } = board.layout;
    this.board = board;
    this.node = memory.node;
    this.regionAt = board.regionAt[memory.node]!;
    this.counters = memory.counters;
    this.ring = new ReceiveRing(board, memory);
    this.clock = clock;
    this.pacing = pacing;
    this.paced = pacing.latencyNs > 0 || pacing.bytesPerSecond > 0;
    for (let d = 0; d < dimension; d++) this.links.push(new Link(board, memory.node, d));
    this.dueNs = new Float64Array(dimension).fill(NEVER);
    this.blockedSinceNs = new Float64Array(dimension).fill(NEVER);
  }

  transmit(packet: number): TransmitStatus {
    assert(this.current === NO_PACKET, "one packet at a time");
    if (this.sendOwn(packet)) return TRANSMIT_SENT;
    this.current = packet;
    this.counters[COUNTERS.circuitsHeld.index]! += 1;
    return TRANSMIT_HELD;
  }

  sending(): number {
    return this.current;
  }

  pump(): number {
    let work = this.paced ? this.publishDue() : 0;
    work += this.pumpOwn();
    work += this.pumpInputs();
    return work + this.pumpOwn(); // its turn may have come
  }

  poll(): number {
    return this.ring.poll();
  }

  hasWork(): boolean {
    if (this.ring.poll() !== NO_PACKET) return true;
    if (this.current !== NO_PACKET && this.mayMove(this.regionAt + this.current)) return true;
    for (const { input } of this.links) {
      const slot = input.poll();
      if (slot !== NO_PACKET && this.mayMove(slot)) return true;
    }
    return false;
  }

  arm(frame: number): void {
    this.ring.arm(frame);
  }

  armAll(frames: Int32Array): void {
    this.ring.armAll(frames);
  }

  nextDeadlineNs(): number {
    let deadlineNs = NEVER;
    if (!this.paced) return deadlineNs;
    for (const due of this.dueNs) deadlineNs = Math.min(deadlineNs, due);
    return deadlineNs;
  }

  // --- own packets ------------------------------------------------------------------------------

  private pumpOwn(): number {
    if (this.current === NO_PACKET || !this.sendOwn(this.current)) return 0;
    this.current = NO_PACKET;
    return 1;
  }

  private sendOwn(packet: number): boolean {
    const at = this.regionAt + packet;
    const differing = this.node ^ packetDestination(this.board.words, at);
    const page = frameWordOf(this.board, this.regionAt, this.board.words[at + PACKET_FRAME]!);
    if (differing === 0) return this.eject(at, page);
    const dimension = nextDimension(differing);
    const link = this.links[dimension]!;
    if (link.ownLast && link.forwardWaits) return false; // its turn; pumpInputs() finds the room
    if (!this.put(dimension, at, page)) return false;
    link.ownLast = true;
    return true;
  }

  // --- packets of others ------------------------------------------------------------------------

  /** Takes packets from the incoming channels in turn, one each, until all are empty or blocked. */
  private pumpInputs(): number {
    const { links } = this;
    let work = 0;
    let idle = 0;
    while (idle < links.length && work < PUMP_PACKETS_MAX) {
      this.turn = this.turn + 1 < links.length ? this.turn + 1 : 0;
      if (this.takeFrom(links[this.turn]!.input)) {
        work += 1;
        idle = 0;
      } else {
        idle += 1;
      }
    }
    return work;
  }

  private takeFrom(input: ChannelInput): boolean {
    const slot = input.poll();
    if (slot === NO_PACKET) return false;
    const differing = this.node ^ packetDestination(this.board.words, slot);
    const taken =
      differing === 0
        ? this.eject(slot, slotPage(slot))
        : this.forward(nextDimension(differing), slot);
    if (taken) input.release();
    return taken;
  }

  private forward(dimension: number, slot: number): boolean {
    const link = this.links[dimension]!;
    if (!this.put(dimension, slot, slotPage(slot))) {
      if (!link.forwardWaits) this.counters[COUNTERS.circuitsHeld.index]! += 1;
      link.forwardWaits = true;
      return false;
    }
    link.ownLast = false;
    link.forwardWaits = false; // another one that waits says so again in this very pump
    this.counters[COUNTERS.forwarded.index]! += 1;
    return true;
  }

  // --- moving -----------------------------------------------------------------------------------

  /** Moves a packet into the own receive ring; false when nothing is armed. The one filler of this
   *  ring is this node, so the ejection channel needs no holder. */
  private eject(from: number, fromPage: number): boolean {
    const { board, regionAt } = this;
    const descriptor = descriptorToFill(board, regionAt, this.node);
    if (descriptor === NO_PACKET) return false;
    const frame = board.words[descriptor + PACKET_FRAME]!;
    this.move(descriptor, frameWordOf(board, regionAt, frame), from, fromPage);
    publishDescriptor(board, regionAt, descriptor);
    return true;
  }

  /** Puts a packet into an outgoing channel; false when there is no room or the wire is busy. */
  private put(dimension: number, from: number, fromPage: number): boolean {
    const { output } = this.links[dimension]!;
    const slot = this.dueNs[dimension] === NEVER ? output.slotToFill() : NO_PACKET;
    if (slot === NO_PACKET) {
      if (this.blockedSinceNs[dimension] === NEVER)
        this.blockedSinceNs[dimension] = this.clock.now();
      return false;
    }
    const bytes = this.move(slot, slotPage(slot), from, fromPage);
    this.count(dimension, bytes);
    if (this.paced) this.dueNs[dimension] = this.clock.now() + this.wireNs(bytes);
    else output.publish();
    return true;
  }

  /** Returns bytes moved. The node whose DMA engine it is counts them: every hop costs. */
  private move(to: number, toPage: number, from: number, fromPage: number): number {
    const { board } = this;
    let bytes = moveHeader(board, to, from);
    const pageBytes = board.words[from + PACKET_PAGE]!;
    if (pageBytes !== 0) bytes += movePage(board, toPage, fromPage, pageBytes);
    this.counters[COUNTERS.dmaBytes.index]! += bytes;
    return bytes;
  }

  private count(dimension: number, bytes: number): void {
    const { doubles } = this.board;
    const { at } = this.links[dimension]!.output;
    doubles[(at + CHANNEL_PACKETS) >> 1]! += 1;
    doubles[(at + CHANNEL_BYTES) >> 1]! += bytes;
    if (this.blockedSinceNs[dimension] === NEVER) return;
    doubles[(at + CHANNEL_BLOCKED_NS) >> 1]! += this.clock.now() - this.blockedSinceNs[dimension]!;
    this.blockedSinceNs[dimension] = NEVER;
  }

  /** True if a pump would move this packet, or has yet to leave word where it is blocked. For the look
   *  before parking: what has left word is rung for. */
  private mayMove(at: number): boolean {
    const differing = this.node ^ packetDestination(this.board.words, at);
    if (differing === 0) return true; // poll() has found nothing: all descriptors are armed
    const dimension = nextDimension(differing);
    if (this.dueNs[dimension] !== NEVER) return false; // nextDeadlineNs() tells when
    const { output } = this.links[dimension]!;
    return output.hasRoom() || !output.wordStands();
  }

  // --- the modelled wire ------------------------------------------------------------------------

  private wireNs(bytes: number): number {
    const { latencyNs, bytesPerSecond } = this.pacing;
    return bytesPerSecond === 0 ? latencyNs : latencyNs + (bytes * NS_PER_S) / bytesPerSecond;
  }

  /** Publishes the packets whose time on the wire is over. Returns how many. */
  private publishDue(): number {
    const { dueNs } = this;
    let published = 0;
    for (let dimension = 0; dimension < dueNs.length; dimension++) {
      if (this.clock.now() < dueNs[dimension]!) continue;
      dueNs[dimension] = NEVER;
      this.links[dimension]!.output.publish();
      published += 1;
    }
    return published;
  }
}
