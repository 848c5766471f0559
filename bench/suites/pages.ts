// Suite pages: what does a page cost beside a small message? An RPC whose reply is n pages out of line, and beside
// all of them, in the same rounds, the RPC with 64 bytes each way. Counters per RPC, both nodes
// together: bytes that the interface moved, and bytes that a CPU copied.

import { BenchMachine } from "../contenders/bench-machine.ts";
import { largeMemory, PAGE_BYTES, rpc } from "../contenders/page-shapes.ts";
import { PageStreams } from "../contenders/page-streams.ts";
import { dimensionOf } from "../harness/options.ts";
import { largeEffortOf, measureSuite, type Suite } from "../harness/suite.ts";
import type { PageShape } from "../programs/page-args.ts";
import { CLIENT_NODE } from "../programs/slice-args.ts";

const PAGES = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const PAGES_QUICK = [1, 4, 64];

const SMALL = "rpc-64";
const SMALL_BYTES = 64;

export const pagesSuite: Suite = {
  name: "pages",
  question: "What does an RPC with a reply of n pages cost, beside one with 64 bytes?",
  run: (options, progress) => {
    const { nodes, hops, seed, quick } = options;
    const bench = new BenchMachine(dimensionOf(nodes), hops, seed, nodes, largeMemory(nodes));
    const pairs = [{ from: CLIENT_NODE, to: bench.serverNode }];
    const rpcContender = (name: string, shape: PageShape) =>
      new PageStreams(bench, { name, pairs, sync: true, shapeAt: () => shape });
    const replies = (quick ? PAGES_QUICK : PAGES).map((pages) =>
      rpcContender(`pages-${pages}`, rpc(0, pages * PAGE_BYTES)),
    );
    const contenders = [rpcContender(SMALL, rpc(SMALL_BYTES, SMALL_BYTES)), ...replies];
    return measureSuite(
      {
        suite: pagesSuite.name,
        contenders,
        points: [{ nodes, hops }],
        ratios: replies.map(({ name }) => [name, SMALL] as const),
        effort: largeEffortOf(options),
      },
      options,
      progress,
    );
  },
};
