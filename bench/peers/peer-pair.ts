// Two peer threads joined by a MessageChannel: a client that measures and a server that answers,
// so that, as on our machine, neither end of a round trip is the main thread. The entry module
// runs in both and finds its role in its workerData (PairData).

import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { Contender, Point } from "../harness/contender.ts";
import { PeerThread } from "./peer-thread.ts";

export interface PairData {
  readonly role: "client" | "server";
  readonly port: MessagePort;
}

/** Asked of the client: this many round trips with a payload of so many bytes each way. */
export interface SliceQuestion {
  readonly samples: number;
  readonly bytes: number;
}

/** A contender whose client thread takes the slice and whose server thread just answers. */
export class PeerPair implements Contender {
  readonly name: string;
  readonly batch = 1; // tens of microseconds a trip: the clock does not matter
  private readonly entry: URL;
  private client: PeerThread<SliceQuestion, Float64Array> | null = null;
  private server: PeerThread<never, never> | null = null;
  private bytes = 0;

  constructor(name: string, entry: URL) {
    this.name = name;
    this.entry = entry;
  }

  async prepare(point: Point): Promise<void> {
    this.bytes = point.bytes ?? 0;
    if (this.client !== null) return;
    const { port1, port2 } = new MessageChannel();
    const serverData: PairData = { role: "server", port: port2 };
    const clientData: PairData = { role: "client", port: port1 };
    this.server = await PeerThread.start(this.entry, serverData, [port2]);
    this.client = await PeerThread.start(this.entry, clientData, [port1]);
  }

  slice(samples: number): Promise<Float64Array> {
    if (this.client === null) throw new Error(`${this.name}: slice() before prepare()`);
    return this.client.ask({ samples, bytes: this.bytes });
  }

  async close(): Promise<void> {
    await Promise.all([this.client?.close(), this.server?.close()]);
  }
}
