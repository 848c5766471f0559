// One transport whose network is the test: what it sends is written down, what arrives is written by the test, and a
// transmission takes as long as the test says. The other nodes exist on paper only.
//   const wire = new HandWire();
//   wire.submit(7);                           a packet that bears 7 goes to node 1
//   expect(wire.takeSent()).toEqual(["data 1"]);
//   wire.arrive({ control: "ack", ack: 1 });  node 1 acknowledges it
//   expect(wire.returned).toEqual([7]);
// What was sent is told in words: "data 3 ack 5", "ack 5", "nack 5" (it asks for what comes after 5), "nack 5 alone", "quench 5",
// "sync 4 #2" (4 was sent last; its number is 2); "#2" after another control: it answers that SYNC; "to 2": not node 1.

import { NEVER } from "../../src/base/clock.ts";
import { FRAME_MESSAGE, FrameTable } from "../../src/hardware/frame-table.ts";
import { PACKET_WORDS } from "../../src/hardware/machine-layout.ts";
import {
  type NetworkInterface,
  NO_PACKET,
  TRANSMIT_HELD,
  TRANSMIT_SENT,
  type TransmitStatus,
} from "../../src/hardware/network-interface.ts";
import {
  PACKET_FRAME,
  PACKET_INLINE,
  PACKET_PAGE,
  packetDestination,
  packetSource,
  setPacketRoute,
} from "../../src/hardware/packet-layout.ts";
import { PhysicalMemory } from "../../src/hardware/physical-memory.ts";
import { createMachineMemory } from "../../src/node/machine-memory.ts";
import { PacketCheck } from "../../src/norma/packet-check.ts";
import {
  REFUSED,
  Transport,
  type TransportClient,
  type TransportOptions,
} from "../../src/norma/transport.ts";
import {
  WIRE_ACK,
  WIRE_CHECKSUM,
  WIRE_CONTROL,
  WIRE_ID,
  WIRE_KIND,
  WIRE_LAST,
  WIRE_SEQUENCE,
} from "../../src/norma/wire-layout.ts";
import {
  CONTROL_ACK,
  CONTROL_NACK,
  CONTROL_NONE,
  CONTROL_QUENCH,
  CONTROL_SYNC,
  KIND_CONTROL,
  NACK_ALONE,
} from "../../src/norma/wire-values.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";
import { testLayout } from "./machine-memory.ts";

const KIND = 7;
const PACKETS = 16;
const RING = 16;

const CONTROLS = {
  none: CONTROL_NONE,
  ack: CONTROL_ACK,
  nack: CONTROL_NACK,
  sync: CONTROL_SYNC,
  quench: CONTROL_QUENCH,
} as const;
export type ControlName = keyof typeof CONTROLS;

/** A packet for it. */
export interface ArrivingPacket {
  readonly from?: number;
  readonly control?: ControlName;
  /** Of data; it bears `id`, by default the same number. */
  readonly sequence?: number;
  readonly id?: number;
  readonly ack?: number;
  /** Of a SYNC, or of the SYNC that a control answers. */
  readonly number?: number;
  /** Sequence number that a SYNC says was sent last; NACK_ALONE of a NACK. */
  readonly last?: number;
  /** The checksum does not fit. */
  readonly damaged?: boolean;
}

export class HandWire implements NetworkInterface, TransportClient {
  readonly clock = new VirtualClock();
  readonly memory: PhysicalMemory;
  readonly transport: Transport;
  /** What the client accepted, and got back: the numbers that the packets bear. */
  readonly accepted: number[] = [];
  readonly returned: number[] = [];
  /** The client has no room. */
  refusing = false;
  /** The interface goes on sending what it is given until finish(). */
  holding = false;
  private readonly other: number;
  private readonly check: PacketCheck;
  private sent: string[] = [];
  private held = NO_PACKET;
  private readonly free: number[] = [];
  private filled = 0;
  private taken = 0;

  /** `node`: the one that the transport is on; the other end of what is not said is the lowest other one. */
  constructor(options: Partial<TransportOptions> = {}, node = 0) {
    this.other = node === 0 ? 1 : 0;
    const layout = testLayout({ dimension: 2, ringLength: RING, packetBuffers: PACKETS + 1 });
    const { buffer } = createMachineMemory(layout.totalBytes, "shared-array-buffer");
    this.memory = new PhysicalMemory(buffer, layout, node);
    const frames = new FrameTable(this.memory);
    for (let i = 0; i <= PACKETS; i++) this.free.push(layout.packetsAt + i * PACKET_WORDS);
    for (let i = 0; i < RING; i++) {
      this.memory.words[this.descriptor(i) + PACKET_FRAME] = frames.allocate(FRAME_MESSAGE);
    }
    const given = {
      windowPackets: 4,
      unreliable: true,
      ackDelayNs: 1000,
      timeouts: { initialNs: 10_000, minNs: 10_000, maxNs: 1_000_000 },
      ...options,
    };
    this.check = new PacketCheck(this.memory, given.unreliable);
    this.transport = new Transport(this.memory, this, this.free.pop()!, this.clock, given);
    this.transport.register(KIND, this);
  }

  // --- the client -------------------------------------------------------------------------------

  /** Submits a packet that bears `id`. */
  submit(id: number, to = this.other): void {
    const { words } = this.memory;
    const at = this.free.pop();
    if (at === undefined) throw new Error("all packet buffers are in use");
    words[at + WIRE_KIND] = KIND;
    words[at + WIRE_ID] = id;
    words[at + PACKET_INLINE] = 0;
    words[at + PACKET_PAGE] = 0;
    this.transport.submit(to, at);
  }

  accept(at: number): number {
    if (this.refusing) return REFUSED;
    this.accepted.push(this.memory.words[at + WIRE_ID]!);
    return this.memory.words[at + PACKET_FRAME]!;
  }

  released(packet: number): void {
    this.returned.push(this.memory.words[packet + WIRE_ID]!);
    this.free.push(packet);
  }

  // --- the wire ---------------------------------------------------------------------------------

  /** What was sent since the last call. */
  takeSent(): string[] {
    const sent = this.sent;
    this.sent = [];
    return sent;
  }

  /** A packet arrives, and is dealt with. */
  arrive(packet: ArrivingPacket): void {
    const { words, node } = this.memory;
    const { from = this.other, control = "none", sequence = 0, id = sequence, ack = 0 } = packet;
    const { number = 0, last = 0, damaged = false } = packet;
    const at = this.descriptor(this.filled++);
    setPacketRoute(words, at, from, node);
    words[at + PACKET_INLINE] = 0;
    words[at + PACKET_PAGE] = 0;
    words[at + WIRE_KIND] = control === "none" ? KIND : KIND_CONTROL;
    words[at + WIRE_SEQUENCE] = control === "none" ? sequence : number;
    words[at + WIRE_LAST] = last;
    words[at + WIRE_ACK] = ack;
    words[at + WIRE_CONTROL] = CONTROLS[control];
    words[at + WIRE_ID] = id;
    words[at + WIRE_CHECKSUM] = this.check.checksum(at) ^ (damaged ? 1 : 0);
    this.transport.poll(RING);
  }

  /** The interface is done with the packet that it was sending. */
  finish(): void {
    this.held = NO_PACKET;
    this.transport.poll(RING);
  }

  /** Time passes, and what has become due is done. */
  pass(ns: number): void {
    this.clock.pass(ns);
    if (this.transport.isDue()) this.transport.tick();
  }

  counter(entry: { readonly index: number }): number {
    return this.memory.counters[entry.index]!;
  }

  // --- NetworkInterface -------------------------------------------------------------------------

  transmit(packet: number): TransmitStatus {
    this.sent.push(this.inWords(packet));
    if (!this.holding) return TRANSMIT_SENT;
    this.held = packet;
    return TRANSMIT_HELD;
  }

  private inWords(packet: number): string {
    const { words, node } = this.memory;
    const control = words[packet + WIRE_CONTROL];
    const name = (Object.keys(CONTROLS) as ControlName[]).find((one) => CONTROLS[one] === control);
    if (packetSource(words, packet) !== node || name === undefined) {
      throw new Error(`a packet with control ${control} of node ${packetSource(words, packet)}`);
    }
    const [sequence, ack] = [words[packet + WIRE_SEQUENCE]!, words[packet + WIRE_ACK]!];
    const to = packetDestination(words, packet);
    const where = to === this.other ? "" : ` to ${to}`;
    if (name === "none") return `data ${sequence}${ack === 0 ? "" : ` ack ${ack}`}${where}`;
    const about = name === "sync" ? words[packet + WIRE_LAST] : ack;
    const alone = name === "nack" && words[packet + WIRE_LAST] === NACK_ALONE ? " alone" : "";
    return `${name} ${about}${alone}${sequence === 0 ? "" : ` #${sequence}`}${where}`;
  }

  sending(): number {
    return this.held;
  }

  pump(): number {
    return 0;
  }

  poll(): number {
    return this.hasWork() ? this.descriptor(this.taken) : NO_PACKET;
  }

  hasWork(): boolean {
    return this.taken < this.filled;
  }

  arm(frame: number): void {
    this.memory.words[this.descriptor(this.taken) + PACKET_FRAME] = frame;
    this.taken += 1;
  }

  armAll(): void {
    throw new Error("the ring is armed from the beginning");
  }

  nextDeadlineNs(): number {
    return NEVER;
  }

  private descriptor(position: number): number {
    return this.memory.layout.ringAt + (position % RING) * PACKET_WORDS;
  }
}
