// What test/hardware/threads.test.ts runs in two real threads: one sends a stream of packets with
// sequence numbers and patterned contents through an interface, the other checks every one.

import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { StepClock } from "../../src/base/clock.ts";
import { Board } from "../../src/hardware/board.ts";
import type { MachineMemory } from "../../src/hardware/dma-engine.ts";
import { beginParking, endParking, waitForDoorbell } from "../../src/hardware/doorbell.ts";
import { FRAME_ARMED, FRAME_MESSAGE, FrameTable } from "../../src/hardware/frame-table.ts";
import {
  type MachineLayout,
  PACKET_WORDS,
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
  PACKET_SOFTWARE,
  packetSource,
  setPacketRoute,
} from "../../src/hardware/packet-layout.ts";
import { PhysicalMemory } from "../../src/hardware/physical-memory.ts";

export interface HammerPlan {
  readonly memory: MachineMemory;
  readonly layout: MachineLayout;
  readonly kind: InterconnectKind;
  readonly node: number;
  readonly peer: number;
  /** Sent unless the host sets the worker's WORKER_HALT before. */
  readonly packets: number;
  /** As many are exchanged however early the host says stop. */
  readonly packetsMin: number;
  /** Looks around before the thread parks. */
  readonly patience: number;
}

export interface HammerResult {
  readonly sent: number;
  readonly received: number;
  readonly parks: number;
}

/** A worker that sleeps for as long was forgotten. */
const LOST_MS = 20_000;
/** Every how many packets one has a page. */
const PAGE_EVERY = 8;

class Hammer {
  private readonly plan: HammerPlan;
  private readonly board: Board;
  private readonly memory: PhysicalMemory;
  private readonly network: NetworkInterface;
  private readonly workerAt: number;
  private readonly packetAt: number;
  private sent = 0;
  private received = 0;
  private parks = 0;
  private lastSent = false;
  private lastReceived = false;

  constructor(plan: HammerPlan) {
    const { memory, layout, node, kind } = plan;
    this.plan = plan;
    this.board = new Board(memory, layout);
    this.memory = new PhysicalMemory(memory.buffer, layout, node);
    this.workerAt = workerWord(layout, node);
    this.packetAt = layout.packetsAt;
    const pacing = { latencyNs: 0, bytesPerSecond: 0 };
    this.network = makeInterconnect(kind, this.board, this.memory, new StepClock(), pacing, 1);
    const frames = new FrameTable(this.memory);
    this.memory.words[this.packetAt + PACKET_FRAME] = frames.allocate(FRAME_MESSAGE);
    const armed = new Int32Array(layout.ringLength);
    for (let i = 0; i < armed.length; i++) armed[i] = frames.allocate(FRAME_ARMED);
    this.network.armAll(armed);
  }

  /** Sends and receives until the last packet is out and the peer's is in. */
  run(): HammerResult {
    const { patience } = this.plan;
    let quiet = 0;
    while (!this.lastSent || !this.lastReceived || this.network.sending() !== NO_PACKET) {
      const work = this.network.pump() + this.receive() + this.send();
      quiet = work > 0 ? 0 : quiet + 1;
      if (quiet > patience) this.park();
    }
    return { sent: this.sent, received: this.received, parks: this.parks };
  }

  private send(): number {
    if (this.lastSent || this.network.sending() !== NO_PACKET) return 0;
    const { words } = this.memory;
    const at = this.packetAt;
    const number = this.sent++;
    const told = this.board.words[this.workerAt + WORKER_HALT] !== 0;
    this.lastSent = this.sent === this.plan.packets || (told && this.sent >= this.plan.packetsMin);
    words[at + PACKET_SOFTWARE] = this.lastSent ? 1 : 0;
    const pageBytes = number % PAGE_EVERY === 0 ? this.memory.layout.pageBytes : 0;
    setPacketRoute(words, at, this.plan.node, this.plan.peer);
    words[at + PACKET_INLINE] = (number % 49) * 4;
    words[at + PACKET_PAGE] = pageBytes;
    words[at + PACKET_NUMBER] = number << 8;
    for (let i = PACKET_BODY; i < PACKET_WORDS; i++) words[at + i] = number ^ i;
    if (pageBytes > 0) {
      const page = this.memory.frameWord(words[at + PACKET_FRAME]!);
      words.fill(~number, page, page + pageBytes / 4);
    }
    this.network.transmit(at);
    return 1;
  }

  private receive(): number {
    const at = this.network.poll();
    if (at === NO_PACKET) return 0;
    const { words } = this.memory;
    const number = this.received++;
    this.expect(packetSource(words, at), this.plan.peer, "source", number);
    this.expect(words[at + PACKET_NUMBER]!, number << 8, "number", number);
    this.lastReceived = words[at + PACKET_SOFTWARE] === 1;
    const inlineWords = number % 49;
    this.expect(words[at + PACKET_INLINE]!, inlineWords * 4, "inline bytes", number);
    for (let i = PACKET_BODY; i < PACKET_BODY + inlineWords; i++) {
      this.expect(words[at + i]!, number ^ i, `word ${i}`, number);
    }
    const pageWords = words[at + PACKET_PAGE]! / 4;
    this.expect(pageWords > 0 ? 1 : 0, number % PAGE_EVERY === 0 ? 1 : 0, "page", number);
    const page = this.memory.frameWord(words[at + PACKET_FRAME]!);
    for (let i = 0; i < pageWords; i++) {
      this.expect(words[page + i]!, ~number, `page word ${i}`, number);
    }
    this.network.arm(words[at + PACKET_FRAME]!);
    return 1;
  }

  private expect(found: number, expected: number, what: string, number: number): void {
    if (found === expected) return;
    throw new Error(`packet ${number}: ${what} is ${found}, not ${expected}`);
  }

  private park(): void {
    beginParking(this.board.words, this.workerAt);
    if (this.network.hasWork()) {
      endParking(this.board.words, this.workerAt);
      return;
    }
    this.parks += 1;
    const startMs = performance.now();
    waitForDoorbell(this.board.words, this.workerAt, LOST_MS);
    if (performance.now() - startMs >= LOST_MS) throw new Error("lost wake-up: nobody rang");
  }
}

const report = (port: MessagePort, plan: HammerPlan): void => {
  port.postMessage(new Hammer(plan).run());
};

if (parentPort !== null) report(parentPort, workerData as HammerPlan);
