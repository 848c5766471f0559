// The machine in threads, from the host: boots the workers (piscina runs them, one long task each),
// spawns programs, reads statistics, halts. Whatever programs and workers do, each promise given out
// here settles, and after halt no thread and no handle is left.

import { once } from "node:events";
import { availableParallelism } from "node:os";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import * as Comlink from "comlink";
import { Piscina } from "piscina";
import { machineLayout, workerCount } from "../config/board-shape.ts";
import {
  checkPeriods,
  type MachineOptions,
  type MachineOptionsInput,
  parseMachineOptions,
} from "../config/machine-options.ts";
import { OptionError } from "../config/option-error.ts";
import type { MachineMemory } from "../hardware/dma-engine.ts";
import { ringDoorbell } from "../hardware/doorbell.ts";
import {
  type MachineLayout,
  WORKER_HALT,
  WORKER_PARKS,
  workerWord,
} from "../hardware/machine-layout.ts";
import { wallClockMs } from "../hardware/tick-source.ts";
import type { TraceRecord } from "../hardware/trace-wrapper.ts";
import type { NodeCensus } from "../node/census.ts";
import { MachineFiles } from "../node/machine-files.ts";
import type {
  LogSink,
  Machine,
  MachineStats,
  MachineTask,
  SpawnOptions,
} from "../node/machine-interface.ts";
import { createMachineMemory, prepareMachineMemory } from "../node/machine-memory.ts";
import { programUrl } from "../node/program-url.ts";
import { StatsReader } from "../node/read-stats.ts";
import {
  loadFailure,
  type Outcome,
  reviveFailure,
  type SpawnOutcome,
} from "../node/task-runner.ts";
import { type HostEvents, type ProcessorBoot, quietEndpoint } from "./control-plane.ts";
import { ProcessorHandle } from "./processor-handle.ts";

const PROCESSOR_FILE = new URL("../../workers/processor.js", import.meta.url).href;

const printLine: LogSink = (node, task, line) => console.log(`[${node}.${task}] ${line}`);

export interface ThreadMachineInput extends MachineOptionsInput {
  readonly log?: LogSink;
}

/** How long a thread may take to end before it is asked again, ms. */
const TERMINATE_AGAIN_MS = 100;

export class ThreadMachine implements Machine {
  readonly nodes: number;
  readonly workers: number;
  readonly options: MachineOptions;
  private readonly layout: MachineLayout;
  private readonly words: Int32Array;
  private readonly files: MachineFiles;
  private readonly reader: StatsReader;
  private readonly pool: Piscina;
  private readonly handles: ProcessorHandle[] = [];
  private readonly eventPorts: MessagePort[] = [];
  private halting: Promise<void> | null = null;

  /** Boots a machine: resolves when every kernel runs. Rejects with OptionError, or if a worker fails
   *  or host.bootMs passes; nothing is left behind then. */
  static async boot(input: ThreadMachineInput = {}): Promise<ThreadMachine> {
    const { log = printLine, ...given } = input;
    const options = parseMachineOptions(given, "threads");
    const workers = workerCount(options, availableParallelism());
    const layout = machineLayout(options, workers);
    const memory = createMachineMemory(layout.totalBytes, options.memory.kind);
    const machine = new ThreadMachine(options, layout, memory, new MachineFiles(options), log);
    try {
      await machine.waitUntilReady();
    } catch (error) {
      await machine.halt();
      throw error;
    }
    return machine;
  }

  private constructor(
    options: MachineOptions,
    layout: MachineLayout,
    memory: MachineMemory,
    files: MachineFiles,
    log: LogSink,
  ) {
    this.options = options;
    this.files = files;
    this.layout = layout;
    this.nodes = layout.nodes;
    this.workers = layout.workers;
    this.words = new Int32Array(memory.buffer, 0, layout.totalBytes / 4);
    this.reader = new StatsReader(memory.buffer, layout);
    prepareMachineMemory(memory, layout, (node) => this.workerOf(node));
    this.pool = new Piscina({
      filename: PROCESSOR_FILE,
      name: "processor",
      minThreads: this.workers,
      maxThreads: this.workers,
      idleTimeout: 60_000,
      atomics: "disabled",
      recordTiming: false,
      workerHistogram: false,
    });
    // A worker that crashes outside a task is reported here as well; its handle tells who waits.
    this.pool.on("error", () => {});
    const startMs = wallClockMs();
    for (let worker = 0; worker < this.workers; worker++) {
      this.startWorker(worker, memory, startMs, log);
    }
  }

  /** Consecutive nodes share a worker, so that neighbours across low dimensions do. */
  private workerOf(node: number): number {
    return Math.floor((node * this.workers) / this.nodes);
  }

  private startWorker(worker: number, memory: MachineMemory, startMs: number, log: LogSink): void {
    const nodes: number[] = [];
    for (let node = 0; node < this.nodes; node++) {
      if (this.workerOf(node) === worker) nodes.push(node);
    }
    const control = new MessageChannel();
    const events = new MessageChannel();
    const boot: ProcessorBoot = {
      worker,
      nodes,
      memory,
      layout: this.layout,
      options: this.options,
      files: this.files.record,
      startMs,
      cores: availableParallelism(),
      control: control.port2,
      events: events.port2,
    };
    const hostEvents: HostEvents = { log };
    Comlink.expose(hostEvents, quietEndpoint(events.port1));
    this.eventPorts.push(events.port1);
    const task = this.pool.run(boot, { transferList: [control.port2, events.port2] });
    const workerAt = workerWord(this.layout, worker);
    // A port closes, at the host too, when its worker closes it or ends, after what is in it.
    const drained = Promise.all([once(control.port1, "close"), once(events.port1, "close")]);
    this.handles.push(
      new ProcessorHandle(worker, nodes, control.port1, this.words, workerAt, task, drained),
    );
  }

  private async waitUntilReady(): Promise<void> {
    const { bootMs } = this.options.host;
    const ready = Promise.all(this.handles.map((handle) => handle.call((c) => c.ready())));
    await withDeadline(
      ready,
      bootMs,
      () => `the machine did not boot within host.bootMs, ${bootMs}`,
    );
  }

  async spawn(
    node: number,
    program: string | URL,
    options: SpawnOptions = {},
  ): Promise<MachineTask> {
    const url = programUrl(program);
    const handle = this.handleOf(node);
    const spawned = await handle.call<SpawnOutcome>((c) => c.spawn(node, url, options.args));
    if (spawned.kind === "failed") {
      throw loadFailure(node, url, spawned.failure);
    }
    const { id } = spawned;
    const exited = handle
      .call<Outcome>((c) => c.exited(node, id))
      .then((outcome) => {
        if (outcome.kind === "failed") throw reviveFailure(outcome.failure);
        return outcome.value;
      });
    // Whoever does not look at the outcome is not to be killed by an unhandled rejection.
    exited.catch(() => {});
    return { node, id, exited };
  }

  stats(): MachineStats {
    const parks = this.handles.map(
      ({ worker }) => this.words[workerWord(this.layout, worker) + WORKER_PARKS]!,
    );
    return { ...this.reader.readAll(), parks };
  }

  trace(node: number): TraceRecord[] {
    this.handleOf(node);
    return this.reader.readTrace(node);
  }

  async census(node: number): Promise<NodeCensus> {
    return await this.handleOf(node).call((c) => c.census(node));
  }

  async describeNode(node: number): Promise<readonly string[]> {
    return await this.handleOf(node).call((c) => c.describeNode(node));
  }

  describeChannels(): readonly string[] {
    return this.reader.describeChannels();
  }

  async runTokenPeriods(periods = 1): Promise<void> {
    checkPeriods(periods);
    await this.handleOf(0).call((c) => c.runTokenPeriods(periods));
  }

  async heal(): Promise<void> {
    await Promise.all(this.handles.map((handle) => handle.call((c) => c.heal())));
  }

  halt(): Promise<void> {
    this.halting ??= this.shutDown();
    return this.halting;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.halt();
  }

  private async shutDown(): Promise<void> {
    const { haltMs } = this.options.host;
    for (const { worker } of this.handles) {
      const workerAt = workerWord(this.layout, worker);
      Atomics.store(this.words, workerAt + WORKER_HALT, 1); // pairs with the load in halting()
      ringDoorbell(this.words, workerAt);
    }
    const ended = Promise.all(this.handles.map((handle) => handle.ended));
    // What does not end in time is terminated with its thread; the calls to it end here and now.
    await withDeadline(ended, haltMs, () => "").catch(() => {
      for (const handle of this.handles) {
        handle.end(
          new Error(`${handle.describe()} did not stop within host.haltMs, ${haltMs}: terminated`),
        );
      }
    });
    await this.endThreads();
    this.files.close();
    for (const port of this.eventPorts) port.close();
  }

  /** Terminates what still runs. Asks again until it has ended: a thread that makes and catches errors all the time catches the
   *  request, too, every eighth time on Node 20, and goes on (docs/decisions/0010). */
  private async endThreads(): Promise<void> {
    const threads = [...this.pool.threads];
    const again = setInterval(() => {
      for (const thread of threads) void thread.terminate();
    }, TERMINATE_AGAIN_MS);
    try {
      await this.pool.destroy();
    } finally {
      clearInterval(again);
    }
  }

  private handleOf(node: number): ProcessorHandle {
    if (!Number.isInteger(node) || node < 0 || node >= this.nodes) {
      throw new OptionError(`node is ${node}; it must be 0 to ${this.nodes - 1}`);
    }
    return this.handles[this.workerOf(node)]!;
  }
}

/** `promise`, or a rejection after `ms`. The timer never outlives the promise. */
const withDeadline = async <T>(
  promise: Promise<T>,
  ms: number,
  sentence: () => string,
): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(sentence())), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
};
