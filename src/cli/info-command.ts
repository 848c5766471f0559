// `normacube info`: the host as this program sees it. The first thing to put into a bug report.

import { availableParallelism, cpus, totalmem } from "node:os";
import type { Command } from "commander";
import { EXIT_GOOD, type ExitCode } from "./exit-code.ts";
import { printDocument, printText } from "./output.ts";

export interface HostInfo {
  readonly schema: "normacube.info/1";
  readonly platform: string;
  readonly cpu: string;
  /** Cores of the machine, and how many of them this process may use. */
  readonly cores: number;
  readonly usableCores: number;
  readonly memoryMiB: number;
  readonly node: string;
  readonly v8: string;
  readonly features: Readonly<Record<string, boolean>>;
}

/** Adds the command to `program`; `finish` receives its exit code. */
export function addInfoCommand(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command("info")
    .description("print what this host offers: cores, Node.js version, features")
    .option("--json", "print one JSON document on stdout and nothing else")
    .action((flags: { json?: true }) => {
      const info = readHostInfo();
      if (flags.json) printDocument(info);
      else printText(describeInfo(info));
      finish(EXIT_GOOD);
    });
}

export function readHostInfo(): HostInfo {
  return {
    schema: "normacube.info/1",
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    usableCores: availableParallelism(),
    memoryMiB: Math.round(totalmem() / 2 ** 20),
    node: process.version,
    v8: process.versions.v8,
    features: {
      // A hint to the core in spin loops; V8 has it from 13.3 on.
      "Atomics.pause": "pause" in Atomics,
      "Atomics.waitAsync": "waitAsync" in Atomics,
      // The machine's physical memory: without it pages are copied four times slower.
      "shared WebAssembly.Memory": hasSharedWasmMemory(),
    },
  };
}

function describeInfo(info: HostInfo): string {
  const rows = [
    ["platform", info.platform],
    ["cpu", info.cpu],
    ["cores", `${info.cores} (usable: ${info.usableCores})`],
    ["memory", `${info.memoryMiB} MiB`],
    ["node", info.node],
    ["v8", info.v8],
    ...Object.entries(info.features).map(([name, there]) => [name, there ? "yes" : "no"]),
  ];
  const width = Math.max(...rows.map(([label]) => label!.length));
  return rows.map(([label, value]) => `${label!.padEnd(width)}  ${value}`).join("\n");
}

function hasSharedWasmMemory(): boolean {
  try {
    // Fails where address space is limited (ulimit -v): a shared memory reserves a lot of it.
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    return memory.buffer instanceof SharedArrayBuffer;
  } catch {
    return false;
  }
}
