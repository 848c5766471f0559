// Suite token: what does the token of the paper (2.5.3) cost, and what would other ways of knowing have cost? Counted in
// one thread: messages and bytes of a period, and the messages of one history of rights in three schemes. Timed in one
// thread: the slices of a pass with very many rights. In threads: the length of a period, an idle machine, and the
// RPC beside a token on its way.

import type { Progress } from "../harness/progress.ts";
import type { BenchOptions, Ratio, Result, SuiteOutcome } from "../harness/report.ts";
import type { Suite } from "../harness/suite.ts";
import { countPeriods, countSchemes } from "../token/count-messages.ts";
import {
  measureRpcBesideToken,
  RPC_EFFORT,
  RPC_QUICK_EFFORT,
  rpcSlices,
} from "../token/rpc-beside-token.ts";
import { timePeriods, watchIdle } from "../token/time-periods.ts";
import { timeSlices } from "../token/time-slices.ts";
import { FULL_PLAN, QUICK_PLAN, type TokenPlan } from "../token/token-plan.ts";

/** Sizes of the machines on which RPCs run beside the token. */
const RPC_SIZES = [2, 8];

export const tokenSuite: Suite = {
  name: "token",
  question:
    "What does the periodic token cost in messages, bytes and time, what would other schemes have sent, " +
    "and how long is a kernel busy with it when 100,000 rights are on other nodes?",
  run,
};

async function run(options: BenchOptions, progress: Progress): Promise<SuiteOutcome> {
  const { quick, seed } = options;
  const plan: TokenPlan = { ...(quick ? QUICK_PLAN : FULL_PLAN), seed };
  const { name: suite } = tokenSuite;
  const results: Result[] = [];
  const ratios: Ratio[] = [];
  const take = (outcome: SuiteOutcome): void => {
    results.push(...outcome.results);
    ratios.push(...outcome.ratios);
  };
  try {
    const { sizes, open, rates } = plan;
    progress.start(`${suite}: counts`, sizes.length * (open.length + rates.length));
    for (const nodes of sizes) {
      for (const questions of open) {
        results.push(await countPeriods(suite, nodes, questions));
        progress.step(`${nodes} nodes`);
      }
      for (const rate of rates) {
        take(await countSchemes(suite, plan, nodes, rate));
        progress.step(`${nodes} nodes`);
      }
    }
    progress.stop();
    progress.start(`${suite}: slices`, 2 * plan.sliceRepeats);
    results.push(...(await timeSlices(suite, plan, () => progress.step("slices"))));
    progress.stop();
    progress.start(`${suite}: threads`, sizes.length + 1);
    for (const nodes of sizes) {
      results.push(await timePeriods(suite, plan, nodes));
      progress.step(`${nodes} nodes`);
    }
    results.push(await watchIdle(suite, plan));
    progress.step("idle");
    progress.stop();
    const effort = quick ? RPC_QUICK_EFFORT : RPC_EFFORT;
    progress.start(`${suite}: rpc`, RPC_SIZES.length * rpcSlices(effort));
    for (const nodes of RPC_SIZES) {
      const onSlice = () => progress.step(`rpc, ${nodes} nodes`);
      take(await measureRpcBesideToken(suite, nodes, seed, effort, onSlice));
    }
  } finally {
    progress.stop();
  }
  return { results, ratios };
}
