// A whole RPC with both nodes in the benchmark's own thread, on empty or on filled nodes: what the fill
// costs where no other program and no sleeping core comes between. The spaces of client and server are
// among those that hold the rights.

import { takeCensus } from "../../src/node/census.ts";
import type { Contender } from "../harness/contender.ts";
import { TwoNodes } from "../micro/two-nodes.ts";
import type { Fill } from "../programs/rights-args.ts";
import { addPorts, addSendRights } from "./fill-kernel.ts";
import { checkFill } from "./fill-node.ts";

const CALLS = 16;

export class RpcInOneThread implements Contender {
  readonly name = "rpc-one-thread";
  readonly batch = CALLS;
  private readonly fill: Fill;
  private readonly seed: number;
  private nodes: TwoNodes | null = null;

  constructor(fill: Fill, seed: number) {
    this.fill = fill;
    this.seed = seed;
  }

  async prepare(): Promise<void> {
    const nodes = new TwoNodes(this.seed);
    const { client, clientSpace, server, serverSpace } = nodes;
    for (const [kernel, space] of [
      [client, clientSpace],
      [server, serverSpace],
    ] as const) {
      const before = takeCensus(kernel);
      const ports = addPorts(kernel, this.fill.ports);
      for (let holder = 0; holder < this.fill.holders; holder++) {
        addSendRights(holder === 0 ? space : kernel.newSpace(), ports);
      }
      checkFill(takeCensus(kernel), before, this.fill);
    }
    this.nodes = nodes;
  }

  async slice(samples: number): Promise<Float64Array> {
    const { nodes } = this;
    if (nodes === null) throw new Error(`${this.name}: slice() before prepare()`);
    const times = new Float64Array(samples);
    for (let i = 0; i < samples; i++) {
      const start = performance.now();
      for (let call = 0; call < CALLS; call++) {
        if (nodes.rpc(call) !== call + 1) throw new Error("an RPC came back with a wrong reply");
      }
      times[i] = ((performance.now() - start) * 1e6) / CALLS;
    }
    return times;
  }

  async close(): Promise<void> {
    this.nodes = null;
  }
}
