// Suite loss: what does it cost that packets are lost, and what would the timeouts of the original (20 ms) and of BSD TCP (200 ms)
// have cost? And what does the protocol for unreliable networks cost where nothing is lost? In threads, between two nodes.

import type { Progress } from "../harness/progress.ts";
import type { BenchOptions, SuiteOutcome } from "../harness/report.ts";
import type { Suite } from "../harness/suite.ts";
import { FULL_PLAN, QUICK_PLAN } from "../loss/loss-plan.ts";
import { measureModes, measurePagesUnderLoss } from "../loss/protocol-costs.ts";
import { lossTurns, measureRpcUnderLoss } from "../loss/rpc-under-loss.ts";

export const lossSuite: Suite = {
  name: "loss",
  question:
    "What do lost packets cost small round trips and large messages, beside fixed timeouts, and what does the " +
    "protocol cost where nothing is lost?",
  run,
};

async function run(options: BenchOptions, progress: Progress): Promise<SuiteOutcome> {
  const { quick, seed } = options;
  const { name: suite } = lossSuite;
  const plan = { ...(quick ? QUICK_PLAN : FULL_PLAN), seed };
  progress.start(`${suite}: round trips`, lossTurns(plan));
  let rpc: SuiteOutcome;
  try {
    rpc = await measureRpcUnderLoss(suite, plan, (what) => progress.step(what));
  } finally {
    progress.stop();
  }
  const outcomes = [
    rpc,
    await measurePagesUnderLoss(suite, options, progress),
    await measureModes(suite, options, progress),
  ];
  return {
    results: outcomes.flatMap(({ results }) => results),
    ratios: outcomes.flatMap(({ ratios }) => ratios),
  };
}
