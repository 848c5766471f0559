// Writes a report to a folder: bench.json for programs, bench.md for people.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { reportAsMarkdown } from "./markdown-table.ts";
import type { Report } from "./report.ts";

/** Makes the folder if need be; returns the paths written. */
export function writeReportFiles(folder: string, report: Report): string[] {
  mkdirSync(folder, { recursive: true });
  const files = [
    { path: join(folder, "bench.json"), text: `${JSON.stringify(report, null, 2)}\n` },
    { path: join(folder, "bench.md"), text: reportAsMarkdown(report) },
  ];
  for (const { path, text } of files) writeFileSync(path, text);
  return files.map((file) => file.path);
}
