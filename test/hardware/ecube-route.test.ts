// e-cube routes, exhaustively up to the iPSC's own size.

import { expect, test } from "@jest/globals";
import { hopCount, nextDimension, routeNodes } from "../../src/hardware/ecube-route.ts";

const DIMENSION_MAX = 7;

const bitsOf = (value: number): number => value.toString(2).replaceAll("0", "").length;

/** Visits every ordered pair of nodes of a cube. */
const forPairs = (dimension: number, visit: (from: number, to: number) => void): void => {
  for (let from = 0; from < 1 << dimension; from++) {
    for (let to = 0; to < 1 << dimension; to++) visit(from, to);
  }
};

/** Dimensions that a route crosses, in order. */
const crossed = (nodes: readonly number[]): number[] =>
  nodes.slice(1).map((node, i) => Math.log2(node ^ nodes[i]!));

test("route: from 2 to 5 of a 3-cube it goes by 3 and 1", () => {
  expect(routeNodes(2, 5)).toEqual([2, 3, 1, 5]);
  expect(routeNodes(4, 4)).toEqual([4]);
  expect(nextDimension(0b1000)).toBe(3);
  expect(nextDimension(-0x80000000)).toBe(31);
});

test("route: between every two nodes it has one hop per differing bit and ends at the destination", () => {
  forPairs(DIMENSION_MAX, (from, to) => {
    const nodes = routeNodes(from, to);
    if (nodes.length - 1 !== bitsOf(from ^ to) || hopCount(from, to) !== bitsOf(from ^ to)) {
      throw new Error(`${from} to ${to}: ${nodes.length - 1} hops, hopCount ${hopCount(from, to)}`);
    }
    if (nodes.at(-1) !== to || nodes[0] !== from) throw new Error(`${from} to ${to}: ${nodes}`);
  });
});

test("route: dimensions are whole and ascend strictly along every route", () => {
  forPairs(DIMENSION_MAX, (from, to) => {
    const dimensions = crossed(routeNodes(from, to));
    dimensions.forEach((dimension, i) => {
      const ascends = i === 0 || dimension > dimensions[i - 1]!;
      if (!Number.isInteger(dimension) || !ascends) throw new Error(`${from} to ${to}`);
    });
  });
});

test("route: no ring of channels can wait for each other, in any cube up to dimension 7", () => {
  for (let dimension = 1; dimension <= DIMENSION_MAX; dimension++) {
    // A circuit that holds one channel waits for the next one of its route.
    const waitsFor = new Map<number, Set<number>>();
    forPairs(dimension, (from, to) => {
      const nodes = routeNodes(from, to);
      const channels = crossed(nodes).map((d, i) => nodes[i]! * dimension + d);
      channels.forEach((channel, i) => {
        const next = waitsFor.get(channel) ?? new Set();
        if (i + 1 < channels.length) next.add(channels[i + 1]!);
        waitsFor.set(channel, next);
      });
    });
    expect(waitsFor.size).toBe(dimension << dimension);
    expect(findRing(waitsFor)).toBeNull();
  }
});

test("route: the search for rings finds one where there is one", () => {
  const ring = new Map([
    [0, new Set([1])],
    [1, new Set([2])],
    [2, new Set([0])],
  ]);
  expect(findRing(ring)).not.toBeNull();
});

/** A channel that waits for itself in the end, or null. */
const findRing = (waitsFor: ReadonlyMap<number, ReadonlySet<number>>): number | null => {
  const visiting = new Set<number>();
  const done = new Set<number>();
  const visit = (channel: number): number | null => {
    if (visiting.has(channel)) return channel;
    if (done.has(channel)) return null;
    visiting.add(channel);
    for (const next of waitsFor.get(channel) ?? []) {
      const ring = visit(next);
      if (ring !== null) return ring;
    }
    visiting.delete(channel);
    done.add(channel);
    return null;
  };
  for (const channel of waitsFor.keys()) {
    const ring = visit(channel);
    if (ring !== null) return ring;
  }
  return null;
};
