// The raw limit of this machine: two threads, one stores a number, the other spins until it sees
// it and stores it back. No queue, no message, no kernel, no payload: the floor under every point
// of the suite, whatever `bytes` says. Nothing that crosses threads in JavaScript is faster.
//
// Both threads are workers (the main thread has other duties) and both sleep between slices.

import type { Contender } from "../harness/contender.ts";
import { PeerThread } from "./peer-thread.ts";
import { RAW_WORDS } from "./raw-layout.ts";

export interface RawData {
  readonly role: "client" | "server";
  readonly words: Int32Array<SharedArrayBuffer>;
}

export interface RawQuestion {
  readonly samples: number;
  readonly batch: number;
}

export class RawPeer implements Contender {
  readonly name = "raw";
  readonly batch = 32;
  private client: PeerThread<RawQuestion, Float64Array> | null = null;
  private server: PeerThread<RawQuestion, null> | null = null;

  async prepare(): Promise<void> {
    if (this.client !== null) return;
    const bytes = RAW_WORDS * Int32Array.BYTES_PER_ELEMENT;
    const words = new Int32Array(new SharedArrayBuffer(bytes));
    const entry = new URL("./raw-worker.js", import.meta.url);
    const serverData: RawData = { role: "server", words };
    const clientData: RawData = { role: "client", words };
    this.server = await PeerThread.start(entry, serverData);
    this.client = await PeerThread.start(entry, clientData);
  }

  async slice(samples: number): Promise<Float64Array> {
    if (this.client === null || this.server === null) throw new Error("slice() before prepare()");
    const question = { samples, batch: this.batch };
    // Both halves must end: the server has left its spin before another contender's turn.
    const [slice] = await Promise.all([this.client.ask(question), this.server.ask(question)]);
    return slice;
  }

  async close(): Promise<void> {
    await Promise.all([this.client?.close(), this.server?.close()]);
  }
}
