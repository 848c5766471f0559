// The part of suite token that times what a pass takes from a kernel, in one thread: the steps of a kernel in which it
// has the token, with very many rights on other nodes, of which few or all are asked about. A step into which the
// host or a garbage collection cut is not the pass's doing: how many there were is in the counters, and how long
// the longest of all was.

import { PerformanceObserver } from "node:perf_hooks";
import { setImmediate as turnEventLoop } from "node:timers/promises";
import { type Result, resultOfValues } from "../harness/report.ts";
import { manualCube } from "./count-messages.ts";
import type { Slice } from "./cube.ts";
import { ScatteredPorts } from "./scattered-ports.ts";
import type { TokenPlan } from "./token-plan.ts";

/** A node's memory. */
const BYTES_PER_NODE = 1 << 22;
/** Periods in which only one question is open. */
const SINGLE_PERIODS = 300;
/** Turns of the event loop after which what the collector did has been told. */
const OBSERVER_TURNS = 3;

/** From when to when, by performance.now(). */
export type Interval = readonly [number, number];

export interface SortedSlices {
  /** ns of the slices that nobody cut into. */
  readonly own: readonly number[];
  readonly cutIn: number;
  readonly collected: number;
  /** ns of the longest of all. */
  readonly longestOfAll: number;
}

/** Tells the slices that were the kernel's own from those into which the host or the collector cut. */
export function sortSlices(
  slices: readonly Slice[],
  collections: readonly Interval[],
): SortedSlices {
  const own: number[] = [];
  let cutIn = 0;
  let collected = 0;
  let longestOfAll = 0;
  for (const { startMs, endMs, isCutIn } of slices) {
    const ns = (endMs - startMs) * 1e6;
    longestOfAll = Math.max(longestOfAll, ns);
    if (isCutIn) cutIn += 1;
    else if (collections.some(([from, to]) => from < endMs && to > startMs)) collected += 1;
    else own.push(ns);
  }
  return { own, cutIn, collected, longestOfAll };
}

/** One result for all slices, one for the longest of each repeat; `onRepeat` is called after each. */
export async function timeSlices(
  suite: string,
  { rights, sliceRepeats }: TokenPlan,
  onRepeat: () => void,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const open of [1, rights]) {
    const all: number[] = [];
    const longest: number[] = [];
    const counters = { cutIn: 0, collected: 0, longestOfAll: 0 };
    for (let repeat = 0; repeat < sliceRepeats; repeat++) {
      const { own, cutIn, collected, longestOfAll } = await slicesOf(rights, open);
      longest.push(own.reduce((most, ns) => Math.max(most, ns), 0));
      for (const ns of own) all.push(ns);
      counters.cutIn += cutIn;
      counters.collected += collected;
      counters.longestOfAll = Math.max(counters.longestOfAll, longestOfAll);
      onRepeat();
    }
    const about = { suite, params: { rights, open }, unit: "ns" } as const;
    results.push(
      resultOfValues({ ...about, name: "slice" }, all, counters),
      resultOfValues({ ...about, name: "longest-slice" }, longest),
    );
  }
  return results;
}

/** The slices on two nodes with `rights` rights between them, while `open` questions are open. */
async function slicesOf(rights: number, open: number): Promise<SortedSlices> {
  const cube = manualCube(2, BYTES_PER_NODE);
  const ports = await ScatteredPorts.make(cube, 1, rights);
  await ports.settle(); // all are asked about once: the code is warm
  const collections: Interval[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) {
      collections.push([startTime, startTime + duration]);
    }
  });
  observer.observe({ entryTypes: ["gc"] });
  const slices: Slice[] = [];
  cube.slices = slices;
  if (open === rights) {
    ports.drop();
    while (ports.told < open) await cube.runTokenPeriods(1);
  } else {
    for (let period = 0; period < SINGLE_PERIODS; period++) {
      ports.drop(open);
      await cube.runTokenPeriods(1);
    }
  }
  for (let turn = 0; turn < OBSERVER_TURNS; turn++) await turnEventLoop();
  observer.disconnect();
  return sortSlices(slices, collections);
}
