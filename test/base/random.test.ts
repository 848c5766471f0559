// Seeded random numbers. The constants pin the generator: a change of it changes every
// recorded seed, and must be wanted.

import { describe, expect, test } from "@jest/globals";
import { hashFraction, hashText, hashWords, Random } from "../../src/base/random.ts";

const draws = (random: Random, count: number): number[] =>
  Array.from({ length: count }, () => random.uint32());

/** Chi-square of `values` (0 to below 1) over 64 equal bins: about 63 if they are uniform. */
const chiSquare = (values: readonly number[]): number => {
  const bins = new Array<number>(64).fill(0);
  for (const value of values) bins[Math.floor(value * 64)]! += 1;
  const expected = values.length / 64;
  return bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
};
/** Chance alone exceeds this once in a million (63 degrees of freedom). */
const CHI_SQUARE_MAX = 130;

describe("random", () => {
  test("the first draws of known seeds are what they have always been", () => {
    expect(draws(new Random(1), 4)).toEqual([2138584185, 1040569854, 2814220654, 2950541783]);
    expect(draws(new Random(0xc0ffee), 4)).toEqual([
      2060948522, 1713776113, 3733107500, 4057014857,
    ]);
    expect(draws(new Random(7).fork("link"), 4)).toEqual([
      2754085076, 2687092423, 4242592083, 1579457747,
    ]);
  });

  test("one seed draws one sequence, and neighbours draw others", () => {
    expect(draws(new Random(7), 32)).toEqual(draws(new Random(7), 32));
    expect(draws(new Random(7), 32)).not.toEqual(draws(new Random(8), 32));
    const first = new Set(Array.from({ length: 1000 }, (_, seed) => new Random(seed).uint32()));
    expect(first.size).toBe(1000);
  });

  test("seeds that differ above 32 bits draw and fork differently", () => {
    const low = new Random(5);
    const high = new Random(5 + 2 ** 32);
    expect(draws(high, 8)).not.toEqual(draws(low, 8));
    expect(draws(high.fork("node 0"), 8)).not.toEqual(draws(low.fork("node 0"), 8));
  });

  test("a fork depends on seed and label alone, and drawing from it disturbs nobody", () => {
    const random = new Random(7);
    const early = random.fork("clock");
    draws(early, 100);
    const undisturbed = draws(new Random(7), 10);
    expect(draws(random, 10)).toEqual(undisturbed);
    expect(draws(random.fork("clock"), 8)).toEqual(draws(new Random(7).fork("clock"), 8));
    expect(draws(random.fork("clock"), 8)).not.toEqual(draws(random.fork("links"), 8));
  });

  test("fractions, integers and chances stay in their ranges and are roughly uniform", () => {
    const random = new Random(11);
    const fractions = Array.from({ length: 100_000 }, () => random.fraction());
    expect(fractions.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(chiSquare(fractions)).toBeLessThan(CHI_SQUARE_MAX);
    const dice = Array.from({ length: 10_000 }, () => random.below(6));
    expect(new Set(dice)).toEqual(new Set([0, 1, 2, 3, 4, 5]));
    const hits = Array.from({ length: 10_000 }, () => random.chance(0.25)).filter(Boolean).length;
    expect(hits).toBeGreaterThan(2300);
    expect(hits).toBeLessThan(2700);
    expect([random.chance(0), random.chance(1)]).toEqual([false, true]);
  });
});

describe("hash", () => {
  test("known arguments give the words they have always given", () => {
    expect([hashWords(1, 2, 3, 4, 5), hashWords(0, 0, 0, 0, 0)]).toEqual([385122293, 1608878740]);
    expect(hashText("link")).toBe(232457833);
  });

  test("every argument counts, and their order", () => {
    const words = [
      hashWords(1, 2, 3, 4, 5),
      hashWords(2, 2, 3, 4, 5),
      hashWords(1, 3, 3, 4, 5),
      hashWords(1, 2, 4, 4, 5),
      hashWords(1, 2, 3, 5, 5),
      hashWords(1, 2, 3, 4, 6),
      hashWords(5, 4, 3, 2, 1),
    ];
    expect(new Set(words).size).toBe(words.length);
    expect(words.every((word) => Number.isInteger(word) && word >= 0 && word < 2 ** 32)).toBe(true);
  });

  test("consecutive packet numbers, links and kinds are spread evenly", () => {
    const over = (hash: (i: number) => number): number =>
      chiSquare(Array.from({ length: 50_000 }, (_, i) => hash(i)));
    expect(over((i) => hashFraction(7, 0x00030005, i, 0, 1))).toBeLessThan(CHI_SQUARE_MAX);
    expect(over((i) => hashFraction(i, 0x00030005, 1, 0, 1))).toBeLessThan(CHI_SQUARE_MAX);
    expect(over((i) => hashFraction(7, i, 1, 0, 1))).toBeLessThan(CHI_SQUARE_MAX);
    expect(over((i) => hashFraction(7, 1, i >> 8, i & 0xff, 1))).toBeLessThan(CHI_SQUARE_MAX);
  });

  test("two kinds of decision about one packet are independent", () => {
    let both = 0;
    for (let i = 0; i < 40_000; i++) {
      const one = hashFraction(7, 0x00030005, i, 0, 1) < 0.5;
      if (one && hashFraction(7, 0x00030005, i, 0, 2) < 0.5) both += 1;
    }
    expect(both).toBeGreaterThan(9_600);
    expect(both).toBeLessThan(10_400);
  });
});
