// Text tables for a markdown file, so that a report can be read and compared in a repository.

import type { Report } from "./report.ts";
import { describeRun, type TextTable, tablesOf } from "./report-rows.ts";

export function reportAsMarkdown(report: Report): string {
  const parts = [
    "# normacube bench",
    describeRun(report),
    ...(report.notes ?? []),
    ...tablesOf(report).map(asMarkdown),
  ];
  return `${parts.join("\n\n")}\n`;
}

function asMarkdown(table: TextTable): string {
  const lines = [table.head, table.head.map(() => "---"), ...table.rows].map(asLine);
  return [`## ${table.title}`, "", ...lines].join("\n");
}

function asLine(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
