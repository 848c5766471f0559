// Suite strategies: what is each way to move pages worth? The RPC of suite pages on machines that differ in one
// option: how the kernel transfers pages (transfer-strategies.ts), and how it keeps the sender off them
// meanwhile. Counters per RPC, both nodes together: bytes moved by DMA, bytes copied by a CPU.
// `deallocate` makes new memory for each reply; the -rewrite ones write to every page before each.

import { BenchMachine } from "../contenders/bench-machine.ts";
import { largeMemory, PAGE_BYTES, rpc } from "../contenders/page-shapes.ts";
import { PageStreams } from "../contenders/page-streams.ts";
import {
  kernelOptionsOf,
  STRATEGIES,
  type TransferStrategy,
} from "../contenders/transfer-strategies.ts";
import { dimensionOf } from "../harness/options.ts";
import { largeEffortOf, measureSuite, type Suite } from "../harness/suite.ts";
import { CLIENT_NODE } from "../programs/slice-args.ts";

const PAGES = [1, 4, 16, 64, 256];
const PAGES_QUICK = [1, 16];

const BASE = STRATEGIES[0]!.name;
const RATIOS = [
  ...STRATEGIES.slice(1).map(({ name }) => [name, BASE] as const),
  ["hold-rewrite", "busy-rewrite"] as const,
];

export const strategiesSuite: Suite = {
  name: "strategies",
  question: "What does each way to move a message's pages cost, beside the page list?",
  run: (options, progress) => {
    const { nodes, hops, seed, quick } = options;
    const contenderOf = (strategy: TransferStrategy) => {
      const machine = { ...largeMemory(nodes), kernel: kernelOptionsOf(strategy) };
      const bench = new BenchMachine(dimensionOf(nodes), hops, seed, nodes, machine);
      return new PageStreams(bench, {
        name: strategy.name,
        pairs: [{ from: CLIENT_NODE, to: bench.serverNode }],
        sync: true,
        shapeAt: ({ pages = 1 }) => rpc(0, pages * PAGE_BYTES),
        deallocate: strategy.deallocate ?? false,
        rewrite: strategy.rewrite ?? false,
      });
    };
    const points = (quick ? PAGES_QUICK : PAGES).map((pages) => ({ pages, nodes, hops }));
    return measureSuite(
      {
        suite: strategiesSuite.name,
        contenders: STRATEGIES.map(contenderOf),
        points,
        ratios: RATIOS,
        effort: largeEffortOf(options),
      },
      options,
      progress,
    );
  },
};
