import { expect, test } from "@jest/globals";
import { mean, median, quantile } from "../../bench/harness/statistics.ts";

const TEN = [7, 1, 10, 3, 9, 2, 8, 4, 6, 5];

test("quantile: nearest rank gives values that were measured", () => {
  expect(quantile(TEN, 0)).toBe(1);
  expect(quantile(TEN, 0.5)).toBe(5);
  expect(quantile(TEN, 0.9)).toBe(9);
  expect(quantile(TEN, 0.91)).toBe(10);
  expect(quantile(TEN, 1)).toBe(10);
});

test("quantile: a single value is every quantile", () => {
  expect([0, 0.5, 0.999].map((fraction) => quantile([42], fraction))).toEqual([42, 42, 42]);
});

test("median: even count averages the two middle values, odd count takes the middle one", () => {
  expect(median(TEN)).toBe(5.5);
  expect(median([3, 1, 2])).toBe(2);
});

test("statistics: input order is left as it was", () => {
  const values = Float64Array.of(3, 1, 2);
  quantile(values, 0.5);
  median(values);
  expect([...values]).toEqual([3, 1, 2]);
});

test("statistics: no values is an error, not a NaN", () => {
  for (const of of [() => quantile([], 0.5), () => median([]), () => mean([])]) {
    expect(of).toThrow(RangeError);
  }
});
