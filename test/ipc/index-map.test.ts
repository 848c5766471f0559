// The map from port indexes to entries, beside a Map of the language.

import { expect, test } from "@jest/globals";
import { Random } from "../../src/base/random.ts";
import { IndexMap } from "../../src/ipc/index-map.ts";
import { expectSame } from "../support/same.ts";

const SEED = 20_261_124;

test(`index map: holds what a Map holds after any sets and deletes (seed ${SEED})`, () => {
  const random = new Random(SEED);
  for (const keys of [3, 8, 40, 1000]) {
    const map = new IndexMap();
    const model = new Map<number, number>();
    for (let step = 0; step < 20_000; step++) {
      const key = 1 + random.below(keys);
      if (random.chance(0.5)) {
        map.set(key, step);
        model.set(key, step);
      } else {
        map.delete(key);
        model.delete(key);
      }
      const looked = 1 + random.below(keys);
      expectSame(map.get(looked, -1), model.get(looked) ?? -1);
    }
    expect(map.size).toBe(model.size);
    for (let key = 1; key <= keys; key++) expect(map.get(key, -1)).toBe(model.get(key) ?? -1);
  }
});

test("index map: what is not there is missing, and its deletion changes nothing", () => {
  const map = new IndexMap();
  expect(map.get(7, -1)).toBe(-1);
  map.set(7, 0);
  map.delete(8);
  expect([map.get(7, -1), map.size]).toEqual([0, 1]);
  map.set(7, 5);
  expect([map.get(7, -1), map.size]).toEqual([5, 1]);
});

test("index map: consecutive keys by the hundred thousand are all found", () => {
  const map = new IndexMap();
  for (let key = 1; key <= 100_000; key++) map.set(key, key * 2);
  for (let key = 1; key <= 100_000; key += 2) map.delete(key);
  let wrong = 0;
  for (let key = 1; key <= 100_000; key++) {
    if (map.get(key, -1) !== (key % 2 === 1 ? -1 : key * 2)) wrong += 1;
  }
  expect([wrong, map.size]).toEqual([0, 50_000]);
});
