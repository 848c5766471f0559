// The report of `normacube stress`: normacube.stress/1, one document, and the same as a few lines.

import { COUNTERS, type CounterKey, type CounterValues } from "../base/counters.ts";
import type { StressPlan } from "./plan.ts";
import type { StressResult, Verdict } from "./stress-result.ts";

export interface StressRound {
  readonly round: number;
  readonly plan: StressPlan;
  readonly seconds: number;
  readonly result: StressResult;
}

export interface StressReport {
  readonly schema: "normacube.stress/1";
  readonly version: string;
  readonly seed: number;
  readonly seconds: number;
  /** The worst verdict of all rounds. */
  readonly verdict: Verdict;
  /** Ended by a signal, before its time. */
  readonly interrupted: boolean;
  readonly steps: number;
  readonly messages: number;
  readonly counters: CounterValues;
  readonly rounds: readonly StressRound[];
}

export const makeReport = (
  version: string,
  seed: number,
  interrupted: boolean,
  rounds: readonly StressRound[],
): StressReport => {
  const last = rounds.at(-1);
  const messagesOf = ({ result }: StressRound): number =>
    result.workloads.reduce((sum, { received }) => sum + received, 0);
  const sum = (of: (round: StressRound) => number): number =>
    rounds.reduce((total, round) => total + of(round), 0);
  const counters = {} as CounterValues;
  for (const key of Object.keys(COUNTERS) as CounterKey[]) {
    counters[key] = sum(({ result }) => result.counters[key]);
  }
  return {
    schema: "normacube.stress/1",
    version,
    seed,
    seconds: sum(({ seconds }) => seconds),
    verdict: last?.result.verdict ?? "good", // the first that is not good is the last
    interrupted,
    steps: sum(({ result }) => result.steps),
    messages: sum(messagesOf),
    counters,
    rounds,
  };
};

/** Faults injected so far, a word each; what there was none of is left out. */
export const countFaults = (counters: CounterValues): string => {
  const counts: readonly [number, string][] = [
    [counters.faultsDropped, "dropped"],
    [counters.faultsDuplicated, "doubled"],
    [counters.faultsDelayed, "delayed"],
    [counters.faultsReordered, "reordered"],
    [counters.faultsFlipped, "flipped"],
    [counters.faultsCut, "cut off"],
    [counters.faultsPaused, "pauses"],
    [counters.faultsStarved, "times starved"],
  ];
  const some = counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return some.length === 0 ? "none" : some.join(", ");
};

export const reportAsText = (report: StressReport): string => {
  const { verdict, rounds, steps, messages, counters, seconds } = report;
  const lines = [
    `${verdict}: ${rounds.length} rounds, ${steps} steps, ${messages} messages checked in ${seconds.toFixed(1)} s` +
      (report.interrupted ? ", interrupted" : ""),
    `packets: ${counters.packetsSent} sent, ${counters.retransmitted} again; faults: ${countFaults(counters)}`,
  ];
  const last = rounds.at(-1);
  if (last === undefined || verdict === "good") return lines.join("\n");
  const names = last.plan.workloads.map(({ name }) => name).join(" ");
  lines.push(`round ${last.round} (${names}), machine ${JSON.stringify(last.plan.machine)}:`);
  lines.push(...last.result.findings.map((finding) => `  ${finding}`));
  if (last.result.explanation.length > 0) {
    lines.push(verdict === "leak" ? "what is left:" : "why nothing moves:");
  }
  lines.push(...last.result.explanation.map((line) => `  ${line}`));
  return lines.join("\n");
};
