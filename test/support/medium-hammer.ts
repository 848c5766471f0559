// What test/hardware/threads.test.ts runs in several real threads that share one medium: each sends packets
// to all others in turn as fast as it can, and checks every byte of what it gets. Packets may be lost;
// none may come twice, out of order or damaged. A thread begins to send when all have armed their rings, so that none has
// lost everything before it began; it ends when all have sent everything.

import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { StepClock } from "../../src/base/clock.ts";
import { Board } from "../../src/hardware/board.ts";
import type { MachineMemory } from "../../src/hardware/dma-engine.ts";
import { beginParking, endParking, waitForDoorbell } from "../../src/hardware/doorbell.ts";
import { FRAME_ARMED, FRAME_MESSAGE, FrameTable } from "../../src/hardware/frame-table.ts";
import {
  type MachineLayout,
  PACKET_WORDS,
  WORKER_CONTROL_TAKEN,
  WORKER_HALT,
  workerWord,
} from "../../src/hardware/machine-layout.ts";
import { type InterconnectKind, makeInterconnect } from "../../src/hardware/make-interconnect.ts";
import { type NetworkInterface, NO_PACKET } from "../../src/hardware/network-interface.ts";
import {
  PACKET_BODY,
  PACKET_FRAME,
  PACKET_INLINE,
  PACKET_NUMBER,
  PACKET_PAGE,
  packetSource,
  setPacketRoute,
} from "../../src/hardware/packet-layout.ts";
import { PhysicalMemory } from "../../src/hardware/physical-memory.ts";

export interface MediumPlan {
  readonly memory: MachineMemory;
  readonly layout: MachineLayout;
  readonly kind: InterconnectKind;
  readonly node: number;
  /** Sent unless the host sets the worker's WORKER_HALT before. */
  readonly packets: number;
  /** As many are sent however early the host says stop. */
  readonly packetsMin: number;
  /** Looks around before the thread parks. */
  readonly patience: number;
}

export interface MediumResult {
  readonly sent: number;
  readonly received: number;
  readonly parks: number;
}

/** A worker that sleeps for as long was forgotten. */
const LOST_MS = 20_000;
/** How far a thread is, in WORKER_CONTROL_TAKEN of its worker. */
const ARMED = 1;
const DONE = 2;
/** Every how many packets to one node one has a page. */
const PAGE_EVERY = 8;

class MediumHammer {
  private readonly plan: MediumPlan;
  private readonly board: Board;
  private readonly memory: PhysicalMemory;
  private readonly network: NetworkInterface;
  private readonly workerAt: number;
  private readonly nextTo: Int32Array;
  private readonly nextFrom: Int32Array;
  private sent = 0;
  private received = 0;
  private parks = 0;
  private done = false;

  constructor(plan: MediumPlan) {
    const { memory, layout, node, kind } = plan;
    this.plan = plan;
    this.board = new Board(memory, layout);
    this.memory = new PhysicalMemory(memory.buffer, layout, node);
    this.workerAt = workerWord(layout, node);
    this.nextTo = new Int32Array(layout.nodes);
    this.nextFrom = new Int32Array(layout.nodes);
    const pacing = { latencyNs: 0, bytesPerSecond: 0 };
    this.network = makeInterconnect(kind, this.board, this.memory, new StepClock(), pacing, 1);
    const frames = new FrameTable(this.memory);
    this.memory.words[layout.packetsAt + PACKET_FRAME] = frames.allocate(FRAME_MESSAGE);
    const armed = new Int32Array(layout.ringLength);
    for (let i = 0; i < armed.length; i++) armed[i] = frames.allocate(FRAME_ARMED);
    this.network.armAll(armed);
  }

  run(): MediumResult {
    this.tell(ARMED);
    let quiet = 0;
    for (;;) {
      const over = this.allAre(DONE); // before the last look at the ring
      const work = this.network.pump() + this.receive() + this.send();
      if (over && work === 0) break;
      quiet = work > 0 ? 0 : quiet + 1;
      if (quiet > this.plan.patience) this.park();
    }
    return { sent: this.sent, received: this.received, parks: this.parks };
  }

  private send(): number {
    if (this.done || this.network.sending() !== NO_PACKET) return 0;
    if (this.sent === 0 && !this.allAre(ARMED)) return 0;
    const { node, packets, packetsMin, layout } = this.plan;
    const told = this.board.words[this.workerAt + WORKER_HALT] !== 0;
    if (this.sent === packets || (told && this.sent >= packetsMin)) {
      this.done = true;
      this.tell(DONE);
      return 1;
    }
    const to = (node + 1 + (this.sent % (layout.nodes - 1))) % layout.nodes;
    const number = this.nextTo[to]!++;
    const { words } = this.memory;
    const at = layout.packetsAt;
    const pageBytes = number % PAGE_EVERY === 0 ? layout.pageBytes : 0;
    setPacketRoute(words, at, node, to);
    words[at + PACKET_INLINE] = (number % 49) * 4;
    words[at + PACKET_PAGE] = pageBytes;
    words[at + PACKET_NUMBER] = number << 8;
    for (let i = PACKET_BODY; i < PACKET_WORDS; i++) words[at + i] = patternOf(node, number, i);
    if (pageBytes > 0) {
      const page = this.memory.frameWord(words[at + PACKET_FRAME]!);
      words.fill(patternOf(node, number, -1), page, page + pageBytes / 4);
    }
    this.sent += 1;
    this.network.transmit(at);
    return 1;
  }

  private receive(): number {
    const at = this.network.poll();
    if (at === NO_PACKET) return 0;
    const { words } = this.memory;
    const source = packetSource(words, at);
    const number = words[at + PACKET_NUMBER]! >>> 8;
    if (number < this.nextFrom[source]!)
      throw new Error(`${source}: ${number} comes late or again`);
    this.nextFrom[source] = number + 1;
    this.received += 1;
    const inlineWords = words[at + PACKET_INLINE]! / 4;
    expectSame(inlineWords, number % 49, "inline words", number);
    for (let i = PACKET_BODY; i < PACKET_BODY + inlineWords; i++) {
      expectSame(words[at + i]!, patternOf(source, number, i), `word ${i}`, number);
    }
    const pageWords = words[at + PACKET_PAGE]! / 4;
    expectSame(pageWords > 0 ? 1 : 0, number % PAGE_EVERY === 0 ? 1 : 0, "page", number);
    const page = this.memory.frameWord(words[at + PACKET_FRAME]!);
    for (let i = 0; i < pageWords; i++) {
      expectSame(words[page + i]!, patternOf(source, number, -1), `page word ${i}`, number);
    }
    this.network.arm(words[at + PACKET_FRAME]!);
    return 1;
  }

  private tell(stage: number): void {
    // Pairs with the load in allAre(), as a packet's publication does with the poll.
    Atomics.store(this.board.words, this.workerAt + WORKER_CONTROL_TAKEN, stage);
    for (let node = 0; node < this.plan.layout.nodes; node++) this.board.ring(node);
  }

  /** True if all are as far, or further. */
  private allAre(stage: number): boolean {
    const { layout } = this.plan;
    for (let node = 0; node < layout.nodes; node++) {
      const at = workerWord(layout, node) + WORKER_CONTROL_TAKEN;
      if (Atomics.load(this.board.words, at) < stage) return false;
    }
    return true;
  }

  private park(): void {
    const { words } = this.board;
    beginParking(words, this.workerAt);
    if (this.network.hasWork() || this.allAre(this.sent === 0 ? ARMED : DONE)) {
      endParking(words, this.workerAt);
      return;
    }
    this.parks += 1;
    const startMs = performance.now();
    waitForDoorbell(words, this.workerAt, LOST_MS);
    if (performance.now() - startMs >= LOST_MS) throw new Error("lost wake-up: nobody rang");
  }
}

const patternOf = (source: number, number: number, i: number): number =>
  Math.imul(number + 1, 0x9e3779b1) ^ (source << 20) ^ i;

const expectSame = (found: number, expected: number, what: string, number: number): void => {
  if (found === expected) return;
  throw new Error(`packet ${number}: ${what} is ${found}, not ${expected}`);
};

const report = (port: MessagePort, plan: MediumPlan): void => {
  port.postMessage(new MediumHammer(plan).run());
};

if (parentPort !== null) report(parentPort, workerData as MediumPlan);
