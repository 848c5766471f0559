// Arrays that V8 would write as sparse though they have no holes.

import { serialize } from "node:v8";
import { expect, test } from "@jest/globals";
import { withDenseArrays } from "../../src/task/dense-arrays.ts";

/** Kept by V8 as if it had holes. */
const holey = (...elements: unknown[]): unknown[] => {
  const array = new Array(elements.length);
  for (const [i, element] of elements.entries()) array[i] = element;
  return array;
};

test("dense arrays: what is written does not depend on how an array is kept", () => {
  const value = { path: holey("a", "b"), list: [holey(1, { deep: holey(2) })] };
  const plain = { path: ["a", "b"], list: [[1, { deep: [2] }]] };
  expect(serialize(value)).not.toEqual(serialize(plain));
  expect(serialize(withDenseArrays(value, []))).toEqual(serialize(plain));
});

test("dense arrays: holes, own properties, circles, shared parts and other objects stay what they are", () => {
  const shared = holey(1);
  const withHole = [1];
  withHole[2] = 3;
  const withProperty = Object.assign([1], { name: "x" });
  const kept = { port: holey(1) };
  const date = new Date(0);
  const value: Record<string, unknown> = {
    shared,
    again: shared,
    withHole,
    withProperty,
    kept,
    date,
  };
  value.self = value;
  Object.defineProperty(value, "__proto__", { value: 7, enumerable: true });
  const copy = withDenseArrays(value, [kept]) as typeof value;
  expect(copy.self).toBe(copy);
  expect(copy.again).toBe(copy.shared);
  expect([copy.withHole, copy.withProperty, copy.kept, copy.date]).toEqual([
    withHole,
    withProperty,
    kept,
    date,
  ]);
  expect(copy.withHole).toBe(withHole);
  expect(copy.kept).toBe(kept);
  expect(Object.getOwnPropertyDescriptor(copy, "__proto__")?.value).toBe(7);
});
