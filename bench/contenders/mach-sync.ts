// Mach RPC without promises on either side: task.rpcSync against task.receiveSync. Its counter
// says what a call leaves on the JavaScript heap; the small-message path promises nothing.

import type { BenchMachine } from "./bench-machine.ts";
import { ProgramPair } from "./program-pair.ts";

/** Windows of calls between two readings of the heap; see mach-heap-client.ts. */
const HEAP_WINDOWS = 32;

export class MachSyncContender extends ProgramPair {
  constructor(bench: BenchMachine) {
    super(bench, {
      name: "mach-sync",
      batch: 16,
      server: new URL("../programs/mach-server.js", import.meta.url),
      client: new URL("../programs/mach-client.js", import.meta.url),
      sync: true,
    });
  }

  async counters(): Promise<Record<string, number>> {
    const client = new URL("../programs/mach-heap-client.js", import.meta.url);
    const heapBytesPerCall = await this.runClient(client, HEAP_WINDOWS);
    if (typeof heapBytesPerCall !== "number") throw new Error("mach-sync: no heap count came back");
    return { heapBytesPerCall };
  }
}
