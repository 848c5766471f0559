// The raw limit of large messages on this machine: two threads on one shared WebAssembly.Memory; one copies by
// memory.copy straight from its own pages into the other's and says so in a word, the other answers
// in a word. No queue, no kernel, no address space. `raw-pages` copies page by page, as an interface that
// moves frames must; `raw-whole` each message at once.
//
// The same windows as the machine's streams: the sender waits once per window. Data is checked after
// each slice. One way, or both ways at once.

import type { MachineMemory } from "../../src/hardware/dma-engine.ts";
import { createMachineMemory } from "../../src/node/machine-memory.ts";
import { PAGE_BYTES, stream } from "../contenders/page-shapes.ts";
import { together } from "../contenders/page-streams.ts";
import type { Contender, Point } from "../harness/contender.ts";
import { PeerThread } from "./peer-thread.ts";
import { RAW_INBOX_BYTES, RAW_MESSAGE_BYTES, RAW_PAGES_BYTES } from "./raw-pages-layout.ts";

export interface RawPagesData {
  readonly thread: number;
  readonly memory: MachineMemory;
}

export interface RawPagesQuestion {
  /** Samples that this thread takes as the sender; 0: it only takes in. */
  readonly samples: number;
  /** Messages that will come in. */
  readonly incoming: number;
  readonly bytes: number;
  readonly window: number;
  /** Bytes of one copy. */
  readonly stepBytes: number;
  /** Differs from slice to slice. */
  readonly salt: number;
}

export class RawPagesPeer implements Contender {
  readonly name: string;
  private readonly whole: boolean;
  private readonly bothWays: boolean;
  private threads: readonly PeerThread<RawPagesQuestion, Float64Array>[] = [];
  private bytes = 0;
  private slices = 0;

  /** `whole`: each message by one copy, not page by page. */
  constructor(name: string, whole: boolean, bothWays = false) {
    this.name = name;
    this.whole = whole;
    this.bothWays = bothWays;
  }

  get batch(): number {
    return this.bytes === 0 ? 1 : stream(this.bytes).messagesPerRound;
  }

  async prepare(point: Point): Promise<void> {
    const bytes = point.bytes ?? 0;
    const window = stream(bytes).messagesPerRound;
    if (bytes % PAGE_BYTES !== 0 || bytes > RAW_MESSAGE_BYTES || bytes * window > RAW_INBOX_BYTES) {
      throw new RangeError(`${this.name}: ${window} messages of ${bytes} bytes have no room`);
    }
    this.bytes = bytes;
    if (this.threads.length > 0) return;
    const memory = createMachineMemory(RAW_PAGES_BYTES, "wasm");
    const entry = new URL("./raw-pages-worker.js", import.meta.url);
    const start = (thread: number) => {
      const data: RawPagesData = { thread, memory };
      return PeerThread.start<RawPagesQuestion, Float64Array>(entry, data);
    };
    this.threads = [await start(0), await start(1)];
  }

  async slice(samples: number): Promise<Float64Array> {
    const [first, second] = this.threads;
    if (first === undefined || second === undefined) throw new Error("slice() before prepare()");
    const { bytes, whole, bothWays } = this;
    const window = stream(bytes).messagesPerRound;
    const about = { bytes, window, stepBytes: whole ? bytes : PAGE_BYTES, salt: ++this.slices };
    const messages = (samples + 1) * window; // a window before the clock starts
    const sending = { ...about, samples, incoming: bothWays ? messages : 0 };
    const taking = { ...about, samples: bothWays ? samples : 0, incoming: messages };
    const times = await Promise.all([first.ask(sending), second.ask(taking)]);
    return together(bothWays ? times : [times[0]]);
  }

  async close(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.close()));
  }
}
