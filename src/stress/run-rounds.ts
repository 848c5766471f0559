// Runs one plan after the other, each on a machine of its own in threads, until the time is over, a number of rounds is
// done, or one is not good.

import { VERSION } from "../base/version.ts";
import { ThreadMachine } from "../machine/thread-machine.ts";
import type { MachineStats } from "../node/machine-interface.ts";
import type { StressPlan } from "./plan.ts";
import { runPlan, type StressProgress } from "./run-plan.ts";
import { makeReport, type StressReport, type StressRound } from "./stress-report.ts";

export interface RoundsHooks {
  /** A round begins. */
  readonly begins?: (round: number, plan: StressPlan) => void;
  /** Called at every look. */
  readonly progress?: (progress: StressProgress, stats: MachineStats) => void;
  /** Aborted: programs begin no further step, and no further round begins. */
  readonly signal?: AbortSignal;
}

export interface RoundsInput {
  readonly seed: number;
  readonly planOf: (round: number) => StressPlan;
  /** Rounds; null: as many as fit the time. */
  readonly rounds: number | null;
  /** Seconds after which programs begin no further step; null: no limit. */
  readonly seconds: number | null;
}

export const runRounds = async (
  { seed, planOf, rounds, seconds }: RoundsInput,
  hooks: RoundsHooks = {},
): Promise<StressReport> => {
  const end = new AbortController();
  const timer = seconds === null ? undefined : setTimeout(() => end.abort(), seconds * 1000);
  const interrupt = (): void => end.abort();
  hooks.signal?.addEventListener("abort", interrupt, { once: true });
  const done: StressRound[] = [];
  try {
    for (let round = 0; round < (rounds ?? Number.POSITIVE_INFINITY); round++) {
      if (end.signal.aborted || hooks.signal?.aborted) break;
      const plan = planOf(round);
      hooks.begins?.(round, plan);
      const one = await runRound(round, plan, end.signal, hooks);
      done.push(one);
      if (one.result.verdict !== "good") break;
    }
  } finally {
    clearTimeout(timer);
    hooks.signal?.removeEventListener("abort", interrupt);
  }
  return makeReport(VERSION, seed, hooks.signal?.aborted ?? false, done);
};

const runRound = async (
  round: number,
  plan: StressPlan,
  signal: AbortSignal,
  hooks: RoundsHooks,
): Promise<StressRound> => {
  const startMs = performance.now();
  const machine = await ThreadMachine.boot(plan.machine);
  try {
    const result = await runPlan(machine, plan, {
      signal,
      progress: (progress) => hooks.progress?.(progress, machine.stats()),
    });
    return { round, plan, seconds: (performance.now() - startMs) / 1000, result };
  } finally {
    await machine.halt();
  }
};
