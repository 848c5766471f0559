// Copies words between a task's message and a node's memory. Up to 1 KiB by a loop, which
// allocates nothing; more by set, which is faster but needs a new view for each call.

const LOOP_WORDS_MAX = 256;

export const copyWords = (
  to: Int32Array,
  toAt: number,
  from: Int32Array,
  fromAt: number,
  count: number,
): void => {
  if (count > LOOP_WORDS_MAX) {
    to.set(from.subarray(fromAt, fromAt + count), toAt);
    return;
  }
  for (let i = 0; i < count; i++) to[toAt + i] = from[fromAt + i]!;
};
