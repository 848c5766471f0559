// NX/2 message passing on the same interconnect: csend and crecv of typed messages between nodes, no
// ports, no rights, no protection. What the paper's machine offered before Mach came to it.
//
// Its calls spin and nothing else: a server that waited between slices would keep its core. So here
// both programs are spawned for each slice, and the server knows how many calls will come.

import type { Contender, Point } from "../harness/contender.ts";
import { CLIENT_NODE, type SliceArgs } from "../programs/slice-args.ts";
import type { BenchMachine } from "./bench-machine.ts";

export class NxContender implements Contender {
  readonly name = "nx";
  readonly batch = 16;
  private readonly bench: BenchMachine;
  private isOpen = false;
  private bytes = 0;

  constructor(bench: BenchMachine) {
    this.bench = bench;
  }

  async prepare(point: Point): Promise<void> {
    this.bytes = point.bytes ?? 0;
    if (this.isOpen) return;
    const machine = await this.bench.running();
    const open = new URL("../programs/nx-open.js", import.meta.url);
    for (const node of [CLIENT_NODE, this.bench.serverNode]) {
      await (await machine.spawn(node, open)).exited;
    }
    this.isOpen = true;
  }

  async slice(samples: number): Promise<Float64Array> {
    const { name, batch, bytes, bench } = this;
    const { serverNode } = bench;
    const machine = await bench.running();
    const args: SliceArgs = { name, bytes, samples, batch, sync: true, serverNode };
    const serverUrl = new URL("../programs/nx-server.js", import.meta.url);
    const clientUrl = new URL("../programs/nx-client.js", import.meta.url);
    // Together: the server may be spinning before the host hears that it was spawned.
    const tasks = await Promise.all([
      machine.spawn(CLIENT_NODE, clientUrl, { args }),
      machine.spawn(serverNode, serverUrl, { args }),
    ]);
    const [slice] = await Promise.all(tasks.map((task) => task.exited));
    return slice as Float64Array;
  }

  async close(): Promise<void> {
    await this.bench.halt();
  }
}
