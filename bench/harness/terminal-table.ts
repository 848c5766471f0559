// Text tables for a terminal.

import Table from "cli-table3";
import type { Report } from "./report.ts";
import { describeRun, type TextTable, tablesOf } from "./report-rows.ts";

export function reportAsTerminalText(report: Report): string {
  const parts = [
    describeRun(report),
    ...(report.notes ?? []),
    ...tablesOf(report).map(tableAsTerminalText),
  ];
  return `${parts.join("\n\n")}\n`;
}

export function tableAsTerminalText(table: TextTable): string {
  // No colours: the text is often piped into a file or an issue.
  const style = { head: [], border: [], compact: true };
  const text = new Table({ head: [...table.head], style });
  for (const row of table.rows) text.push([...row]);
  return `${table.title}\n${text.toString()}`;
}
