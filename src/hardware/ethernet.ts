// The ethernet: one cable for all nodes, frames of at most 1500 bytes, no flow control. It is the second
// testbed of the paper. Unreliable by itself: see ethernet-reassembly.ts for what is lost.
// The cable is held for one frame at a time, and every node competes for it again.
//   not paced      the cable is a lock: MEDIUM_HOLDER taken and released as in channel.ts
//   paced          carrier sense, collisions (ethernet-cable.ts) and a randomised binary backoff, in
//                  modelled time. The latency is the interface's own, before the first frame of a packet;
//                  it does not keep the cable.
//
// States of the sender's side, `phase`, and what ends each:
//   idle        current === NO_PACKET                                  transmit()
//   latent      the interface is getting ready                         DUE
//   waiting     wants the cable; has left word there                   it is rung
//   backing off after a collision                                      DUE
//   contending  sends; not every node hears it yet                     DUE, one slot time after it began
//   sending     the rest of the frame; everybody else waits            DUE
// After MAX_COLLISIONS of one frame its packet is given up: the transport will send it again.

import { assert } from "../base/assert.ts";
import { NEVER, NS_PER_S, type StepClock } from "../base/clock.ts";
import { COUNTERS } from "../base/counters.ts";
import { hashFraction, hashWords } from "../base/random.ts";
import type { Board } from "./board.ts";
import { holdOrLeaveWord, leaveWord, release, wordStands } from "./channel.ts";
import type { Pacing } from "./direct-connect.ts";
import {
  CABLE_BUSY,
  CABLE_TAKEN,
  type CableStatus,
  keepCable,
  tryCable,
} from "./ethernet-cable.ts";
import { FRAGMENT_BYTES_MAX, frameWireBytes, packetBytesOf, SLOT_BYTES } from "./ethernet-frame.ts";
import { Reassembly } from "./ethernet-reassembly.ts";
import { MEDIUM_WORDS } from "./machine-layout.ts";
import {
  type NetworkInterface,
  NO_PACKET,
  TRANSMIT_HELD,
  TRANSMIT_SENT,
  type TransmitStatus,
} from "./network-interface.ts";
import { packetDestination } from "./packet-layout.ts";
import type { PhysicalMemory } from "./physical-memory.ts";
import { ReceiveRing } from "./receive-ring.ts";

const PHASE_IDLE = 0;
const PHASE_LATENT = 1;
const PHASE_WAITING = 2;
const PHASE_BACKING_OFF = 3;
const PHASE_CONTENDING = 4;
const PHASE_SENDING = 5;

/** Collisions of one frame after which its packet is given up (IEEE 802.3). */
export const MAX_COLLISIONS = 16;
/** The backoff no longer doubles after so many. */
const BACKOFF_DOUBLINGS = 10;

export class Ethernet implements NetworkInterface {
  private readonly board: Board;
  private readonly node: number;
  private readonly regionAt: number;
  private readonly cableAt: number;
  private readonly counters: Float64Array;
  private readonly ring: ReceiveRing;
  private readonly reassembly: Reassembly;
  private readonly clock: StepClock;
  private readonly pacing: Pacing;
  private readonly seed: number;
  /** Frames take time, so that they can collide. */
  private readonly collides: boolean;
  private readonly slotNs: number;

  private phase = PHASE_IDLE;
  private current = NO_PACKET;
  /** Fragment id of the current packet. */
  private id = 0;
  /** Bytes of the current packet that are out. */
  private offset = 0;
  private collisions = 0;
  /** Frames that arrived or collided: what others may have been waiting for. */
  private moves = 0;
  /** Backoffs drawn so far. */
  private draws = 0;
  // In a typed array: doubles in fields of an object would be boxed at every store.
  private readonly times = new Float64Array([NEVER, 0]);

  constructor(
    board: Board,
    memory: PhysicalMemory,
    clock: StepClock,
    pacing: Pacing,
    seed: number,
  ) {
    this.board = board;
    this.node = memory.node;
    this.regionAt = board.regionAt[memory.node]!;
    this.cableAt = board.layout.mediumAt;
    this.counters = memory.counters;
    this.ring = new ReceiveRing(board, memory);
    this.reassembly = new Reassembly(board, memory.node, memory.counters, clock);
    this.clock = clock;
    this.pacing = pacing;
    this.seed = hashWords(seed, Math.floor(seed / 0x1_0000_0000), 0, 0, 0);
    this.collides = pacing.bytesPerSecond > 0;
    this.slotNs = this.collides ? (SLOT_BYTES * NS_PER_S) / pacing.bytesPerSecond : 0;
  }

  transmit(packet: number): TransmitStatus {
    assert(this.current === NO_PACKET, "one packet at a time");
    this.current = packet;
    this.id = (this.id + 1) | 0;
    this.offset = 0;
    this.collisions = 0;
    this.wait(PHASE_LATENT, this.pacing.latencyNs);
    if (this.advance()) return TRANSMIT_SENT;
    this.counters[COUNTERS.circuitsHeld.index]! += 1;
    return TRANSMIT_HELD;
  }

  sending(): number {
    return this.current;
  }

  pump(): number {
    if (this.current === NO_PACKET || !this.canGoOn()) return 0;
    const before = this.moves;
    this.advance();
    return (this.moves - before) | 0;
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
    return this.times[DUE]!;
  }

  /** True unless what the phase waits for is still to come: its time; or the release of the cable, while
   *  the word left there stands. A release that found our worker awake took the word and rang nobody. */
  private canGoOn(): boolean {
    if (this.phase !== PHASE_WAITING) return this.clock.now() >= this.times[DUE]!;
    return !wordStands(this.board.words, this.cableAt + MEDIUM_WORDS, this.node);
  }

  private wait(phase: number, ns: number): void {
    this.phase = phase;
    this.times[DUE] = this.clock.now() + ns;
  }

  /** Takes the packet as far as it goes; true when the interface is done with it. */
  private advance(): boolean {
    for (;;) {
      if (this.phase === PHASE_WAITING) {
        this.takeCable();
        if (this.phase === PHASE_WAITING) return false;
        if (this.current === NO_PACKET) return true; // given up
      }
      if (this.clock.now() < this.times[DUE]!) return false;
      switch (this.phase) {
        case PHASE_CONTENDING:
          this.endSlot();
          break;
        case PHASE_SENDING:
          this.endFrame();
          break;
        default: // latent, backing off
          this.phase = PHASE_WAITING;
          this.times[DUE] = NEVER;
      }
      if (this.current === NO_PACKET) return true;
    }
  }

  /** From waiting to sending, to contending, or to backing off; or it stays, and word is left. */
  private takeCable(): void {
    const { board, cableAt, node } = this;
    const { words } = board;
    if (!this.collides) {
      if (holdOrLeaveWord(words, cableAt, cableAt + MEDIUM_WORDS, node))
        this.wait(PHASE_SENDING, 0);
      return;
    }
    let status: CableStatus = tryCable(words, cableAt, node);
    if (status === CABLE_BUSY) {
      leaveWord(words, cableAt, cableAt + MEDIUM_WORDS, node);
      status = tryCable(words, cableAt, node);
      if (status === CABLE_BUSY) return;
    }
    if (status !== CABLE_TAKEN) {
      this.collided();
      return;
    }
    this.times[FRAME_END] = this.clock.now() + this.frameNs();
    this.wait(PHASE_CONTENDING, this.slotNs);
  }

  private endSlot(): void {
    const { board, cableAt } = this;
    if (keepCable(board.words, cableAt, this.node)) {
      this.phase = PHASE_SENDING;
      this.times[DUE] = this.times[FRAME_END]!;
      return;
    }
    release(board, cableAt, cableAt + MEDIUM_WORDS);
    this.collided();
  }

  /** The frame arrives, the cable is free, and the next fragment's turn has come. */
  private endFrame(): void {
    const { board, cableAt } = this;
    const at = this.regionAt + this.current;
    const bytes = this.fragmentBytes();
    this.reassembly.receive(packetDestination(board.words, at), this.id, at, this.offset, bytes);
    release(board, cableAt, cableAt + MEDIUM_WORDS);
    this.counters[COUNTERS.framesSent.index]! += 1;
    this.moves = (this.moves + 1) | 0;
    this.offset += bytes;
    this.collisions = 0;
    if (this.offset === packetBytesOf(board.words, at)) {
      this.done();
    } else {
      this.phase = PHASE_WAITING;
      this.times[DUE] = NEVER;
    }
  }

  /** Waits for a slot drawn at random from twice as many as after the collision before. */
  private collided(): void {
    this.counters[COUNTERS.collisions.index]! += 1;
    this.collisions += 1;
    this.moves = (this.moves + 1) | 0;
    if (this.collisions === MAX_COLLISIONS) {
      this.counters[COUNTERS.collisionsGivenUp.index]! += 1;
      this.done();
      return;
    }
    this.draws += 1;
    const slots = 2 ** Math.min(this.collisions, BACKOFF_DOUBLINGS);
    const drawn = hashFraction(this.seed, this.node, this.draws, this.collisions, 0);
    this.wait(PHASE_BACKING_OFF, (1 + Math.floor(drawn * slots)) * this.slotNs);
  }

  private done(): void {
    this.current = NO_PACKET;
    this.phase = PHASE_IDLE;
    this.times[DUE] = NEVER;
  }

  private fragmentBytes(): number {
    const bytes = packetBytesOf(this.board.words, this.regionAt + this.current) - this.offset;
    return Math.min(bytes, FRAGMENT_BYTES_MAX);
  }

  private frameNs(): number {
    return (frameWireBytes(this.fragmentBytes()) * NS_PER_S) / this.pacing.bytesPerSecond;
  }
}

const DUE = 0;
const FRAME_END = 1;
