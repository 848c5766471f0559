// The host's handle on one worker: its control plane, and its end. Every call to the worker is raced
// against the worker's end, because comlink by itself would wait for ever; when a worker ends, each
// call under way rejects with a sentence that says why.

import type { MessagePort } from "node:worker_threads";
import * as Comlink from "comlink";
import { hostEndpoint, type ProcessorControl } from "./control-plane.ts";

export class ProcessorHandle {
  readonly worker: number;
  readonly nodes: readonly number[];
  /** Resolves when the worker has ended, for whatever reason. Never rejects. */
  readonly ended: Promise<void>;
  private readonly control: Comlink.Remote<ProcessorControl>;
  private readonly port: MessagePort;
  private readonly pending = new Set<(error: Error) => void>();
  private endError: Error | null = null;

  /** `task`: the worker's long-lived piscina task. `drained` resolves when all that the worker posted
   *  has been delivered: an outcome that left before the worker ended counts. */
  constructor(
    worker: number,
    nodes: readonly number[],
    port: MessagePort,
    words: Int32Array,
    workerAt: number,
    task: Promise<unknown>,
    drained: Promise<unknown>,
  ) {
    this.worker = worker;
    this.nodes = nodes;
    this.port = port;
    this.control = Comlink.wrap<ProcessorControl>(hostEndpoint(port, words, workerAt));
    this.ended = task
      .then(
        () => new Error("the machine was halted"),
        (error: unknown) =>
          new Error(`${this.describe()} crashed: ${describe(error)}`, { cause: error }),
      )
      .then(async (error) => {
        await drained;
        this.end(error);
      });
  }

  /** Calls the worker. Rejects when the worker ends before it has answered. */
  call<T>(work: (control: Comlink.Remote<ProcessorControl>) => Promise<T>): Promise<T> {
    if (this.endError !== null) return Promise.reject(this.endError);
    return new Promise<T>((resolve, reject) => {
      this.pending.add(reject);
      work(this.control).then(
        (value) => {
          this.pending.delete(reject);
          resolve(value);
        },
        (error: unknown) => {
          this.pending.delete(reject);
          reject(error);
        },
      );
    });
  }

  /** Ends all calls under way, with `error` unless the worker has ended already. */
  end(error: Error): void {
    if (this.endError !== null) return;
    this.endError = error;
    for (const reject of this.pending) reject(error);
    this.pending.clear();
    this.port.close();
  }

  describe(): string {
    const [first] = this.nodes;
    const which =
      this.nodes.length === 1 ? `node ${first}` : `nodes ${first} to ${this.nodes.at(-1)}`;
    return `worker ${this.worker} (${which})`;
  }
}

const describe = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
