// Descriptors of typed items: known words, and that a checked item never leads outside the body.

import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { isPortDisposition } from "../../src/ipc/rights.ts";
import {
  checkItem,
  ITEM_GOOD,
  ITEM_MALFORMED,
  ITEM_TRUNCATED,
  itemBytes,
  itemData,
  itemEnd,
  itemNumber,
  itemType,
  setItemType,
  writeItem,
} from "../../src/ipc/typed-item.ts";

test("typed item: the short descriptor of one integer, in Mach's words", () => {
  const words = new Int32Array(4);
  expect(writeItem(words, 1, 2, 32, 1)).toBe(2);
  expect(words[1]! >>> 0).toBe(0x10012002);
  expect(checkItem(words, 1, 3, isPortDisposition)).toBe(ITEM_GOOD);
  expect([itemType(words, 1), itemNumber(words, 1), itemBytes(words, 1)]).toEqual([2, 1, 4]);
  expect([itemData(words, 1), itemEnd(words, 1)]).toEqual([2, 3]);
});

test("typed item: the long descriptor of 5000 bytes, in Mach's words", () => {
  const words = new Int32Array(1300);
  expect(writeItem(words, 0, 9, 8, 5000)).toBe(3);
  expect([...words.subarray(0, 3)]).toEqual([0x30000000, 0x00080009, 5000]);
  expect(itemEnd(words, 0)).toBe(3 + 1250);
  expect(checkItem(words, 0, 1253, isPortDisposition)).toBe(ITEM_GOOD);
  expect(checkItem(words, 0, 1252, isPortDisposition)).toBe(ITEM_TRUNCATED);
});

test("typed item: bits and odd bytes are padded to words", () => {
  const words = new Int32Array(8);
  for (const [bits, number, bytes, data] of [
    [1, 1, 1, 1],
    [1, 33, 5, 2],
    [8, 5, 5, 2],
    [16, 2, 4, 1],
    [64, 1, 8, 2],
    [8, 0, 0, 0],
  ] as const) {
    writeItem(words, 0, 0, bits, number);
    expect([itemBytes(words, 0), itemEnd(words, 0)]).toEqual([bytes, 1 + data]);
  }
});

test("typed item: setting the type changes nothing else, in both forms", () => {
  const words = new Int32Array(8);
  writeItem(words, 0, 19, 32, 3);
  setItemType(words, 0, 17);
  expect(words[0]! >>> 0).toBe(0x10032011);
  words.set([0x30000000, (32 << 16) | 21, 4999]);
  setItemType(words, 0, 18);
  expect([...words.subarray(0, 3)]).toEqual([0x30000000, (32 << 16) | 18, 4999]);
});

test("typed item: whatever the words are, a good item ends inside the body and moves on", () => {
  const word = fc.oneof(
    fc.integer(),
    fc.integer({ min: 0, max: 25 }).map((type) => type | (32 << 8) | (1 << 16) | (1 << 28)),
    fc.constantFrom(0x30000000, 0x20000000, -1),
  );
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 12 }), (body) => {
      const words = Int32Array.from(body);
      let at = 0;
      while (at < words.length) {
        const checked = checkItem(words, at, words.length, isPortDisposition);
        if (checked !== ITEM_GOOD) {
          expect([ITEM_TRUNCATED, ITEM_MALFORMED]).toContain(checked);
          return;
        }
        if (isPortDisposition(itemType(words, at))) {
          expect(itemData(words, at) + itemNumber(words, at)).toBe(itemEnd(words, at));
        }
        expect(itemEnd(words, at)).toBeGreaterThan(at);
        expect(itemEnd(words, at)).toBeLessThanOrEqual(words.length);
        at = itemEnd(words, at);
      }
    }),
    { numRuns: 5000, seed: 0xc0ffee },
  );
});
