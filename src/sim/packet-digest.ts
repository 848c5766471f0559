// A digest of every packet that a simulated machine sends: when, from where, and every carried word.
// Two runs with one seed must end with the same digest; the first difference shows at once.

import type { StepClock } from "../base/clock.ts";
import { Digest } from "../base/digest.ts";
import { WORD_SHIFT } from "../base/words.ts";
import {
  PACKET_BODY,
  PACKET_INLINE,
  PACKET_PAGE,
  PACKET_ROUTE,
  packetFrame,
} from "../hardware/packet-layout.ts";
import type { PhysicalMemory } from "../hardware/physical-memory.ts";
import type { PacketTap } from "../hardware/tap-wrapper.ts";
import { LANES_HEADER, sumWords } from "../hardware/word-sum.ts";

export class PacketDigest extends Digest {
  /** Packets digested so far. */
  count = 0;

  /** The tap for one node's interface. */
  tapOf(memory: PhysicalMemory, clock: StepClock): PacketTap {
    return new DigestTap(this, memory, clock);
  }
}

class DigestTap implements PacketTap {
  private readonly digest: PacketDigest;
  private readonly memory: PhysicalMemory;
  private readonly clock: StepClock;

  constructor(digest: PacketDigest, memory: PhysicalMemory, clock: StepClock) {
    this.digest = digest;
    this.clock = clock;
    this.memory = memory;
  }

  sent(words: Int32Array, packet: number): void {
    const { digest, memory } = this;
    const inlineWords = (words[packet + PACKET_INLINE]! + 3) >> WORD_SHIFT;
    const pageWords = (words[packet + PACKET_PAGE]! + 3) >> WORD_SHIFT;
    const [from, to] = [packet + PACKET_ROUTE, packet + PACKET_BODY + inlineWords];
    digest.count += 1;
    digest.add(Math.floor(this.clock.now()) | 0);
    digest.add(sumWords(words, from, to, digest.count, LANES_HEADER));
    if (pageWords > 0) digest.add(memory.sumFrame(packetFrame(words, packet), pageWords, 0));
  }

  received(): void {
    // What is sent determines what is received.
  }
}
