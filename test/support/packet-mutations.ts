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
import {
  DEAD_IDENTIFIER,
  FIRST_LOCAL_ID,
  identifierLocal,
  identifierNode,
  makeIdentifier,
} from "../../src/norma/identifier.ts";
import { TOKEN_SPECIAL_PORT } from "../../src/norma/token.ts";
import { PERIOD_RECORDS } from "../../src/norma/token-records.ts";
import {
  WIRE_BITS,
  WIRE_ID,
  WIRE_KIND,
  WIRE_LOCAL,
  WIRE_REMOTE,
  WIRE_SIZE,
} from "../../src/norma/wire-layout.ts";
import {
  KIND_CONTROL,
  KIND_MESSAGE,
  KIND_NOTE,
  KIND_OVERFLOW,
  KIND_PAGE,
  NOTE_FLUSHED,
  WIRE_ACCEPT_SHIFT,
  WIRE_KIND_MASK,
  WIRE_METERED,
  WIRE_OVERFLOW,
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
/** Message id of the token. */
const TOKEN_ID = 4000;
/** Packets of each kind that are kept to be told again. */
const STORE = 200;

export class PacketMutations {
  private readonly random: Random;
  private readonly nodes: number;
  /** Packets by kind: notes, messages, and messages with what follows them. */
  private readonly notes: LoosePacket[][] = [];
  private readonly small: LoosePacket[][] = [];
  private readonly large: LoosePacket[][] = [];
  /** Large messages that are being recorded, by route. */
  private readonly open = new Map<number, LoosePacket[]>();
  /** What is still to follow the last lie to a node. */
  private readonly rest = new Map<number, LoosePacket[]>();
  /** Identifiers of ports that live. */
  readonly ports: number[] = [];
  /** Identifiers that are not to be named. */
  readonly taboo = new Set<number>();

  constructor(random: Random, nodes: number) {
    this.random = random;
    this.nodes = nodes;
  }

  /** Remembers a packet; one that goes on with a large message, behind the others of that message. */
  learn(packet: LoosePacket): void {
    const { words } = packet;
    const kind = words[WIRE_KIND]! & WIRE_KIND_MASK;
    if (kind === KIND_CONTROL || this.isTaboo(packet)) return;
    const route = words[PACKET_ROUTE]!;
    if (kind === KIND_OVERFLOW || kind === KIND_PAGE) {
      this.open.get(route)?.push(packet);
      return;
    }
    const train = [packet];
    const isLarge = kind === KIND_MESSAGE && (words[WIRE_BITS]! & WIRE_OVERFLOW) !== 0;
    if (kind === KIND_MESSAGE) this.open.delete(route);
    if (isLarge) this.open.set(route, train);
    const store = isLarge ? this.large : kind === KIND_NOTE ? this.notes : this.small;
    if (store.length < STORE) store.push(train);
    else store[this.random.below(STORE)] = train;
  }

  /** A lie to node `to` that names nothing that is not to be named. */
  next(to: number): LoosePacket {
    for (;;) {
      if (this.random.below(16) === 0) {
        const lie = this.tokenFor(to);
        if (this.isTaboo(lie)) continue;
        return lie;
      }
      const { words, page } = this.original(to);
      const lie = { words: words.slice(), page: page.slice() };
      const follows = isFollower(lie);
      const changes = this.random.below(follows ? 2 : 8) === 0 ? 0 : 1 + this.random.below(3);
      const wild = this.random.below(3) === 0;
      for (let i = 0; i < changes; i++) {
        if (wild) this.change(lie);
        else this.changeMeaning(lie);
      }
      if (!follows) lie.words[WIRE_REMOTE] = this.remote(to, lie.words[WIRE_REMOTE]!);
      if (!this.isTaboo(lie)) return lie;
    }
  }

  /** A recorded packet: mostly the next of the large message that has been begun. */
  private original(to: number): LoosePacket {
    const following = this.rest.get(to)?.shift();
    if (following !== undefined && this.random.below(8) > 0) return following;
    const [first, ...rest] = this.pick(this.pick([this.notes, this.small, this.large]));
    this.rest.set(to, rest);
    return first!;
  }

  /** Most ports that recorded packets were for have gone, or are not at node `to`. */
  private remote(to: number, recorded: number): number {
    const local = identifierLocal(recorded);
    if (this.random.below(4) === 0) return recorded;
    if (local < FIRST_LOCAL_ID) return makeIdentifier(to, local);
    const there = this.ports.filter((port) => identifierNode(port) === to);
    return this.random.below(3) === 0 ? this.pick(this.ports) : this.pick(there);
  }

  /** A token with records of every type, about any ports. */
  private tokenFor(to: number): LoosePacket {
    const { random } = this;
    const words = new Int32Array(PACKET_WORDS);
    const records = random.below(random.below(8) === 0 ? 40 : 6);
    const limit = random.below(4) === 0 ? this.smallNumber() : PERIOD_RECORDS;
    const [pass, added] = [1 + random.below(3), random.below(100)];
    const [share, crowded] = [1 + random.below(PERIOD_RECORDS), random.below(4)];
    const body = [this.smallNumber(), pass, records, added, limit, share, crowded];
    for (let record = 0; record < records; record++) {
      body.push(1 + random.below(6), random.below(this.nodes), this.identifier());
      for (let sum = 0; sum < 5; sum++) {
        body.push(random.below(3) === 0 ? this.identifier() : this.smallNumber());
      }
    }
    words[WIRE_KIND] = KIND_MESSAGE;
    words[WIRE_BITS] = 17 | (17 << 8);
    words[WIRE_REMOTE] = makeIdentifier(to, TOKEN_SPECIAL_PORT);
    words[WIRE_ID] = TOKEN_ID;
    words[WIRE_SIZE] = body.length * 4;
    const inline = body.length <= 48;
    words[inline ? PACKET_INLINE : PACKET_PAGE] = body.length * 4;
    if (inline) words.set(body, PACKET_BODY);
    return { words, page: inline ? new Int32Array(0) : Int32Array.from(body) };
  }

  private smallNumber(): number {
    return this.random.below(4) === 0 ? -this.random.below(3) : this.random.below(20);
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

  /** What remains well-formed: other ports, rights, numbers. */
  private changeMeaning({ words, page }: LoosePacket): void {
    const { random } = this;
    const isNote = words[WIRE_KIND] === KIND_NOTE;
    switch (random.below(8)) {
      case 0:
        words[WIRE_LOCAL] = isNote ? this.word() : this.identifier();
        return;
      case 1:
        words[WIRE_ID] = this.word();
        return;
      case 2:
        if (isNote) words[WIRE_BITS] = 1 + random.below(NOTE_FLUSHED);
        else words[WIRE_BITS]! ^= this.pick([3, 3 << 8, WIRE_METERED, 5 << WIRE_ACCEPT_SHIFT]);
        return;
      case 3:
        if ((words[WIRE_KIND]! & WIRE_KIND_MASK) !== KIND_MESSAGE) return;
        words[WIRE_KIND] = KIND_MESSAGE | (random.below(8) << WIRE_TENURE_SHIFT);
        return;
      case 4:
        words[WIRE_REMOTE] = this.identifier();
        return;
      default:
        if (page.length > 0) this.changeIdentifier(page, 0, Math.min(page.length, 64));
        else this.changeIdentifier(words, PACKET_BODY, Math.min(words[PACKET_INLINE]! >>> 2, 48));
    }
  }

  /** Replaces a word that may be an identifier; or a small number, where there are none. */
  private changeIdentifier(words: Int32Array, from: number, count: number): void {
    const found: number[] = [];
    for (let at = from; at < from + count; at++) if (this.isOfPort(words[at]!)) found.push(at);
    if (found.length > 0) words[this.pick(found)] = this.identifier();
  }

  private isOfPort(word: number): boolean {
    const local = identifierLocal(word);
    return identifierNode(word) < this.nodes && local >= FIRST_LOCAL_ID && local < 4096;
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
    return this.pick(this.pick([this.notes, this.small, this.large]))[0]!.words[word]!;
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
    switch (random.below(9)) {
      case 6:
      case 7:
      case 8:
        return this.pick(this.ports);
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

const isFollower = ({ words }: LoosePacket): boolean => {
  const kind = words[WIRE_KIND]!;
  return kind === KIND_OVERFLOW || kind === KIND_PAGE;
};
