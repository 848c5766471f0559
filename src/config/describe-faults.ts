// Faults in words, for reports.

import type { FaultRates, FaultWindow, NodeWindow } from "../hardware/fault-rules.ts";
import { activeFaults } from "./active-faults.ts";
import type { FaultOptions } from "./fault-options.ts";

/** What holds in a run, in lines. */
export const describeFaults = (faults: FaultOptions, seed: number): string[] => {
  const active = activeFaults(faults, faults.seed ?? seed);
  const lines: string[] = [];
  const all = describeRates(active);
  if (all !== "") lines.push(`all links: ${all}`);
  for (const { from, to, packets, ...link } of active.links ?? []) {
    const which = packets === undefined ? "" : `, ${packets.join(" and ")}`;
    lines.push(`${from ?? "all"} to ${to ?? "all"}${which}: ${describeRates(link)}`);
  }
  for (const cut of active.cuts ?? []) {
    const which =
      cut.node === undefined ? `${cut.from ?? "all"} to ${cut.to ?? "all"}` : `node ${cut.node}`;
    lines.push(`${which} cut ${describeWindow(cut)}`);
  }
  for (const pause of active.pauses ?? [])
    lines.push(`${nodeName(pause)} paused ${describeWindow(pause)}`);
  for (const hunger of active.starve ?? [])
    lines.push(`${nodeName(hunger)} starved ${describeWindow(hunger)}`);
  for (const { node, rate: speed } of active.clocks ?? [])
    lines.push(`clock of node ${node} at ${speed}`);
  return lines.length > 0 ? lines : ["none"];
};

const describeRates = (entry: FaultRates): string =>
  (["drop", "duplicate", "delay", "reorder", "flip"] as const)
    .filter((kind) => entry[kind] !== undefined)
    .map((kind) => `${kind} ${JSON.stringify(entry[kind])}`)
    .join(", ");

const nodeName = ({ node }: NodeWindow): string =>
  node === undefined ? "every node" : `node ${node}`;

const describeWindow = (when: FaultWindow): string => {
  const again = when.everyNs === undefined ? "" : ` every ${when.everyNs} ns`;
  const chance = when.chance === undefined ? "" : ` with probability ${when.chance}`;
  return `for ${when.forNs} ns from ${when.atNs} ns${again}${chance}`;
};
