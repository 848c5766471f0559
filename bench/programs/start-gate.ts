// Several clients of one slice, on several nodes: none starts its clock before all are ready, and none ends
// its traffic before all clocks have stopped, so that every sample is taken beside the others.

import type { Task } from "../../src/index.ts";

/** Clients that are ready; clients whose clock has stopped. A cache line each. */
const READY = 0;
const STOPPED = 16;
const GATE_WORDS = 32;

/** How long a client that waits leaves its node to others, ns. */
const WAIT_NS = 20_000;

export const newGate = (): Int32Array<SharedArrayBuffer> =>
  new Int32Array(new SharedArrayBuffer(GATE_WORDS * Int32Array.BYTES_PER_ELEMENT));

export class StartGate {
  private readonly words: Int32Array<SharedArrayBuffer>;
  private readonly clients: number;

  constructor(words: Int32Array<SharedArrayBuffer>, clients: number) {
    this.words = words;
    this.clients = clients;
  }

  /** Resolves when all clients have come here. */
  async pass(task: Task): Promise<void> {
    // Pairs with the load below, in the other clients.
    Atomics.add(this.words, READY, 1);
    while (Atomics.load(this.words, READY) < this.clients) await task.sleep(WAIT_NS);
  }

  /** This client's clock has stopped. */
  stop(): void {
    // Pairs with the load in othersMeasure().
    Atomics.add(this.words, STOPPED, 1);
  }

  /** True while there is a client whose clock runs. */
  othersMeasure(): boolean {
    return Atomics.load(this.words, STOPPED) < this.clients;
  }
}
