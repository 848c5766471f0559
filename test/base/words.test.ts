// Words, cache lines and positions.

import { expect, test } from "@jest/globals";
import {
  alignUp,
  CACHE_LINE_BYTES,
  CACHE_LINE_WORDS,
  isPowerOfTwo,
  positionBefore,
  WORD_BYTES,
  WORD_SHIFT,
} from "../../src/base/words.ts";

test("words: sizes agree with each other", () => {
  expect(1 << WORD_SHIFT).toBe(WORD_BYTES);
  expect(CACHE_LINE_WORDS * WORD_BYTES).toBe(CACHE_LINE_BYTES);
});

test("words: positions are ordered across the wrap at 2^31 and at 2^32", () => {
  expect(positionBefore(1, 2)).toBe(true);
  expect(positionBefore(2, 2)).toBe(false);
  expect(positionBefore(3, 2)).toBe(false);
  expect(positionBefore(0x7fffffff, -0x80000000)).toBe(true);
  expect(positionBefore(-0x80000000, 0x7fffffff)).toBe(false);
  expect(positionBefore(-1, 0)).toBe(true);
  expect(positionBefore(0xffffffff, 0)).toBe(true);
});

test("words: alignUp leaves multiples alone and takes the rest up", () => {
  expect([0, 1, 63, 64, 65].map((value) => alignUp(value, 64))).toEqual([0, 64, 64, 64, 128]);
  expect(alignUp(0xc0ffee, 4096)).toBe(0xc10000);
});

test("words: powers of two are told from the rest", () => {
  expect([1, 2, 4, 1024, 65536, 2 ** 40].every(isPowerOfTwo)).toBe(true);
  expect([0, -1, -2, 3, 6, 0.5, 1.5, 1023, Number.NaN, Infinity].some(isPowerOfTwo)).toBe(false);
});
