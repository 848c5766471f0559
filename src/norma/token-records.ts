// What the token carries: records of RECORD_WORDS words, each about one port, until its owner takes it out again. What
// the words of a record mean besides is the business of whoever wrote it.
//
//   word    0       1       2            3 ...
//           type    owner   identifier   sums over the nodes
//
// On the wire the records follow a header of TOKEN_HEADER_WORDS: period, pass, number of records.

import type { Identifier } from "./identifier.ts";

export const RECORD_WORDS = 8;
export const TOKEN_HEADER_WORDS = 3;

const TYPE = 0;
/** The node that takes the record out. */
const OWNER = 1;
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

export class TokenRecords {
  readonly words: number[] = [];

  get count(): number {
    return this.words.length / RECORD_WORDS;
  }

  add(type: number, owner: number, identifier: Identifier): void {
    this.words.push(type, owner, identifier);
    for (let i = 0; i < SUMS_MAX; i++) this.words.push(0);
  }

  type(record: number): number {
    return this.words[record * RECORD_WORDS + TYPE]!;
  }

  owner(record: number): number {
    return this.words[record * RECORD_WORDS + OWNER]!;
  }

  identifier(record: number): Identifier {
    return this.words[record * RECORD_WORDS + IDENTIFIER]!;
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
    words.length = kept * RECORD_WORDS;
  }
}
