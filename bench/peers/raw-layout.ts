// The two shared words of the raw peer, each on cache lines of its own.
//
//   word 0                       word 32
//   +-------+--------------------+-------+--------------------+
//   | PING  |     (padding)      | PONG  |     (padding)      |
//   +-------+--------------------+-------+--------------------+
//
// 128 bytes apart rather than 64: adjacent-line prefetching would couple neighbours.

import { assert } from "../../src/base/assert.ts";

const LINE_WORDS = 32;

export const PING = 0; // i32 [P] the client's (producer's) latest round-trip number, or STOP
export const PONG = PING + LINE_WORDS; // i32 [C] the latest number the server (consumer) has answered
export const RAW_WORDS = PONG + LINE_WORDS;

/** In PING: the slice is over, the server goes back to its event loop. No round trip has it. */
export const STOP = -1;

assert((PONG - PING) * Int32Array.BYTES_PER_ELEMENT >= 64, "a cache line for each writer");
