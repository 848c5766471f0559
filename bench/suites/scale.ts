// Suite scale: what does a bigger machine cost, and what does it bring? For each size and for two
// ways to place nodes on threads (as many workers as cores, one worker per node): time to boot,
// resident memory, processor time while idle, and the rate of round trips of all neighbours together.

import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { Machine } from "../../src/index.ts";
import { dimensionOf } from "../harness/options.ts";
import type { Progress } from "../harness/progress.ts";
import {
  type BenchOptions,
  type Ratio,
  type Result,
  resultOfValues,
  type SuiteOutcome,
} from "../harness/report.ts";
import { median, quantile } from "../harness/statistics.ts";
import type { Suite } from "../harness/suite.ts";
import { COUNT_STRIDE_WORDS, type RateArgs, STOP_WORD } from "../programs/rate-client.ts";
import type { ServerArgs } from "../programs/slice-args.ts";

const SIZES = [2, 8, 32, 128];
const SIZES_QUICK = [2, 8];
/** Payload of the rate's round trips: an inline message. */
const BYTES = 64;
const NAME = "bench scale";

interface Effort {
  readonly boots: number;
  readonly idleMs: number;
  readonly windows: number;
  readonly windowMs: number;
}
const FULL: Effort = { boots: 3, idleMs: 2000, windows: 9, windowMs: 200 };
const QUICK: Effort = { boots: 1, idleMs: 300, windows: 3, windowMs: 50 };

export const scaleSuite: Suite = {
  name: "scale",
  question: "What does a bigger machine cost to boot and to keep, and how much more does it do?",
  run,
};

async function run(options: BenchOptions, progress: Progress): Promise<SuiteOutcome> {
  const sizes = options.quick ? SIZES_QUICK : SIZES;
  const results: Result[] = [];
  const ratios: Ratio[] = [];
  progress.start(scaleSuite.name, sizes.length * 2);
  try {
    const baseRates = new Map<string, readonly number[]>();
    for (const nodes of sizes) {
      for (const placement of placementsOf(nodes)) {
        const measured = await measureSize(nodes, placement.workers, options);
        results.push(...measured.results);
        if (nodes === SIZES[0]) baseRates.set(placement.kind, measured.rates);
        const base = baseRates.get(placement.kind)!;
        const params = { nodes, workers: placement.workers };
        ratios.push(ratioOfRates(params, measured.rates, base));
        progress.step(`nodes=${nodes} workers=${placement.workers}`);
      }
    }
  } finally {
    progress.stop();
  }
  return { results, ratios };
}

/** The two ways to place; a size that fits the cores has only one. */
function placementsOf(nodes: number): { kind: "per-core" | "per-node"; workers: number }[] {
  const perCore = Math.min(nodes, availableParallelism());
  return [
    { kind: "per-core", workers: perCore },
    { kind: "per-node", workers: nodes },
  ];
}

interface Size {
  readonly results: readonly Result[];
  /** Round trips per second of the whole machine, one value per window. */
  readonly rates: readonly number[];
}

async function measureSize(nodes: number, workers: number, options: BenchOptions): Promise<Size> {
  const effort = options.quick ? QUICK : FULL;
  const boots: number[] = [];
  for (let i = 1; i < effort.boots; i++) {
    const { machine, bootMs } = await boot(nodes, workers, options.seed);
    await machine.halt();
    boots.push(bootMs);
  }
  const rssBefore = process.memoryUsage.rss();
  const { machine, bootMs } = await boot(nodes, workers, options.seed);
  boots.push(bootMs);
  try {
    const residentMiB = (process.memoryUsage.rss() - rssBefore) / 2 ** 20;
    const idlePercent = await idleCpuPercent(effort.idleMs);
    const rates = await measureRates(machine, nodes, effort);
    const about = { suite: scaleSuite.name, params: { nodes, workers } } as const;
    const results = [
      resultOfValues({ ...about, name: "boot", unit: "ms" }, boots),
      resultOfValues({ ...about, name: "resident", unit: "MiB" }, [residentMiB]),
      resultOfValues({ ...about, name: "idle-cpu", unit: "%" }, [idlePercent]),
      resultOfValues({ ...about, name: "aggregate", unit: "1/s" }, rates),
    ];
    return { results, rates };
  } finally {
    await machine.halt();
  }
}

async function boot(nodes: number, workers: number, seed: number) {
  const start = performance.now();
  const machine = await Machine.boot({
    dimension: dimensionOf(nodes),
    seed,
    processors: { workers },
  });
  return { machine, bootMs: performance.now() - start };
}

/** Processor time of the whole process while nothing is asked of the machine, in % of one core. */
async function idleCpuPercent(windowMs: number): Promise<number> {
  await sleep(windowMs / 10); // nodes may spin for a moment before they go to sleep
  const start = performance.now();
  const before = process.cpuUsage();
  await sleep(windowMs);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) / 1000 / (performance.now() - start)) * 100;
}

/** Even nodes call their neighbour across dimension 0; returns the machine's rate per window. */
async function measureRates(machine: Machine, nodes: number, effort: Effort): Promise<number[]> {
  const clients = nodes / 2;
  const wordCount = (clients + 1) * COUNT_STRIDE_WORDS;
  const words = new Int32Array(new SharedArrayBuffer(wordCount * Int32Array.BYTES_PER_ELEMENT));
  const server = new URL("../programs/mach-server.js", import.meta.url);
  const client = new URL("../programs/rate-client.js", import.meta.url);
  const ends: Promise<unknown>[] = [];
  for (let index = 0; index < clients; index++) {
    const serverNode = index * 2 + 1;
    const serverArgs: ServerArgs = { name: NAME, sync: false };
    const countWord = (index + 1) * COUNT_STRIDE_WORDS;
    const args: RateArgs = { name: NAME, bytes: BYTES, serverNode, words, countWord };
    const serving = await machine.spawn(serverNode, server, { args: serverArgs });
    serving.exited.catch(() => {}); // halt() ends it
    ends.push((await machine.spawn(serverNode - 1, client, { args })).exited);
  }
  const allEnded = Promise.all(ends);
  // A client that fails ends the measurement; none returns before the stop word says so.
  const windows = takeWindows(words, clients, effort);
  const rates = await Promise.race([windows, allEnded.then(() => windows)]);
  // Ends the loops in rate-client.ts.
  Atomics.store(words, STOP_WORD, 1);
  await allEnded;
  return rates;
}

async function takeWindows(
  words: Int32Array<SharedArrayBuffer>,
  clients: number,
  effort: Effort,
): Promise<number[]> {
  const rates: number[] = [];
  await sleep(effort.windowMs); // warm-up
  for (let i = 0; i < effort.windows; i++) {
    const start = performance.now();
    const before = readCounts(words, clients);
    await sleep(effort.windowMs);
    const after = readCounts(words, clients);
    const seconds = (performance.now() - start) / 1000;
    // Counts are 32 bits wide and may wrap between the readings, not more than once.
    const calls = after.reduce((sum, count, index) => sum + ((count - before[index]!) >>> 0), 0);
    rates.push(calls / seconds);
  }
  return rates;
}

function readCounts(words: Int32Array<SharedArrayBuffer>, clients: number): number[] {
  return Array.from({ length: clients }, (_, index) =>
    // Pairs with the store in rate-client.ts; a call that is missed counts in the next window.
    Atomics.load(words, (index + 1) * COUNT_STRIDE_WORDS),
  );
}

/** Not interleaved (two sizes cannot share the cores): pairs windows by number. */
function ratioOfRates(
  params: { nodes: number; workers: number },
  rates: readonly number[],
  base: readonly number[],
): Ratio {
  const perWindow = rates.map((rate, window) => rate / base[window]!);
  return {
    suite: scaleSuite.name,
    name: "aggregate/2-node",
    params,
    value: median(perWindow),
    ofMedians: quantile(rates, 0.5) / quantile(base, 0.5),
    low: quantile(perWindow, 0.25),
    high: quantile(perWindow, 0.75),
  };
}
