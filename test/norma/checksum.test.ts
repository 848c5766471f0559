// The checksum of a packet: which words it covers, and that one flipped bit is always found.

import { expect, test } from "@jest/globals";
import {
  PACKET_BODY,
  PACKET_FRAME,
  PACKET_INLINE,
  PACKET_LINK,
  PACKET_PAGE,
  PACKET_ROUTE,
} from "../../src/hardware/packet-layout.ts";
import { packetChecksum } from "../../src/norma/checksum.ts";
import { WIRE_CHECKSUM } from "../../src/norma/wire-layout.ts";

const AT = 64;
const PAGE_AT = 256;

/** A packet at AT with `inline` bytes, and `page` bytes at PAGE_AT. */
const packet = (inline: number, page: number): Int32Array => {
  const words = Int32Array.from({ length: 1300 }, (_, i) => Math.imul(i + 1, 0x9e3779b1));
  words[AT + PACKET_INLINE] = inline;
  words[AT + PACKET_PAGE] = page;
  return words;
};

const covered = (word: number, inline: number, page: number): boolean => {
  if (word === AT + WIRE_CHECKSUM) return false;
  if (word >= AT + PACKET_ROUTE && word < AT + PACKET_BODY) return true;
  if (word >= AT + PACKET_BODY && word < AT + PACKET_BODY + Math.ceil(inline / 4)) return true;
  return word >= PAGE_AT && word < PAGE_AT + Math.ceil(page / 4);
};

test.each([
  [0, 0],
  [192, 0],
  [6, 0],
  [0, 4096],
  [0, 200],
])(
  "checksum: of %d inline and %d page bytes any flipped bit is found, and no other word counts",
  (inline, page) => {
    const words = packet(inline, page);
    const good = packetChecksum(words, AT, PAGE_AT);
    const wrong: string[] = [];
    for (let word = 0; word < words.length; word++) {
      // These two lengths decide what is covered: the transport checks them before.
      if (word === AT + PACKET_INLINE || word === AT + PACKET_PAGE) continue;
      for (const bit of word < 320 ? Array(32).keys() : [word & 31]) {
        words[word]! ^= 1 << bit;
        const found = packetChecksum(words, AT, PAGE_AT) !== good;
        if (found !== covered(word, inline, page)) wrong.push(`word ${word} bit ${bit}`);
        words[word]! ^= 1 << bit;
      }
    }
    expect(wrong).toEqual([]);
  },
);

test("checksum: a length that was damaged is found, as far as it passes for one", () => {
  const words = packet(100, 1000);
  const good = packetChecksum(words, AT, PAGE_AT);
  for (let bit = 2; bit < 8; bit++) {
    words[AT + PACKET_INLINE]! ^= 1 << bit;
    if (words[AT + PACKET_INLINE]! <= 192) {
      expect(packetChecksum(words, AT, PAGE_AT)).not.toBe(good);
    }
    words[AT + PACKET_INLINE]! ^= 1 << bit;
  }
});

test("checksum: it is never 0, which means none, and does not depend on where the packet lies", () => {
  const words = packet(8, 0);
  const moved = new Int32Array(2000);
  moved.set(words.subarray(AT, AT + 64), 640);
  moved[640 + PACKET_LINK] = 7;
  moved[640 + PACKET_FRAME] = 9;
  expect(packetChecksum(moved, 640, PAGE_AT)).toBe(packetChecksum(words, AT, PAGE_AT));
  for (let i = 0; i < 1000; i++) {
    words[AT + PACKET_BODY] = i;
    expect(packetChecksum(words, AT, PAGE_AT)).not.toBe(0);
  }
});
