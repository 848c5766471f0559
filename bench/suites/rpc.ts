// Suite rpc: what does a small round trip between two nodes cost, beside the raw limit of this
// machine and beside what a Node.js program would use instead? The payload goes and comes back;
// only `raw` carries none, being the floor under every point.

import { BenchMachine } from "../contenders/bench-machine.ts";
import { machContender } from "../contenders/mach.ts";
import { MachSyncContender } from "../contenders/mach-sync.ts";
import { NxContender } from "../contenders/nx.ts";
import { dimensionOf } from "../harness/options.ts";
import { measureSuite, type Suite } from "../harness/suite.ts";
import { comlinkPeer } from "../peers/comlink.ts";
import { messagePortPeer } from "../peers/messageport.ts";
import { PiscinaPeer } from "../peers/piscina.ts";
import { RawPeer } from "../peers/raw.ts";

/** 192 bytes is what a packet carries inline; beyond that a page has to move. */
const BYTES = [0, 64, 128, 192, 256, 512, 1024];
const BYTES_QUICK = [0, 64, 256, 1024];

const RATIOS = [
  ["mach-sync", "raw"],
  ["mach", "raw"],
  ["mach-sync", "nx"],
  ["nx", "raw"],
  ["messageport", "mach"],
  ["comlink", "mach"],
  ["piscina", "mach"],
] as const;

export const rpcSuite: Suite = {
  name: "rpc",
  question: "What does a small round trip cost, beside the raw limit and beside the peers?",
  run: (options, progress) => {
    const { nodes, hops, seed, quick } = options;
    const bench = new BenchMachine(dimensionOf(nodes), hops, seed);
    const contenders = [
      new RawPeer(),
      new NxContender(bench),
      machContender(bench),
      new MachSyncContender(bench),
      messagePortPeer(),
      comlinkPeer(),
      new PiscinaPeer(),
    ];
    const points = (quick ? BYTES_QUICK : BYTES).map((bytes) => ({ bytes, nodes, hops }));
    return measureSuite(
      { suite: rpcSuite.name, contenders, points, ratios: RATIOS },
      options,
      progress,
    );
  },
};
