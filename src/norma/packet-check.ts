// What every arriving packet must satisfy before the transport believes its words: addressed to this
// node, from a node that exists, lengths within bounds, a kind that can be, and, on a network that may
// damage packets, the checksum. What a packet of a peer may acknowledge is the transport's to judge.

import {
  PACKET_INLINE,
  PACKET_INLINE_BYTES_MAX,
  PACKET_PAGE,
  packetDestination,
  packetSource,
} from "../hardware/packet-layout.ts";
import type { PhysicalMemory } from "../hardware/physical-memory.ts";
import { packetChecksum } from "./checksum.ts";
import { reject } from "./rejections.ts";
import { WIRE_CHECKSUM, WIRE_KIND } from "./wire-layout.ts";
import { KIND_CONTROL, KIND_MESSAGE, KINDS_MAX, WIRE_KIND_MASK } from "./wire-values.ts";

type PacketFault =
  | "rejectedAddress"
  | "rejectedSource"
  | "rejectedLength"
  | "rejectedChecksum"
  | "rejectedKind"
  | "rejectedAck";

export class PacketCheck {
  private readonly memory: PhysicalMemory;
  private readonly checksums: boolean;
  /** What is wrong with the last packet; one that is sound may still acknowledge too much. */
  private fault: PacketFault = "rejectedAck";

  constructor(memory: PhysicalMemory, checksums: boolean) {
    this.memory = memory;
    this.checksums = checksums;
  }

  /** True if the packet at word `at` may be believed. */
  isSound(at: number): boolean {
    const fault = this.faultOf(at);
    this.fault = fault ?? "rejectedAck";
    return fault === null;
  }

  /** Counts the last packet as rejected. */
  countRejected(): void {
    reject(this.memory.counters, this.fault);
  }

  private faultOf(at: number): PacketFault | null {
    const { words, layout, node } = this.memory;
    if (packetDestination(words, at) !== node) return "rejectedAddress";
    if (packetSource(words, at) >= layout.nodes) return "rejectedSource";
    const inline = words[at + PACKET_INLINE]! >>> 0;
    const page = words[at + PACKET_PAGE]! >>> 0;
    if (inline > PACKET_INLINE_BYTES_MAX || page > layout.pageBytes) return "rejectedLength";
    if (this.checksums && words[at + WIRE_CHECKSUM] !== this.checksum(at)) {
      return "rejectedChecksum";
    }
    const word = words[at + WIRE_KIND]!;
    const kind = word & WIRE_KIND_MASK;
    // Messages say their tenure above their kind.
    const isKind = kind >= KIND_CONTROL && kind < KINDS_MAX;
    return isKind && (kind === word || kind === KIND_MESSAGE) ? null : "rejectedKind";
  }

  /** The checksum that the packet at word `at` should bear. */
  checksum(at: number): number {
    return packetChecksum(this.memory, at);
  }
}
