// `normacube sim`: workloads in simulation. A seed is a run, packet by packet; many seeds run on all cores; a run that fails
// can be made smaller and written down.

import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { describeFaults } from "../config/describe-faults.ts";
import { parseMachineOptions } from "../config/machine-options.ts";
import { runSeeds, type SeedResult } from "../stress/many-seeds.ts";
import { minimise } from "../stress/minimise.ts";
import type { StressPlan } from "../stress/plan.ts";
import { type PlanPins, planOfSeed } from "../stress/plan-of-seed.ts";
import { replayTest } from "../stress/replay-test.ts";
import { simulatePlan } from "../stress/simulate-plan.ts";
import type { StressResult, Verdict } from "../stress/stress-result.ts";
import { WORKLOADS } from "../stress/workloads.ts";
import { EXIT_GOOD, type ExitCode, UsageError } from "./exit-code.ts";
import { wholeNumber } from "./number-option.ts";
import { note, printDocument, printText } from "./output.ts";
import { asUsage } from "./read-input.ts";
import { EXIT_OF_VERDICT, faultsOf, readPlan, type StressFlags } from "./stress-command.ts";

export interface SimFlags extends Pick<StressFlags, "faults" | "drop"> {
  readonly seed?: number;
  readonly seeds?: string;
  readonly plan?: string;
  readonly workload?: string;
  readonly dimension?: number;
  readonly steps?: number;
  readonly interconnect?: string;
  readonly window?: number;
  readonly minimise?: true;
  readonly out?: string;
  readonly json?: true;
}

const SEED_MAX = Number.MAX_SAFE_INTEGER;
/** Runs that making a plan smaller may take. */
const MINIMISE_RUNS = 200;
/** Seeds that a report lists. */
const LISTED_MAX = 20;

/** Adds the command to `program`; `finish` receives its exit code. */
export function addSimCommand(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command("sim")
    .description("run workloads under faults in simulation; a seed replays a run exactly")
    .option("--seed <n>", "the run of this seed (default 1)", wholeNumber(0, SEED_MAX))
    .option("--seeds <a..b>", "the runs of these seeds, on all cores")
    .option("--plan <file>", "the run of this plan")
    .option(
      "--workload <names>",
      `only these, with commas between: ${[...WORKLOADS.keys()].join(",")}`,
    )
    .option("--dimension <n>", "dimension of the hypercube: 2^n nodes", wholeNumber(0, 10))
    .option("--steps <n>", "steps of each program", wholeNumber(1, 1_000_000_000))
    .option("--interconnect <kind>", "kind of interconnect, as option interconnect.kind")
    .option("--window <n>", "unacknowledged packets per destination", wholeNumber(1, 1024))
    .option("--faults <what>", "JSON, a file of it, or a preset, in place of what the seed draws")
    .option("--minimise", "make the plan of a run that fails smaller")
    .option("--out <dir>", "write the plan of a run that fails, and a test of it, to this folder")
    .option("--json", "print one JSON document on stdout and nothing else")
    .action(async (flags: SimFlags) => finish(await sim(flags)));
}

async function sim(flags: SimFlags): Promise<ExitCode> {
  const { planOf, first, last } = readSeeds(flags);
  note(`SEED=${first === last ? first : `${first}..${last}`} node ${process.version}`);
  const bad =
    first === last
      ? await runOne(first, planOf(first), flags)
      : await runMany(first, last, planOf, flags);
  const failure = bad[0];
  if (failure !== undefined && (flags.minimise || flags.out !== undefined))
    await keep(failure, flags);
  return bad.reduce<ExitCode>(
    (worst, { result }) => worse(worst, EXIT_OF_VERDICT[result.verdict]),
    EXIT_GOOD,
  );
}

/** Crash before wrong before stuck. */
const worse = (a: ExitCode, b: ExitCode): ExitCode => {
  const order = [0, 4, 1, 3];
  return order.indexOf(b) > order.indexOf(a) ? b : a;
};

/** What is to be run, from the command line. Throws UsageError. */
export const readSeeds = (
  flags: SimFlags,
): {
  readonly planOf: (seed: number) => StressPlan;
  readonly first: number;
  readonly last: number;
} => {
  if ([flags.seed, flags.seeds, flags.plan].filter((one) => one !== undefined).length > 1) {
    throw new UsageError("--seed, --seeds and --plan: one of them");
  }
  if (flags.plan !== undefined) {
    const plan = readPlan(flags.plan);
    const seed = plan.machine.seed ?? 1;
    return { planOf: () => plan, first: seed, last: seed };
  }
  const [first, last] =
    flags.seeds === undefined ? [flags.seed ?? 1, flags.seed ?? 1] : seedRange(flags.seeds);
  const pins = pinsOf(flags);
  const planOf = (seed: number): StressPlan => planOfSeed(seed, pins);
  asUsage(() => planOf(first)); // before anything runs
  return { planOf, first, last };
};

const seedRange = (text: string): [number, number] => {
  const match = /^(\d+)\.\.(\d+)$/.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || last > SEED_MAX || first > last) {
    throw new UsageError(
      `--seeds is ${text}; it must be A..B, two seeds from 0 to ${SEED_MAX}, the smaller one first`,
    );
  }
  return [first, last];
};

const pinsOf = (flags: SimFlags): PlanPins => {
  const workloads = flags.workload?.split(",");
  const unknown = workloads?.filter((name) => !WORKLOADS.has(name)) ?? [];
  if (unknown.length > 0) {
    throw new UsageError(
      `no workload called ${unknown.join(", ")}; workloads: ${[...WORKLOADS.keys()].join(" ")}`,
    );
  }
  const faults = faultsOf(flags);
  const { dimension, steps, interconnect, window } = flags;
  return {
    ...(workloads === undefined ? {} : { workloads }),
    ...(dimension === undefined ? {} : { dimension }),
    ...(steps === undefined ? {} : { steps }),
    ...(interconnect === undefined ? {} : { interconnect }),
    ...(window === undefined ? {} : { window }),
    ...(faults === undefined ? {} : { faults }),
  };
};

const runOne = async (seed: number, plan: StressPlan, flags: SimFlags): Promise<SeedResult[]> => {
  const result = await simulatePlan(plan);
  if (flags.json) printDocument({ schema: "normacube.sim/1", seed, plan, result });
  else printText([...describePlan(plan), ...describeResult(result)].join("\n"));
  return result.verdict === "good" ? [] : [{ seed, plan, result }];
};

const runMany = async (
  first: number,
  last: number,
  planOf: (seed: number) => StressPlan,
  flags: SimFlags,
): Promise<SeedResult[]> => {
  const startMs = performance.now();
  let done = 0;
  let packets = 0;
  const threads = availableParallelism();
  const bad = await runSeeds(first, last, planOf, threads, ({ seed, result }) => {
    done += 1;
    packets += result.simulated?.packets.count ?? 0;
    if (result.verdict !== "good")
      note(`seed ${seed}: ${result.verdict}: ${result.findings[0] ?? ""}`);
    if (done % 100 === 0) note(`${done} of ${last - first + 1} seeds`);
  });
  const seconds = (performance.now() - startMs) / 1000;
  const failures = bad.map(({ seed, result: { verdict, findings } }) => ({
    seed,
    verdict,
    findings,
  }));
  if (flags.json) {
    printDocument({ schema: "normacube.sim/1", first, last, packets, seconds, threads, failures });
    return bad;
  }
  const lines = failures
    .slice(0, LISTED_MAX)
    .map(
      ({ seed, verdict, findings }) =>
        `${verdict}: replay with --seed ${seed}: ${findings[0] ?? ""}`,
    );
  printText(
    [
      `${done} seeds, ${bad.length} not good; ${packets} packets in ${seconds.toFixed(1)} s, ` +
        `${Math.round(packets / seconds / threads)} a second on each of ${threads} threads`,
      ...lines,
    ].join("\n"),
  );
  return bad;
};

/** Makes a failing plan smaller, if that is asked for, and writes it down. */
const keep = async ({ plan, result }: SeedResult, flags: SimFlags): Promise<void> => {
  let smallest = plan;
  if (flags.minimise) {
    const run = async (candidate: StressPlan): Promise<Verdict> =>
      (await simulatePlan(candidate)).verdict;
    const { plan: found, runs } = await minimise(
      plan,
      result.verdict,
      run,
      MINIMISE_RUNS,
      (smaller) => note(`still ${result.verdict}: ${describePlan(smaller)[0]}`),
    );
    smallest = found;
    note(`smallest of ${runs} runs: ${describePlan(smallest).join("; ")}`);
  }
  if (flags.out === undefined) {
    note(JSON.stringify(smallest));
    return;
  }
  mkdirSync(flags.out, { recursive: true });
  const planFile = join(flags.out, "failing-seed.plan.json");
  const testFile = join(flags.out, "failing-seed.test.ts");
  writeFileSync(planFile, `${JSON.stringify(smallest, null, 2)}\n`);
  writeFileSync(testFile, replayTest(smallest, await simulatePlan(smallest)));
  note(`written: ${planFile}\nwritten: ${testFile}`);
};

const describePlan = ({ workloads, machine, healAfter }: StressPlan): string[] => {
  const options = parseMachineOptions(machine, "simulation");
  const what = workloads.map(({ name, steps }) => `${name} x ${steps}`).join(", ");
  const faults =
    options.faults === undefined ? ["none"] : describeFaults(options.faults, options.seed);
  return [
    `${what} on ${2 ** options.dimension} nodes, ${options.interconnect.kind}, window ${options.transport.windowPackets}, ` +
      `${options.kernel.messages} messages, ring ${options.interconnect.ringLength}`,
    `faults: ${faults.join("; ")}${healAfter === null ? "" : `; they stop after ${healAfter * 100} % of the work`}`,
  ];
};

const describeResult = ({
  verdict,
  findings,
  simulated,
  explanation,
  steps,
  healed,
}: StressResult): string[] => [
  `${verdict}: ${steps} steps${healed ? ", faults stopped on the way" : ""}`,
  ...(simulated === null ? [] : describeRun(simulated)),
  ...findings,
  ...explanation,
];

const describeRun = ({ packets, draws, ns }: NonNullable<StressResult["simulated"]>): string[] => [
  `${packets.count} packets, digest ${packets.digest}; ${draws.count} draws, digest ${draws.digest}; ${ns} ns`,
];
