// `normacube bench`: runs suites, prints a table or one JSON document, compares with an earlier run.
// The only code under src/ that loads bench/, and only when the command runs.

import { readFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import type { Command } from "commander";
import { EXIT_GOOD, type ExitCode, UsageError } from "./exit-code.ts";
import { wholeNumber } from "./number-option.ts";
import { note, printDocument, printText } from "./output.ts";

interface BenchFlags {
  readonly json?: true;
  readonly quick?: true;
  readonly compare?: string;
  readonly out?: string;
  readonly nodes?: number;
  readonly hops?: number;
  readonly seed?: number;
}

/** Adds the command to `program`; `finish` receives its exit code. */
export function addBenchCommand(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command("bench")
    .description("measure Mach IPC beside the raw limit of this machine and its peers")
    .argument("[suite...]", "suites to run; without one, the default suite")
    .option("--json", "print one JSON document on stdout and nothing else")
    .option("--quick", "fewer and shorter rounds: for a first look, not for a report")
    .option("--compare <file>", "print the change from an earlier JSON document")
    .option("--out <dir>", "also write the report as JSON and markdown to this folder")
    .option("--nodes <n>", "nodes of the machine, a power of two", wholeNumber(2, 128))
    .option("--hops <n>", "distance between client and server", wholeNumber(1, 7))
    .option("--seed <n>", "seed of everything random", wholeNumber(0, 0xffff_ffff))
    .action(async (suites: string[], flags: BenchFlags) => finish(await bench(suites, flags)));
}

async function bench(suites: readonly string[], flags: BenchFlags): Promise<ExitCode> {
  const { DEFAULT_SUITES, suiteNames } = await import("../../bench/suites.ts");
  const { DEFAULT_OPTIONS, faultOfOptions } = await import("../../bench/harness/options.ts");
  const { progressOn } = await import("../../bench/harness/progress.ts");
  const { compareReports, comparisonTable } = await import("../../bench/harness/compare.ts");
  const { reportAsTerminalText, tableAsTerminalText } = await import(
    "../../bench/harness/terminal-table.ts"
  );
  const { writeReportFiles } = await import("../../bench/harness/report-files.ts");
  const { runSuites } = await import("../../bench/run-suites.ts");

  const known = suiteNames();
  const unknown = suites.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new UsageError(`no suite called ${unknown.join(", ")}; suites: ${known.join(" ")}`);
  }
  const hops = flags.hops ?? DEFAULT_OPTIONS.hops;
  const options = {
    quick: flags.quick ?? DEFAULT_OPTIONS.quick,
    // Asking for a distance alone gets the smallest machine that has it.
    nodes: flags.nodes ?? Math.max(DEFAULT_OPTIONS.nodes, 2 ** hops),
    hops,
    seed: flags.seed ?? DEFAULT_OPTIONS.seed,
  };
  const fault = faultOfOptions(options);
  if (fault !== null) throw new UsageError(fault);
  // Read before the run: a wrong file name should not cost minutes.
  const earlier = flags.compare === undefined ? null : await readEarlier(flags.compare);

  const names = suites.length > 0 ? [...new Set(suites)] : DEFAULT_SUITES;
  note(`SEED=${options.seed} node ${process.version}`);
  warnOfLoad();
  const report = await runSuites(names, options, progressOn(process.stderr));
  const comparison = earlier === null ? null : compareReports(earlier, report);
  for (const warning of comparison?.warnings ?? []) note(`warning: ${warning}`);
  if (flags.out !== undefined) {
    for (const path of writeReportFiles(flags.out, report)) note(`written: ${path}`);
  }
  if (flags.json) {
    printDocument(comparison === null ? report : { ...report, comparison });
    return EXIT_GOOD;
  }
  printText(reportAsTerminalText(report));
  if (comparison !== null) printText(`\n${tableAsTerminalText(comparisonTable(comparison))}`);
  return EXIT_GOOD;
}

/** Two threads that spin for each other need two cores: with one of them taken, a hand-over waits
 *  for the scheduler (8 ms instead of 300 ns), and no ratio heals that. */
function warnOfLoad(): void {
  const load = loadavg()[0]!;
  if (load < availableParallelism() / 2) return;
  note(`warning: load average ${load.toFixed(1)}: another program uses the cores this one needs`);
}

async function readEarlier(path: string) {
  const { IncomparableError, parseReport } = await import("../../bench/harness/compare.ts");
  try {
    return parseReport(readFileSync(path, "utf8"), path);
  } catch (error) {
    if (error instanceof IncomparableError) throw new UsageError(`--compare: ${error.message}`);
    if (error instanceof Error && "code" in error) {
      throw new UsageError(`--compare: cannot read ${path} (${String(error.code)})`);
    }
    throw error;
  }
}
