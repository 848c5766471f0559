// The sum of words: in JavaScript and in WebAssembly it is what its definition says, for every length and place; and it tells
// what has changed.

import { expect, test } from "@jest/globals";
import { Random } from "../../src/base/random.ts";
import { createDmaEngine } from "../../src/hardware/dma-engine.ts";
import { LANES_HEADER, LANES_PAGE, sumWords } from "../../src/hardware/word-sum.ts";
import { createMachineMemory } from "../../src/node/machine-memory.ts";
import { MEMORY_KINDS, testLayout } from "../support/machine-memory.ts";

/** As it is defined, with so many lanes: rows first; then the lanes four by four; then four lanes and the rest. */
const reference = (words: readonly number[], lanes: number, start: number): number => {
  const step = (h: number, word: number): number => {
    const product = BigInt.asUintN(32, BigInt((h ^ word) >>> 0) * 0x9e3779b1n);
    return Number(product ^ (product >> 15n)) | 0;
  };
  const running = Array.from({ length: lanes }, (_, i) => (start + Math.floor(i / 4)) | 0);
  const rows = Math.floor(words.length / lanes) * lanes;
  for (let i = 0; i < rows; i++) running[i % lanes] = step(running[i % lanes]!, words[i]!);
  const four = [0, 1, 2, 3].map((lane) =>
    running.filter((_, i) => i % 4 === lane).reduce((h, word) => step(h, word)),
  );
  const ends = rows === 0 ? [] : four;
  return [...ends, ...words.slice(rows)].reduce(step, start);
};

const LENGTHS = [...Array(100).keys(), 1023, 1024, 1056];

test.each(MEMORY_KINDS)("word sum: on %s memory the engine sums as defined", (kind) => {
  const memory = createMachineMemory(testLayout({}).totalBytes, kind);
  const engine = createDmaEngine(memory);
  const words = new Int32Array(memory.buffer);
  const random = new Random(20);
  for (let i = 0; i < 2000; i++) words[i] = random.uint32();
  for (const length of LENGTHS) {
    for (const from of [0, 1, 16, 37]) {
      const start = random.uint32() | 0;
      const expected = reference([...words.subarray(from, from + length)], LANES_PAGE, start);
      expect(engine.sum(from * 4, length, start)).toBe(expected);
      expect(sumWords(words, from, from + length, start, LANES_PAGE)).toBe(expected);
    }
  }
});

test("word sum: four lanes sum as defined", () => {
  const random = new Random(21);
  const words = Int32Array.from({ length: 200 }, () => random.uint32());
  for (const length of LENGTHS.filter((each) => each <= 100)) {
    const [from, start] = [random.below(100), random.uint32() | 0];
    const expected = reference([...words.subarray(from, from + length)], LANES_HEADER, start);
    expect(sumWords(words, from, from + length, start, LANES_HEADER)).toBe(expected);
  }
});

test.each([32, 64, 1024])(
  "word sum: of %d words two that change places, and two flipped bits, are told",
  (length) => {
    const random = new Random(22);
    const words = Int32Array.from({ length }, () => random.uint32());
    const good = sumWords(words, 0, length, 5, LANES_PAGE);
    for (let run = 0; run < 3000; run++) {
      const [i, j] = [random.below(length), random.below(length)];
      const changed = words.slice();
      if (run % 2 === 0) {
        changed[i] = words[j]!;
        changed[j] = words[i]!;
      } else {
        changed[i]! ^= 1 << random.below(32);
        changed[j]! ^= 1 << random.below(32);
      }
      if (changed.every((word, at) => word === words[at])) continue;
      expect(sumWords(changed, 0, length, 5, LANES_PAGE)).not.toBe(good);
    }
  },
);
