import { expect, test } from "@jest/globals";
import { LatencyHistogram } from "../../bench/harness/latency-histogram.ts";

test("histogram: 1 to 1000 ns gives the textbook percentiles within three digits", () => {
  const histogram = new LatencyHistogram();
  histogram.record(Float64Array.from({ length: 1000 }, (_, i) => i + 1));
  const summary = histogram.summary();
  expect(summary).toMatchObject({ min: 1, max: 1000, mean: 500.5, samples: 1000 });
  for (const [figure, exact] of [
    [summary.p50, 500],
    [summary.p90, 900],
    [summary.p99, 990],
    [summary.p999, 999],
  ] as const) {
    expect(Math.abs(figure / exact - 1)).toBeLessThanOrEqual(0.001);
  }
});

test("histogram: fractions of a nanosecond survive below 100 ns", () => {
  const histogram = new LatencyHistogram();
  histogram.record(Float64Array.of(97.3, 97.3, 97.3));
  const { p50, p999, min, max, mean } = histogram.summary();
  expect([p50, p999, min, max]).toEqual([97.3, 97.3, 97.3, 97.3]);
  expect(mean).toBeCloseTo(97.3, 9);
});

test("histogram: seconds and nanoseconds fit side by side", () => {
  const histogram = new LatencyHistogram();
  histogram.record(Float64Array.of(50, 50, 50, 3e9));
  const { p50, max } = histogram.summary();
  expect(p50).toBe(50);
  expect(max).toBe(3e9);
});

test("histogram: no percentile lies outside minimum and maximum", () => {
  const histogram = new LatencyHistogram();
  histogram.record(Float64Array.of(123_456.7));
  const { p50, p999, min, max } = histogram.summary();
  expect([p50, p999]).toEqual([min, max]);
});

test("histogram: a sample that is no round-trip time is refused", () => {
  const histogram = new LatencyHistogram();
  for (const sample of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 61e9]) {
    expect(() => histogram.record(Float64Array.of(sample))).toThrow(/not a round-trip time/);
  }
  expect(() => histogram.summary()).toThrow(RangeError);
});
