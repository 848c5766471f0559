// The sum that guards words on their way: a 32-bit multiplicative hash. Each step is a bijection of the running value, so that
// any single flipped bit is found for certain, and other damage with probability 1 - 2^-32. Several values run side by side,
// because a multiplication takes longer than it occupies a core: 4 for the few words of a header, 32 for those of a page, which
// is what dma.wat does with vectors of 4 (docs/decisions/0036).

const MULTIPLIER = 0x9e3779b1;
/** Values side by side, a multiple of 4. */
export const LANES_HEADER = 4;
export const LANES_PAGE = 32;

const step = (h: number, word: number): number => {
  const product = Math.imul(h ^ word, MULTIPLIER);
  return product ^ (product >>> 15);
};

/** Sum of the words from `from` to before `to`: lane i takes every lanes-th word from the i-th on, as far as there are whole
 *  rows. Lanes begin at `start`, each four at one more than the four before, since a step does not tell its operands apart.
 *  Each four are summed into the first four, lane by lane; then those, one after another; then the words that are left. */
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
    let [p, q, r, s] = [0, 0, 0, 0];
    for (let four = 0; four < lanes; four += 4) {
      const begin = (start + (four >> 2)) | 0;
      let [a, b, c, d] = [begin, begin, begin, begin];
      for (let i = from + four; i < rowsEnd; i += lanes) {
        a = step(a, words[i]!);
        b = step(b, words[i + 1]!);
        c = step(c, words[i + 2]!);
        d = step(d, words[i + 3]!);
      }
      const isFirst = four === 0;
      p = isFirst ? a : step(p, a);
      q = isFirst ? b : step(q, b);
      r = isFirst ? c : step(r, c);
      s = isFirst ? d : step(s, d);
    }
    h = step(step(step(step(h, p), q), r), s);
  }
  for (let i = rowsEnd; i < to; i++) h = step(h, words[i]!);
  return h;
};
