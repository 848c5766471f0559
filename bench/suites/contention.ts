// Suite contention: what do two streams cost each other? On a hypercube of dimension 3, one stream alone, and with
// a second whose circuit has nothing in common with the first, passes through one of its nodes, or needs
// one of its edges. Direct-connect: nodes on the way take no part, so that only the edge should cost.
// The wire is modelled, slow enough that not the cores are what the streams share.
//
//   circuits (lowest dimension first)           beside the first
//   first        0 -> 1 -> 3 -> 7
//   disjoint     2 -> 6                         no node, no edge
//   shared-node  3 -> 1 -> 5                    nodes 3 and 1, no edge
//   shared-edge  1 -> 3                         the edge from 1 to 3
//
// No two streams have an end in common, and no acknowledgement needs another stream's edges.

import { availableParallelism } from "node:os";
import { BenchMachine } from "../contenders/bench-machine.ts";
import { largeMemory, stream } from "../contenders/page-shapes.ts";
import { type PagePair, PageStreams } from "../contenders/page-streams.ts";
import { BANDWIDTH } from "../harness/bandwidth.ts";
import { largeEffortOf, measureSuite, type Suite } from "../harness/suite.ts";

const DIMENSION = 3;
const NODES = 2 ** DIMENSION;

export const FIRST: PagePair = { from: 0, to: 7 };
/** What runs beside the first stream. */
export const SITUATIONS: Readonly<Record<string, readonly PagePair[]>> = {
  alone: [],
  disjoint: [{ from: 2, to: 6 }],
  "shared-node": [{ from: 3, to: 5 }],
  "shared-edge": [{ from: 1, to: 3 }],
};

/** Messages of a page move too little, larger ones take too long for a round on this wire. */
const BYTES = 16_384;
const WINDOW = 4;
/** Of the modelled wire: a page takes 200 us, many times what the two nodes' software takes. */
const BYTES_PER_SECOND = 20e6;
/** Beyond a page's time on the wire: a worker that slept would see it late. */
const SPIN_NS = 1e6;

const RATIOS = [
  ["disjoint", "alone"],
  ["shared-node", "alone"],
  ["shared-edge", "alone"],
] as const;

export const contentionSuite: Suite = {
  name: "contention",
  question: "What do two streams cost each other that share nothing, a node, or an edge?",
  run: (options, progress) => {
    const workers = Math.min(NODES, availableParallelism());
    const bench = new BenchMachine(DIMENSION, DIMENSION, options.seed, workers, {
      ...largeMemory(NODES),
      interconnect: { bytesPerSecond: BYTES_PER_SECOND },
      processors: { spinNs: SPIN_NS },
    });
    const contenders = Object.entries(SITUATIONS).map(
      ([name, others]) =>
        new PageStreams(bench, {
          name,
          pairs: [FIRST, ...others],
          sync: false,
          shapeAt: ({ bytes = 0 }) => stream(bytes, WINDOW),
        }),
    );
    return measureSuite(
      {
        suite: contentionSuite.name,
        contenders,
        points: [{ bytes: BYTES, nodes: NODES, bytesPerSecond: BYTES_PER_SECOND }],
        ratios: RATIOS,
        figure: BANDWIDTH,
        effort: largeEffortOf(options),
      },
      options,
      progress,
    );
  },
};
