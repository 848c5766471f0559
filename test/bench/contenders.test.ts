// The contenders that run on a machine: a few samples of each at two sizes, all on one machine.

import { afterAll, expect, test } from "@jest/globals";
import { BenchMachine } from "../../bench/contenders/bench-machine.ts";
import { machContender } from "../../bench/contenders/mach.ts";
import { MachSyncContender } from "../../bench/contenders/mach-sync.ts";
import { NxContender } from "../../bench/contenders/nx.ts";
import type { Contender } from "../../bench/harness/contender.ts";
import { SILENT } from "../../bench/harness/progress.ts";
import { scaleSuite } from "../../bench/suites/scale.ts";

const bench = new BenchMachine(1, 1, 7);
const machSync = new MachSyncContender(bench);
const CONTENDERS: readonly Contender[] = [machContender(bench), machSync, new NxContender(bench)];
const SAMPLES = 8;

afterAll(() => bench.halt());

for (const contender of CONTENDERS) {
  test(`contender: ${contender.name}: inline and paged payloads come back whole`, async () => {
    for (const bytes of [0, 64, 1024]) {
      await contender.prepare({ bytes });
      for (let round = 0; round < 2; round++) {
        const slice = await contender.slice(SAMPLES);
        expect(slice).toHaveLength(SAMPLES);
        // Between a cache miss and a hang.
        for (const ns of slice) expect(ns > 10 && ns < 10e9).toBe(true);
      }
    }
  });
}

test("contender: mach-sync: heap bytes per call are counted", async () => {
  await machSync.prepare({ bytes: 64 });
  const { heapBytesPerCall } = await machSync.counters();
  expect(heapBytesPerCall).toBeGreaterThanOrEqual(0);
});

test("scale: every size has boot, memory, idle and rate, and two nodes are the ratio's base", async () => {
  const options = { quick: true, nodes: 2, hops: 1, seed: 7 };
  const { results, ratios } = await scaleSuite.run(options, SILENT);
  const names = ["boot", "resident", "idle-cpu", "aggregate"];
  for (const name of names) {
    const sizes = results
      .filter((result) => result.name === name)
      .map(({ params }) => params.nodes);
    expect(new Set(sizes)).toEqual(new Set([2, 8]));
  }
  for (const rate of results.filter((result) => result.name === "aggregate")) {
    expect(rate).toMatchObject({ unit: "1/s", perSecond: rate.mean });
    expect(rate.p50).toBeGreaterThan(0);
  }
  const base = ratios.filter((ratio) => ratio.params.nodes === 2);
  expect(base.map((ratio) => ratio.value)).toEqual(base.map(() => 1));
});
