// Suite bibw: how many bytes per second go both ways at once? A stream in each direction between two nodes; the
// figure is the sum of both. Beside it one direction alone, and two threads that memory.copy into each
// other's pages.

import { BenchMachine } from "../contenders/bench-machine.ts";
import { largeMemory, stream } from "../contenders/page-shapes.ts";
import { type PagePair, PageStreams } from "../contenders/page-streams.ts";
import { measureBandwidth } from "../harness/bandwidth.ts";
import { dimensionOf } from "../harness/options.ts";
import type { Suite } from "../harness/suite.ts";
import { RawPagesPeer } from "../peers/raw-pages.ts";
import { CLIENT_NODE } from "../programs/slice-args.ts";

const BYTES = [4096, 65_536, 1_048_576];

const RATIOS = [
  ["mach", "raw-pages"],
  ["mach", "mach-one-way"],
] as const;

export const bibwSuite: Suite = {
  name: "bibw",
  question: "How many bytes per second go both ways at once?",
  run: (options, progress) => {
    const { nodes, hops, seed } = options;
    const bench = new BenchMachine(dimensionOf(nodes), hops, seed, nodes, largeMemory(nodes));
    const there = { from: CLIENT_NODE, to: bench.serverNode };
    const back = { from: bench.serverNode, to: CLIENT_NODE };
    // Asynchronous: client and server of each node take turns.
    const machContender = (name: string, pairs: readonly PagePair[]) =>
      new PageStreams(bench, {
        name,
        pairs,
        sync: false,
        shapeAt: ({ bytes = 0 }) => stream(bytes),
      });
    const contenders = [
      new RawPagesPeer("raw-pages", false, true),
      machContender("mach", [there, back]),
      machContender("mach-one-way", [there]),
    ];
    const points = BYTES.map((bytes) => ({ bytes, nodes, hops }));
    const comparison = { suite: bibwSuite.name, contenders, points, ratios: RATIOS };
    return measureBandwidth(comparison, options, progress);
  },
};
