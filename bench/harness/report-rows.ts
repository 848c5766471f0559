// A report as rows of text: what the terminal table and the markdown file have in common. Rows of
// one suite stand together, and each suite gets columns for its own parameters.

import type { Ratio, Report, Result } from "./report.ts";

export interface TextTable {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const FIGURES = ["p50", "p90", "p99", "p999", "min", "mean"] as const;

export function tablesOf(report: Pick<Report, "results" | "ratios">): TextTable[] {
  const suites = new Set([...report.results, ...report.ratios].map((entry) => entry.suite));
  return [...suites].flatMap((suite) => [
    ...resultTable(
      suite,
      report.results.filter((entry) => entry.suite === suite),
    ),
    ...ratioTable(
      suite,
      report.ratios.filter((entry) => entry.suite === suite),
    ),
  ]);
}

/** A number for reading: four significant digits below ten thousand, grouped thousands above. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Math.abs(value) >= 10_000) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(4)));
}

/** "SEED=… COMMIT=… node …": enough to run it again. */
export function describeRun(report: Pick<Report, "host" | "options">): string {
  const { host, options } = report;
  const commit = host.commit ?? "none";
  return `SEED=${options.seed} COMMIT=${commit} node ${host.node} on ${host.cores} x ${host.cpu}`;
}

function resultTable(suite: string, results: readonly Result[]): TextTable[] {
  if (results.length === 0) return [];
  const keys = paramKeys(results);
  const counted = results.some((result) => Object.keys(result.counters).length > 0);
  const head = ["name", ...keys, "unit", ...FIGURES, "samples", "batch", "per second"];
  if (counted) head.push("counters");
  const rows = results.map((result) => {
    const row = [
      result.name,
      ...keys.map((key) => String(result.params[key] ?? "")),
      result.unit,
      ...FIGURES.map((figure) => formatNumber(result[figure])),
      String(result.samples),
      String(result.batch),
      result.perSecond === null ? "" : formatNumber(result.perSecond),
    ];
    if (counted) row.push(describeCounters(result.counters));
    return row;
  });
  return [{ title: suite, head, rows }];
}

function describeCounters(counters: Result["counters"]): string {
  return Object.entries(counters)
    .map(([key, value]) => `${key}=${formatNumber(value)}`)
    .join(" ");
}

function ratioTable(suite: string, ratios: readonly Ratio[]): TextTable[] {
  if (ratios.length === 0) return [];
  const keys = paramKeys(ratios);
  const head = ["ratio", ...keys, "value", "quartiles over rounds", "of medians"];
  const rows = ratios.map((ratio) => [
    ratio.name,
    ...keys.map((key) => String(ratio.params[key] ?? "")),
    formatNumber(ratio.value),
    `${formatNumber(ratio.low)} .. ${formatNumber(ratio.high)}`,
    formatNumber(ratio.ofMedians),
  ]);
  return [{ title: `${suite}: ratios`, head, rows }];
}

function paramKeys(entries: readonly { readonly params: Result["params"] }[]): string[] {
  return [...new Set(entries.flatMap((entry) => Object.keys(entry.params)))];
}
