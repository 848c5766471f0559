// Suite scale: what does a bigger machine cost, and what does it bring? For each size and for two
// ways to place nodes on threads (as many workers as cores, one worker per node): time to boot,
// resident memory, processor time while idle, and the rate of round trips of all neighbours together,
// across the lowest dimension and across the highest. Nodes with close numbers share a worker, so on
// few workers the first stays within a thread and only the second crosses threads: read both.

import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { Machine } from "../../src/index.ts";
import type { Point } from "../harness/contender.ts";
import { dimensionOf } from "../harness/options.ts";
import type { Progress } from "../harness/progress.ts";
import {
  type BenchOptions,
  describePoint,
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

/** Until the kernels are compiled code on every worker; before that rates are 30 times lower. */
const WARM_UP_MS = 500;

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
  const placements = sizes.flatMap(placementsOf);
  progress.start(scaleSuite.name, placements.length);
  try {
    let base: readonly number[] | null = null;
    for (const placement of placements) {
      const measured = await measurePlacement(placement, options);
      results.push(...measured.results);
      for (const { across, rates } of measured.rates) {
        base ??= rates; // the smallest machine comes first
        ratios.push(ratioOfRates({ ...placement, across }, rates, base));
      }
      progress.step(describePoint({ ...placement }));
    }
  } finally {
    progress.stop();
  }
  return { results, ratios };
}

interface Placement {
  readonly nodes: number;
  readonly workers: number;
}

/** As many workers as cores, and one per node; a size that fits the cores has only one way. */
function placementsOf(nodes: number): Placement[] {
  const workers = new Set([Math.min(nodes, availableParallelism()), nodes]);
  return [...workers].map((count) => ({ nodes, workers: count }));
}

interface Rates {
  /** The dimension that separates each client from its server. */
  readonly across: number;
  /** Round trips per second of the whole machine, one value per window. */
  readonly rates: readonly number[];
}

async function measurePlacement(
  { nodes, workers }: Placement,
  options: BenchOptions,
): Promise<{ results: readonly Result[]; rates: readonly Rates[] }> {
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
    const rates: Rates[] = [];
    for (const across of new Set([0, dimensionOf(nodes) - 1])) {
      rates.push({ across, rates: await measureRates(machine, nodes, across, effort) });
    }
    const about = { suite: scaleSuite.name, params: { nodes, workers } } as const;
    const results = [
      resultOfValues({ ...about, name: "boot", unit: "ms" }, boots),
      resultOfValues({ ...about, name: "resident", unit: "MiB" }, [residentMiB]),
      resultOfValues({ ...about, name: "idle-cpu", unit: "%" }, [idlePercent]),
      ...rates.map((entry) => {
        const params = { nodes, workers, across: entry.across };
        return resultOfValues({ ...about, params, name: "aggregate", unit: "1/s" }, entry.rates);
      }),
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
  await sleep(windowMs * 1.5); // what booting many threads leaves to do is not idling
  const start = performance.now();
  const before = process.cpuUsage();
  await sleep(windowMs);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) / 1000 / (performance.now() - start)) * 100;
}

/** Half of the nodes call their neighbour `across` a dimension; the machine's rate per window. */
async function measureRates(
  machine: Machine,
  nodes: number,
  across: number,
  effort: Effort,
): Promise<number[]> {
  const clients = nodes / 2;
  const wordCount = (clients + 1) * COUNT_STRIDE_WORDS;
  const words = new Int32Array(new SharedArrayBuffer(wordCount * Int32Array.BYTES_PER_ELEMENT));
  const server = new URL("../programs/mach-server.js", import.meta.url);
  const client = new URL("../programs/rate-client.js", import.meta.url);
  const ends: Promise<unknown>[] = [];
  const name = `bench scale ${across}`;
  const clientNodes = Array.from({ length: nodes }, (_, node) => node).filter(
    (node) => (node & (1 << across)) === 0,
  );
  for (const [index, clientNode] of clientNodes.entries()) {
    const serverNode = clientNode | (1 << across);
    const serverArgs: ServerArgs = { name, sync: false };
    const countWord = (index + 1) * COUNT_STRIDE_WORDS;
    const args: RateArgs = { name, bytes: BYTES, serverNode, words, countWord };
    const serving = await machine.spawn(serverNode, server, { args: serverArgs });
    serving.exited.catch(() => {}); // halt() ends it
    ends.push((await machine.spawn(clientNode, client, { args })).exited);
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
  await sleep(WARM_UP_MS);
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
function ratioOfRates(params: Point, rates: readonly number[], base: readonly number[]): Ratio {
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
