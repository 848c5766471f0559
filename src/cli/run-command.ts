// `normacube run`: boots a machine, spawns one program on every node, prints what each returned.

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Command } from "commander";
import {
  type MachineOptions,
  type MachineOptionsInput,
  parseMachineOptions,
} from "../config/machine-options.ts";
import { Machine } from "../index.ts";
import {
  EXIT_CHECK_FAILED,
  EXIT_GOOD,
  EXIT_NO_PROGRESS,
  type ExitCode,
  UsageError,
} from "./exit-code.ts";
import { wholeNumber } from "./number-option.ts";
import { note, printDocument, printText } from "./output.ts";
import { asUsage, parseJson, textOrFile } from "./read-input.ts";

const DIMENSION_DEFAULT = 3;

interface RunFlags {
  readonly dimension?: number;
  readonly workers?: number;
  readonly seed?: number;
  readonly machine?: string;
  readonly args?: string;
  readonly timeout?: number;
  readonly json?: true;
}

/** How the program ended on one node. */
type Ending =
  | { readonly node: number; readonly value: unknown }
  | { readonly node: number; readonly error: string };

/** Adds the command to `program`; `finish` receives its exit code. */
export function addRunCommand(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command("run")
    .description("run a program on every node and print what it returned")
    .argument("<program>", "JavaScript module whose default export is the program")
    .option(
      "--dimension <n>",
      `dimension of the hypercube: 2^n nodes (default: ${DIMENSION_DEFAULT})`,
      wholeNumber(0, 7),
    )
    .option("--workers <n>", "worker threads that carry the nodes", wholeNumber(1, 128))
    .option("--seed <n>", "seed of everything random (default: 1)", wholeNumber(0, 0xffff_ffff))
    .option("--machine <what>", "more options of the machine, as a JSON object or a file with one")
    .option("--args <json>", "the program's arguments, the same on every node")
    .option("--timeout <s>", "give up after so many seconds (exit 4)", wholeNumber(1, 86_400))
    .option("--json", "print one JSON document on stdout and nothing else")
    .action(async (path: string, flags: RunFlags) => finish(await run(path, flags)));
}

async function run(path: string, flags: RunFlags): Promise<ExitCode> {
  const file = resolve(path);
  if (!existsSync(file)) throw new UsageError(`no program at ${path}`);
  const args = flags.args === undefined ? undefined : parseJson(flags.args, "--args");
  const { dimension, seed, ...options } = machineOptions(flags);
  note(`SEED=${seed} node ${process.version}`);
  const machine = await Machine.boot({ ...options, dimension, seed });
  try {
    const nodes = Array.from({ length: 2 ** dimension }, (_, node) => node);
    const ends = nodes.map(async (node): Promise<Ending> => {
      try {
        const task = await machine.spawn(node, pathToFileURL(file), { args });
        return { node, value: await task.exited };
      } catch (error) {
        return { node, error: error instanceof Error ? error.message : String(error) };
      }
    });
    const endings = await withinSeconds(Promise.all(ends), flags.timeout);
    if (endings === null) {
      note(`normacube: no end after ${flags.timeout} s`);
      return EXIT_NO_PROGRESS;
    }
    if (flags.json) printDocument({ schema: "normacube.run/1", dimension, seed, endings });
    else printText(endings.map(describeEnding).join("\n"));
    return endings.some((ending) => "error" in ending) ? EXIT_CHECK_FAILED : EXIT_GOOD;
  } finally {
    await machine.halt();
  }
}

/** The machine that is asked for; single options come on top of the document. Throws UsageError. */
function machineOptions({ dimension, workers, seed, machine }: RunFlags): MachineOptions {
  const given = (
    machine === undefined ? {} : parseJson(textOrFile(machine, "--machine"), "--machine")
  ) as MachineOptionsInput;
  asUsage(() => parseMachineOptions(given, "threads")); // it may be anything
  const options: MachineOptionsInput = { dimension: DIMENSION_DEFAULT, ...given };
  if (dimension !== undefined) options.dimension = dimension;
  if (seed !== undefined) options.seed = seed;
  if (workers !== undefined) options.processors = { ...options.processors, workers };
  return asUsage(() => parseMachineOptions(options, "threads"));
}

/** The value of `work`, or null if it takes longer. */
async function withinSeconds<T>(work: Promise<T>, seconds: number | undefined): Promise<T | null> {
  if (seconds === undefined) return work;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), seconds * 1000);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function describeEnding(ending: Ending): string {
  const what = "error" in ending ? `failed: ${ending.error}` : JSON.stringify(ending.value);
  return `node ${ending.node}: ${what}`;
}
