// Suite hops: what does distance cost? One machine of 128 nodes on as many workers as there are cores;
// from node 0, a server one hop away and a server seven hops away, both on the last worker, so that
// nothing but the length of the circuit differs. Direct-connect: nodes on the way take no part.

import { availableParallelism } from "node:os";
import { BenchMachine } from "../contenders/bench-machine.ts";
import { ProgramPair } from "../contenders/program-pair.ts";
import { measureSuite, type Suite } from "../harness/suite.ts";

const DIMENSION = 7;
const NODES = 2 ** DIMENSION;
const BYTES = [64];

/** Across the highest dimension alone, and across all of them. */
const SERVERS = [
  { name: "hops-1", serverNode: NODES / 2 },
  { name: "hops-7", serverNode: NODES - 1 },
] as const;

export const hopsSuite: Suite = {
  name: "hops",
  question: "What does a circuit over seven channels cost, beside one over a single channel?",
  run: (options, progress) => {
    const bench = new BenchMachine(DIMENSION, DIMENSION, options.seed, availableParallelism());
    const contenders = SERVERS.map(
      ({ name, serverNode }) =>
        new ProgramPair(bench, {
          name,
          batch: 16,
          serverNode,
          server: new URL("../programs/mach-server.js", import.meta.url),
          client: new URL("../programs/mach-client.js", import.meta.url),
          sync: false,
        }),
    );
    const points = BYTES.map((bytes) => ({ bytes, nodes: NODES }));
    return measureSuite(
      { suite: hopsSuite.name, contenders, points, ratios: [["hops-7", "hops-1"]] },
      options,
      progress,
    );
  },
};
