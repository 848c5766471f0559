// A contender that is a pair of programs on a machine: a server that stays on its node, and a
// client that is spawned on node 0 for each slice and returns the slice. Between slices the
// server waits in an asynchronous receive, so that its node can go to sleep.

import type { Machine } from "../../src/index.ts";
import type { Contender, Point } from "../harness/contender.ts";
import { CLIENT_NODE, type SliceArgs } from "../programs/slice-args.ts";
import type { BenchMachine } from "./bench-machine.ts";

type MachineTask = Awaited<ReturnType<Machine["spawn"]>>;

export interface ProgramPairParts {
  readonly name: string;
  readonly batch: number;
  readonly server: URL;
  readonly client: URL;
  /** Where the server runs; by default where the machine of the suite has its servers. */
  readonly serverNode?: number;
  /** Both sides wait synchronously, which takes the processor for the length of the slice. */
  readonly sync: boolean;
}

export class ProgramPair implements Contender {
  readonly name: string;
  readonly batch: number;
  private readonly parts: ProgramPairParts;
  private readonly bench: BenchMachine;
  private server: MachineTask | null = null;
  private bytes = 0;

  constructor(bench: BenchMachine, parts: ProgramPairParts) {
    this.name = parts.name;
    this.batch = parts.batch;
    this.parts = parts;
    this.bench = bench;
  }

  async prepare(point: Point): Promise<void> {
    this.bytes = point.bytes ?? 0;
    if (this.server !== null) return;
    const machine = await this.bench.running();
    const { server } = this.parts;
    this.server = await machine.spawn(this.serverNode, server, { args: this.args(0) });
    // Its end is seen by the slice that is open then; without one, nobody needs to know.
    this.server.exited.catch(() => {});
  }

  async slice(samples: number): Promise<Float64Array> {
    const slice = await this.runClient(this.parts.client, samples);
    if (!ArrayBuffer.isView(slice)) throw new Error(`${this.name}: the client returned no samples`);
    return slice as Float64Array;
  }

  async close(): Promise<void> {
    await this.bench.halt();
  }

  /** Runs `client` against the server and returns its value; also for clients that count. */
  protected async runClient(client: URL, samples: number): Promise<unknown> {
    const { server } = this;
    if (server === null) throw new Error(`${this.name}: slice() before prepare()`);
    const machine = await this.bench.running();
    const task = await machine.spawn(CLIENT_NODE, client, { args: this.args(samples) });
    const serverEnd = server.exited.then(() => {
      throw new Error(`${this.name}: the server ended`);
    });
    return Promise.race([task.exited, serverEnd]);
  }

  private get serverNode(): number {
    return this.parts.serverNode ?? this.bench.serverNode;
  }

  private args(samples: number): SliceArgs {
    const { name, batch, sync } = this.parts;
    const { bytes, serverNode } = this;
    return { name: `bench ${name}`, bytes, samples, batch, sync, serverNode };
  }
}
