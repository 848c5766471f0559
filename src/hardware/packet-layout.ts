// A packet as the interface sees it: the hardware's own header words, then what software put there.
// The same 64 words are a receive descriptor's header area, a packet buffer and a channel slot.
//
//   word  0      1       2       3        4       5       6 .. 15             16 .. 63
//        +------+-------+-------+--------+-------+-------+-------------------+--------------+
//        |LINK  | FRAME | ROUTE | INLINE | PAGE  | NUMBER| software header   | inline bytes |
//        +------+-------+-------+--------+-------+-------+-------------------+--------------+
//         ^ not carried over  ^ carried over by the DMA engine from here on
//
// Writers: [S] sender's software, [C] owner of the descriptor, [x] handed over by PACKET_LINK.

import { assert } from "../base/assert.ts";
import { WORD_BYTES } from "../base/words.ts";
import { PACKET_WORDS } from "./machine-layout.ts";

export const PACKET_LINK = 0; // u32 [x] descriptor: position + 1 once filled; buffer: free for its owner
export const PACKET_FRAME = 1; // u32 [C] descriptor: armed frame; [S] buffer: frame holding the page
export const PACKET_ROUTE = 2; // u32 [S] source << 16 | destination
export const PACKET_INLINE = 3; // u32 [S] inline bytes that follow the header, 0 to 192
export const PACKET_PAGE = 4; // u32 [S] bytes of the page, 0 (none) to the page size
export const PACKET_NUMBER = 5; // u32 [S] class << 29 | number << 8 | attempt: names the packet to taps and faults
export const PACKET_SOFTWARE = 6; // u32 [S] first word of the software's header (10 words)
export const PACKET_BODY = 16; // u32 [S] first word of the inline bytes

export const PACKET_CARRIED_WORDS = PACKET_BODY - PACKET_ROUTE;
export const PACKET_CARRIED_BYTES = PACKET_CARRIED_WORDS * WORD_BYTES;
export const PACKET_INLINE_BYTES_MAX = (PACKET_WORDS - PACKET_BODY) * WORD_BYTES;

assert(PACKET_INLINE_BYTES_MAX === 192 && PACKET_CARRIED_BYTES === 56);

export const packetSource = (words: Int32Array, at: number): number =>
  words[at + PACKET_ROUTE]! >>> 16;
export const packetDestination = (words: Int32Array, at: number): number =>
  words[at + PACKET_ROUTE]! & 0xffff;
export const packetInlineBytes = (words: Int32Array, at: number): number =>
  words[at + PACKET_INLINE]!;
export const packetPageBytes = (words: Int32Array, at: number): number => words[at + PACKET_PAGE]!;
export const packetFrame = (words: Int32Array, at: number): number => words[at + PACKET_FRAME]!;

export const setPacketRoute = (
  words: Int32Array,
  at: number,
  source: number,
  destination: number,
): void => {
  words[at + PACKET_ROUTE] = (source << 16) | destination;
};
