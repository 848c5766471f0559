// Holding, waiting for and releasing one channel (or a node's ejection channel, or the medium that all
// share: same three words).
//   holdOrLeaveWord -> true; or false: word is left, go on working;
//   release -> frees it and wakes everyone who left word; they compete again.
// A channel is never spun on: its waiter's node goes on stepping and retries.
//
// A waiter that parks looks at wordStands() after it announced that: a release that came while its
// worker was still awake has taken the word and rung nobody, and the next holder will find none.
//
// Why no wake-up is lost: a waiter sets its bit and CHANNEL_WAITING, then tries once more; the holder
// frees the channel, then reads CHANNEL_WAITING. All four are sequentially consistent, so if the
// waiter's second try failed, the holder reads its word.

import { assert } from "../base/assert.ts";
import type { Board } from "./board.ts";
import {
  CHANNEL_HOLDER,
  CHANNEL_WAITING,
  EJECT_HOLDER,
  EJECT_WAITING,
  MEDIUM_HOLDER,
  MEDIUM_WAITING,
} from "./machine-layout.ts";

export const CHANNEL_FREE = 0;

assert(CHANNEL_HOLDER === EJECT_HOLDER && CHANNEL_WAITING === EJECT_WAITING, "one shape for all");
assert(CHANNEL_HOLDER === MEDIUM_HOLDER && CHANNEL_WAITING === MEDIUM_WAITING, "one shape for all");

/** Takes the channel at word `at` for `node`; false if another circuit holds it. */
export const tryHold = (words: Int32Array, at: number, node: number): boolean =>
  // acquire: pairs with the store in release(); counters of the channel are ours from here.
  Atomics.compareExchange(words, at + CHANNEL_HOLDER, CHANNEL_FREE, node + 1) === CHANNEL_FREE;

/** Leaves word that `node` waits for the channel at `at`, whose waiter set is at `waitersAt`. */
export const leaveWord = (words: Int32Array, at: number, waitersAt: number, node: number): void => {
  Atomics.or(words, waitersAt + (node >>> 5), 1 << (node & 31));
  // release: the bit above; pairs with the load in release().
  Atomics.store(words, at + CHANNEL_WAITING, 1);
};

/** Takes the channel at `at` for `node`; or leaves word, and takes it if it was freed just then. */
export const holdOrLeaveWord = (
  words: Int32Array,
  at: number,
  waitersAt: number,
  node: number,
): boolean => {
  if (tryHold(words, at, node)) return true;
  leaveWord(words, at, waitersAt, node);
  return tryHold(words, at, node);
};

/** True while the word that `node` left stands: the next release will ring its worker. */
export const wordStands = (words: Int32Array, waitersAt: number, node: number): boolean =>
  // acquire: pairs with the exchange in wakeWaiters().
  (Atomics.load(words, waitersAt + (node >>> 5)) & (1 << (node & 31))) !== 0;

/** Frees the channel and rings all who left word. */
export const release = (board: Board, at: number, waitersAt: number): void => {
  // release: what the circuit wrote; pairs with the compareExchange in tryHold().
  Atomics.store(board.words, at + CHANNEL_HOLDER, CHANNEL_FREE);
  // acquire: pairs with the store in leaveWord().
  if (Atomics.load(board.words, at + CHANNEL_WAITING) !== 0) wakeWaiters(board, at, waitersAt);
};

/** Rings every node in the waiter set and empties it. */
export const wakeWaiters = (board: Board, at: number, waitersAt: number): void => {
  const { words, layout } = board;
  // The flag first: a bit set after this comes with a flag set after this.
  Atomics.store(words, at + CHANNEL_WAITING, 0);
  const setWords = (layout.nodes + 31) >>> 5;
  for (let i = 0; i < setWords; i++) {
    let bits = Atomics.exchange(words, waitersAt + i, 0);
    while (bits !== 0) {
      const bit = 31 - Math.clz32(bits & -bits);
      board.ring(i * 32 + bit);
      bits &= bits - 1;
    }
  }
};
