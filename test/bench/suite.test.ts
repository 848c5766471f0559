import { expect, test } from "@jest/globals";
import { BANDWIDTH } from "../../bench/harness/bandwidth.ts";
import { SILENT } from "../../bench/harness/progress.ts";
import { measureSuite } from "../../bench/harness/suite.ts";
import { loadSuite, suiteNames } from "../../bench/suites.ts";
import { scriptedContender } from "./support/scripted-contender.ts";

const OPTIONS = { quick: true, nodes: 2, hops: 1, seed: 7 };

test("suite: every contender has a result at every point, ratios where both ran", async () => {
  const contenders = ["mach", "raw"].map((name) =>
    scriptedContender({ name, sampleNs: () => 9e5 }),
  );
  const outcome = await measureSuite(
    {
      suite: "rpc",
      contenders,
      points: [{ bytes: 0 }, { bytes: 64 }],
      ratios: [
        ["mach", "raw"],
        ["openmpi", "mach"],
      ],
    },
    OPTIONS,
    SILENT,
  );
  expect(outcome.results.map((result) => [result.name, result.params.bytes])).toEqual([
    ["mach", 0],
    ["raw", 0],
    ["mach", 64],
    ["raw", 64],
  ]);
  expect(outcome.ratios.map((ratio) => [ratio.name, ratio.params.bytes, ratio.value])).toEqual([
    ["mach/raw", 0, 1],
    ["mach/raw", 64, 1],
  ]);
});

test("suite: the same seed gives the same order", async () => {
  const orderWith = async (seed: number) => {
    const log: string[] = [];
    const names = ["a", "b", "c", "d", "e", "f", "g"];
    const contenders = names.map((name) => scriptedContender({ name, sampleNs: () => 9e5, log }));
    const table = { suite: "rpc", contenders, points: [{ bytes: 0 }], ratios: [] };
    await measureSuite(table, { ...OPTIONS, seed }, SILENT);
    return log.join();
  };
  expect(await orderWith(7)).toBe(await orderWith(7));
  const orders = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(orderWith));
  expect(new Set(orders).size).toBeGreaterThan(1);
});

test("suite: a contender that fails ends the suite, and all are closed", async () => {
  const log: string[] = [];
  const sound = scriptedContender({ name: "sound", sampleNs: () => 9e5, log });
  const broken = scriptedContender({ name: "broken", sampleNs: () => Number.NaN, log });
  const table = { suite: "rpc", contenders: [sound, broken], points: [{ bytes: 0 }], ratios: [] };
  await expect(measureSuite(table, OPTIONS, SILENT)).rejects.toThrow(/not a round-trip time/);
  expect(log.slice(-2)).toEqual(["close sound", "close broken"]);
});

test("suite: a contender that has nothing to say at a point is left out there, with its ratios", async () => {
  const log: string[] = [];
  const [mach, raw] = ["mach", "raw"].map((name) =>
    scriptedContender({ name, sampleNs: () => 9e5, log }),
  );
  const outcome = await measureSuite(
    {
      ...{ suite: "latency", contenders: [mach!, raw!], ratios: [["mach", "raw"]] },
      points: [{ bytes: 0 }, { bytes: 64 }],
      takesPart: (contender, { bytes }) => contender !== raw || bytes === 0,
    },
    OPTIONS,
    SILENT,
  );
  expect(outcome.results.map(({ name, params }) => `${name} ${params.bytes}`)).toEqual([
    ...["mach 0", "raw 0", "mach 64"],
  ]);
  expect(outcome.ratios.map(({ params }) => params.bytes)).toEqual([0]);
  expect(log.filter((line) => line === "prepare raw")).toHaveLength(1);
});

test("suite: figure and effort are the suite's own if it has them", async () => {
  const log: string[] = [];
  const mach = scriptedContender({ name: "mach", sampleNs: () => 1000, log });
  const { results } = await measureSuite(
    {
      ...{ suite: "bandwidth", contenders: [mach], points: [{ bytes: 4000 }], ratios: [] },
      figure: BANDWIDTH,
      effort: { rounds: 1, sliceNs: 5000, samplesMin: 1, samplesMax: 50, probeSamples: 3 },
    },
    OPTIONS,
    SILENT,
  );
  expect(results).toMatchObject([{ unit: "MB/s", p50: 4000, samples: 1 }]);
  expect(log.filter((line) => line.startsWith("slice"))).toEqual([
    ...["slice mach 3", "slice mach 5", "slice mach 5"],
  ]);
});

test("suites: the report has the suites that the documentation names", () => {
  expect(suiteNames()).toEqual([
    ...["rpc", "hops", "scale", "micro", "latency", "bandwidth", "bibw", "multi-pair", "pages"],
    ...["strategies", "contention", "peers", "rights", "loss", "token"],
  ]);
});

test("suites: every registered suite loads and has the name it is registered under", async () => {
  for (const name of suiteNames()) expect((await loadSuite(name)).name).toBe(name);
});
