// The machine in simulation: the very same node kernels, stepped in one thread over virtual time, in an
// order and with delays drawn from the seed. Same seed, same program: same run, packet by packet.
//
// How virtual time passes: a round steps every node once, in a random order, each step taking a random
// moment. When a round finds nothing to do, time jumps to the next deadline; when there is none, the
// machine rests until the host spawns a program (or a program comes back from I/O of its own, which
// is the one thing that can make two runs differ).
// How the host takes part: time stands still while programs are being loaded, spawns happen one after
// another in the order of their calls, and after a task ends the host's reaction goes first. So a
// host that only awaits what the machine gives it gets the same run every time.

import { setImmediate as turnEventLoop, setTimeout as wait } from "node:timers/promises";
import { assert } from "../base/assert.ts";
import { NEVER } from "../base/clock.ts";
import { Random } from "../base/random.ts";
import { machineLayout } from "../config/board-shape.ts";
import {
  checkPeriods,
  type MachineOptions,
  type MachineOptionsInput,
  parseMachineOptions,
} from "../config/machine-options.ts";
import { OptionError } from "../config/option-error.ts";
import { Board } from "../hardware/board.ts";
import type { MachineMemory } from "../hardware/dma-engine.ts";
import type { MachineLayout } from "../hardware/machine-layout.ts";
import type { TraceRecord } from "../hardware/trace-wrapper.ts";
import { assembleNode } from "../node/assemble.ts";
import { type NodeCensus, takeCensus } from "../node/census.ts";
import { checkNode } from "../node/check-node.ts";
import { describeNode } from "../node/describe-node.ts";
import type { NodeKernel } from "../node/kernel.ts";
import { MachineFiles, nodeFiles } from "../node/machine-files.ts";
import type {
  Counted,
  LogSink,
  MachineStats,
  MachineTask,
  Simulation,
  SpawnOptions,
} from "../node/machine-interface.ts";
import { createMachineMemory, prepareMachineMemory } from "../node/machine-memory.ts";
import { microtasksDrained } from "../node/microtasks.ts";
import type { NodeDriver } from "../node/node-driver.ts";
import { programUrl } from "../node/program-url.ts";
import { StatsReader } from "../node/read-stats.ts";
import { loadFailure, type ModuleLoader, reviveFailure, TaskRunner } from "../node/task-runner.ts";
import type { Task } from "../task/task.ts";
import { Alarms } from "./alarms.ts";
import { PacketDigest } from "./packet-digest.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** Longest virtual time that one step takes, ns. */
const STEP_NS_MAX = 200;
/** Rounds between two looks at the host's event loop. */
const ROUNDS_PER_TURN = 4096;
/** How often a machine at rest looks whether a program has come back from outside, ms. */
const REST_MS = 1;

export interface SimulatedMachineInput extends MachineOptionsInput {
  readonly log?: LogSink;
  /** Rounds between two checks of the invariants that can be recounted; 0 (the default) = no checks. */
  readonly checkRounds?: number;
}

export class SimulatedMachine implements Simulation, NodeDriver {
  readonly nodes: number;
  readonly workers = 0;
  readonly options: MachineOptions;
  readonly clock = new VirtualClock();
  readonly kernels: NodeKernel[] = [];
  private readonly digest = new PacketDigest();
  private readonly runners: TaskRunner[] = [];
  private readonly order: number[] = [];
  private readonly random: Random;
  private readonly schedule: Random;
  private readonly files: MachineFiles;
  private readonly reader: StatsReader;
  private readonly logSink: LogSink;
  private readonly checkRounds: number;
  /** What checks of the invariants have found, with the time at which they did. */
  readonly violations: string[] = [];
  private readonly stopped: Promise<void>;
  private readonly pending = new Set<(error: Error) => void>();
  /** Spawns under way, as one chain. */
  private spawning: Promise<unknown> = Promise.resolve();
  private spawnCount = 0;
  /** Programs that are being loaded. */
  private loadCount = 0;
  private exits = 0;
  /** Nothing is under way: time stands still. */
  private resting = false;
  private readonly drainWaiters: (() => void)[] = [];
  private readonly alarms = new Alarms();
  private halted = false;

  /** Makes a machine and starts its virtual time. Rejects with OptionError. */
  static async boot(input: SimulatedMachineInput = {}): Promise<SimulatedMachine> {
    const { log = printLine, checkRounds = 0, ...given } = input;
    const options = parseMachineOptions(given, "simulation");
    const layout = machineLayout(options, 1);
    const memory = createMachineMemory(layout.totalBytes, options.memory.kind);
    return new SimulatedMachine(
      options,
      layout,
      memory,
      new MachineFiles(options),
      log,
      checkRounds,
    );
  }

  private constructor(
    options: MachineOptions,
    layout: MachineLayout,
    memory: MachineMemory,
    files: MachineFiles,
    log: LogSink,
    checkRounds: number,
  ) {
    this.options = options;
    this.files = files;
    this.logSink = log;
    this.checkRounds = checkRounds;
    this.nodes = layout.nodes;
    prepareMachineMemory(memory, layout, () => 0);
    const board = new Board(memory, layout);
    const random = new Random(options.seed);
    this.random = random;
    this.schedule = random.fork("schedule");
    this.reader = new StatsReader(memory.buffer, layout);
    for (let node = 0; node < this.nodes; node++) {
      const place = { exclusive: false, spinNs: 0, taps: this.digest };
      const placement = { ...place, ...nodeFiles(files.record, node) };
      const forked = random.fork(`node ${node}`);
      const kernel = assembleNode(board, memory.buffer, node, options, this, placement, forked);
      this.kernels.push(kernel);
      this.runners.push(new TaskRunner(kernel, (url) => this.load(url)));
      this.order.push(node);
    }
    this.stopped = this.run().catch((error: unknown) => this.crash(error));
  }

  // --- Machine ----------------------------------------------------------------------------------

  async spawn(
    node: number,
    program: string | URL,
    options: SpawnOptions = {},
  ): Promise<MachineTask> {
    this.checkNode(node);
    if (this.halted) throw new Error("the machine was halted");
    const url = programUrl(program);
    this.spawnCount += 1;
    const started = this.spawning.then(() => this.start(node, url, options.args));
    this.spawning = started.then(
      () => {},
      () => {},
    );
    return started;
  }

  private async start(node: number, url: string, args: unknown): Promise<MachineTask> {
    const runner = this.runners[node]!;
    try {
      // The program gets its arguments as it would in a thread: cloned.
      const spawned = await runner.spawn(url, structuredClone(args));
      if (spawned.kind === "failed") throw loadFailure(node, url, spawned.failure);
      const { id } = spawned;
      const exited = this.untilHalt(runner.exited(id)).then((outcome) => {
        this.exits += 1;
        if (outcome.kind === "failed") throw reviveFailure(outcome.failure);
        return outcome.value;
      });
      exited.catch(() => {});
      return { node, id, exited };
    } finally {
      this.spawnCount -= 1;
    }
  }

  stats(): MachineStats {
    return { ...this.reader.readAll(), parks: [] };
  }

  trace(node: number): TraceRecord[] {
    this.checkNode(node);
    return this.reader.readTrace(node);
  }

  async census(node: number): Promise<NodeCensus> {
    this.checkNode(node);
    return takeCensus(this.kernels[node]!);
  }

  async describeNode(node: number): Promise<readonly string[]> {
    this.checkNode(node);
    return describeNode(this.kernels[node]!);
  }

  describeChannels(): readonly string[] {
    return this.reader.describeChannels();
  }

  async runTokenPeriods(periods = 1): Promise<void> {
    checkPeriods(periods);
    if (this.halted) throw new Error("the machine was halted");
    await this.untilHalt(this.kernels[0]!.runTokenPeriods(periods));
    this.exits += 1; // what the host does next, it does before time passes
  }

  async heal(): Promise<void> {
    if (this.halted) throw new Error("the machine was halted");
    for (const kernel of this.kernels) kernel.heal();
  }

  async halt(): Promise<void> {
    if (!this.halted) {
      this.halted = true;
      for (const kernel of this.kernels) kernel.halt();
      await this.stopped;
      await turnEventLoop();
      for (const reject of this.pending) reject(new Error("the machine was halted"));
      this.pending.clear();
      this.standStill();
      this.files.close();
    }
    await this.stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.halt();
  }

  // --- what only a simulation can tell ------------------------------------------------------------

  now(): number {
    return this.clock.now();
  }

  drained(): Promise<void> {
    if (this.halted || this.resting) return Promise.resolve();
    return new Promise((resolve) => this.drainWaiters.push(resolve));
  }

  after(ns: number): Promise<boolean> {
    if (!(ns > 0)) throw new OptionError(`ns is ${ns}; it must be a number above 0`);
    if (this.halted) return Promise.resolve(false);
    return this.alarms.at(this.now() + ns);
  }

  packets(): Counted {
    return { count: this.digest.count, digest: this.digest.value() };
  }

  draws(): Counted {
    const { tally } = this.random;
    return { count: tally.count, digest: tally.value() };
  }

  // --- NodeDriver -------------------------------------------------------------------------------

  wake(): void {
    // A machine at rest looks by itself whether a program has come back from outside.
  }

  attention(): boolean {
    return true; // never spin: the other nodes are stepped by this very thread
  }

  tick(): void {
    // Virtual time passes in rounds, not because somebody looks.
  }

  halting(): boolean {
    return this.halted;
  }

  waitBegins(): void {
    // No node of a simulation has the thread to itself, so there are no Sync calls.
  }

  patienceOver(): boolean {
    return true;
  }

  park(): never {
    assert(false, "a simulated node never parks");
  }

  stepNodes(): boolean {
    let work = 0;
    for (const kernel of this.kernels) {
      this.clock.pass(1 + this.schedule.below(STEP_NS_MAX));
      work += kernel.step();
    }
    return work > 0 || this.jump();
  }

  log(task: Task, line: string): void {
    this.logSink(task.node, task.id, line);
  }

  /** A kernel has failed: whoever waits hears why, and nothing more will happen. */
  private crash(error: unknown): void {
    this.halted = true;
    const why = error instanceof Error ? error.message : String(error);
    const told = new Error(`the simulation crashed: ${why}`, { cause: error });
    for (const reject of this.pending) reject(told);
    this.pending.clear();
    this.standStill();
    this.files.close();
  }

  /** Time has stopped for good: nobody is to wait for it. */
  private standStill(): void {
    for (const resolve of this.drainWaiters.splice(0)) resolve();
    this.alarms.ring(NEVER, false);
  }

  // --- virtual time -----------------------------------------------------------------------------

  private async run(): Promise<void> {
    let rounds = 0;
    let exitsSeen = 0;
    while (!this.halted) {
      if (this.spawnCount > 0) {
        await this.spawning;
        await turnEventLoop(); // what the host does next, it does before time passes
        continue;
      }
      if (this.loadCount > 0) {
        await turnEventLoop(); // a task has asked for a program: time stands still here, too
        continue;
      }
      const work = await this.round();
      rounds += 1;
      if (this.checkRounds > 0 && rounds % this.checkRounds === 0) this.checkInvariants();
      const rang = this.alarms.ring(this.now(), true);
      if (rang || this.exits !== exitsSeen || rounds % ROUNDS_PER_TURN === 0) {
        exitsSeen = this.exits;
        await turnEventLoop();
      } else if (work === 0 && !this.jump()) {
        await this.rest();
      }
    }
  }

  /** Steps every node once, in a random order. Returns the work done. */
  private async round(): Promise<number> {
    let work = 0;
    this.shuffle();
    for (const node of this.order) {
      const kernel = this.kernels[node]!;
      this.clock.pass(1 + this.schedule.below(STEP_NS_MAX));
      work += kernel.step();
      if (kernel.runnable === 0) continue;
      await microtasksDrained();
      kernel.tasksRan();
      work += 1;
    }
    return work;
  }

  private checkInvariants(): void {
    for (const kernel of this.kernels) {
      for (const wrong of checkNode(kernel)) this.violations.push(`at ${this.now()} ns, ${wrong}`);
    }
  }

  private async load(url: string): ReturnType<ModuleLoader> {
    this.loadCount += 1;
    try {
      return await import(url);
    } finally {
      this.loadCount -= 1;
    }
  }

  /** Waits, while time stands still, until something is to be done again. */
  private async rest(): Promise<void> {
    this.resting = true;
    for (const resolve of this.drainWaiters.splice(0)) resolve();
    while (!this.halted && this.spawnCount === 0 && !this.kernels.some(isStirring)) {
      if (this.alarms.ring(NEVER, false)) await turnEventLoop();
      else await wait(REST_MS);
    }
    this.resting = false;
  }

  /** Moves time to the next deadline; false when nothing is due, ever. */
  private jump(): boolean {
    let deadlineNs = NEVER;
    for (const kernel of this.kernels) {
      deadlineNs = Math.min(deadlineNs, kernel.nextDeadlineNs());
    }
    if (deadlineNs === NEVER) return false;
    this.clock.reach(Math.min(deadlineNs, this.alarms.nextNs));
    return true;
  }

  private shuffle(): void {
    const { order } = this;
    for (let i = order.length - 1; i > 0; i--) {
      const j = this.schedule.below(i + 1);
      const held = order[i]!;
      order[i] = order[j]!;
      order[j] = held;
    }
  }

  // --- host's side ------------------------------------------------------------------------------

  private untilHalt<T>(promise: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.pending.add(reject);
      promise.then(resolve, reject).finally(() => this.pending.delete(reject));
    });
  }

  private checkNode(node: number): void {
    if (Number.isInteger(node) && node >= 0 && node < this.nodes) return;
    throw new OptionError(`node is ${node}; it must be 0 to ${this.nodes - 1}`);
  }
}

/** True when a program that came back from outside has called its kernel, or one that was started waits for its quantum. */
const isStirring = (kernel: NodeKernel): boolean =>
  kernel.runnable > 0 ||
  kernel.quantum.isWaitedFor ||
  kernel.network.hasWork() ||
  kernel.nextDeadlineNs() !== NEVER;

const printLine: LogSink = (node, task, line) => console.log(`[${node}.${task}] ${line}`);
