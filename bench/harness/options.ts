// The options of a bench run: their defaults and ranges, checked before anything starts.

import type { BenchOptions } from "./report.ts";

/** Seven dimensions is what threads can carry (see Machine.boot). */
export const NODES_MAX = 128;
export const SEED_MAX = 0xffff_ffff;

export const DEFAULT_OPTIONS: BenchOptions = { quick: false, nodes: 2, hops: 1, seed: 1 };

/** Returns what is wrong with `options`, naming the option and its range, or null. */
export function faultOfOptions(options: BenchOptions): string | null {
  const { nodes, hops, seed } = options;
  const isPowerOfTwo = Number.isInteger(nodes) && nodes > 0 && Number.isInteger(Math.log2(nodes));
  if (!isPowerOfTwo || nodes < 2 || nodes > NODES_MAX) {
    return `--nodes must be a power of two from 2 to ${NODES_MAX}, not ${nodes}`;
  }
  const dimension = dimensionOf(nodes);
  if (!isIntegerWithin(hops, 1, dimension)) {
    return `--hops must be a whole number from 1 to ${dimension} for ${nodes} nodes, not ${hops}`;
  }
  if (!isIntegerWithin(seed, 0, SEED_MAX)) {
    return `--seed must be a whole number from 0 to ${SEED_MAX}, not ${seed}`;
  }
  return null;
}

export function dimensionOf(nodes: number): number {
  return Math.log2(nodes);
}

/** A node at distance `hops` from node 0: e-cube crosses the lowest dimensions. */
export function nodeAtDistance(hops: number): number {
  return 2 ** hops - 1;
}

function isIntegerWithin(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}
