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
import { PhysicalMemory } from "../../src/hardware/physical-memory.ts";
import { createMachineMemory } from "../../src/node/machine-memory.ts";
import { packetChecksum } from "../../src/norma/checksum.ts";
import { WIRE_CHECKSUM } from "../../src/norma/wire-layout.ts";
import { testLayout } from "../support/machine-memory.ts";

const layout = testLayout({});
/** The packet lies in a frame, as well as anywhere; the page in the one behind it. */
const AT = layout.framesAt;
const PAGE = 1;
const PAGE_WORDS = layout.pageBytes / 4;
const PAGE_AT = AT + PAGE_WORDS;
const END = PAGE_AT + PAGE_WORDS;

/** A packet at AT with `inline` bytes, and `page` bytes at PAGE_AT. */
const packet = (inline: number, page: number): PhysicalMemory => {
  const { buffer } = createMachineMemory(layout.totalBytes, "shared-array-buffer");
  const memory = new PhysicalMemory(buffer, layout, 0);
  for (let at = AT; at < END; at++) memory.words[at] = Math.imul(at + 1, 0x9e3779b1);
  memory.words[AT + PACKET_INLINE] = inline;
  memory.words[AT + PACKET_PAGE] = page;
  memory.words[AT + PACKET_FRAME] = PAGE;
  return memory;
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
    const memory = packet(inline, page);
    const { words } = memory;
    const good = packetChecksum(memory, AT);
    // Two lengths and the frame decide what is covered: the transport checks the lengths before.
    const deciding = [PACKET_INLINE, PACKET_PAGE, PACKET_FRAME].map((word) => AT + word);
    const wrong: string[] = [];
    for (let word = AT; word < END; word++) {
      if (deciding.includes(word)) continue;
      for (const bit of word < AT + 64 ? Array(32).keys() : [word & 31]) {
        words[word]! ^= 1 << bit;
        const found = packetChecksum(memory, AT) !== good;
        if (found !== covered(word, inline, page)) wrong.push(`word ${word} bit ${bit}`);
        words[word]! ^= 1 << bit;
      }
    }
    expect(wrong).toEqual([]);
  },
);

test("checksum: a length that was damaged is found, as far as it passes for one", () => {
  const memory = packet(100, 1000);
  const { words } = memory;
  const good = packetChecksum(memory, AT);
  for (let bit = 2; bit < 8; bit++) {
    words[AT + PACKET_INLINE]! ^= 1 << bit;
    if (words[AT + PACKET_INLINE]! <= 192) {
      expect(packetChecksum(memory, AT)).not.toBe(good);
    }
    words[AT + PACKET_INLINE]! ^= 1 << bit;
  }
});

test("checksum: it is never 0, which means none, and does not depend on where the packet lies", () => {
  const memory = packet(8, 0);
  const { words } = memory;
  const elsewhere = AT + 640;
  words.copyWithin(elsewhere, AT, AT + 64);
  words[elsewhere + PACKET_LINK] = 7;
  words[elsewhere + PACKET_FRAME] = 9;
  expect(packetChecksum(memory, elsewhere)).toBe(packetChecksum(memory, AT));
  for (let i = 0; i < 1000; i++) {
    words[AT + PACKET_BODY] = i;
    expect(packetChecksum(memory, AT)).not.toBe(0);
  }
});
