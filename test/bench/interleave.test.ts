import { expect, test } from "@jest/globals";
import {
  interleave,
  orderOfRound,
  slicesPerPoint,
  toRatio,
  toResult,
} from "../../bench/harness/interleave.ts";
import { scriptedContender } from "./support/scripted-contender.ts";

const POINT = { bytes: 64, nodes: 2 };
const EFFORT = { rounds: 3, sliceNs: 1000, samplesMin: 2, samplesMax: 50 };
/** Two warm-up slices come before the first round. */
const WARM_UPS = 2;

test("interleave: every round runs everybody once and starts one further on", () => {
  expect([0, 1, 2, 3].map((round) => orderOfRound(3, round))).toEqual([
    [0, 1, 2],
    [1, 2, 0],
    [2, 0, 1],
    [0, 1, 2],
  ]);
});

test("interleave: all are warm before round 0, then slices rotate", async () => {
  const log: string[] = [];
  const names = ["a", "b", "c"];
  const contenders = names.map((name) => scriptedContender({ name, sampleNs: () => 100, log }));
  let steps = 0;
  await interleave(contenders, POINT, EFFORT, 1, () => steps++);
  // 1000 ns a slice at 100 ns a sample: ten samples, after a probe.
  const warmUp = names.flatMap((name) => [
    `prepare ${name}`,
    `slice ${name} 50`,
    `slice ${name} 10`,
  ]);
  const rounds = ["b", "c", "a", "c", "a", "b", "a", "b", "c"].map((name) => `slice ${name} 10`);
  expect(log).toEqual([...warmUp, ...rounds]);
  expect(steps).toBe(slicesPerPoint(3, EFFORT));
});

test("interleave: slices are sized by time, batch included, within the limits", async () => {
  const log: string[] = [];
  const sized = (name: string, sampleNs: number, batch: number) =>
    scriptedContender({ name, batch, sampleNs: () => sampleNs, log });
  const contenders = [sized("fast", 1, 1), sized("batched", 10, 10), sized("slow", 9999, 1)];
  await interleave(contenders, POINT, { ...EFFORT, rounds: 1 });
  expect(log.slice(-3)).toEqual(["slice fast 50", "slice batched 10", "slice slow 2"]);
});

test("interleave: warm-up slices do not count", async () => {
  const sampleNs = (slice: number) => (slice < WARM_UPS ? 900 : 100);
  const [measured] = await interleave([scriptedContender({ name: "a", sampleNs })], POINT, EFFORT);
  expect(measured!.histogram.summary()).toMatchObject({ min: 100, max: 100 });
  expect(measured!.roundP50s).toEqual([100, 100, 100]);
});

test("ratio: noise common to a round cancels, which the ratio of the p50s cannot do", async () => {
  // The machine is ten times slower in round 1; one contender is hit by a spike of its own in round 2.
  const weather = [1, 10, 1];
  const over = (slice: number) => 300 * (weather[slice - WARM_UPS] ?? 1);
  const spike = [1, 1, 5];
  const under = (slice: number) => over(slice) * (1 / 3) * (spike[slice - WARM_UPS] ?? 1);
  const contenders = [
    scriptedContender({ name: "mach", sampleNs: over }),
    scriptedContender({ name: "raw", sampleNs: under }),
  ];
  // The same number of samples in each slice, so that the p50s are those of the middle round.
  const [mach, raw] = await interleave(contenders, POINT, { ...EFFORT, samplesMax: 2 });
  const ratio = toRatio("rpc", POINT, mach!, raw!);
  expect(ratio).toMatchObject({ suite: "rpc", name: "mach/raw", params: POINT });
  expect(ratio.value).toBeCloseTo(3, 9);
  expect(ratio.low).toBeCloseTo(0.6, 9);
  expect(ratio.high).toBeCloseTo(3, 9);
  expect(ratio.ofMedians).toBeCloseTo(300 / 500, 3);
});

test("result: carries suite, point, batch, rate and the contender's counters", async () => {
  const counters = { heapBytesPerCall: 0 };
  const contender = scriptedContender({ name: "a", batch: 4, sampleNs: () => 250, counters });
  const [measured] = await interleave([contender], POINT, EFFORT);
  const result = toResult("rpc", POINT, measured!);
  expect(result).toMatchObject({ suite: "rpc", name: "a", params: POINT, unit: "ns", batch: 4 });
  expect(result).toMatchObject({ p50: 250, perSecond: 4e6, counters });
});

test("interleave: a warm-up with a time goes on until then, at the pace of the latest slice", async () => {
  const log: string[] = [];
  // The probe is 10 times slower than what follows.
  const sampleNs = (slice: number) => (slice === 0 ? 1000 : 100);
  const contender = scriptedContender({ name: "a", sampleNs, log });
  const effort = { ...EFFORT, rounds: 1, probeSamples: 3, warmUpNs: 2000 };
  await interleave([contender], POINT, effort);
  const slices = log.slice(1);
  expect(slices[0]).toBe("slice a 3");
  // The first at the pace of the probe: half of the warm-up is 1000 ns, at least two samples.
  expect(slices[1]).toBe("slice a 2");
  expect(slices.at(-1)).toBe("slice a 10");
});
