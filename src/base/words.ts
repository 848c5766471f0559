// Sizes of words and cache lines, and the arithmetic of positions that only grow.
// Every shared layout is counted in 32-bit words; a record that two threads write has lines of its own.

export const WORD_BYTES = 4;
export const WORD_SHIFT = 2;
export const CACHE_LINE_BYTES = 64;
export const CACHE_LINE_WORDS = CACHE_LINE_BYTES / WORD_BYTES;

/** True if position `a` was issued before `b`; valid while they are less than 2^31 apart. */
export const positionBefore = (a: number, b: number): boolean => ((a - b) | 0) < 0;

/** `value` rounded up to a multiple of `multiple`. */
export const alignUp = (value: number, multiple: number): number =>
  Math.ceil(value / multiple) * multiple;

export const isPowerOfTwo = (value: number): boolean =>
  Number.isInteger(value) && value > 0 && Number.isInteger(Math.log2(value));
