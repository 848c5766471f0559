// The frames of an ethernet: how a packet is cut into fragments, and how long one is on the cable.
// A packet is a stream of bytes: header and inline bytes, then the page. A fragment is a piece of it.
//
//   frame   | ethernet 14 | IP 20 | UDP 8 | fragment header 8: offset, id, last flag | fragment |
//           at most 1500 bytes in all; before it the preamble and after it the gap, 20 together
//
// The first three headers name nodes and are not made here: only their length counts. As in CMU's
// ipc_ether.c, but for the fragment header, whose offset has 32 bits because a page may have 64 KiB.

import { assert } from "../base/assert.ts";
import {
  PACKET_CARRIED_BYTES,
  PACKET_INLINE,
  PACKET_INLINE_BYTES_MAX,
  PACKET_PAGE,
} from "./packet-layout.ts";

export const FRAME_BYTES_MAX = 1500;
const FRAME_HEADER_BYTES = 14 + 20 + 8 + 8;
/** Bytes of a packet in one frame, in whole words of 8 bytes. */
export const FRAGMENT_BYTES_MAX = (FRAME_BYTES_MAX - FRAME_HEADER_BYTES) & ~7;
/** A shorter frame is filled up: a collision must be heard before its end. */
const FRAME_BYTES_MIN = 64;
const PREAMBLE_AND_GAP_BYTES = 8 + 12;
/** How long a frame may have been on the cable before a far node hears it: 512 bit times. */
export const SLOT_BYTES = 64;

// So the first fragment has header and inline bytes of every packet whole.
assert(PACKET_CARRIED_BYTES + PACKET_INLINE_BYTES_MAX <= FRAGMENT_BYTES_MAX);

/** Bytes of the packet at word `at` before its page. */
export const headBytesOf = (words: Int32Array, at: number): number =>
  PACKET_CARRIED_BYTES + words[at + PACKET_INLINE]!;

/** Bytes of the packet at word `at`. */
export const packetBytesOf = (words: Int32Array, at: number): number =>
  headBytesOf(words, at) + words[at + PACKET_PAGE]!;

/** Bytes of cable time of a frame with a fragment of so many bytes. */
export const frameWireBytes = (fragmentBytes: number): number =>
  Math.max(FRAME_BYTES_MIN, FRAME_HEADER_BYTES + fragmentBytes) + PREAMBLE_AND_GAP_BYTES;
