// Mach RPC as programs write it: `await task.rpc(…)` against a server in `await task.receive(…)`.

import type { BenchMachine } from "./bench-machine.ts";
import { ProgramPair } from "./program-pair.ts";

export function machContender(bench: BenchMachine): ProgramPair {
  return new ProgramPair(bench, {
    name: "mach",
    batch: 16,
    server: new URL("../programs/mach-server.js", import.meta.url),
    client: new URL("../programs/mach-client.js", import.meta.url),
    sync: false,
  });
}
