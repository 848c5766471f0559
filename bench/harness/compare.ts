// Compares a report with an earlier one: what changed, result by result and ratio by ratio.
//
// Two documents that came from another kind of machine or from other options still compare, with
// a warning that says why the absolute values mean little. Another schema is refused.

import { keyOf, type Ratio, REPORT_SCHEMA, type Report, type Result } from "./report.ts";
import { formatNumber, type TextTable } from "./report-rows.ts";

export interface Change {
  /** "suite name params", the same in both documents. */
  readonly key: string;
  readonly kind: "result" | "ratio";
  /** p50 of a result, value of a ratio. */
  readonly before: number;
  readonly now: number;
  /** now / before - 1, in percent. */
  readonly percent: number;
}

export interface ReportComparison {
  readonly warnings: readonly string[];
  readonly changes: readonly Change[];
  /** Keys that only one of the documents has. */
  readonly onlyBefore: readonly string[];
  readonly onlyNow: readonly string[];
}

/** Thrown for a document that cannot be compared at all; the message says what is wrong with it. */
export class IncomparableError extends Error {
  override readonly name = "IncomparableError";
}

/** Reads an earlier report, or throws IncomparableError. `origin` names it in messages. */
export function parseReport(text: string, origin: string): Report {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new IncomparableError(`${origin} is no JSON document`);
  }
  const schema = isRecord(document) ? document.schema : undefined;
  if (schema !== REPORT_SCHEMA) {
    const found = typeof schema === "string" ? `"${schema}"` : "no schema";
    throw new IncomparableError(`${origin} has ${found}, expected "${REPORT_SCHEMA}"`);
  }
  if (!isReport(document)) {
    throw new IncomparableError(`${origin} lacks host, options, results or ratios`);
  }
  return document;
}

export function compareReports(before: Report, now: Report): ReportComparison {
  const earlier = new Map(valuesOf(before).map((value) => [value.key, value]));
  const changes: Change[] = [];
  const onlyNow: string[] = [];
  for (const { key, kind, value } of valuesOf(now)) {
    const match = earlier.get(key);
    if (match === undefined) {
      onlyNow.push(key);
      continue;
    }
    earlier.delete(key);
    const percent = (value / match.value - 1) * 100;
    changes.push({ key, kind, before: match.value, now: value, percent });
  }
  return { warnings: warningsFor(before, now), changes, onlyBefore: [...earlier.keys()], onlyNow };
}

export function comparisonTable(comparison: ReportComparison): TextTable {
  const rows = comparison.changes.map((change) => [
    change.key,
    change.kind === "result" ? "p50" : "ratio",
    formatNumber(change.before),
    formatNumber(change.now),
    `${change.percent >= 0 ? "+" : ""}${change.percent.toFixed(1)} %`,
  ]);
  for (const key of comparison.onlyBefore) rows.push([key, "", "", "", "gone"]);
  for (const key of comparison.onlyNow) rows.push([key, "", "", "", "new"]);
  const head = ["what", "figure", "before", "now", "change"];
  return { title: "compared with the earlier report", head, rows };
}

function valuesOf(report: Report): { key: string; kind: Change["kind"]; value: number }[] {
  const ofResult = (result: Result) =>
    ({ key: keyOf(result), kind: "result", value: result.p50 }) as const;
  const ofRatio = (ratio: Ratio) =>
    ({ key: keyOf(ratio), kind: "ratio", value: ratio.value }) as const;
  return [...report.results.map(ofResult), ...report.ratios.map(ofRatio)];
}

function warningsFor(before: Report, now: Report): string[] {
  const warnings: string[] = [];
  const differs = (what: string, was: unknown, is: unknown, advice: string) => {
    if (JSON.stringify(was) === JSON.stringify(is)) return;
    warnings.push(`${what} differs (was ${show(was)}, is ${show(is)}): ${advice}`);
  };
  const onlyRatios = "compare the ratios, not the times";
  differs("cpu", before.host.cpu, now.host.cpu, onlyRatios);
  differs("number of cores", before.host.cores, now.host.cores, onlyRatios);
  differs("Node.js version", before.host.node, now.host.node, onlyRatios);
  const { suites: _suitesBefore, seed: _seedBefore, ...optionsBefore } = before.options;
  const { suites: _suitesNow, seed: _seedNow, ...optionsNow } = now.options;
  // Suites and seed may differ: rows that match were still measured in the same way.
  for (const key of Object.keys({ ...optionsBefore, ...optionsNow })) {
    const was = (optionsBefore as Record<string, unknown>)[key];
    const is = (optionsNow as Record<string, unknown>)[key];
    differs(`option ${key}`, was, is, "these runs measured different things");
  }
  return warnings;
}

function show(value: unknown): string {
  return typeof value === "string" ? value : String(JSON.stringify(value));
}

function isReport(document: unknown): document is Report {
  if (!isRecord(document)) return false;
  const { host, options, results, ratios } = document;
  return isRecord(host) && isRecord(options) && Array.isArray(results) && Array.isArray(ratios);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
