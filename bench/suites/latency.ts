// Suite latency: how long is a message of so many bytes under way? One way, as half of a ping-pong: from a page on
// the data goes out of line, from memory of each side's own to new memory of the other. `raw` (a word
// between two threads) stands at 0 bytes only.

import { BenchMachine } from "../contenders/bench-machine.ts";
import { HalfTrip } from "../contenders/half-trip.ts";
import { largeMemory, pingPong } from "../contenders/page-shapes.ts";
import { PageStreams } from "../contenders/page-streams.ts";
import { dimensionOf } from "../harness/options.ts";
import { largeEffortOf, measureSuite, type Suite } from "../harness/suite.ts";
import { RawPeer } from "../peers/raw.ts";
import { CLIENT_NODE } from "../programs/slice-args.ts";

const BYTES = [0, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304];
const BYTES_QUICK = [0, 1024, 4096, 65_536, 1_048_576];

const RATIOS = [
  ["mach-sync", "raw"],
  ["mach", "raw"],
  ["mach", "mach-sync"],
] as const;

export const latencySuite: Suite = {
  name: "latency",
  question: "How long is a message under way, from 0 bytes to 4 MiB?",
  run: (options, progress) => {
    const { nodes, hops, seed, quick } = options;
    const bench = new BenchMachine(dimensionOf(nodes), hops, seed, nodes, largeMemory(nodes));
    const pairs = [{ from: CLIENT_NODE, to: bench.serverNode }];
    const machContender = (name: string, sync: boolean) =>
      new PageStreams(bench, { name, pairs, sync, shapeAt: ({ bytes = 0 }) => pingPong(bytes) });
    const raw = new HalfTrip(new RawPeer());
    const contenders = [raw, machContender("mach-sync", true), machContender("mach", false)];
    const points = (quick ? BYTES_QUICK : BYTES).map((bytes) => ({ bytes, nodes, hops }));
    return measureSuite(
      {
        suite: latencySuite.name,
        contenders,
        points,
        ratios: RATIOS,
        effort: largeEffortOf(options),
        takesPart: (contender, { bytes }) => contender !== raw || bytes === 0,
      },
      options,
      progress,
    );
  },
};
