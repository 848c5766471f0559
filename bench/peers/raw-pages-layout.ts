// The shared memory of the raw pages peer: for each of the two threads two words on cache lines of their own,
// then the data. Thread t sends from its source to the slots of the other one's inbox.
//
//   word 0        32         64        96         16384
//   +---------+---------+---------+---------+-- --+--------------+--------------+-------------+-------------+
//   | SENT 0  | TAKEN 0 | SENT 1  | TAKEN 1 |     | source 0     | source 1     | inbox 0 ... | inbox 1 ... |
//   +---------+---------+---------+---------+-- --+--------------+--------------+-------------+-------------+

import { assert } from "../../src/base/assert.ts";

const LINE_WORDS = 32;
const DATA_BYTE = 65536;

/** Word with the number of messages that thread `thread` has sent [thread]. */
export const sentWord = (thread: number): number => thread * 2 * LINE_WORDS;
/** Word with the number of messages that thread `thread` has taken in [thread]. */
export const takenWord = (thread: number): number => sentWord(thread) + LINE_WORDS;

/** The largest message, and what a thread's inbox has for a window of messages. */
export const RAW_MESSAGE_BYTES = 4 * 2 ** 20;
export const RAW_INBOX_BYTES = 2 * RAW_MESSAGE_BYTES;

export const sourceByte = (thread: number): number => DATA_BYTE + thread * RAW_MESSAGE_BYTES;
export const inboxByte = (thread: number): number =>
  DATA_BYTE + 2 * RAW_MESSAGE_BYTES + thread * RAW_INBOX_BYTES;

export const RAW_PAGES_BYTES = inboxByte(2);

assert(takenWord(1) * Int32Array.BYTES_PER_ELEMENT < DATA_BYTE);
