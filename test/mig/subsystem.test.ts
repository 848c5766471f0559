// The numbers of an interface: ids in order, holes, replies, and what cannot be numbered.

import { expect, test } from "@jest/globals";
import { int32 } from "../../src/mig/fields.ts";
import { oneway, routine, type Shapes, skip, subsystem } from "../../src/mig/subsystem.ts";

test("subsystem: ids count up from the base in the order written, skip leaves a hole", () => {
  const counted = subsystem("counted", 7000, {
    first: routine({ a: int32 }, {}),
    hole: skip,
    second: oneway({}),
    third: routine({}, { b: int32 }),
  });
  expect(counted.routines.map(({ id, replyId, name }) => [id, replyId, name])).toEqual([
    [7000, 7100, "counted.first"],
    [7002, 7102, "counted.second"],
    [7003, 7103, "counted.third"],
  ]);
  expect(counted.routines.map(({ hasReply, hasResults }) => [hasReply, hasResults])).toEqual([
    [true, false],
    [false, false],
    [true, true],
  ]);
  expect(counted.routine("third").id).toBe(7003);
  expect(() => counted.routine("hole")).toThrow(new TypeError("counted has no routine hole"));
});

test.each([99, 0, -1, 1.5, 0x7fffffff - 199, Number.NaN])(
  "subsystem: base id %d is out of range",
  (base) => {
    expect(() => subsystem("wrong", base, {})).toThrow(RangeError);
  },
);

test("subsystem: more than a hundred routines would run into their replies", () => {
  const shapes = (count: number): Shapes =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`r${i}`, skip]));
  expect(subsystem("full", 100, shapes(100)).routines).toEqual([]);
  expect(() => subsystem("over", 100, shapes(101))).toThrow(/over has 101 routines/);
});

test("subsystem: a routine called by a number would not keep its place", () => {
  expect(() => subsystem("numbers", 100, { 7: routine({}, {}) })).toThrow(TypeError);
});
