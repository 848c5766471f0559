// The shapes of the large-message suites: how a message of so many bytes is sent by a ping-pong, a stream and an
// RPC; and the machine that has room for it.

import type { MachineOptionsInput } from "../../src/index.ts";
import type { PageShape } from "../programs/page-args.ts";

/** Of a node: room for a window of the largest messages, those that the receiver holds, and the sender's own. */
const NODE_BYTES = 64 * 2 ** 20;
/** Of all nodes together; one shared memory ends at 4 GiB. */
const MACHINE_BYTES = 2 ** 31;

/** Memory for large messages; nodes of a machine of more than 32 get less each. */
export const largeMemory = (nodes: number): MachineOptionsInput => ({
  memory: { bytesPerNode: Math.min(NODE_BYTES, MACHINE_BYTES / nodes) },
});

export const PAGE_BYTES = 4096;

/** Rounds of small messages that a sample averages over, as in suite rpc. */
const SMALL_BATCH = 16;
/** Bytes that a sample may move in each direction before it is a single round. */
const SAMPLE_BYTES = 64 * 1024;

/** Bytes under way in a window, and the most messages that make one. */
const WINDOW_BYTES = 2 ** 20;
const WINDOW_MAX = 64;

/** One message there and one back; a sample is the time of one way. */
export const pingPong = (bytes: number): PageShape => ({
  requestBytes: bytes,
  replyBytes: bytes,
  window: 1,
  batch: roundsOf(bytes),
  messagesPerRound: 2,
});

/** `window` messages one after the other, the last of which is answered by an empty one. */
export const stream = (bytes: number, window = windowOf(bytes)): PageShape => ({
  requestBytes: bytes,
  replyBytes: 0,
  window,
  batch: 1,
  messagesPerRound: window,
});

/** A round trip of two payloads, of which the second is the one asked about. */
export const rpc = (requestBytes: number, replyBytes: number): PageShape => ({
  requestBytes,
  replyBytes,
  window: 1,
  batch: roundsOf(replyBytes),
  messagesPerRound: 1,
});

/** At least two, so that a message can be copied out while the next is under way. */
export const windowOf = (bytes: number): number =>
  Math.max(2, Math.min(WINDOW_MAX, Math.floor(WINDOW_BYTES / bytes)));

const roundsOf = (bytes: number): number =>
  Math.max(1, Math.min(SMALL_BATCH, Math.floor(SAMPLE_BYTES / Math.max(1, bytes))));
