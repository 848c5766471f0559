// Runs a plan on a machine, in threads or in simulation: starts the workloads, watches them, stops the faults when the
// plan says so, waits for the end, and sees that everything drained. It does not boot or halt the machine.

import { NS_PER_MS } from "../base/clock.ts";
import { hashText, hashWords } from "../base/random.ts";
import type { Machine, Simulation } from "../node/machine-interface.ts";
import { compareCensuses, takeCensuses } from "./accounting.ts";
import { explainRun } from "./explain-run.ts";
import { type HostTime, hostTimeOf, isSimulation } from "./pace-maker.ts";
import { PlanError, type PlannedWorkload, type StressPlan } from "./plan.ts";
import { makeProgressWords, PROGRESS_STOP, placeWord } from "./progress-layout.ts";
import type { StressResult, Verdict } from "./stress-result.ts";
import { ProgressWatch, type StartedProgram, type WatchEnd } from "./watch-progress.ts";
import type { WorkloadArgs } from "./workload.ts";
import { WORKLOADS } from "./workloads.ts";

/** How far a run is. */
export interface StressProgress {
  readonly steps: number;
  readonly stepsPlanned: number;
  readonly received: number;
}

export interface RunHooks {
  /** Called at every look. */
  readonly progress?: (progress: StressProgress) => void;
  /** Aborted: no program begins another step; the run then ends as usual. */
  readonly signal?: AbortSignal;
  /** How long a node may take to say why nothing moves, ms. Default 2000. */
  readonly answerMs?: number;
}

/** Findings that are told; the rest are mostly consequences. */
const FINDINGS_MAX = 20;

/** Runs `plan` on a machine that has its options. The machine is the caller's to halt, and after a verdict that is
 *  not good it is fit for nothing else. Rejects with PlanError if a workload's module cannot be loaded. */
export const runPlan = async (
  machine: Machine,
  plan: StressPlan,
  hooks: RunHooks = {},
): Promise<StressResult> => {
  const before = await takeCensuses(machine);
  const counts = plan.workloads.map(({ programsPerNode }) => programsPerNode * machine.nodes);
  const words = makeProgressWords(counts.reduce((sum, count) => sum + count, 0));
  const stop = (): void => {
    Atomics.store(words, PROGRESS_STOP, 1); // programs look before every step
  };
  hooks.signal?.addEventListener("abort", stop, { once: true });
  if (hooks.signal?.aborted) stop();
  try {
    const programs = await startAll(machine, plan, words);
    const watch = new ProgressWatch(words, programs);
    const time = hostTimeOf(machine, plan);
    const stepsPlanned = plan.workloads.reduce((sum, { steps }, i) => sum + steps * counts[i]!, 0);
    const healing = new Healing(machine, plan.healAfter, stepsPlanned);
    const end = await watch.untilEnd(time, async () => {
      const steps = watch.steps();
      await healing.look(steps);
      hooks.progress?.({ steps, stepsPlanned, received: watch.received() });
    });
    stop();
    const findings = await findingsOf(machine, end, watch, time, before);
    return {
      verdict: findings.verdict,
      findings: findings.sentences.slice(0, FINDINGS_MAX),
      steps: watch.steps(),
      workloads: plan.workloads.map(({ name }, i) => summarise(name, i, programs, watch)),
      healed: healing.done,
      counters: machine.stats().total,
      explanation:
        findings.verdict === "stuck" || findings.verdict === "leak"
          ? await explainRun(machine, watch, hooks.answerMs)
          : [],
      simulated: isSimulation(machine) ? stateOf(machine) : null,
    };
  } finally {
    hooks.signal?.removeEventListener("abort", stop);
  }
};

interface PlacedProgram extends StartedProgram {
  readonly planned: number;
}

const startAll = async (
  machine: Machine,
  plan: StressPlan,
  words: Int32Array,
): Promise<PlacedProgram[]> => {
  const programs: PlacedProgram[] = [];
  for (const [planned, workload] of plan.workloads.entries()) {
    const places = workload.programsPerNode * machine.nodes;
    const label = `${workload.name}#${planned}`;
    for (let place = 0; place < places; place++) {
      const number = programs.length;
      const args: WorkloadArgs = {
        label,
        place,
        places,
        steps: workload.steps,
        untilNs: plan.limitMs === null ? Number.POSITIVE_INFINITY : plan.limitMs * NS_PER_MS,
        seed: hashWords(machine.options.seed, hashText(label), 0, 0, 0),
        progress: words,
        progressAt: placeWord(number),
      };
      const task = await machine
        .spawn(place % machine.nodes, urlOf(workload), { args })
        .catch((error: unknown) => {
          const { message } = error as Error;
          if (!message.includes("could not be loaded")) throw error;
          throw new PlanError(`plan: workloads.${planned}: ${message}`);
        });
      programs.push({ workload: workload.name, place, number, task, planned });
    }
  }
  return programs;
};

const urlOf = ({ name, module }: PlannedWorkload): string =>
  module ?? WORKLOADS.get(name)!.url.href;

/** Stops the faults when a share of the work is done. */
class Healing {
  done = false;
  private readonly machine: Machine;
  private readonly atSteps: number;

  constructor(machine: Machine, share: number | null, stepsPlanned: number) {
    this.machine = machine;
    this.atSteps = share === null ? Number.POSITIVE_INFINITY : share * stepsPlanned;
  }

  async look(steps: number): Promise<void> {
    if (this.done || steps < this.atSteps) return;
    this.done = true;
    await this.machine.heal();
  }
}

const findingsOf = async (
  machine: Machine,
  end: WatchEnd,
  watch: ProgressWatch,
  time: HostTime,
  before: Awaited<ReturnType<typeof takeCensuses>>,
): Promise<{ readonly verdict: Verdict; readonly sentences: string[] }> => {
  if (end === "failed") {
    const sentences = watch.failures.map(({ program, error }) => {
      const { workload, place, task } = program;
      return `${workload}, place ${place} on node ${task.node}: ${describe(error)}`;
    });
    const crashed = watch.failures.some(({ error }) => isCrash(error));
    return { verdict: crashed ? "crash" : "wrong", sentences };
  }
  if (end === "stuck") {
    const sentences = watch.standing.map(
      (program) =>
        `${program.workload}, place ${program.place} on node ${program.task.node}: no progress after ` +
        `${watch.stepsOf(program)} steps and ${watch.receivedOf(program)} messages`,
    );
    return { verdict: "stuck", sentences };
  }
  const sentences = await untilDrained(machine, time, before);
  return { verdict: sentences.length === 0 ? "good" : "leak", sentences };
};

/** What drains so slowly is not drained. */
const PATIENCES_MAX = 10;

/** Waits until every node has what it had before, as long as the patience lasts; it begins anew, up to PATIENCES_MAX times, whenever fewer
 *  identifiers of dead ports are left than at the look before: the token forgets so many in a period, and a death makes more of
 *  them first, when it is told to everybody. Returns what is not so then. */
const untilDrained = async (
  machine: Machine,
  time: HostTime,
  before: Awaited<ReturnType<typeof takeCensuses>>,
): Promise<string[]> => {
  const firstNs = time.nowNs();
  const lastNs = firstNs + PATIENCES_MAX * time.patienceNs;
  let sinceNs = firstNs;
  let lastDead = 0;
  for (;;) {
    await time.pause();
    const nowNs = time.nowNs();
    const over = time.atRest() || nowNs - sinceNs > time.patienceNs || nowNs > lastNs;
    const censuses = await takeCensuses(machine);
    const differences = compareCensuses(before, censuses);
    const dead = censuses.reduce((sum, { deadIdentifiers }) => sum + deadIdentifiers, 0);
    if (dead < lastDead) sinceNs = time.nowNs();
    lastDead = dead;
    if (differences.length === 0 || over) return differences;
  }
};

const summarise = (
  name: string,
  index: number,
  programs: readonly PlacedProgram[],
  watch: ProgressWatch,
) => {
  const own = programs.filter(({ planned }) => planned === index);
  return {
    name,
    steps: own.reduce((sum, program) => sum + watch.stepsOf(program), 0),
    received: own.reduce((sum, program) => sum + watch.receivedOf(program), 0),
  };
};

const stateOf = (machine: Simulation): StressResult["simulated"] => ({
  packets: machine.packets(),
  draws: machine.draws(),
  ns: machine.now(),
});

/** A bug of the kernel's or the machine's, not what a program has found. */
const isCrash = (error: unknown): boolean =>
  error instanceof Error && (error.name === "AssertionError" || / crashed: /.test(error.message));

const describe = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
