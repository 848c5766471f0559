// Seeded random numbers: a generator that forks by label, and a pure hash for decisions that must
// repeat whatever the order in which they are taken. Nothing below rank 7 draws from anywhere else.
// sfc32 is Chris Doty-Humphrey's small fast counting generator (PractRand); mixing is MurmurHash3's.

import { Digest } from "./digest.ts";

/** Scrambles one 32-bit word so that close inputs give distant outputs. */
const mix = (value: number): number => {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
};

/** An unsigned 32-bit hash of five words. */
export const hashWords = (a: number, b: number, c: number, d: number, e: number): number => {
  let h = mix(a ^ 0x9e3779b9);
  h = mix(h ^ Math.imul(b, 0x85ebca77));
  h = mix(h ^ Math.imul(c, 0xc2b2ae3d));
  h = mix(h ^ Math.imul(d, 0x27d4eb2f));
  h = mix(h ^ Math.imul(e, 0x165667b1));
  return h >>> 0;
};

/** A number in [0, 1) that depends on its arguments alone. */
export const hashFraction = (a: number, b: number, c: number, d: number, e: number): number =>
  hashWords(a, b, c, d, e) / 0x1_0000_0000;

/** A 32-bit hash of a text (FNV-1a). */
export const hashText = (text: string): number => {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h | 0;
};

/** What a generator and all forked from it have drawn, in the order in which they did. */
export class DrawTally extends Digest {
  count = 0;

  drawn(word: number): void {
    this.count += 1;
    this.add(word);
  }
}

/** A seeded generator. Two with the same seed draw the same numbers. */
export class Random {
  readonly seed: number;
  /** Shared with all that are forked from this one. */
  readonly tally: DrawTally;
  private readonly seedHigh: number;
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  constructor(seed: number, tally = new DrawTally()) {
    this.tally = tally;
    this.seed = seed >>> 0;
    this.seedHigh = Math.floor(seed / 0x1_0000_0000);
    this.a = mix(seed);
    this.b = mix(seed ^ 0x6a09e667);
    this.c = mix(seed ^ 0xbb67ae85 ^ this.seedHigh);
    for (let i = 0; i < 12; i++) this.next();
  }

  /** A generator of its own for `label`; drawing from it does not disturb this one. */
  fork(label: string): Random {
    const seed = hashWords(this.seed, hashText(label), this.seedHigh, 0, 0);
    return new Random(seed, this.tally);
  }

  uint32(): number {
    const word = this.next();
    this.tally.drawn(word);
    return word >>> 0;
  }

  /** Signed: a small integer, which needs no allocation wherever it is passed. */
  private next(): number {
    const t = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (this.c << 21) | (this.c >>> 11);
    this.c = (this.c + t) | 0;
    return t;
  }

  /** In [0, 1). */
  fraction(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** An integer in [0, below). */
  below(below: number): number {
    return Math.floor(this.fraction() * below);
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }
}
