// `normacube stress`: workloads under faults on machines in threads, every payload checked, everything accounted for at
// the end. Ends with a report and an exit code of its class.

import { writeFileSync } from "node:fs";
import { type Command, InvalidArgumentError } from "commander";
import { parseFaults } from "../config/fault-options.ts";
import { FAULT_PRESETS } from "../config/fault-presets.ts";
import type { MachineOptionsInput } from "../config/machine-options.ts";
import { parsePlan, type StressPlan } from "../stress/plan.ts";
import { type Protocol, planOfRound, type StressSettings } from "../stress/rounds.ts";
import { runRounds } from "../stress/run-rounds.ts";
import { reportAsText } from "../stress/stress-report.ts";
import type { Verdict } from "../stress/stress-result.ts";
import { WORKLOADS } from "../stress/workloads.ts";
import {
  EXIT_CHECK_FAILED,
  EXIT_CRASH,
  EXIT_GOOD,
  EXIT_NO_PROGRESS,
  type ExitCode,
  UsageError,
} from "./exit-code.ts";
import { wholeNumber } from "./number-option.ts";
import { note, printDocument, printText } from "./output.ts";
import { asUsage, readText, textOrFile, usageOf } from "./read-input.ts";
import { stressProgressOn } from "./stress-progress.ts";

export interface StressFlags {
  readonly time?: number;
  readonly steps?: number;
  readonly seed: number;
  readonly dimension?: number;
  readonly workers?: number;
  readonly interconnect?: string;
  readonly window?: number;
  readonly protocol: string;
  readonly faults?: string;
  readonly drop?: number;
  readonly duplicate?: number;
  readonly delay?: number;
  readonly reorder?: number;
  readonly flip?: number;
  readonly healAfter?: number;
  readonly messages?: number;
  readonly ring?: number;
  readonly plan?: string;
  readonly out?: string;
  readonly json?: true;
  readonly quick?: true;
}

/** How a run ends, by its verdict. */
export const EXIT_OF_VERDICT: Readonly<Record<Verdict, ExitCode>> = {
  good: EXIT_GOOD,
  wrong: EXIT_CHECK_FAILED,
  leak: EXIT_CHECK_FAILED,
  crash: EXIT_CRASH,
  stuck: EXIT_NO_PROGRESS,
};

const SECONDS_DEFAULT = 60;
const SECONDS_QUICK = 120;
/** Steps of each program in a round. */
const STEPS_OF_ROUND = 200;
/** With --time and one machine for all of it: more than anybody gets done. */
const STEPS_ENDLESS = 1_000_000_000;

const rate = (text: string): number => {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError("It must be a number from 0 to 1.");
};

/** Adds the command to `program`; `finish` receives its exit code. */
export function addStressCommand(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command("stress")
    .description("run workloads under faults in threads and check every payload")
    .argument(
      "[workload...]",
      `one or more of ${[...WORKLOADS.keys()].join(", ")}; default: all in turn`,
    )
    .option("--time <s>", "stop after so many seconds (default 60)", wholeNumber(1, 604_800))
    .option("--steps <n>", "one round of so many steps per program", wholeNumber(1, 1_000_000_000))
    .option("--seed <n>", "seed of everything random", wholeNumber(0, 0xffff_ffff), 1)
    .option("--dimension <n>", "dimension of the hypercube: 2^n nodes", wholeNumber(0, 7))
    .option("--workers <n>", "worker threads that carry the nodes", wholeNumber(1, 128))
    .option("--interconnect <kind>", "kind of interconnect, as option interconnect.kind")
    .option("--window <n>", "unacknowledged packets per destination", wholeNumber(1, 1024))
    .option("--protocol <which>", "reliable, unreliable or auto", "auto")
    .option("--faults <what>", `JSON, a file of it, or ${Object.keys(FAULT_PRESETS).join(", ")}`)
    .option("--drop <p>", "rate of packets lost", rate)
    .option("--duplicate <p>", "rate of packets that arrive twice", rate)
    .option("--delay <p>", "rate of packets held back, so that others overtake them", rate)
    .option("--reorder <p>", "rate of packets that the next one of their link overtakes", rate)
    .option("--flip <p>", "rate of packets with one bit flipped", rate)
    .option("--heal-after <p>", "stop the faults after this share of the work", rate)
    .option("--messages <n>", "messages in each kernel's pool", wholeNumber(8, 65_536))
    .option("--ring <n>", "receive descriptors per node, a power of two", wholeNumber(1, 1024))
    .option("--plan <file>", "run the plan in this file, and nothing else")
    .option("--out <file>", "write the last plan to this file, for --plan")
    .option("--json", "print one JSON document on stdout and nothing else")
    .option("--quick", "two minutes: 16 nodes, all workloads at once, heavy faults")
    .action(async (names: string[], flags: StressFlags) => finish(await stress(names, flags)));
}

async function stress(names: readonly string[], flags: StressFlags): Promise<ExitCode> {
  const { seed, planOf, rounds, seconds } = readRun(names, flags);
  note(`SEED=${seed} node ${process.version}`);
  const interrupted = new AbortController();
  // The second one ends the process, as usual.
  const onInterrupt = (): void => interrupted.abort();
  process.once("SIGINT", onInterrupt);
  const progress = stressProgressOn(process.stderr);
  try {
    const report = await runRounds(
      { seed, planOf, rounds, seconds },
      {
        begins: (round, plan) => {
          if (flags.out !== undefined)
            writeFileSync(flags.out, `${JSON.stringify(plan, null, 2)}\n`);
          progress.begins(round, plan);
        },
        progress: (far, stats) => progress.look(far, stats),
        signal: interrupted.signal,
      },
    );
    progress.stop();
    if (flags.json) printDocument(report);
    else printText(reportAsText(report));
    return EXIT_OF_VERDICT[report.verdict];
  } catch (error) {
    progress.stop();
    throw usageOf(error);
  } finally {
    process.removeListener("SIGINT", onInterrupt);
  }
}

/** What is to be run, from the command line. Throws UsageError. */
export const readRun = (
  names: readonly string[],
  flags: StressFlags,
): {
  readonly seed: number;
  readonly planOf: (round: number) => StressPlan;
  readonly rounds: number | null;
  readonly seconds: number | null;
} => {
  if (flags.plan !== undefined) {
    const plan = readPlan(flags.plan);
    const seconds = flags.time ?? null;
    return { seed: plan.machine.seed ?? 1, planOf: () => plan, rounds: 1, seconds };
  }
  const unknown = names.filter((name) => !WORKLOADS.has(name));
  if (unknown.length > 0) {
    const known = [...WORKLOADS.keys()].join(" ");
    throw new UsageError(`no workload called ${unknown.join(", ")}; workloads: ${known}`);
  }
  const settings = settingsOf(names, flags);
  asUsage(() => planOfRound(settings, 0)); // before anything runs
  const oneRound = flags.quick || flags.steps !== undefined || names.length > 0;
  const untold = flags.quick ? SECONDS_QUICK : flags.steps === undefined ? SECONDS_DEFAULT : null;
  return {
    seed: settings.seed,
    planOf: (round) => planOfRound(settings, round),
    rounds: oneRound ? 1 : null,
    seconds: flags.time ?? untold,
  };
};

const settingsOf = (names: readonly string[], flags: StressFlags): StressSettings => {
  const { seed, quick, dimension, workers, interconnect, window, messages, ring } = flags;
  const steps = flags.steps ?? (quick || names.length > 0 ? STEPS_ENDLESS : STEPS_OF_ROUND);
  const workloads = quick && names.length === 0 ? [...WORKLOADS.keys()] : names;
  return {
    workloads: [...new Set(workloads)],
    seed,
    protocol: protocolOf(flags.protocol),
    faults: faultsOf(flags) ?? (quick ? FAULT_PRESETS.harsh : undefined),
    steps,
    healAfter: flags.healAfter ?? null,
    ...(dimension !== undefined ? { dimension } : quick ? { dimension: 4 } : {}),
    ...(workers === undefined ? {} : { workers }),
    ...(interconnect === undefined ? {} : { interconnect }),
    ...(window === undefined ? {} : { window }),
    ...(messages === undefined ? {} : { messages }),
    ...(ring === undefined ? {} : { ring }),
  };
};

const protocolOf = (text: string): Protocol => {
  if (text === "reliable" || text === "unreliable" || text === "auto") return text;
  throw new UsageError(`--protocol is ${text}; it must be reliable, unreliable or auto`);
};

/** The faults that the command line asks for; rates given one by one come on top. */
export const faultsOf = (flags: Partial<StressFlags>): MachineOptionsInput["faults"] => {
  const base = flags.faults === undefined ? undefined : readFaults(flags.faults);
  const { drop, duplicate, delay, reorder, flip } = flags;
  const rates = Object.entries({ drop, duplicate, delay, reorder, flip }).filter(
    ([, value]) => value !== undefined,
  );
  return rates.length === 0 ? base : { ...base, ...Object.fromEntries(rates) };
};

const readFaults = (text: string): NonNullable<MachineOptionsInput["faults"]> => {
  const preset = FAULT_PRESETS[text];
  if (preset !== undefined) return preset;
  return asUsage(() => parseFaults(textOrFile(text, "--faults"), "--faults"));
};

/** The plan in a file. Throws UsageError. */
export const readPlan = (path: string): StressPlan =>
  asUsage(() => parsePlan(readText(path, "--plan")));
