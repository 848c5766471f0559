// Runs suites one after the other and makes the report: what the command line calls.

import { describeHost } from "./harness/host.ts";
import { faultOfOptions } from "./harness/options.ts";
import type { Progress } from "./harness/progress.ts";
import {
  type BenchOptions,
  type Ratio,
  REPORT_SCHEMA,
  type Report,
  type Result,
} from "./harness/report.ts";
import { loadSuite } from "./suites.ts";

/** Runs the suites called `names`, in order. Options are those that faultOfOptions() accepts. */
export async function runSuites(
  names: readonly string[],
  options: BenchOptions,
  progress: Progress,
): Promise<Report> {
  const fault = faultOfOptions(options);
  if (fault !== null) throw new RangeError(fault);
  const host = describeHost();
  const results: Result[] = [];
  const ratios: Ratio[] = [];
  const notes: string[] = [];
  for (const name of names) {
    const suite = await loadSuite(name);
    const outcome = await suite.run(options, progress);
    results.push(...outcome.results);
    ratios.push(...outcome.ratios);
    notes.push(...(outcome.notes ?? []));
  }
  const { quick, nodes, hops, seed } = options;
  const reported = { quick, nodes, hops, seed, suites: [...names] };
  const report: Report = { schema: REPORT_SCHEMA, host, options: reported, results, ratios };
  return notes.length === 0 ? report : { ...report, notes };
}
