// Faults: a wrapper round a network interface that drops, repeats, delays (and so reorders) packets and
// flips bits in them, on their way out of the node. What a packet suffers is a function of the seed,
// its link and the number it bears, whatever the timing: in threads too the pattern repeats.
//
// The wire owns its bytes: what is held back is copied, header and inline bytes into a wire buffer of
// the node, the page into the frame that belongs to that buffer, and the sender's buffer is free at
// once. When it is due, the wire buffer is given to the inner interface like any other packet. If no
// wire buffer is free, a packet that would need one passes undisturbed.
//
// States of a wire buffer: free (dueNs = NEVER), held back (dueNs), in the inner interface (inFlight).
// Never damaged are the words that the interface itself acts upon, ROUTE to NUMBER: real hardware
// guards its framing by a CRC of its own. Never disturbed are packets of a node to itself.

import { assert } from "../base/assert.ts";
import { NEVER, type StepClock } from "../base/clock.ts";
import { COUNTERS } from "../base/counters.ts";
import { hashFraction, hashWords } from "../base/random.ts";
import { WORD_BYTES } from "../base/words.ts";
import { PACKET_WORDS } from "./machine-layout.ts";
import {
  type NetworkInterface,
  NO_PACKET,
  TRANSMIT_HELD,
  TRANSMIT_SENT,
  type TransmitStatus,
} from "./network-interface.ts";
import {
  PACKET_BODY,
  PACKET_FRAME,
  PACKET_INLINE,
  PACKET_NUMBER,
  PACKET_PAGE,
  PACKET_ROUTE,
  PACKET_SOFTWARE,
  packetDestination,
} from "./packet-layout.ts";
import type { PhysicalMemory } from "./physical-memory.ts";

/** Which packets of a link a fault hits: a share of them; or, by the number in PACKET_NUMBER and only at
 *  their first attempt, every n-th; or only the one that bears a number. (The transport numbers data
 *  and control packets apart, so a number may name one of each.) */
export type FaultRate = number | { readonly every: number } | { readonly once: number };

/** What may happen to the packets of a link. What is left out does not happen. */
export interface FaultRates {
  /** The packet is lost. */
  readonly drop?: FaultRate | undefined;
  /** It arrives twice. */
  readonly duplicate?: FaultRate | undefined;
  /** It is held back, so that later ones overtake it. A duplicate is judged for this by itself. */
  readonly delay?: FaultRate | undefined;
  /** Shortest and longest time it is held back, ns. */
  readonly delayNs?: readonly [number, number] | undefined;
  /** One bit of its software header, inline bytes or page is flipped. */
  readonly flip?: FaultRate | undefined;
}

export interface LinkFaults extends FaultRates {
  readonly from: number;
  readonly to: number;
}

export interface FaultRules extends FaultRates {
  readonly seed: number;
  /** Rates of single links, over those for all; a later entry over an earlier one. */
  readonly links?: readonly LinkFaults[] | undefined;
}

/** How long packets are held back when the rules do not say, ns. */
const DELAY_NS: readonly [number, number] = [1_000, 100_000];

/** The last argument of the hash: decisions about one packet must be independent of each other. */
const KIND_DROP = 1;
const KIND_DUPLICATE = 2;
const KIND_DELAY = 3;
const KIND_DELAY_NS = 4;
const KIND_FLIP = 5;
const KIND_FLIP_BIT = 6;
const KIND_DUPLICATE_DELAY = 7;
const KIND_DUPLICATE_DELAY_NS = 8;

/** Bits of the software header, which every packet has. */
const HEADER_BITS = (PACKET_BODY - PACKET_SOFTWARE) * 32;

export class FaultWrapper implements NetworkInterface {
  private readonly inner: NetworkInterface;
  private readonly memory: PhysicalMemory;
  private readonly words: Int32Array;
  private readonly counters: Float64Array;
  private readonly clock: StepClock;
  private readonly seed: number;
  /** By destination: the rules for the links out of this node. */
  private readonly rates: readonly FaultRates[];
  private readonly wireAt: number;
  private readonly wireEnd: number;
  /** Per wire buffer: when it is due; NEVER: it is free or in flight. */
  private readonly dueNs: Float64Array;
  private readonly freeBuffers: Int32Array;
  private freeTop = 0;
  /** The wire buffer that the inner interface is sending. */
  private inFlight = NO_PACKET;
  /** The caller's packet that waits until the wire buffers due before it are out. */
  private waiting = NO_PACKET;
  private readonly nextDue = new Float64Array([NEVER]);

  /** `frames`: one for each of layout.wireBuffers, in state FRAME_WIRE. */
  constructor(
    inner: NetworkInterface,
    memory: PhysicalMemory,
    clock: StepClock,
    rules: FaultRules,
    frames: Int32Array,
  ) {
    const { wireAt, wireBuffers, nodes } = memory.layout;
    assert(frames.length === wireBuffers, "one frame for each wire buffer");
    this.inner = inner;
    this.memory = memory;
    this.words = memory.words;
    this.counters = memory.counters;
    this.clock = clock;
    this.seed = hashWords(rules.seed, Math.floor(rules.seed / 0x1_0000_0000), 0, 0, 0);
    this.rates = Array.from({ length: nodes }, (_, to) => ratesOf(rules, memory.node, to));
    this.wireAt = wireAt;
    this.wireEnd = wireAt + wireBuffers * PACKET_WORDS;
    this.dueNs = new Float64Array(wireBuffers).fill(NEVER);
    this.freeBuffers = new Int32Array(wireBuffers);
    for (let i = wireBuffers - 1; i >= 0; i--) {
      this.words[wireAt + i * PACKET_WORDS + PACKET_FRAME] = frames[i]!;
      this.freeBuffers[this.freeTop++] = i;
    }
  }

  transmit(packet: number): TransmitStatus {
    const to = packetDestination(this.words, packet);
    if (to === this.memory.node) return this.pass(packet);
    const rates = this.rates[to]!;
    if (this.hits(rates.drop, packet, KIND_DROP)) {
      this.counters[COUNTERS.faultsDropped.index]! += 1;
      return TRANSMIT_SENT;
    }
    const flip = this.hits(rates.flip, packet, KIND_FLIP);
    const delay = this.hits(rates.delay, packet, KIND_DELAY);
    const taken = (flip || delay) && this.takeOver(packet, rates, flip, delay);
    const status = taken ? TRANSMIT_SENT : this.pass(packet);
    if (this.hits(rates.duplicate, packet, KIND_DUPLICATE)) this.duplicate(packet, rates);
    if (!this.isQuiet()) this.flush();
    return status;
  }

  sending(): number {
    if (this.waiting !== NO_PACKET) return this.waiting;
    const packet = this.inner.sending();
    return this.isWire(packet) ? NO_PACKET : packet;
  }

  pump(): number {
    const work = this.inner.pump();
    if (this.isQuiet()) return work;
    return work + this.flush();
  }

  poll(): number {
    return this.inner.poll();
  }

  hasWork(): boolean {
    return this.inner.hasWork();
  }

  arm(frame: number): void {
    this.inner.arm(frame);
  }

  armAll(frames: Int32Array): void {
    this.inner.armAll(frames);
  }

  nextDeadlineNs(): number {
    const innerNs = this.inner.nextDeadlineNs();
    // While the inner interface is busy nothing can go out, due or not; it knows what it waits for.
    if (this.inner.sending() !== NO_PACKET) return innerNs;
    return Math.min(innerNs, this.nextDue[0]!);
  }

  /** Wire buffers in use: 0 when all that was held back is out. */
  get heldBack(): number {
    return this.dueNs.length - this.freeTop;
  }

  // --- decisions --------------------------------------------------------------------------------

  private hits(rate: FaultRate | undefined, packet: number, kind: number): boolean {
    if (rate === undefined) return false;
    if (typeof rate === "number") return this.draw(packet, kind) < rate;
    const word = this.words[packet + PACKET_NUMBER]!;
    if ((word & 0xff) !== 0) return false;
    const number = word >>> 8;
    return "every" in rate ? number % rate.every === 0 : number === rate.once;
  }

  /** In [0, 1), from the seed, the link, the packet's number and attempt, and the kind alone. */
  private draw(packet: number, kind: number): number {
    const { words } = this;
    const number = words[packet + PACKET_NUMBER]!;
    return hashFraction(
      this.seed,
      words[packet + PACKET_ROUTE]!,
      number >>> 8,
      number & 0xff,
      kind,
    );
  }

  private drawDelayNs(rates: FaultRates, packet: number, kind: number): number {
    const [minNs, maxNs] = rates.delayNs ?? DELAY_NS;
    return minNs + this.draw(packet, kind) * (maxNs - minNs);
  }

  // --- the wire ---------------------------------------------------------------------------------

  /** Copies the packet to the wire, damaged or to be delayed; false if there is no buffer for it. */
  private takeOver(packet: number, rates: FaultRates, flip: boolean, delay: boolean): boolean {
    const delayNs = delay ? this.drawDelayNs(rates, packet, KIND_DELAY_NS) : 0;
    const buffer = this.holdBack(packet, this.clock.now() + delayNs);
    if (buffer === NO_PACKET) return false;
    if (flip) {
      this.flipBit(buffer);
      this.counters[COUNTERS.faultsFlipped.index]! += 1;
    }
    if (delay) this.counters[COUNTERS.faultsDelayed.index]! += 1;
    return true;
  }

  private duplicate(packet: number, rates: FaultRates): void {
    const delay = this.hits(rates.delay, packet, KIND_DUPLICATE_DELAY);
    const delayNs = delay ? this.drawDelayNs(rates, packet, KIND_DUPLICATE_DELAY_NS) : 0;
    if (this.holdBack(packet, this.clock.now() + delayNs) === NO_PACKET) return;
    this.counters[COUNTERS.faultsDuplicated.index]! += 1;
  }

  /** Copies a packet into a wire buffer, due at `dueNs`. Returns its word, or NO_PACKET. */
  private holdBack(packet: number, dueNs: number): number {
    if (this.freeTop === 0) return NO_PACKET;
    const index = this.freeBuffers[--this.freeTop]!;
    const { words, memory } = this;
    const buffer = this.wireAt + index * PACKET_WORDS;
    words.copyWithin(buffer + PACKET_ROUTE, packet + PACKET_ROUTE, packet + PACKET_WORDS);
    const pageBytes = words[packet + PACKET_PAGE]!;
    if (pageBytes !== 0) {
      const from = memory.frameWord(words[packet + PACKET_FRAME]!) * WORD_BYTES;
      const to = memory.frameWord(words[buffer + PACKET_FRAME]!) * WORD_BYTES;
      memory.bytes.copyWithin(to, from, from + pageBytes);
    }
    this.dueNs[index] = dueNs;
    if (dueNs < this.nextDue[0]!) this.nextDue[0] = dueNs;
    return buffer;
  }

  private flipBit(buffer: number): void {
    const { words, memory } = this;
    const inlineBits = words[buffer + PACKET_INLINE]! * 8;
    const pageBits = words[buffer + PACKET_PAGE]! * 8;
    const bits = HEADER_BITS + inlineBits + pageBits;
    // The inline bytes follow the software header in memory; the page is in its frame.
    let bit = Math.floor(this.draw(buffer, KIND_FLIP_BIT) * bits);
    let at = buffer + PACKET_SOFTWARE;
    if (bit >= HEADER_BITS + inlineBits) {
      bit -= HEADER_BITS + inlineBits;
      at = memory.frameWord(words[buffer + PACKET_FRAME]!);
    }
    memory.bytes[at * WORD_BYTES + (bit >>> 3)]! ^= 1 << (bit & 7);
  }

  // --- sending ----------------------------------------------------------------------------------

  /** Sends the caller's own buffer, behind what is due before it. */
  private pass(packet: number): TransmitStatus {
    if (this.isQuiet()) return this.inner.transmit(packet);
    assert(this.sending() === NO_PACKET, "one packet at a time");
    this.waiting = packet;
    this.flush();
    return this.sending() === packet ? TRANSMIT_HELD : TRANSMIT_SENT;
  }

  /** Gives the inner interface what is due, then the caller's packet, as long as it takes them.
   *  Returns packets given to it. */
  private flush(): number {
    let work = 0;
    while (this.innerIsFree()) {
      if (this.clock.now() >= this.nextDue[0]!) {
        this.sendEarliest();
      } else if (this.waiting !== NO_PACKET) {
        const packet = this.waiting;
        this.waiting = NO_PACKET;
        this.inner.transmit(packet);
      } else {
        break;
      }
      work += 1;
    }
    return work;
  }

  private sendEarliest(): void {
    const { dueNs } = this;
    let earliest = 0;
    for (let i = 1; i < dueNs.length; i++) if (dueNs[i]! < dueNs[earliest]!) earliest = i;
    dueNs[earliest] = NEVER;
    this.inFlight = this.wireAt + earliest * PACKET_WORDS;
    this.inner.transmit(this.inFlight);
    this.nextDue[0] = dueNs.reduce(lesser, NEVER);
  }

  /** True if the inner interface takes a packet; the wire buffer that it was sending is free then. */
  private innerIsFree(): boolean {
    if (this.inner.sending() !== NO_PACKET) return false;
    if (this.inFlight !== NO_PACKET) {
      this.freeBuffers[this.freeTop++] = (this.inFlight - this.wireAt) / PACKET_WORDS;
      this.inFlight = NO_PACKET;
    }
    return true;
  }

  /** True when neither a wire buffer nor a waiting packet is there to be seen to. */
  private isQuiet(): boolean {
    return this.freeTop === this.dueNs.length && this.waiting === NO_PACKET;
  }

  private isWire(packet: number): boolean {
    return packet >= this.wireAt && packet < this.wireEnd;
  }
}

const lesser = (a: number, b: number): number => Math.min(a, b);

/** The rules for one link: those for all, and over them those for the link. */
const ratesOf = (rules: FaultRules, from: number, to: number): FaultRates => {
  let rates: FaultRates = rules;
  for (const link of rules.links ?? []) {
    if (link.from === from && link.to === to) rates = { ...rates, ...defined(link) };
  }
  return rates;
};

/** Without the keys that are there but undefined: they must not hide a general rate. */
const defined = (link: LinkFaults): Partial<LinkFaults> =>
  Object.fromEntries(Object.entries(link).filter(([, value]) => value !== undefined));
