// The suites by name. A suite is loaded when it is asked for, so that one that cannot run here
// does not stop the others. To add one: its file under suites/, its line below.

import type { Suite } from "./harness/suite.ts";

const LOADERS: Readonly<Record<string, () => Promise<Suite>>> = {
  rpc: async () => (await import("./suites/rpc.ts")).rpcSuite,
  hops: async () => (await import("./suites/hops.ts")).hopsSuite,
  scale: async () => (await import("./suites/scale.ts")).scaleSuite,
  micro: async () => (await import("./suites/micro.ts")).microSuite,
  latency: async () => (await import("./suites/latency.ts")).latencySuite,
  bandwidth: async () => (await import("./suites/bandwidth.ts")).bandwidthSuite,
  bibw: async () => (await import("./suites/bibw.ts")).bibwSuite,
  "multi-pair": async () => (await import("./suites/multi-pair.ts")).multiPairSuite,
  pages: async () => (await import("./suites/pages.ts")).pagesSuite,
  strategies: async () => (await import("./suites/strategies.ts")).strategiesSuite,
  contention: async () => (await import("./suites/contention.ts")).contentionSuite,
  peers: async () => (await import("./suites/peers.ts")).peersSuite,
  rights: async () => (await import("./suites/rights.ts")).rightsSuite,
  loss: async () => (await import("./suites/loss.ts")).lossSuite,
  token: async () => (await import("./suites/token.ts")).tokenSuite,
};

/** What runs if no suite is named. */
export const DEFAULT_SUITES: readonly string[] = ["rpc"];

export function suiteNames(): string[] {
  return Object.keys(LOADERS);
}

/** `name` must be one of suiteNames(). */
export async function loadSuite(name: string): Promise<Suite> {
  const load = Object.hasOwn(LOADERS, name) ? LOADERS[name] : undefined;
  if (load === undefined) throw new RangeError(`no suite "${name}"; there are ${suiteNames()}`);
  return load();
}
