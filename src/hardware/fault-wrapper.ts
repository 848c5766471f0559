// Faults: a wrapper round a network interface that drops, repeats, delays and reorders packets, flips
// bits in them, cuts links and stands still, on the packets' way out of the node. What a packet suffers is a function
// of the seed, its link and the number it bears, whatever the timing: in threads too the pattern repeats. When a link is
// cut or the interface stands still is a function of the seed and the time (fault-schedule.ts).
//
// The wire owns its bytes: what is held back is copied (held-packets.ts). When it is due, the copy is given to the inner
// interface like any other packet. If no wire buffer is free, a packet that would need one passes undisturbed,
// and is counted.
// Never damaged are the words that the interface itself acts upon, ROUTE to NUMBER: real hardware
// guards its framing by a CRC of its own. Never disturbed are packets of a node to itself.
// heal() ends it all: what is held back goes out, and from then on packets pass as they are.

import { assert } from "../base/assert.ts";
import type { StepClock } from "../base/clock.ts";
import { COUNTERS } from "../base/counters.ts";
import { hashFraction, hashWords } from "../base/random.ts";
import { WORD_BYTES } from "../base/words.ts";
import {
  type FaultRate,
  type FaultRates,
  type FaultRules,
  isCutOfLink,
  ratesOfLink,
} from "./fault-rules.ts";
import { FaultSchedule, nodeSchedule } from "./fault-schedule.ts";
import { HeldPackets } from "./held-packets.ts";
import {
  type NetworkInterface,
  NO_PACKET,
  TRANSMIT_HELD,
  TRANSMIT_SENT,
  type TransmitStatus,
} from "./network-interface.ts";
import { packetClass } from "./packet-class.ts";
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
const KIND_REORDER = 9;
/** Salts of windows: which list; then where in it, and which node draws for itself. */
const SALT_CUT = 1 << 24;
const SALT_PAUSE = 2 << 24;

/** The number in PACKET_NUMBER, without class and attempt. */
const NUMBER_MASK = 0x1fffff;

/** Bits of the software header, which every packet has. */
const HEADER_BITS = (PACKET_BODY - PACKET_SOFTWARE) * 32;

const NO_RATES: FaultRates = {};

export class FaultWrapper implements NetworkInterface {
  private readonly inner: NetworkInterface;
  private readonly memory: PhysicalMemory;
  private readonly words: Int32Array;
  private readonly counters: Float64Array;
  private readonly clock: StepClock;
  private readonly seed: number;
  /** By destination: the rules for the links out of this node. */
  private readonly rates: readonly (readonly FaultRates[])[];
  private readonly cuts: readonly FaultSchedule[];
  private readonly pauses: FaultSchedule;
  private readonly held: HeldPackets;
  /** The wire buffer that the inner interface is sending. */
  private inFlight = NO_PACKET;
  /** The caller's packet that waits until the wire buffers due before it are out, or a pause is over. */
  private waiting = NO_PACKET;
  private healed = false;
  private pausedNow = false;

  /** `frames`: one for each of layout.wireBuffers, in state FRAME_WIRE. */
  constructor(
    inner: NetworkInterface,
    memory: PhysicalMemory,
    clock: StepClock,
    rules: FaultRules,
    frames: Int32Array,
  ) {
    const { nodes } = memory.layout;
    const { node } = memory;
    this.inner = inner;
    this.memory = memory;
    this.words = memory.words;
    this.counters = memory.counters;
    this.clock = clock;
    this.seed = hashWords(rules.seed, Math.floor(rules.seed / 0x1_0000_0000), 0, 0, 0);
    this.rates = Array.from({ length: nodes }, (_, to) => ratesOfLink(rules, node, to));
    this.cuts = Array.from({ length: nodes }, (_, to) => this.cutsOf(rules, to));
    this.pauses = nodeSchedule(rules.pauses, SALT_PAUSE, node, this.seed, clock);
    this.held = new HeldPackets(memory, frames);
  }

  transmit(packet: number): TransmitStatus {
    const to = packetDestination(this.words, packet);
    if (to === this.memory.node || this.healed) return this.pass(packet);
    if (this.cuts[to]!.isInEffect()) {
      this.counters[COUNTERS.faultsCut.index]! += 1;
      return TRANSMIT_SENT;
    }
    const rates = this.ratesOf(to, packet);
    if (this.hits(rates.drop, packet, KIND_DROP)) {
      this.counters[COUNTERS.faultsDropped.index]! += 1;
      return TRANSMIT_SENT;
    }
    const flip = this.hits(rates.flip, packet, KIND_FLIP);
    const delay = this.hits(rates.delay, packet, KIND_DELAY);
    const reorder = this.hits(rates.reorder, packet, KIND_REORDER);
    const taken = (flip || delay || reorder) && this.takeOver(packet, rates, flip, delay, reorder);
    const status = taken ? TRANSMIT_SENT : this.pass(packet);
    if (this.hits(rates.duplicate, packet, KIND_DUPLICATE)) this.duplicate(packet, rates);
    if (!this.isQuiet()) this.flush();
    return status;
  }

  sending(): number {
    if (this.waiting !== NO_PACKET) return this.waiting;
    const packet = this.inner.sending();
    return this.held.owns(packet) ? NO_PACKET : packet;
  }

  pump(): number {
    if (this.isPaused()) return 0;
    const work = this.inner.pump();
    if (this.isQuiet()) return work;
    return work + this.flush();
  }

  poll(): number {
    return this.isPaused() ? NO_PACKET : this.inner.poll();
  }

  hasWork(): boolean {
    return !this.isPaused() && this.inner.hasWork();
  }

  arm(frame: number): void {
    this.inner.arm(frame);
  }

  armAll(frames: Int32Array): void {
    this.inner.armAll(frames);
  }

  nextDeadlineNs(): number {
    if (this.isPaused()) return this.pauses.nextChangeNs();
    const innerNs = this.inner.nextDeadlineNs();
    // While the inner interface is busy nothing can go out, due or not; it knows what it waits for.
    if (this.inner.sending() !== NO_PACKET) return innerNs;
    return Math.min(innerNs, this.held.nextDueNs());
  }

  /** From now on nothing happens to a packet; what is held back goes out. */
  heal(): void {
    this.healed = true;
    this.pausedNow = false;
    this.held.allDue(this.clock.now());
  }

  /** Wire buffers in use: 0 when all that was held back is out. */
  get heldBack(): number {
    return this.held.count;
  }

  // --- decisions --------------------------------------------------------------------------------

  /** The rates that hold for a packet: of its link and class. */
  private ratesOf(to: number, packet: number): FaultRates {
    const sets = this.rates[to]!;
    if (sets.length === 1 && sets[0]!.packets === undefined) return sets[0]!;
    const itsClass = packetClass(this.words, packet);
    for (let i = 0; i < sets.length; i++) {
      const { packets } = sets[i]!;
      if (packets === undefined || packets.includes(itsClass)) return sets[i]!;
    }
    return NO_RATES;
  }

  /** A cut is one event, for all the links that it cuts. */
  private cutsOf({ cuts = [] }: FaultRules, to: number): FaultSchedule {
    const { node } = this.memory;
    const own = cuts.filter((cut) => isCutOfLink(cut, node, to));
    const salts = own.map((cut) => SALT_CUT + cuts.indexOf(cut));
    return new FaultSchedule(own, salts, this.seed, this.clock);
  }

  /** The node stands still. */
  isPaused(): boolean {
    if (this.pauses.isEmpty || this.healed) return false;
    const paused = this.pauses.isInEffect();
    if (paused && !this.pausedNow) this.counters[COUNTERS.faultsPaused.index]! += 1;
    this.pausedNow = paused;
    return paused;
  }

  private hits(rate: FaultRate | undefined, packet: number, kind: number): boolean {
    if (rate === undefined) return false;
    if (typeof rate === "number") return this.draw(packet, kind) < rate;
    const word = this.words[packet + PACKET_NUMBER]!;
    if ((word & 0xff) !== 0) return false;
    const number = (word >>> 8) & NUMBER_MASK;
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

  /** Copies the packet to the wire, damaged or to be held back; false if there is no buffer for it. */
  private takeOver(
    packet: number,
    rates: FaultRates,
    flip: boolean,
    delay: boolean,
    reorder: boolean,
  ): boolean {
    let delayNs = delay ? this.drawDelayNs(rates, packet, KIND_DELAY_NS) : 0;
    if (reorder) delayNs = Math.max(delayNs, (rates.delayNs ?? DELAY_NS)[1]);
    const buffer = this.held.hold(packet, this.clock.now() + delayNs);
    if (buffer === NO_PACKET) {
      this.counters[COUNTERS.faultsSpared.index]! += 1;
      return false;
    }
    if (flip) {
      this.flipBit(buffer);
      this.counters[COUNTERS.faultsFlipped.index]! += 1;
    }
    if (delay) this.counters[COUNTERS.faultsDelayed.index]! += 1;
    if (reorder) {
      if (!delay) this.held.waitBehind(buffer, packetDestination(this.words, packet));
      this.counters[COUNTERS.faultsReordered.index]! += 1;
    }
    return true;
  }

  private duplicate(packet: number, rates: FaultRates): void {
    const delay = this.hits(rates.delay, packet, KIND_DUPLICATE_DELAY);
    const delayNs = delay ? this.drawDelayNs(rates, packet, KIND_DUPLICATE_DELAY_NS) : 0;
    if (this.held.hold(packet, this.clock.now() + delayNs) === NO_PACKET) {
      this.counters[COUNTERS.faultsSpared.index]! += 1;
      return;
    }
    this.counters[COUNTERS.faultsDuplicated.index]! += 1;
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
    if (this.isQuiet() && !this.isPaused()) return this.inner.transmit(packet);
    assert(this.sending() === NO_PACKET, "one packet at a time");
    this.waiting = packet;
    this.flush();
    return this.sending() === packet ? TRANSMIT_HELD : TRANSMIT_SENT;
  }

  /** Gives the inner interface what is due, then the caller's packet, as long as it takes them.
   *  Returns packets given to it. */
  private flush(): number {
    if (this.isPaused()) return 0;
    let work = 0;
    while (this.innerIsFree()) {
      if (this.clock.now() >= this.held.nextDueNs()) {
        this.inFlight = this.held.takeEarliest();
        this.inner.transmit(this.inFlight);
      } else if (this.waiting !== NO_PACKET) {
        const packet = this.waiting;
        this.waiting = NO_PACKET;
        this.inner.transmit(packet);
        this.held.passed(packetDestination(this.words, packet), this.clock.now());
      } else {
        break;
      }
      work += 1;
    }
    return work;
  }

  /** True if the inner interface takes a packet; the wire buffer that it was sending is free then. */
  private innerIsFree(): boolean {
    if (this.inner.sending() !== NO_PACKET) return false;
    if (this.inFlight !== NO_PACKET) {
      this.held.free(this.inFlight);
      this.inFlight = NO_PACKET;
    }
    return true;
  }

  /** True when neither a wire buffer nor a waiting packet is there to be seen to. */
  private isQuiet(): boolean {
    return this.held.count === 0 && this.waiting === NO_PACKET;
  }
}
