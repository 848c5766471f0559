// Suite rights: does a node that has very many ports and rights work as fast as an empty one? First the
// RPC of suite rpc between two nodes, on an empty machine and on a machine whose nodes are filled; then, in
// one thread, what a name space does for a right in a message, for spaces of several sizes.

import type { Progress } from "../harness/progress.ts";
import type { BenchOptions, SuiteOutcome } from "../harness/report.ts";
import { effortOf, type Suite } from "../harness/suite.ts";
import type { Fill } from "../programs/rights-args.ts";
import { measureRpc } from "../rights/measure-rpc.ts";
import { measureSpace, SPACE_NAMES, spaceSlices } from "../rights/measure-space.ts";

/** Of each of the two nodes: 1,000,000 send rights, each under a name. */
const FULL: Fill = { ports: 100_000, holders: 10 };
const QUICK: Fill = { ports: 10_000, holders: 10 };

export const rightsSuite: Suite = {
  name: "rights",
  question:
    "Does an RPC, the look-up, copyin or copyout of a right cost more when a node has 100,000 ports " +
    "and 1,000,000 send rights?",
  run,
};

async function run(options: BenchOptions, progress: Progress): Promise<SuiteOutcome> {
  const { quick, seed } = options;
  const effort = effortOf(options);
  const suite = rightsSuite.name;
  const rpc = await measureRpc({ suite, fill: quick ? QUICK : FULL, seed, effort }, progress);
  progress.start(`${suite}: spaces`, spaceSlices(SPACE_NAMES, effort));
  try {
    const onSlice = () => progress.step("spaces");
    const space = await measureSpace(suite, SPACE_NAMES, seed, effort, onSlice);
    return {
      results: [...rpc.results, ...space.results],
      ratios: [...rpc.ratios, ...space.ratios],
    };
  } finally {
    progress.stop();
  }
}
