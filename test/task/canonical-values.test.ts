// Values that V8 could write in more than one way.

import { serialize } from "node:v8";
import { expect, test } from "@jest/globals";
import { canonical } from "../../src/task/canonical-values.ts";

/** Kept by V8 as if it had holes. */
const holey = (...elements: unknown[]): unknown[] => {
  const array = new Array(elements.length);
  for (const [i, element] of elements.entries()) array[i] = element;
  return array;
};

/** Kept by V8 as a double. */
const double = (whole: number): number => {
  const array = [0.5];
  array[0] = whole;
  return array[0];
};

const written = (value: unknown): Buffer => serialize(canonical(value, []));

test("canonical values: what is written does not depend on how an array is kept", () => {
  const value = { path: holey("a", "b"), list: [holey(1, { deep: holey(2) })] };
  const plain = { path: ["a", "b"], list: [[1, { deep: [2] }]] };
  expect(serialize(value)).not.toEqual(serialize(plain));
  expect(written(value)).toEqual(serialize(plain));
});

test("canonical values: what is written does not depend on how a number is kept", () => {
  const doubles = [1.5, 2];
  doubles[0] = 1;
  const field = { amount: 0.5 };
  field.amount = 60;
  const value = {
    doubles,
    field,
    map: new Map([[double(3), double(4)]]),
    set: new Set([double(5)]),
    alone: double(6),
  };
  const plain = {
    doubles: [1, 2],
    field: Object.fromEntries([["amount", 60]]),
    map: new Map([[3, 4]]),
    set: new Set([5]),
    alone: 6,
  };
  expect(serialize(doubles)).not.toEqual(serialize([1, 2]));
  expect(serialize(value)).not.toEqual(serialize(plain));
  expect(written(value)).toEqual(written(plain));
});

test("canonical values: numbers that are no small integers stay what they are", () => {
  const numbers = [
    -0,
    0.1,
    -(2 ** 31),
    2 ** 31 - 1,
    2 ** 31,
    -(2 ** 53),
    1e300,
    Number.NaN,
    -Infinity,
  ];
  const copy = canonical(numbers, []) as number[];
  expect(copy).toHaveLength(numbers.length);
  for (const [i, number] of numbers.entries()) expect(copy[i]).toBe(number);
});

test("canonical values: holes, own properties, circles, shared parts and other objects stay what they are", () => {
  const shared = holey(1);
  const withHole = [1];
  withHole[2] = 3;
  const withProperty = Object.assign([1], { name: "x" });
  const kept = { port: holey(1) };
  const date = new Date(0);
  const map = new Map<string, unknown>([["shared", shared]]);
  map.set("itself", map);
  const set = new Set<unknown>([shared]);
  const value: Record<string, unknown> = {
    shared,
    again: shared,
    withHole,
    withProperty,
    kept,
    date,
    map,
    set,
  };
  value.self = value;
  Object.defineProperty(value, "__proto__", { value: 7, enumerable: true });
  const copy = canonical(value, [kept]) as Record<string, unknown>;
  expect(copy.self).toBe(copy);
  expect(copy.again).toBe(copy.shared);
  const copiedMap = copy.map as typeof map;
  expect([...copiedMap.keys()]).toEqual(["shared", "itself"]);
  expect(copiedMap.get("itself")).toBe(copiedMap);
  expect(copiedMap.get("shared")).toBe(copy.shared);
  expect([...(copy.set as typeof set)][0]).toBe(copy.shared);
  expect(copy.withHole).toBe(withHole);
  expect(copy.withProperty).toBe(withProperty);
  expect(copy.date).toBe(date);
  expect(copy.kept).toBe(kept);
  expect(Object.getOwnPropertyDescriptor(copy, "__proto__")?.value).toBe(7);
});
