// A board without kernels: memory of a given shape, of either kind, and on each node an interface, frames
// and a helper that composes packets and takes them, checking every byte. One worker per node, so that
// each node has a doorbell of its own to look at.
//   const machine = new TestMachine({ kind, dimension: 3 }, directConnect);
//   machine.nodes[0]!.send({ to: 5, number: 1, inlineBytes: 64, pageBytes: 1024 });
//   machine.nodes[5]!.take();

import { expect } from "@jest/globals";
import { StepClock } from "../../src/base/clock.ts";
import { Board } from "../../src/hardware/board.ts";
import { DirectConnect, type Pacing } from "../../src/hardware/direct-connect.ts";
import type { MachineMemory } from "../../src/hardware/dma-engine.ts";
import {
  BELL_PARKED,
  beginParking,
  endParking,
  waitForDoorbell,
} from "../../src/hardware/doorbell.ts";
import { Ethernet } from "../../src/hardware/ethernet.ts";
import { FRAME_ARMED, FRAME_MESSAGE, FrameTable } from "../../src/hardware/frame-table.ts";
import {
  type BoardShape,
  layoutMachine,
  type MachineLayout,
  PACKET_WORDS,
  WORKER_BELL,
  workerWord,
} from "../../src/hardware/machine-layout.ts";
import {
  type NetworkInterface,
  NO_PACKET,
  type TransmitStatus,
} from "../../src/hardware/network-interface.ts";
import {
  PACKET_BODY,
  PACKET_FRAME,
  PACKET_INLINE,
  PACKET_NUMBER,
  PACKET_PAGE,
  PACKET_SOFTWARE,
  packetDestination,
  packetSource,
  setPacketRoute,
} from "../../src/hardware/packet-layout.ts";
import { PhysicalMemory } from "../../src/hardware/physical-memory.ts";
import { StoreAndForward } from "../../src/hardware/store-and-forward.ts";
import { TokenRing } from "../../src/hardware/token-ring.ts";
import { createMachineMemory, prepareMachineMemory } from "../../src/node/machine-memory.ts";
import { expectSame } from "./same.ts";

/** More than any test sends: a pumpAll() that goes on for ever. */
const PUMPED_MAX = 100_000;

export type MemoryKind = "wasm" | "shared-array-buffer";
/** Every hardware test runs on both. */
export const MEMORY_KINDS: readonly MemoryKind[] = ["wasm", "shared-array-buffer"];

export interface TestShape extends Partial<BoardShape> {
  readonly kind: MemoryKind;
}

/** Makes a node's interface. */
export type InterfaceMaker = (
  board: Board,
  memory: PhysicalMemory,
  clock: StepClock,
  frames: FrameTable,
) => NetworkInterface;

export const UNPACED: Pacing = { latencyNs: 0, bytesPerSecond: 0 };

export const directConnect: InterfaceMaker = (board, memory, clock) =>
  new DirectConnect(board, memory, clock, UNPACED);

export const storeAndForward: InterfaceMaker = (board, memory, clock) =>
  new StoreAndForward(board, memory, clock, UNPACED);

/** Of a board with reassemblies. */
export const ethernet: InterfaceMaker = (board, memory, clock) =>
  new Ethernet(board, memory, clock, UNPACED, 1);

export const tokenRing: InterfaceMaker = (board, memory, clock) =>
  new TokenRing(board, memory, clock, UNPACED);

export const testLayout = (shape: Partial<BoardShape>): MachineLayout => {
  const dimension = shape.dimension ?? 0;
  const layout = layoutMachine({
    nodes: 2 ** dimension,
    dimension,
    workers: 2 ** dimension,
    pageBytes: 1024,
    memoryBytes: 65536,
    ringLength: 4,
    packetBuffers: 4,
    traceEntries: 0,
    channels: dimension,
    channelSlots: 2,
    wireBuffers: 0,
    reassemblies: 0,
    ...shape,
  });
  expect(layout.frameCount).toBeGreaterThan(layout.ringLength + layout.wireBuffers);
  return layout;
};

/** A packet as a test sees it; its bytes follow from its number. */
export interface TestPacket {
  readonly to: number;
  readonly number: number;
  readonly attempt?: number;
  readonly inlineBytes?: number;
  readonly pageBytes?: number;
  /** Packet buffer to compose it in; default 0. */
  readonly buffer?: number;
}

/** What take() found. */
export interface TakenPacket {
  readonly from: number;
  readonly number: number;
  readonly attempt: number;
  readonly inlineBytes: number;
  readonly pageBytes: number;
}

export class TestMachine {
  readonly layout: MachineLayout;
  readonly memory: MachineMemory;
  readonly board: Board;
  readonly clock = new StepClock();
  readonly nodes: TestNode[] = [];

  /** `reuse`: a machine of the same shape that is no longer needed, whose memory is taken over. */
  constructor(shape: TestShape, makeInterface: InterfaceMaker, reuse?: TestMachine) {
    const { kind, ...rest } = shape;
    this.layout = testLayout(rest);
    this.memory = reuse?.memory ?? createMachineMemory(this.layout.totalBytes, kind);
    expect(this.memory.wasm !== undefined).toBe(kind === "wasm");
    if (reuse !== undefined) {
      expect(reuse.layout).toEqual(this.layout);
      new Int32Array(this.memory.buffer).fill(0);
    }
    prepareMachineMemory(this.memory, this.layout, (node) => node);
    this.board = new Board(this.memory, this.layout);
    for (let node = 0; node < this.layout.nodes; node++) {
      this.nodes.push(new TestNode(this, node, makeInterface));
    }
  }

  /** Pumps every node until nothing moves any more. Returns packets moved. */
  pumpAll(): number {
    let total = 0;
    for (;;) {
      let moved = 0;
      for (const { network } of this.nodes) moved += network.pump();
      if (moved === 0) return total;
      total += moved;
      expect(total).toBeLessThan(PUMPED_MAX);
    }
  }
}

export class TestNode {
  readonly node: number;
  readonly memory: PhysicalMemory;
  readonly frames: FrameTable;
  readonly network: NetworkInterface;
  private readonly machine: TestMachine;
  private readonly workerAt: number;

  constructor(machine: TestMachine, node: number, makeInterface: InterfaceMaker) {
    const { layout, memory, board } = machine;
    this.machine = machine;
    this.node = node;
    this.memory = new PhysicalMemory(memory.buffer, layout, node);
    this.workerAt = workerWord(layout, node);
    this.frames = new FrameTable(this.memory);
    this.network = makeInterface(board, this.memory, machine.clock, this.frames);
    for (let i = 0; i < layout.packetBuffers; i++) {
      this.memory.words[this.buffer(i) + PACKET_FRAME] = this.frames.allocate(FRAME_MESSAGE);
    }
  }

  /** Arms the whole ring. */
  armAll(): void {
    const armed = new Int32Array(this.memory.layout.ringLength);
    for (let i = 0; i < armed.length; i++) armed[i] = this.frames.allocate(FRAME_ARMED);
    this.network.armAll(armed);
  }

  /** Word of a packet buffer. */
  buffer(index: number): number {
    return this.memory.layout.packetsAt + index * PACKET_WORDS;
  }

  /** Writes a packet and its page into a packet buffer. Returns the buffer's word. */
  compose(packet: TestPacket): number {
    const { words, bytes } = this.memory;
    const { to, number, attempt = 0, inlineBytes = 0, pageBytes = 0 } = packet;
    const at = this.buffer(packet.buffer ?? 0);
    setPacketRoute(words, at, this.node, to);
    words[at + PACKET_INLINE] = inlineBytes;
    words[at + PACKET_PAGE] = pageBytes;
    words[at + PACKET_NUMBER] = (number << 8) | attempt;
    for (let i = PACKET_SOFTWARE; i < PACKET_BODY; i++) words[at + i] = patternWord(number, i);
    const bodyAt = (at + PACKET_BODY) * 4;
    for (let i = 0; i < inlineBytes; i++) bytes[bodyAt + i] = patternByte(number, i);
    const pageAt = this.memory.frameWord(words[at + PACKET_FRAME]!) * 4;
    for (let i = 0; i < pageBytes; i++) bytes[pageAt + i] = patternByte(~number, i);
    return at;
  }

  send(packet: TestPacket): TransmitStatus {
    return this.network.transmit(this.compose(packet));
  }

  /** Takes the first packet off the ring, checks that it is intact, and arms its descriptor again. */
  take(): TakenPacket | null {
    const at = this.network.poll();
    if (at === NO_PACKET) return null;
    const taken = describePacket(this.memory, at);
    expectSame(damagedBits(this.memory, at), 0);
    expectSame(packetDestination(this.memory.words, at), this.node);
    this.network.arm(this.memory.words[at + PACKET_FRAME]!);
    return taken;
  }

  /** Takes everything there is. Returns the packets' numbers. */
  takeAll(): number[] {
    const numbers: number[] = [];
    for (let taken = this.take(); taken !== null; taken = this.take()) numbers.push(taken.number);
    return numbers;
  }

  /** Announces that the node's worker parks. */
  park(): void {
    beginParking(this.machine.board.words, this.workerAt);
  }

  /** What a worker does when it has nothing else to do: it pumps, and parks when that was not enough,
   *  until `done`. In a thread of its own it would return only then. */
  parkUntil(done: () => boolean): void {
    const { words } = this.machine.board;
    for (;;) {
      this.network.pump();
      if (done()) return;
      beginParking(words, this.workerAt);
      if (this.network.hasWork()) endParking(words, this.workerAt);
      else waitForDoorbell(words, this.workerAt, 1000);
    }
  }

  parkUntilSent(): void {
    this.parkUntil(() => this.network.sending() === NO_PACKET);
  }

  isParked(): boolean {
    return this.machine.board.words[this.workerAt + WORKER_BELL] === BELL_PARKED;
  }

  counter(entry: { readonly index: number }): number {
    return this.memory.counters[entry.index]!;
  }
}

const describePacket = ({ words }: PhysicalMemory, at: number): TakenPacket => ({
  from: packetSource(words, at),
  number: words[at + PACKET_NUMBER]! >>> 8,
  attempt: words[at + PACKET_NUMBER]! & 0xff,
  inlineBytes: words[at + PACKET_INLINE]!,
  pageBytes: words[at + PACKET_PAGE]!,
});

/** Bits in which a received packet differs from what compose() wrote. */
export const damagedBits = (memory: PhysicalMemory, at: number): number => {
  const { words, bytes } = memory;
  const { number, inlineBytes, pageBytes } = describePacket(memory, at);
  let bits = 0;
  for (let i = PACKET_SOFTWARE; i < PACKET_BODY; i++) {
    bits += bitCount(words[at + i]! ^ patternWord(number, i));
  }
  const bodyAt = (at + PACKET_BODY) * 4;
  for (let i = 0; i < inlineBytes; i++)
    bits += bitCount(bytes[bodyAt + i]! ^ patternByte(number, i));
  const pageAt = memory.frameWord(words[at + PACKET_FRAME]!) * 4;
  for (let i = 0; i < pageBytes; i++)
    bits += bitCount(bytes[pageAt + i]! ^ patternByte(~number, i));
  return bits;
};

const patternWord = (number: number, i: number): number => Math.imul(number + 1, 0x9e3779b1) ^ i;
const patternByte = (number: number, i: number): number => (number * 31 + i * 7 + (i >> 8)) & 0xff;

const bitCount = (value: number): number => {
  let count = 0;
  for (let rest = value; rest !== 0; rest &= rest - 1) count += 1;
  return count;
};
