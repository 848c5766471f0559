// The checksum of a packet on a network that may damage it, over every carried word but itself: header, inline bytes and
// page, as word-sum.ts sums them. It finds any single flipped bit for certain, as long as the length words are whole.

import {
  PACKET_BODY,
  PACKET_CARRIED_WORDS,
  PACKET_FRAME,
  PACKET_INLINE,
  PACKET_PAGE,
  PACKET_ROUTE,
} from "../hardware/packet-layout.ts";
import type { PhysicalMemory } from "../hardware/physical-memory.ts";
import { LANES_HEADER, sumWords } from "../hardware/word-sum.ts";
import { WIRE_CHECKSUM } from "./wire-layout.ts";

/** Of the packet at word `at`. Never 0, which says that no checksum is used. */
export const packetChecksum = (memory: PhysicalMemory, at: number): number => {
  const { words } = memory;
  const inlineWords = (words[at + PACKET_INLINE]! + 3) >> 2;
  const pageWords = (words[at + PACKET_PAGE]! + 3) >> 2;
  const carried = words[at + WIRE_CHECKSUM]!;
  words[at + WIRE_CHECKSUM] = 0; // it is no part of itself, and one sum is quicker than one on either side of it
  const end = at + PACKET_BODY + inlineWords;
  let h = sumWords(words, at + PACKET_ROUTE, end, PACKET_CARRIED_WORDS, LANES_HEADER);
  words[at + WIRE_CHECKSUM] = carried;
  if (pageWords > 0) h = memory.sumFrame(words[at + PACKET_FRAME]!, pageWords, h);
  return h === 0 ? 1 : h;
};
