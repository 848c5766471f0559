// Open MPI, where mpicc and mpirun are on the PATH: a C program (openmpi.c), compiled into a temporary folder and
// run by two processes on this machine. They stay for all slices and are asked over standard input.

import { type ChildProcessByStdio, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Contender, Point } from "../harness/contender.ts";

const SOURCE = fileURLToPath(new URL("./openmpi.c", import.meta.url));

/** Containers run as root and have fewer cores than mpirun counts ranks. */
const RUN_FLAGS = ["--allow-run-as-root", "--oversubscribe", "-np", "2"];

export type OpenMpiKind = "latency" | "bandwidth";

/** Rounds of a ping-pong, or messages of a window, behind one sample. */
export type CountAt = (point: Point) => number;

/** What is missing to measure Open MPI here, or null. */
export function missingForOpenMpi(path = process.env.PATH ?? ""): string | null {
  const folders = path.split(delimiter);
  const missing = ["mpicc", "mpirun"].filter(
    (tool) => !folders.some((folder) => existsSync(join(folder, tool))),
  );
  return missing.length === 0 ? null : `${missing.join(" and ")} not on the PATH`;
}

export class OpenMpiPeer implements Contender {
  readonly name = "openmpi";
  private readonly kind: OpenMpiKind;
  private readonly countAt: CountAt;
  private processes: OpenMpiProcesses | null = null;
  private bytes = 0;
  private count = 1;

  constructor(kind: OpenMpiKind, countAt: CountAt) {
    this.kind = kind;
    this.countAt = countAt;
  }

  /** Messages behind a sample. */
  get batch(): number {
    return this.kind === "latency" ? 2 * this.count : this.count;
  }

  async prepare(point: Point): Promise<void> {
    this.bytes = point.bytes ?? 0;
    this.count = this.countAt(point);
    this.processes ??= new OpenMpiProcesses();
  }

  slice(samples: number): Promise<Float64Array> {
    if (this.processes === null) throw new Error("slice() before prepare()");
    return this.processes.ask(`${this.kind} ${this.bytes} ${samples} ${this.count}`, samples);
  }

  async close(): Promise<void> {
    await this.processes?.end();
  }
}

/** mpirun and what it runs. */
class OpenMpiProcesses {
  private readonly folder: string;
  private readonly mpirun: ChildProcessByStdio<Writable, Readable, Readable>;
  private readonly lines: Interface;
  private readonly ended: Promise<void>;
  private errors = "";

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), "normacube-openmpi-"));
    const program = join(this.folder, "openmpi");
    execFileSync("mpicc", ["-O2", "-o", program, SOURCE], { stdio: ["ignore", "ignore", "pipe"] });
    this.mpirun = spawn("mpirun", [...RUN_FLAGS, program], { stdio: ["pipe", "pipe", "pipe"] });
    this.mpirun.stderr.on("data", (text: Buffer) => {
      this.errors += text;
    });
    this.mpirun.stdin.on("error", () => {}); // its end says more
    this.ended = new Promise((resolve) => this.mpirun.once("close", () => resolve()));
    this.mpirun.once("error", (error) => {
      this.errors += error.message;
    });
    this.lines = createInterface({ input: this.mpirun.stdout });
  }

  /** Resolves with the `samples` lines that answer `question`. One question at a time. */
  async ask(question: string, samples: number): Promise<Float64Array> {
    const times = new Float64Array(samples);
    let taken = 0;
    const answered = new Promise<void>((resolve) => {
      const take = (line: string) => {
        times[taken++] = Number(line);
        if (taken < samples) return;
        this.lines.off("line", take);
        resolve();
      };
      this.lines.on("line", take);
    });
    this.mpirun.stdin.write(`${question}\n`);
    await Promise.race([answered, this.ended]);
    if (taken < samples) throw new Error(`mpirun ended: ${this.errors.trim()}`);
    return times;
  }

  /** The program ends with its input. */
  async end(): Promise<void> {
    this.mpirun.stdin.end();
    await this.ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}
