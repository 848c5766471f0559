import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { compareReports, comparisonTable, parseReport } from "../../bench/harness/compare.ts";
import { reportAsMarkdown } from "../../bench/harness/markdown-table.ts";
import { dimensionOf, faultOfOptions, nodeAtDistance } from "../../bench/harness/options.ts";
import type { Ratio, Report, Result } from "../../bench/harness/report.ts";
import { resultOfValues } from "../../bench/harness/report.ts";
import { writeReportFiles } from "../../bench/harness/report-files.ts";
import { formatNumber } from "../../bench/harness/report-rows.ts";
import { reportAsTerminalText, tableAsTerminalText } from "../../bench/harness/terminal-table.ts";

const HOST = { cpu: "Test CPU", cores: 2, node: "v20.20.2", commit: "c0ffee" };
const OPTIONS = { quick: false, nodes: 2, hops: 1, seed: 7, suites: ["rpc"] };
const PARAMS = { bytes: 64, nodes: 2 };

function result(name: string, p50: number, params: Result["params"] = PARAMS): Result {
  return resultOfValues({ suite: "rpc", name, params, unit: "ns" }, [p50]);
}

function ratio(name: string, value: number): Ratio {
  const low = value * 0.9;
  const high = value * 1.1;
  return { suite: "rpc", name, params: PARAMS, value, ofMedians: value, low, high };
}

function report(changed: Partial<Report> = {}): Report {
  const results = [result("raw", 100), result("mach", 500)];
  const ratios = [ratio("mach/raw", 5)];
  return { schema: "normacube.bench/1", host: HOST, options: OPTIONS, results, ratios, ...changed };
}

test("compare: change of every result and ratio in percent", () => {
  const now = report({
    results: [result("raw", 100), result("mach", 400)],
    ratios: [ratio("mach/raw", 4)],
  });
  const comparison = compareReports(report(), now);
  expect(comparison.warnings).toEqual([]);
  const changes = comparison.changes.map(({ key, kind, percent }) => [key, kind, percent]);
  expect(changes).toEqual([
    ["rpc raw bytes=64 nodes=2", "result", 0],
    ["rpc mach bytes=64 nodes=2", "result", expect.closeTo(-20, 9)],
    ["rpc mach/raw bytes=64 nodes=2", "ratio", expect.closeTo(-20, 9)],
  ]);
  const text = tableAsTerminalText(comparisonTable(comparison));
  expect(text).toContain("-20.0 %");
  expect(text).toContain("+0.0 %");
});

test("compare: rows of one document only are named, not dropped", () => {
  const now = report({ results: [result("raw", 100), result("nx", 300)] });
  const { onlyBefore, onlyNow } = compareReports(report(), now);
  expect(onlyBefore).toEqual(["rpc mach bytes=64 nodes=2"]);
  expect(onlyNow).toEqual(["rpc nx bytes=64 nodes=2"]);
});

test("compare: another cpu or another option warns, another seed does not", () => {
  const elsewhere = report({ host: { ...HOST, cpu: "Other CPU" } });
  expect(compareReports(report(), elsewhere).warnings).toEqual([
    "cpu differs (was Test CPU, is Other CPU): compare the ratios, not the times",
  ]);
  const quick = report({ options: { ...OPTIONS, quick: true, seed: 8 } });
  expect(compareReports(report(), quick).warnings).toEqual([
    "option quick differs (was false, is true): these runs measured different things",
  ]);
});

test("compare: what is no report of this schema is refused by name", () => {
  const parse = (document: unknown) => () => parseReport(JSON.stringify(document), "old.json");
  expect(() => parseReport("not json", "old.json")).toThrow("old.json is no JSON document");
  expect(parse([])).toThrow('old.json has no schema, expected "normacube.bench/1"');
  expect(parse({ schema: "normacube.bench/2" })).toThrow('old.json has "normacube.bench/2"');
  expect(parse({ schema: "normacube.bench/1" })).toThrow("lacks host, options, results or ratios");
  expect(parseReport(JSON.stringify(report()), "old.json")).toEqual(report());
});

test("report: a few values become a result with exact figures", () => {
  const boot = resultOfValues(
    { suite: "scale", name: "boot", params: {}, unit: "ms" },
    [30, 10, 20],
  );
  expect(boot).toMatchObject({ p50: 20, min: 10, max: 30, mean: 20, samples: 3, perSecond: 50 });
  const memory = resultOfValues({ suite: "scale", name: "rss", params: {}, unit: "MiB" }, [64]);
  expect(memory.perSecond).toBeNull();
});

test("report: the terminal text names run, suite, contenders and ratios", () => {
  const text = reportAsTerminalText(report());
  expect(text).toContain("SEED=7 COMMIT=c0ffee node v20.20.2 on 2 x Test CPU");
  for (const part of ["rpc", "raw", "mach", "bytes", "rpc: ratios", "mach/raw", "4.5 .. 5.5"]) {
    expect(text).toContain(part);
  }
});

test("report: files hold the same document and a readable table", () => {
  const folder = mkdtempSync(join(tmpdir(), "normacube-report-"));
  try {
    const [json, markdown] = writeReportFiles(join(folder, "new"), report());
    expect(JSON.parse(readFileSync(json!, "utf8"))).toEqual(report());
    expect(readFileSync(markdown!, "utf8")).toContain("| mach/raw | 64 | 2 | 5 | 4.5 .. 5.5 | 5 |");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("report: numbers are rounded for reading", () => {
  expect([97.34, 1234.5, 123_456.7, 0.012345].map(formatNumber)).toEqual([
    "97.34",
    "1235",
    "123,457",
    "0.01235",
  ]);
});

test("options: ranges are checked against each other and named", () => {
  const fault = (changed: object) =>
    faultOfOptions({ quick: false, nodes: 8, hops: 1, seed: 1, ...changed });
  expect(fault({})).toBeNull();
  expect(fault({ hops: 3 })).toBeNull();
  expect(fault({ nodes: 3 })).toBe("--nodes must be a power of two from 2 to 128, not 3");
  expect(fault({ hops: 4 })).toBe("--hops must be a whole number from 1 to 3 for 8 nodes, not 4");
  expect(fault({ seed: 0.5 })).toMatch(/^--seed must be a whole number from 0 to 4294967295/);
  expect([dimensionOf(8), nodeAtDistance(1), nodeAtDistance(3)]).toEqual([3, 1, 7]);
});

test("report: notes stand under the line that describes the run", () => {
  const notes = ["peers: openmpi is left out: mpicc not on the PATH"];
  for (const text of [
    reportAsTerminalText(report({ notes })),
    reportAsMarkdown(report({ notes })),
  ]) {
    expect(text.indexOf(notes[0]!)).toBeGreaterThan(text.indexOf("SEED=7"));
    expect(text.indexOf(notes[0]!)).toBeLessThan(text.indexOf("mach"));
  }
});
