// Lies: a packet that was real, with one to three of its words replaced by others that may pass for what stood there. Words
// that seal it are not touched: route, sequence, acknowledgement, control and checksum.

import type { Random } from "../../src/base/random.ts";
import { PACKET_WORDS } from "../../src/hardware/machine-layout.ts";
import {
  PACKET_BODY,
  PACKET_INLINE,
  PACKET_PAGE,
  PACKET_ROUTE,
} from "../../src/hardware/packet-layout.ts";
import { DEAD_IDENTIFIER, makeIdentifier } from "../../src/norma/identifier.ts";
import {
  WIRE_BITS,
  WIRE_ID,
  WIRE_KIND,
  WIRE_LOCAL,
  WIRE_REMOTE,
  WIRE_SIZE,
} from "../../src/norma/wire-layout.ts";
import {
  KIND_MESSAGE,
  KIND_NOTE,
  KIND_OVERFLOW,
  KIND_PAGE,
  NOTE_FLUSHED,
  WIRE_TENURE_SHIFT,
} from "../../src/norma/wire-values.ts";
import type { LoosePacket } from "./forged-peer.ts";

const NUMBERS = [
  0,
  1,
  2,
  3,
  4,
  5,
  7,
  8,
  12,
  16,
  17,
  18,
  19,
  31,
  32,
  188,
  191,
  192,
  193,
  196,
  1023,
  1024,
  4092,
  4095,
  4096,
  4097,
  8192,
  65535,
  65536,
  1 << 20,
  (1 << 20) + 4,
  1 << 24,
  1 << 28,
  0x3fffffff,
  0x7fffffff,
  -0x80000000,
  -2,
  -1,
];
/** Descriptors of items: rights, integers and bytes, in line and out, short and long. */
const ITEMS = [
  0x10012010, 0x10012011, 0x10012012, 0x10022011, 0x00012010, 0x00042011, 0x00012012, 0x10012002,
  0x10042002, 0x00400809, 0x0fff0809, 0x0fff2011, 0x20000000, 0x30000000, 0x00200011, 0x00200010,
  0x00080009, 0x40012011,
];
const KINDS = [KIND_MESSAGE, KIND_NOTE, KIND_OVERFLOW, KIND_PAGE];
/** Packets kept to be told again. */
const STORE = 600;

export class PacketMutations {
  private readonly random: Random;
  private readonly nodes: number;
  private readonly packets: LoosePacket[] = [];
  /** Identifiers that are not to be named. */
  readonly taboo = new Set<number>();

  constructor(random: Random, nodes: number) {
    this.random = random;
    this.nodes = nodes;
  }

  learn(packet: LoosePacket): void {
    if (this.isTaboo(packet)) return;
    if (this.packets.length < STORE) this.packets.push(packet);
    else this.packets[this.random.below(STORE)] = packet;
  }

  get known(): number {
    return this.packets.length;
  }

  /** A lie that names nothing that is not to be named. */
  next(): LoosePacket {
    for (;;) {
      const { words, page } = this.pick(this.packets);
      const lie = { words: words.slice(), page: page.slice() };
      const changes = this.random.below(8) === 0 ? 0 : 1 + this.random.below(3);
      for (let i = 0; i < changes; i++) this.change(lie);
      if (!this.isTaboo(lie)) return lie;
    }
  }

  /** All words at random, a descriptor's frame excepted. */
  noise(): LoosePacket {
    const words = new Int32Array(PACKET_WORDS);
    for (let i = PACKET_ROUTE; i < PACKET_WORDS; i++) words[i] = this.random.uint32();
    return { words, page: new Int32Array(0) };
  }

  private isTaboo({ words, page }: LoosePacket): boolean {
    if (this.taboo.size === 0) return false;
    for (let i = WIRE_KIND; i < words.length; i++) if (this.taboo.has(words[i]!)) return true;
    for (let i = 0; i < page.length; i++) if (this.taboo.has(page[i]!)) return true;
    return false;
  }

  private pick<T>(from: readonly T[]): T {
    return from[this.random.below(from.length)]!;
  }

  private change({ words, page }: LoosePacket): void {
    const { random } = this;
    switch (random.below(12)) {
      case 0:
        words[WIRE_KIND] = this.kind();
        return;
      case 1:
        words[WIRE_BITS]! ^= 1 << random.below(32);
        return;
      case 2:
        words[WIRE_BITS] =
          random.below(2) === 0 ? 1 + random.below(NOTE_FLUSHED) : this.other(WIRE_BITS);
        return;
      case 3:
        words[WIRE_REMOTE] = this.identifier();
        return;
      case 4:
        words[WIRE_LOCAL] = this.word();
        return;
      case 5:
        words[WIRE_ID] = this.word();
        return;
      case 6:
        words[WIRE_SIZE] = this.word();
        return;
      case 7: {
        // Lengths that fit together, or not.
        const bytes = this.pick(NUMBERS);
        if (random.below(2) === 0) words[WIRE_SIZE] = bytes;
        words[random.below(2) === 0 ? PACKET_INLINE : PACKET_PAGE] = bytes;
        return;
      }
      default:
        if (page.length > 0 && random.below(4) > 0) this.changeWord(page, 0, page.length);
        else this.changeWord(words, PACKET_BODY, (words[PACKET_INLINE]! >>> 2) % 48);
    }
  }

  /** Mostly near the beginning. */
  private changeWord(words: Int32Array, from: number, count: number): void {
    const { random } = this;
    if (count <= 0) return;
    const at = from + random.below(random.below(2) === 0 ? Math.min(count, 16) : count);
    words[at] = random.below(3) === 0 ? words[at]! ^ (1 << random.below(32)) : this.word();
  }

  private kind(): number {
    const kind = this.pick(KINDS);
    const tenure = this.random.below(2) === 0 ? 0 : this.pick(NUMBERS);
    return kind === KIND_MESSAGE ? kind | (tenure << WIRE_TENURE_SHIFT) : kind;
  }

  private other(word: number): number {
    return this.pick(this.packets).words[word]!;
  }

  private word(): number {
    switch (this.random.below(4)) {
      case 0:
        return this.pick(NUMBERS);
      case 1:
        return this.pick(ITEMS);
      case 2:
        return this.random.uint32() | 0;
      default:
        return this.identifier();
    }
  }

  /** Of every shape: of ports that are known, of any node, of none, special ones, null and dead. */
  private identifier(): number {
    const { random } = this;
    switch (random.below(6)) {
      case 0:
        return this.pick([0, DEAD_IDENTIFIER, makeIdentifier(1023, 40), makeIdentifier(1, 0)]);
      case 1:
        return makeIdentifier(random.below(this.nodes), random.below(32));
      case 2:
        return makeIdentifier(random.below(this.nodes + 1), 32 + random.below(60));
      case 3:
        return this.other(WIRE_LOCAL);
      default:
        return this.other(WIRE_REMOTE);
    }
  }
}
