// The packets that the wire of a node holds back, as copies: header and inline bytes in a wire buffer of the node, the page
// in the frame that belongs to that buffer. The sender's own buffer is free at once.
// States of a wire buffer: free; held (`dueNs`, and the link whose next packet lets it go, if it waits for that); taken out by
// takeEarliest() and in the inner interface, until free() gives it back.

import { assert } from "../base/assert.ts";
import { NEVER } from "../base/clock.ts";
import { WORD_BYTES } from "../base/words.ts";
import { PACKET_WORDS } from "./machine-layout.ts";
import { NO_PACKET } from "./network-interface.ts";
import { PACKET_FRAME, PACKET_PAGE, PACKET_ROUTE } from "./packet-layout.ts";
import type { PhysicalMemory } from "./physical-memory.ts";

/** The packet waits for a time, not for others. */
const NO_LINK = -1;

export class HeldPackets {
  private readonly memory: PhysicalMemory;
  private readonly wireAt: number;
  private readonly wireEnd: number;
  /** Per wire buffer: when it is due; NEVER: it is free or taken out. */
  private readonly dueNs: Float64Array;
  /** Per wire buffer: the destination whose next packet lets it go, or NO_LINK. */
  private readonly behind: Int32Array;
  private readonly freeBuffers: Int32Array;
  private freeTop = 0;
  private readonly nextDue = new Float64Array([NEVER]);

  /** `frames`: one for each of layout.wireBuffers, in state FRAME_WIRE. */
  constructor(memory: PhysicalMemory, frames: Int32Array) {
    const { wireAt, wireBuffers } = memory.layout;
    assert(frames.length === wireBuffers, "one frame for each wire buffer");
    this.memory = memory;
    this.wireAt = wireAt;
    this.wireEnd = wireAt + wireBuffers * PACKET_WORDS;
    this.dueNs = new Float64Array(wireBuffers).fill(NEVER);
    this.behind = new Int32Array(wireBuffers).fill(NO_LINK);
    this.freeBuffers = new Int32Array(wireBuffers);
    for (let i = wireBuffers - 1; i >= 0; i--) {
      memory.words[wireAt + i * PACKET_WORDS + PACKET_FRAME] = frames[i]!;
      this.freeBuffers[this.freeTop++] = i;
    }
  }

  /** Buffers in use. */
  get count(): number {
    return this.dueNs.length - this.freeTop;
  }

  owns(packet: number): boolean {
    return packet >= this.wireAt && packet < this.wireEnd;
  }

  /** When the earliest is due, ns. */
  nextDueNs(): number {
    return this.nextDue[0]!;
  }

  /** Copies a packet into a wire buffer, due at `dueNs`. Returns its word, or NO_PACKET if none is free. */
  hold(packet: number, dueNs: number): number {
    if (this.freeTop === 0) return NO_PACKET;
    const index = this.freeBuffers[--this.freeTop]!;
    const { memory } = this;
    const { words } = memory;
    const buffer = this.wireAt + index * PACKET_WORDS;
    words.copyWithin(buffer + PACKET_ROUTE, packet + PACKET_ROUTE, packet + PACKET_WORDS);
    const pageBytes = words[packet + PACKET_PAGE]!;
    if (pageBytes !== 0) {
      const from = memory.frameWord(words[packet + PACKET_FRAME]!) * WORD_BYTES;
      const to = memory.frameWord(words[buffer + PACKET_FRAME]!) * WORD_BYTES;
      memory.bytes.copyWithin(to, from, from + pageBytes);
    }
    this.dueNs[index] = dueNs;
    this.behind[index] = NO_LINK;
    if (dueNs < this.nextDue[0]!) this.nextDue[0] = dueNs;
    return buffer;
  }

  /** The packet in `buffer` waits for the next one to `destination`. */
  waitBehind(buffer: number, destination: number): void {
    this.behind[(buffer - this.wireAt) / PACKET_WORDS] = destination;
  }

  /** A packet to `destination` has passed: those that wait for it are due at `nowNs`. */
  passed(destination: number, nowNs: number): void {
    for (let i = 0; i < this.behind.length; i++) {
      if (this.behind[i] === destination && this.dueNs[i] !== NEVER) this.makeDue(i, nowNs);
    }
  }

  /** All are due at `nowNs`. */
  allDue(nowNs: number): void {
    for (let i = 0; i < this.dueNs.length; i++) {
      if (this.dueNs[i]! > nowNs && this.dueNs[i] !== NEVER) this.makeDue(i, nowNs);
    }
  }

  private makeDue(index: number, nowNs: number): void {
    this.behind[index] = NO_LINK;
    this.dueNs[index] = nowNs;
    if (nowNs < this.nextDue[0]!) this.nextDue[0] = nowNs;
  }

  /** Takes out the one that is due first. Returns its word. */
  takeEarliest(): number {
    const { dueNs } = this;
    let earliest = 0;
    for (let i = 1; i < dueNs.length; i++) if (dueNs[i]! < dueNs[earliest]!) earliest = i;
    dueNs[earliest] = NEVER;
    this.nextDue[0] = dueNs.reduce(lesser, NEVER);
    return this.wireAt + earliest * PACKET_WORDS;
  }

  /** The inner interface is done with a buffer that was taken out. */
  free(buffer: number): void {
    this.freeBuffers[this.freeTop++] = (buffer - this.wireAt) / PACKET_WORDS;
  }
}

const lesser = (a: number, b: number): number => Math.min(a, b);
