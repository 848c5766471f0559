// Suite bandwidth: how many bytes per second go one way? A window of messages is sent, the last of it is answered.
// Beside it what two threads can do by memory.copy alone, page by page and whole messages at once.

import { BenchMachine } from "../contenders/bench-machine.ts";
import { largeMemory, stream } from "../contenders/page-shapes.ts";
import { PageStreams } from "../contenders/page-streams.ts";
import { measureBandwidth } from "../harness/bandwidth.ts";
import { dimensionOf } from "../harness/options.ts";
import type { Suite } from "../harness/suite.ts";
import { RawPagesPeer } from "../peers/raw-pages.ts";
import { CLIENT_NODE } from "../programs/slice-args.ts";

const BYTES = [4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304];
const BYTES_QUICK = [4096, 65_536, 1_048_576];

const RATIOS = [
  ["mach-sync", "raw-pages"],
  ["mach", "raw-pages"],
  ["mach", "raw-whole"],
  ["raw-pages", "raw-whole"],
] as const;

export const bandwidthSuite: Suite = {
  name: "bandwidth",
  question: "How many bytes per second go one way, beside what memory.copy between threads does?",
  run: (options, progress) => {
    const { nodes, hops, seed, quick } = options;
    const bench = new BenchMachine(dimensionOf(nodes), hops, seed, nodes, largeMemory(nodes));
    const pairs = [{ from: CLIENT_NODE, to: bench.serverNode }];
    const machContender = (name: string, sync: boolean) =>
      new PageStreams(bench, { name, pairs, sync, shapeAt: ({ bytes = 0 }) => stream(bytes) });
    const contenders = [
      new RawPagesPeer("raw-pages", false),
      new RawPagesPeer("raw-whole", true),
      machContender("mach-sync", true),
      machContender("mach", false),
    ];
    const points = (quick ? BYTES_QUICK : BYTES).map((bytes) => ({ bytes, nodes, hops }));
    const comparison = { suite: bandwidthSuite.name, contenders, points, ratios: RATIOS };
    return measureBandwidth(comparison, options, progress);
  },
};
