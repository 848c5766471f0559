// What the token carries: records of RECORD_WORDS words, each about one port, until its owner takes it out again. What
// the words of a record mean besides is the business of whoever wrote it.
//
//   word    0       1       2            3 ...
//           type    owner   identifier   sums over the nodes
//
// On the wire the records follow a header of TOKEN_HEADER_WORDS: period, pass, number of records, how many of them
// were added in this period, how many may be, how many of these by one user of one node, and how many users had no room for more.
//
// What is added in one period is limited, so that no node ever has long to do with the token, however much there is to
// tell and to ask: the rest is for the next period, which follows at once (token.ts), and may take twice as much: where periods
// are long, more comes up in each. Those who had no room for more in the one before share it equally. If the first in the ring
// could take it all, the last would keep what they have, and the first ask in vain about what waits for that.

import {
  FIRST_LOCAL_ID,
  type Identifier,
  identifierLocal,
  identifierNode,
  LOCAL_ID_MAX,
} from "./identifier.ts";
import { TENURE_MAX } from "./wire-values.ts";

export const RECORD_WORDS = 8;
export const TOKEN_HEADER_WORDS = 7;

const TYPE = 0;
/** The node that takes the record out, and OWNER_LATER until the second pass: who comes after its writer in the first
 *  one must not take it for an answer. */
const OWNER = 1;
const OWNER_LATER = 1 << 16;
const IDENTIFIER = 2;
/** The first sum. */
const SUMS = 3;

/** Sums of a record. */
export const SUMS_MAX = RECORD_WORDS - SUMS;

/** Is there any send right to the port, anywhere? (sender-queries.ts) */
export const RECORD_SENDERS = 1;
/** The port is dead. (port-deaths.ts) */
export const RECORD_DEATH = 2;
/** No right to the dead port is on its way: its identifier may be forgotten. (port-deaths.ts) */
export const RECORD_FORGET = 3;
/** The port has a new identifier; it is not used any more; it may be forgotten. (moves.ts) */
export const RECORD_MOVED = 4;
export const RECORD_SETTLE = 5;
export const RECORD_RETIRE = 6;

/** Records added in a period by all nodes together, when the one before was not full: with the header they fit a page of
 *  4 KiB. After a full one twice as many. */
export const PERIOD_RECORDS = 120;
export const PERIOD_RECORDS_MAX = 2 * PERIOD_RECORDS;
/** What every user may add in a period whatever others have added. */
const USER_RECORDS = 1;

export class TokenRecords {
  /** The records, one after the other; words beyond `count` of them mean nothing. */
  words = new Int32Array(RECORD_WORDS * PERIOD_RECORDS);
  count = 0;
  /** Records added since the period began, on all nodes so far. */
  added = 0;
  /** How many may be; and how many of them by one user of one node. */
  limit = PERIOD_RECORDS;
  share = PERIOD_RECORDS;
  /** Users that have had no room for more in this period, on all nodes so far. */
  crowded = 0;
  /** How many more the user whose turn it is may add; no limit before the first turn. */
  private room = Number.POSITIVE_INFINITY;

  /** A period begins. */
  nextPeriod(): void {
    this.limit = this.isFull ? PERIOD_RECORDS_MAX : PERIOD_RECORDS;
    this.share = Math.ceil(this.limit / Math.max(1, this.crowded));
    this.added = 0;
    this.crowded = 0;
  }

  /** The turn of the next user. */
  turnBegins(): void {
    this.room = Math.max(USER_RECORDS, Math.min(this.share, this.limit - this.added));
  }

  turnEnds(): void {
    if (this.room <= 0) this.crowded += 1;
  }

  /** True while the user whose turn it is may add; what it cannot add it keeps for the next period. */
  get hasRoom(): boolean {
    return this.room > 0;
  }

  /** Somebody may have more than there was room for. */
  get isFull(): boolean {
    return this.crowded > 0;
  }

  add(type: number, owner: number, identifier: Identifier): void {
    const at = this.count * RECORD_WORDS;
    this.makeRoom(at + RECORD_WORDS);
    this.words[at + TYPE] = type;
    this.words[at + OWNER] = owner | OWNER_LATER;
    this.words[at + IDENTIFIER] = identifier;
    this.words.fill(0, at + SUMS, at + RECORD_WORDS);
    this.count += 1;
    this.added += 1;
    this.room -= 1;
  }

  type(record: number): number {
    return this.words[record * RECORD_WORDS + TYPE]!;
  }

  /** The node that wrote the record, or was given it, and is to take it out. */
  owner(record: number): number {
    return this.words[record * RECORD_WORDS + OWNER]! & ~OWNER_LATER;
  }

  /** True if it has been round, and `node` is to take it out. */
  isFor(record: number, node: number): boolean {
    return this.words[record * RECORD_WORDS + OWNER] === node;
  }

  /** The second pass: from the next period on its owner may take it out. */
  markRead(record: number): void {
    this.words[record * RECORD_WORDS + OWNER]! &= ~OWNER_LATER;
  }

  identifier(record: number): Identifier {
    return this.words[record * RECORD_WORDS + IDENTIFIER]!;
  }

  /** Another node is to take the record out; the sums begin again. */
  passOn(record: number, owner: number): void {
    const at = record * RECORD_WORDS;
    this.words[at + OWNER] = owner | OWNER_LATER;
    this.words.fill(0, at + SUMS, at + RECORD_WORDS);
  }

  sum(record: number, which: number): number {
    return this.words[record * RECORD_WORDS + SUMS + which]!;
  }

  addTo(record: number, which: number, amount: number): void {
    this.words[record * RECORD_WORDS + SUMS + which]! += amount;
  }

  /** Takes records out: those for which `took` answers true. */
  takeOut(took: (record: number) => boolean): void {
    const { words, count } = this;
    let kept = 0;
    for (let record = 0; record < count; record++) {
      if (took(record)) continue;
      words.copyWithin(kept * RECORD_WORDS, record * RECORD_WORDS, (record + 1) * RECORD_WORDS);
      kept += 1;
    }
    this.count = kept;
  }

  /** True if the `available` words from word `at` of `words` on can be what store() wrote on a machine of `nodes` nodes. */
  static areSound(words: Int32Array, at: number, available: number, nodes: number): boolean {
    if (available < TOKEN_HEADER_WORDS) return false;
    const [, , count, added, limit, share, crowded] = words.subarray(at, at + TOKEN_HEADER_WORDS);
    if (count! < 0 || count! * RECORD_WORDS > available - TOKEN_HEADER_WORDS) return false;
    if (limit! < PERIOD_RECORDS || limit! > PERIOD_RECORDS_MAX) return false;
    if (added! < 0 || share! < 1 || share! > limit! || crowded! < 0) return false;
    for (let record = 0; record < count!; record++) {
      const from = at + TOKEN_HEADER_WORDS + record * RECORD_WORDS;
      const type = words[from + TYPE]!;
      if (type < RECORD_SENDERS || type > RECORD_RETIRE) return false;
      if ((words[from + OWNER]! & ~OWNER_LATER) >>> 0 >= nodes) return false;
      const identifier = words[from + IDENTIFIER]!;
      if (!isOfPort(identifier, nodes)) return false;
      if (type !== RECORD_MOVED && type !== RECORD_RETIRE) continue;
      const successor = words[from + SUMS]!;
      if (successor === identifier || !isOfPort(successor, nodes)) return false;
      if (words[from + SUMS + 1]! >>> 0 > TENURE_MAX) return false;
    }
    return true;
  }

  /** Takes over what store() has written. */
  load(words: Int32Array, at: number): void {
    const [, , count, added, limit, share, crowded] = words.subarray(at, at + TOKEN_HEADER_WORDS);
    const first = at + TOKEN_HEADER_WORDS;
    this.makeRoom(count! * RECORD_WORDS);
    this.words.set(words.subarray(first, first + count! * RECORD_WORDS));
    this.count = count!;
    this.added = added!;
    this.limit = limit!;
    this.share = share!;
    this.crowded = crowded!;
  }

  /** Writes header and records from word `at` of `words` on. */
  store(words: Int32Array, at: number, period: number, pass: number): void {
    const { count, added, limit, share, crowded } = this;
    words.set([period, pass, count, added, limit, share, crowded], at);
    words.set(this.words.subarray(0, count * RECORD_WORDS), at + TOKEN_HEADER_WORDS);
  }

  private makeRoom(words: number): void {
    if (words <= this.words.length) return;
    const longer = new Int32Array(Math.max(words, this.words.length * 2));
    longer.set(this.words);
    this.words = longer;
  }
}

/** True of what an ordinary port of one of `nodes` nodes can be called. */
const isOfPort = (identifier: Identifier, nodes: number): boolean => {
  const local = identifierLocal(identifier);
  return identifierNode(identifier) < nodes && local >= FIRST_LOCAL_ID && local <= LOCAL_ID_MAX;
};
