// The loop of one worker thread: it steps the kernels of its nodes, lets tasks that were resumed run,
// turns the event loop when the host or a program's own I/O wants it, and idles by the chosen policy:
//   spin      look around for ever
//   yield     give the core away between looks, by a wait of a microsecond
//   park      sleep as soon as there is nothing to do
//   adaptive  spin as long as no more workers are awake than there are cores, and for spinNs; then park
// Parked, it is woken by its doorbell: a packet, a freed channel, a control message.

import { setImmediate as turnEventLoop } from "node:timers/promises";
import { NEVER, NS_PER_MS, NS_PER_US } from "../base/clock.ts";
import {
  beginParking,
  endParking,
  ringDoorbell,
  waitForDoorbell,
  waitForDoorbellAsync,
  workersAwake,
} from "../hardware/doorbell.ts";
import { WORKER_HALT, WORKER_PARKS } from "../hardware/machine-layout.ts";
import { TickSource } from "../hardware/tick-source.ts";
import type { NodeKernel } from "../node/kernel.ts";
import { microtasksDrained } from "../node/microtasks.ts";
import type { NodeDriver } from "../node/node-driver.ts";
import type { TaskRunner } from "../node/task-runner.ts";
import type { Task } from "../task/task.ts";
import { controlPending } from "./control-plane.ts";

export type IdlePolicy = "adaptive" | "spin" | "yield" | "park";

/** Sweeps over the nodes between two reads of the clock. */
const SWEEPS_PER_TICK = 16;
/** Sweeps between two looks at the control plane while there is work. */
const SWEEPS_PER_CONTROL = 64;
/** Microtask turns after a task was resumed: a program's own async helpers need some. */
const TURNS_AFTER_RESUME = 8;
/** The event loop is turned at least this often, for timers and I/O of programs. */
const EVENT_LOOP_NS = 1 * NS_PER_MS;
/** How long to look around when more workers are awake than there are cores. */
const CROWDED_SPIN_NS = 2 * NS_PER_US;
/** A parked worker looks around once in this time whatever happens. */
const PARK_MS_MAX = 60_000;
/** Timers of the event loop count in milliseconds: a shorter park blocks the thread instead. */
const DOZE_MS_MIN = 2;
/** What a program does while its worker dozes calls wake() where the loop has to go on; for the rest, such
 *  as a retransmission that becomes due, the loop looks around this often. */
const DOZE_MS_MAX = 1000;
/** The wait that gives the core away under the policy "yield". */
const YIELD_MS = 0.001;
/** Below this a park would overshoot its deadline: spin instead. */
const PARK_NS_MIN = 60 * NS_PER_US;

export interface ProcessorPlan {
  readonly words: Int32Array;
  readonly workerAt: number;
  readonly cores: number;
  readonly startMs: number;
  readonly policy: IdlePolicy;
  readonly spinNs: number;
}

export class Processor implements NodeDriver {
  readonly clock: TickSource;
  private readonly words: Int32Array;
  private readonly workerAt: number;
  private readonly cores: number;
  private readonly policy: IdlePolicy;
  private readonly spinNs: number;
  private readonly logLine: (node: number, task: number, line: string) => void;
  private readonly kernels: NodeKernel[] = [];
  private readonly runners: TaskRunner[] = [];
  private baseResources = 0;
  /** The worker has parked with its event loop alive: what a program's own I/O resumes may run. */
  private dozing = false;
  /** When the Sync call that waits began to; in a typed array, so that setting it allocates nothing. */
  private readonly waitSince = new Float64Array(1);

  constructor(plan: ProcessorPlan, logLine: (node: number, task: number, line: string) => void) {
    this.words = plan.words;
    this.workerAt = plan.workerAt;
    this.cores = plan.cores;
    this.policy = plan.policy;
    this.spinNs = plan.spinNs;
    this.clock = new TickSource(plan.startMs);
    this.logLine = logLine;
  }

  add(kernel: NodeKernel, runner: TaskRunner): void {
    this.kernels.push(kernel);
    this.runners.push(runner);
  }

  // --- NodeDriver -------------------------------------------------------------------------------

  attention(): boolean {
    return this.crowded() || controlPending(this.words, this.workerAt) || this.halting();
  }

  tick(): void {
    this.clock.tick();
  }

  halting(): boolean {
    return Atomics.load(this.words, this.workerAt + WORKER_HALT) !== 0; // pairs with the host's store
  }

  /** A program that was resumed by I/O of its own has called a kernel: the loop must go on. */
  wake(): void {
    if (!this.dozing) return;
    this.dozing = false;
    ringDoorbell(this.words, this.workerAt);
  }

  waitBegins(): void {
    this.wake(); // a thread parks once at a time
    this.waitSince[0] = this.clock.now();
  }

  patienceOver(): boolean {
    return this.clock.now() - this.waitSince[0]! >= this.patienceNs();
  }

  /** Blocks the thread: no promise runs and no control message is taken until the Sync call returns. */
  park(deadlineNs: number): void {
    if (this.quiesce() > 0) return;
    const parkMs = this.parkMs(deadlineNs);
    if (parkMs === 0) return;
    beginParking(this.words, this.workerAt);
    if (this.halting() || this.hasPackets()) {
      endParking(this.words, this.workerAt);
      return;
    }
    this.words[this.workerAt + WORKER_PARKS]! += 1;
    waitForDoorbell(this.words, this.workerAt, parkMs);
    this.clock.tick();
  }

  stepNodes(): boolean {
    this.clock.tick();
    if (this.sweep() > 0) {
      this.waitBegins();
    } else if (this.quiesce() === 0 && this.patienceOver()) {
      this.park(NEVER);
      this.waitBegins();
    }
    return true; // other workers go on as well
  }

  log(task: Task, line: string): void {
    this.logLine(task.node, task.id, line);
  }

  /** More workers are awake than there are cores: whoever waits had better let others run. */
  private crowded(): boolean {
    if (this.policy === "spin") return false;
    return this.policy !== "adaptive" || workersAwake(this.words) > this.cores;
  }

  // --- the loop ---------------------------------------------------------------------------------

  /** Runs until the host says halt. */
  async run(): Promise<void> {
    this.baseResources = countResources();
    const { clock } = this;
    let quietSinceNs = clock.now();
    let turnedNs = clock.now();
    let turns = 0;
    let sweeps = 0;
    for (;;) {
      sweeps += 1;
      if (sweeps % SWEEPS_PER_TICK === 0) clock.tick();
      const work = this.sweep();
      if (this.resumed()) turns = TURNS_AFTER_RESUME;
      if (turns > 0) {
        turns -= 1;
        await null; // resumed tasks run here
      }
      const ran = this.quantaBegan();
      if (ran) {
        await microtasksDrained(); // tasks that talk to each other run here, until their quanta end
        this.tasksRan();
        clock.tick();
      }
      if (work > 0 || turns > 0) quietSinceNs = clock.now();
      if (work === 0 || ran || sweeps % SWEEPS_PER_CONTROL === 0) {
        if (this.halting()) return;
        if (controlPending(this.words, this.workerAt) || clock.now() - turnedNs > EVENT_LOOP_NS) {
          await turnEventLoop();
          this.tasksRan();
          clock.tick();
          turnedNs = clock.now();
          turns = TURNS_AFTER_RESUME; // whatever ran may have called a kernel
          continue;
        }
      }
      if (work === 0 && turns === 0 && clock.now() - quietSinceNs >= this.patienceNs()) {
        await this.idle();
        clock.tick();
        turnedNs = clock.now();
        quietSinceNs = clock.now();
        turns = 1;
      }
    }
  }

  private sweep(): number {
    const { kernels } = this;
    let work = 0;
    for (let i = 0; i < kernels.length; i++) work += kernels[i]!.step();
    return work;
  }

  private resumed(): boolean {
    const { kernels } = this;
    for (let i = 0; i < kernels.length; i++) if (kernels[i]!.runnable > 0) return true;
    return false;
  }

  /** True if some node's tasks have gone on in a new quantum. */
  private quantaBegan(): boolean {
    const { kernels } = this;
    let began = false;
    for (let i = 0; i < kernels.length; i++) if (kernels[i]!.quantum.takeBegan()) began = true;
    return began;
  }

  private tasksRan(): void {
    const { kernels } = this;
    for (let i = 0; i < kernels.length; i++) kernels[i]!.tasksRan();
  }

  private patienceNs(): number {
    switch (this.policy) {
      case "spin":
        return NEVER;
      case "park":
      case "yield":
        return 0;
      case "adaptive":
        return this.crowded() ? CROWDED_SPIN_NS : this.spinNs;
    }
  }

  // --- idling -----------------------------------------------------------------------------------

  /** Parks, unless something turns up or is due soon. */
  private async idle(): Promise<void> {
    const work = this.quiesce();
    await turnEventLoop(); // drains promise chains and ready I/O of programs
    this.tasksRan();
    if (work > 0 || this.resumed()) return;
    const parkMs = this.parkMs(NEVER);
    if (parkMs === 0) return;
    beginParking(this.words, this.workerAt);
    if (controlPending(this.words, this.workerAt) || this.halting() || this.hasPackets()) {
      endParking(this.words, this.workerAt);
      return;
    }
    this.words[this.workerAt + WORKER_PARKS]! += 1;
    if (parkMs < DOZE_MS_MIN || !this.mayBeResumed()) {
      waitForDoorbell(this.words, this.workerAt, parkMs);
      return;
    }
    this.dozing = true;
    await waitForDoorbellAsync(this.words, this.workerAt, Math.min(parkMs, DOZE_MS_MAX));
    this.dozing = false;
  }

  /** True if something beside the kernels may resume a program: it waits for a timer, a file or a
   *  promise of its own, and who knows for which. */
  private mayBeResumed(): boolean {
    for (const runner of this.runners) if (runner.isBusy) return true;
    return countResources() > this.baseResources;
  }

  private quiesce(): number {
    let work = 0;
    for (const kernel of this.kernels) work += kernel.quiesce();
    return work;
  }

  /** How long to park, given what the nodes' timers say; 0 = not at all, something is due soon. */
  private parkMs(deadlineNs: number): number {
    let deadline = deadlineNs;
    for (const kernel of this.kernels) deadline = Math.min(deadline, kernel.nextDeadlineNs());
    this.clock.tick();
    const limitNs = deadline - this.clock.now();
    if (limitNs < PARK_NS_MIN) return 0;
    return this.policy === "yield" ? YIELD_MS : Math.min(PARK_MS_MAX, limitNs / NS_PER_MS);
  }

  /** Part of the look after the bell was set to parked. */
  private hasPackets(): boolean {
    for (const kernel of this.kernels) if (kernel.network.hasWork()) return true;
    return false;
  }
}

/** Timers, files and sockets that keep this thread's event loop alive. */
const countResources = (): number => process.getActiveResourcesInfo().length;
