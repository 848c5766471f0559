import { expect, test } from "@jest/globals";
import { BANDWIDTH, megabytesPerSecond } from "../../bench/harness/bandwidth.ts";
import type { Measured } from "../../bench/harness/interleave.ts";
import { LatencyHistogram } from "../../bench/harness/latency-histogram.ts";

const POINT = { bytes: 1000 };

function measured(name: string, roundP50s: readonly number[]): Measured {
  const histogram = new LatencyHistogram();
  histogram.record(Float64Array.from(roundP50s));
  return { name, batch: 64, histogram, roundP50s, counters: { dmaBytes: 1 } };
}

test("bandwidth: bytes per ns are thousands of MB/s", () => {
  expect(megabytesPerSecond(1000, 1000)).toBe(1000);
  expect(megabytesPerSecond(4096, 1e9)).toBe(0.004096);
});

test("bandwidth: a result is the rates of its rounds", () => {
  const result = BANDWIDTH.result("bandwidth", POINT, measured("mach", [1000, 2000, 4000]));
  expect(result).toMatchObject({
    ...{ suite: "bandwidth", name: "mach", params: POINT, unit: "MB/s", batch: 64, samples: 3 },
    ...{ min: 250, p50: 500, max: 1000, perSecond: null, counters: { dmaBytes: 1 } },
  });
});

test("bandwidth: a ratio is one of rates, not of times", () => {
  const [slow, fast] = [measured("mach", [4000, 2000, 4000]), measured("raw", [1000, 1000, 1000])];
  const ratio = BANDWIDTH.ratio("bandwidth", POINT, slow, fast);
  expect(ratio).toMatchObject({ name: "mach/raw", value: 0.25, low: 0.25, high: 0.5 });
});

test("bandwidth: a point without bytes is an error", () => {
  expect(() => BANDWIDTH.result("bandwidth", {}, measured("mach", [1]))).toThrow(RangeError);
});
