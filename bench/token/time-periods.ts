// The part of suite token that measures the token in threads: how long a period takes when it follows the last one
// without a pause, and that a machine sends nothing while there is nothing to tell.

import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { Machine } from "../../src/index.ts";
import { dimensionOf } from "../harness/options.ts";
import { type Result, resultOfValues } from "../harness/report.ts";
import type { TokenPlan } from "./token-plan.ts";

const WARM_UP_MS = 300;
/** The pause of the machine that is watched while it idles: many of them fit in. */
const IDLE_PAUSE_NS = 10e6;

/** The length of a period, ns; the token carries nothing. Nodes share as many workers as there are cores. */
export async function timePeriods(
  suite: string,
  { seed, windows, windowMs }: TokenPlan,
  nodes: number,
): Promise<Result> {
  const workers = Math.min(nodes, availableParallelism());
  const machine = await Machine.boot({
    dimension: dimensionOf(nodes),
    seed,
    processors: { workers },
    kernel: { tokenPauseNs: "manual" },
  });
  try {
    let periods = 8;
    const end = performance.now() + WARM_UP_MS;
    for (let ms = 0; ms < windowMs || performance.now() < end; ) {
      ms = await msOf(machine, periods);
      if (ms < windowMs) periods *= 2;
    }
    const lengths: number[] = [];
    for (let window = 0; window < windows; window++) {
      lengths.push(((await msOf(machine, periods)) * 1e6) / periods);
    }
    const params = { nodes, workers };
    return resultOfValues({ suite, name: "period", params, unit: "ns", batch: periods }, lengths);
  } finally {
    await machine.halt();
  }
}

async function msOf(machine: Machine, periods: number): Promise<number> {
  const start = performance.now();
  await machine.runTokenPeriods(periods);
  return performance.now() - start;
}

/** Packets that a machine sends in `idleMs` after its token has come to rest: none, or this throws. */
export async function watchIdle(suite: string, { seed, idleMs }: TokenPlan): Promise<Result> {
  const nodes = 8;
  const kernel = { tokenPauseNs: IDLE_PAUSE_NS };
  const machine = await Machine.boot({ dimension: dimensionOf(nodes), seed, kernel });
  try {
    await machine.runTokenPeriods(10);
    await sleep(IDLE_PAUSE_NS / 1e6); // acknowledgements are out
    const before = machine.stats().total;
    await sleep(idleMs);
    const { packetsSent, tokenPeriods } = machine.stats().total;
    const packets = packetsSent - before.packetsSent;
    const periods = tokenPeriods - before.tokenPeriods;
    if (packets + periods > 0) {
      throw new Error(`an idle machine sent ${packets} packets and began ${periods} periods`);
    }
    const about = { suite, name: "idle", params: { nodes }, unit: "messages" } as const;
    return resultOfValues(about, [packets], { idleMs, pauses: idleMs / (IDLE_PAUSE_NS / 1e6) });
  } finally {
    await machine.halt();
  }
}
