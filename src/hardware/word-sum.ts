// The sum that guards words on their way: a 32-bit multiplicative hash. Each step is a bijection of the running value, so that
// any single flipped bit is found for certain, and other damage with probability 1 - 2^-32. Several values run side by side,
// because a multiplication takes longer than it occupies a core: 4 for the few words of a header, 16 for those of a page, which
// is what dma.wat does with vectors (docs/decisions/0036).

const MULTIPLIER = 0x9e3779b1;
/** Values side by side, a multiple of 4. */
export const LANES_HEADER = 4;
export const LANES_PAGE = 16;

const step = (h: number, word: number): number => {
  const product = Math.imul(h ^ word, MULTIPLIER);
  return product ^ (product >>> 15);
};

/** Sum of the words from `from` to before `to`: lane i takes every lanes-th word from the i-th on, as far as there are whole
 *  rows; then the lanes are summed, then the words that are left. */
export const sumWords = (
  words: Int32Array,
  from: number,
  to: number,
  start: number,
  lanes: number,
): number => {
  const rowsEnd = from + ((to - from) & -lanes);
  let h = start;
  if (from < rowsEnd) {
    for (let lane = from; lane < from + lanes; lane += 4) {
      let [a, b, c, d] = [start, start, start, start];
      for (let i = lane; i < rowsEnd; i += lanes) {
        a = step(a, words[i]!);
        b = step(b, words[i + 1]!);
        c = step(c, words[i + 2]!);
        d = step(d, words[i + 3]!);
      }
      h = step(step(step(step(h, a), b), c), d);
    }
  }
  for (let i = rowsEnd; i < to; i++) h = step(h, words[i]!);
  return h;
};
