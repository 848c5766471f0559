// What every arriving packet must satisfy before the transport believes its words: addressed to this
// node, from a node that exists, lengths within bounds, a kind that can be, and, on a network that may
// damage packets, the checksum. What a packet of a peer may acknowledge is the transport's to judge.

import {
  PACKET_FRAME,
  PACKET_INLINE,
  PACKET_INLINE_BYTES_MAX,
  PACKET_PAGE,
  packetDestination,
  packetSource,
} from "../hardware/packet-layout.ts";
import type { PhysicalMemory } from "../hardware/physical-memory.ts";
import { packetChecksum } from "./checksum.ts";
import { WIRE_CHECKSUM, WIRE_KIND } from "./wire-layout.ts";
import { KIND_CONTROL, KINDS_MAX, WIRE_KIND_MASK } from "./wire-values.ts";

export class PacketCheck {
  private readonly memory: PhysicalMemory;
  private readonly checksums: boolean;

  constructor(memory: PhysicalMemory, checksums: boolean) {
    this.memory = memory;
    this.checksums = checksums;
  }

  /** True if the packet at word `at` may be believed. */
  isSound(at: number): boolean {
    const { words, layout, node } = this.memory;
    if (packetDestination(words, at) !== node) return false;
    if (packetSource(words, at) >= layout.nodes) return false;
    const inline = words[at + PACKET_INLINE]! >>> 0;
    const page = words[at + PACKET_PAGE]! >>> 0;
    if (inline > PACKET_INLINE_BYTES_MAX || page > layout.pageBytes) return false;
    if (this.checksums && words[at + WIRE_CHECKSUM] !== this.checksum(at)) return false;
    const kind = words[at + WIRE_KIND]! & WIRE_KIND_MASK;
    return kind >= KIND_CONTROL && kind < KINDS_MAX;
  }

  /** The checksum that the packet at word `at` should bear. */
  checksum(at: number): number {
    const { memory } = this;
    return packetChecksum(memory.words, at, memory.frameWord(memory.words[at + PACKET_FRAME]!));
  }
}
