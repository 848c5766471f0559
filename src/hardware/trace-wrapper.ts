// A tap that remembers the last packets of a node in its trace ring, in shared memory, where the host
// reads them while the machine runs.
//   new TraceWrapper(inner, memory, clock)   on the node's side; layout.traceEntries must not be 0
//   readTrace(memory)                        on anybody's; describeTrace(record) for one line
//
// Each entry is guarded by its own TRACE_MARK (a seqlock): 0 while it is being written, then its
// position + 1. A reader takes an entry only if it saw one and the same mark before and after.

import { assert } from "../base/assert.ts";
import { NS_PER_US, type StepClock } from "../base/clock.ts";
import { positionBefore } from "../base/words.ts";
import {
  TRACE_EVENT,
  TRACE_MARK,
  TRACE_NUMBER,
  TRACE_PEER,
  TRACE_SIZE,
  TRACE_TIME,
  TRACE_WORDS,
} from "./machine-layout.ts";
import type { NetworkInterface } from "./network-interface.ts";
import {
  PACKET_NUMBER,
  packetDestination,
  packetInlineBytes,
  packetPageBytes,
  packetSource,
} from "./packet-layout.ts";
import type { PhysicalMemory } from "./physical-memory.ts";
import { type PacketTap, TapWrapper } from "./tap-wrapper.ts";

export const TRACE_SEND = 1;
export const TRACE_RECEIVE = 2;
export type TraceEvent = typeof TRACE_SEND | typeof TRACE_RECEIVE;

/** One packet that passed between a node's software and its interface. */
export interface TraceRecord {
  /** Packets that the node's trace saw before this one, modulo 2^32. */
  readonly position: number;
  readonly timeNs: number;
  readonly event: TraceEvent;
  readonly node: number;
  /** The other node. */
  readonly peer: number;
  readonly number: number;
  readonly attempt: number;
  readonly inlineBytes: number;
  readonly pageBytes: number;
}

/** Inline bytes in TRACE_SIZE; the page's are above them. */
const SIZE_INLINE_BITS = 12;
const SIZE_INLINE_MASK = (1 << SIZE_INLINE_BITS) - 1;

const doublesOf = (memory: PhysicalMemory): Float64Array =>
  new Float64Array(memory.words.buffer, memory.words.byteOffset, memory.words.length >> 1);

export class TraceWrapper extends TapWrapper {
  constructor(inner: NetworkInterface, memory: PhysicalMemory, clock: StepClock) {
    super(inner, memory.words, new TraceTap(memory, clock));
  }
}

class TraceTap implements PacketTap {
  private readonly doubles: Float64Array;
  private readonly clock: StepClock;
  private readonly traceAt: number;
  private readonly entries: number;
  private position = 0;
  private index = 0;

  constructor(memory: PhysicalMemory, clock: StepClock) {
    this.doubles = doublesOf(memory);
    this.clock = clock;
    this.traceAt = memory.layout.traceAt;
    this.entries = memory.layout.traceEntries;
    assert(this.entries > 0, "the layout has a trace ring");
  }

  sent(words: Int32Array, packet: number): void {
    this.record(words, packet, TRACE_SEND, packetDestination(words, packet));
  }

  received(words: Int32Array, packet: number): void {
    this.record(words, packet, TRACE_RECEIVE, packetSource(words, packet));
  }

  private record(words: Int32Array, packet: number, event: TraceEvent, peer: number): void {
    const at = this.traceAt + this.index * TRACE_WORDS;
    this.index = this.index + 1 < this.entries ? this.index + 1 : 0;
    this.position = (this.position + 1) | 0;
    // An exchange, not a store: the plain stores below must not be seen before it. Pairs with the
    // second load in readEntry().
    Atomics.exchange(words, at + TRACE_MARK, 0);
    this.doubles[(at + TRACE_TIME) >> 1] = this.clock.now();
    words[at + TRACE_EVENT] = event;
    words[at + TRACE_PEER] = peer;
    words[at + TRACE_NUMBER] = words[packet + PACKET_NUMBER]!;
    words[at + TRACE_SIZE] =
      packetInlineBytes(words, packet) | (packetPageBytes(words, packet) << SIZE_INLINE_BITS);
    // release: the entry; pairs with the first load in readEntry().
    Atomics.store(words, at + TRACE_MARK, this.position);
  }
}

/** The packets in a node's trace ring, oldest first. Entries being overwritten are left out. */
export const readTrace = (memory: PhysicalMemory): TraceRecord[] => {
  const { traceAt, traceEntries } = memory.layout;
  const doubles = doublesOf(memory);
  const records: TraceRecord[] = [];
  for (let i = 0; i < traceEntries; i++) {
    const record = readEntry(memory, doubles, traceAt + i * TRACE_WORDS);
    if (record !== null) records.push(record);
  }
  return records.sort((a, b) => (positionBefore(a.position, b.position) ? -1 : 1));
};

const readEntry = (
  memory: PhysicalMemory,
  doubles: Float64Array,
  at: number,
): TraceRecord | null => {
  const { words, node } = memory;
  const mark = Atomics.load(words, at + TRACE_MARK); // acquire: pairs with the store in record()
  if (mark === 0) return null;
  const number = words[at + TRACE_NUMBER]!;
  const size = words[at + TRACE_SIZE]!;
  const record: TraceRecord = {
    position: (mark - 1) >>> 0,
    timeNs: doubles[(at + TRACE_TIME) >> 1]!,
    event: words[at + TRACE_EVENT] as TraceEvent,
    node,
    peer: words[at + TRACE_PEER]!,
    number: number >>> 8,
    attempt: number & 0xff,
    inlineBytes: size & SIZE_INLINE_MASK,
    pageBytes: size >>> SIZE_INLINE_BITS,
  };
  // Another mark: it was overwritten while we read. Pairs with the exchange in record().
  return Atomics.load(words, at + TRACE_MARK) === mark ? record : null;
};

/** One line, such as "12.345 us  3 -> 5  #17.1  64 B + page 4096 B". */
export const describeTrace = (record: TraceRecord): string => {
  const { timeNs, event, node, peer, number, attempt, inlineBytes, pageBytes } = record;
  const time = `${(timeNs / NS_PER_US).toFixed(3)} us`;
  const arrow = event === TRACE_SEND ? "->" : "<-";
  const page = pageBytes === 0 ? "" : ` + page ${pageBytes} B`;
  return `${time}  ${node} ${arrow} ${peer}  #${number}.${attempt}  ${inlineBytes} B${page}`;
};
