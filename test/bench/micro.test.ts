import { expect, test } from "@jest/globals";
import { HOST_COSTS } from "../../bench/micro/host-costs.ts";
import { timeCase } from "../../bench/micro/stopwatch.ts";

const EFFORT = { maxSeconds: 0.02, minSamples: 3, sampleSeconds: 0.005 };

test("micro: a case is timed per operation, not per call", () => {
  const clock = HOST_COSTS.find((micro) => micro.name === "clock-read")!;
  const result = timeCase("micro", clock, 1, EFFORT);
  expect(result).toMatchObject({ suite: "micro", name: "clock-read", unit: "ns", params: {} });
  expect(result.p50).toBeGreaterThan(1);
  expect(result.p50).toBeLessThan(5000);
  expect(result.batch % clock.operations).toBe(0);
});

test("micro: a case that throws fails the run by name", () => {
  const broken = {
    name: "broken",
    sentence: "throws",
    operations: 1,
    prepare: () => (): number => {
      throw new Error("0xBAD");
    },
  };
  expect(() => timeCase("micro", broken, 1, EFFORT)).toThrow("broken failed");
});
