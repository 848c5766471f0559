// The checksum of a packet on a network that may damage it: a 32-bit multiplicative hash over every
// carried word, header, inline bytes and page. It finds any single flipped bit for certain, as long as the
// length words are whole (each step is a bijection of the running value), and other damage with
// probability 1 - 2^-32.

import {
  PACKET_BODY,
  PACKET_CARRIED_WORDS,
  PACKET_INLINE,
  PACKET_PAGE,
  PACKET_ROUTE,
} from "../hardware/packet-layout.ts";
import { WIRE_CHECKSUM } from "./wire-layout.ts";

const MULTIPLIER = 0x9e3779b1;

const sum = (words: Int32Array, from: number, to: number, start: number): number => {
  let h = start;
  for (let i = from; i < to; i++) {
    h = Math.imul(h ^ words[i]!, MULTIPLIER);
    h ^= h >>> 15;
  }
  return h;
};

/** Never 0, which says that no checksum is used. `page` is the word of the page's frame. */
export const packetChecksum = (words: Int32Array, at: number, page: number): number => {
  let h = sum(words, at + PACKET_ROUTE, at + WIRE_CHECKSUM, PACKET_CARRIED_WORDS);
  h = sum(words, at + WIRE_CHECKSUM + 1, at + PACKET_BODY, h);
  h = sum(words, at + PACKET_BODY, at + PACKET_BODY + ((words[at + PACKET_INLINE]! + 3) >> 2), h);
  h = sum(words, page, page + ((words[at + PACKET_PAGE]! + 3) >> 2), h);
  return h === 0 ? 1 : h;
};
