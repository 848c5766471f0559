// Copies words between a task's message and a node's memory. Up to 384 bytes by a loop, which
// allocates nothing; more by set, which is faster but needs a new view for each call.

const LOOP_WORDS_MAX = 96;

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
