// docs/CONFORMANCE.md: every conformance case and the ways in which it has its outcome, made from the cases
// themselves.

import type { ConformanceCase } from "./conform.ts";
import { WAYS } from "./worlds.ts";

export interface CaseFile {
  /** "rights.test.ts". */
  readonly file: string;
  readonly cases: readonly ConformanceCase[];
}

const HEAD = `# Conformance

What programs can observe of Mach IPC, as cases. Each case is written once (\`test/conformance/\`) and run four ways:

- **one-node**: the peers are tasks of one node.
- **simulation**: each on a node of its own, in simulation.
- **threads**: each on a node of its own, in worker threads.
- **loopback**: on one node, but with all traffic between them through the network path (option \`kernel.loopback\`).

"yes": the case has the same outcome in that way, and everything is back where it came from afterwards. A number: it has not, for the
reason below, which is also in [CAVEATS.md](CAVEATS.md). The rule is the call, the option or the stage that the case is about, or a
letter and a number: R names and rights, S sending, V receiving, T port sets, N notifications, O out-of-line data, K kernel services, D what
only shows between nodes. Numbers have gaps. This file is made by the tests:
\`CONFORMANCE_WRITE=1\` with \`test/conformance/document.test.ts\` writes it anew.
`;

export const renderConformance = (files: readonly CaseFile[]): string => {
  const reasons = [...reasonsOf(files)];
  const lines = [HEAD];
  for (const [i, reason] of reasons.entries()) lines.push(`${i + 1}. ${reason}.`);
  lines.push("");
  for (const { file, cases } of files) {
    lines.push(`## ${file.replace(".test.ts", "")}`, "");
    lines.push(`Cases of \`test/conformance/${file}\`.`, "");
    const rows = [["rule", "case", ...WAYS]];
    for (const { title, except } of cases) {
      const [rule, sentence] = split(title);
      const ways = WAYS.map((way) => {
        const reason = except[way];
        return reason === undefined ? "yes" : `${reasons.indexOf(reason) + 1}`;
      });
      rows.push([rule, sentence.replaceAll("|", "\\|"), ...ways]);
    }
    lines.push(...alignedTable(rows));
    lines.push("");
  }
  const total = files.reduce((sum, { cases }) => sum + cases.length, 0);
  const passed = WAYS.map(
    (way) =>
      total - files.flatMap(({ cases }) => cases).filter(({ except }) => way in except).length,
  );
  lines.push(
    `${total} cases. Ways: ${WAYS.map((way, i) => `${way} ${passed[i]}`).join(", ")}.`,
    "",
  );
  return lines.join("\n");
};

/** A table whose columns are as wide as their widest cell. */
const alignedTable = (rows: readonly (readonly string[])[]): string[] => {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  const rule = line(widths.map((width) => "-".repeat(width)));
  return [line(rows[0]!), rule, ...rows.slice(1).map(line)];
};

export const reasonsOf = (files: readonly CaseFile[]): Set<string> => {
  const reasons = new Set<string>();
  for (const { cases } of files) {
    for (const { except } of cases) for (const reason of Object.values(except)) reasons.add(reason);
  }
  return reasons;
};

const split = (title: string): [string, string] => {
  const space = title.indexOf(" ");
  return [title.slice(0, space), title.slice(space + 1)];
};
