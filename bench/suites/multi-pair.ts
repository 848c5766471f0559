// Suite multi-pair: how much more do several pairs of nodes move together than one? On a machine of eight nodes and
// at most as many workers as cores, k nodes of the lower half each send to their neighbour across the
// highest dimension, which another worker steps. The figure is the sum.

import { availableParallelism } from "node:os";
import { BenchMachine } from "../contenders/bench-machine.ts";
import { largeMemory, stream } from "../contenders/page-shapes.ts";
import { PageStreams } from "../contenders/page-streams.ts";
import { measureBandwidth } from "../harness/bandwidth.ts";
import type { Suite } from "../harness/suite.ts";
import { RawPagesPeer } from "../peers/raw-pages.ts";

const DIMENSION = 3;
const NODES = 2 ** DIMENSION;
const PAIRS = [1, 2, 4];
const BYTES = [4096, 65_536, 1_048_576];
const BYTES_QUICK = [4096, 65_536];

const RATIOS = [
  ["pairs-1", "raw-pages"],
  ["pairs-2", "pairs-1"],
  ["pairs-4", "pairs-1"],
] as const;

export const multiPairSuite: Suite = {
  name: "multi-pair",
  question: "How much more do several pairs of nodes move together than one pair?",
  run: (options, progress) => {
    const workers = Math.min(NODES, availableParallelism());
    const bench = new BenchMachine(DIMENSION, 1, options.seed, workers, largeMemory(NODES));
    const ofPairs = (count: number) =>
      new PageStreams(bench, {
        name: `pairs-${count}`,
        pairs: Array.from({ length: count }, (_, from) => ({ from, to: from + NODES / 2 })),
        sync: false,
        shapeAt: ({ bytes = 0 }) => stream(bytes),
      });
    const contenders = [new RawPagesPeer("raw-pages", false), ...PAIRS.map(ofPairs)];
    const sizes = options.quick ? BYTES_QUICK : BYTES;
    const points = sizes.map((bytes) => ({ bytes, nodes: NODES, workers }));
    const comparison = { suite: multiPairSuite.name, contenders, points, ratios: RATIOS };
    return measureBandwidth(comparison, options, progress);
  },
};
