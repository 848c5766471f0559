// Nodes without threads: one kernel, or a small cube of them, stepped by hand under a clock that stands
// still until the test moves it. Programs are the test's own async code, given Tasks:
//   const nodes = new LoneNodes({ dimension: 1 });
//   const task = nodes.task(0);
//   await nodes.run(task.send(message));      steps until the promise settles; time moves to deadlines
//   await nodes.quiet();                      steps until nothing is left to do; time stands still
//   await nodes.expectNothingLeaked();        ends all tasks, then counts what is left

import { nextTick } from "node:process";
import { expect } from "@jest/globals";
import { NEVER } from "../../src/base/clock.ts";
import { STREAM_PACKETS } from "../../src/base/limits.ts";
import { Random } from "../../src/base/random.ts";
import { machineLayout } from "../../src/config/board-shape.ts";
import { type MachineOptionsInput, parseMachineOptions } from "../../src/config/machine-options.ts";
import { Board } from "../../src/hardware/board.ts";
import { KERNEL_PACKETS } from "../../src/ipc/kernel-message.ts";
import { destroySpace } from "../../src/ipc/mach-port-names.ts";
import type { Space } from "../../src/ipc/space.ts";
import { assembleNode } from "../../src/node/assemble.ts";
import { takeCensus } from "../../src/node/census.ts";
import { KERNEL_PORTS, KERNEL_SEND_RIGHTS, type NodeKernel } from "../../src/node/kernel.ts";
import { MachineFiles, nodeFiles } from "../../src/node/machine-files.ts";
import { createMachineMemory, prepareMachineMemory } from "../../src/node/machine-memory.ts";
import type { NodeDriver } from "../../src/node/node-driver.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";
import { MachError } from "../../src/task/mach-error.ts";
import { Task } from "../../src/task/task.ts";

/** Rounds after which a machine that is still busy is taken to be in a loop. */
const ROUNDS_MAX = 20_000;
/** Rounds after which acknowledgements go that have found nothing to ride on. */
const ROUNDS_PER_ACK = 256;

const LONE_MEMORY = {
  kind: "shared-array-buffer" as const,
  bytesPerNode: 1 << 20,
  swapBytes: 0,
};

export interface LoneNodesInput extends MachineOptionsInput {
  /** As if the node had a worker thread to itself: makes the Sync calls possible. */
  readonly exclusive?: boolean;
  /** How long a waiting task steps its kernel, ns. */
  readonly spinNs?: number;
}

export class LoneNodes implements NodeDriver {
  readonly clock = new VirtualClock();
  readonly kernels: NodeKernel[] = [];
  readonly lines: string[] = [];
  /** How many looks of a spinning task attention() lets pass before it says that others want to run. */
  patience = 1000;
  private looks = 0;
  /** What halting() answers. */
  stop = false;
  /** Disks and swap file, if the test wants any: it closes them itself. */
  readonly files: MachineFiles;
  private readonly spaces = new Map<Task, { kernel: NodeKernel; space: Space }>();

  constructor(input: LoneNodesInput = {}) {
    const { exclusive = false, spinNs = 0, ...given } = input;
    const memory = { ...LONE_MEMORY, ...given.memory };
    const options = parseMachineOptions({ dimension: 0, ...given, memory }, "simulation");
    const layout = machineLayout(options, 1);
    const shared = createMachineMemory(layout.totalBytes, options.memory.kind);
    prepareMachineMemory(shared, layout, () => 0);
    const board = new Board(shared, layout);
    const random = new Random(options.seed);
    this.files = new MachineFiles(options);
    for (let node = 0; node < layout.nodes; node++) {
      const placement = { exclusive, spinNs, taps: null, ...nodeFiles(this.files.record, node) };
      this.kernels.push(
        assembleNode(board, shared.buffer, node, options, this, placement, random.fork(`${node}`)),
      );
    }
  }

  // --- NodeDriver -------------------------------------------------------------------------------

  wake(): void {
    // Stepped by hand: it never rests.
  }

  attention(): boolean {
    this.looks += 1;
    return this.looks > this.patience;
  }

  tick(): void {
    // The clock stands still until the test moves it; what ends a spin here is patience.
  }

  halting(): boolean {
    return this.stop;
  }

  stepNodes(): boolean {
    let work = 0;
    for (const kernel of this.kernels) work += kernel.step();
    if (work > 0) return true;
    for (const kernel of this.kernels) work += kernel.quiesce();
    if (work > 0) return true;
    const deadlineNs = Math.min(...this.kernels.map((kernel) => kernel.nextDeadlineNs()));
    if (deadlineNs === NEVER) return false;
    this.clock.reach(deadlineNs);
    return true;
  }

  waitBegins(): void {
    // Sync calls of a node stepped by hand spin; nobody would wake them.
  }

  patienceOver(): boolean {
    return false;
  }

  park(): void {
    throw new Error("patience is never over here");
  }

  log(task: Task, line: string): void {
    this.lines.push(`${task.node}.${task.id} ${line}`);
  }

  // --- tasks ------------------------------------------------------------------------------------

  /** A new task. */
  task(node = 0): Task {
    const kernel = this.kernels[node]!;
    const space = kernel.newSpace();
    const task = new Task(kernel, space, this.spaces.size);
    this.spaces.set(task, { kernel, space });
    return task;
  }

  /** The task's name space, for a look behind its calls. */
  spaceOf(task: Task): Space {
    return this.spaces.get(task)!.space;
  }

  /** Ends a task as the kernel does when its program returns. */
  end(task: Task): void {
    const { kernel, space } = this.spaces.get(task)!;
    this.spaces.delete(task);
    destroySpace(kernel.ipc, space);
  }

  // --- stepping ---------------------------------------------------------------------------------

  /** Steps every node once and lets resumed tasks run. Returns the work done. */
  async round(): Promise<number> {
    let work = 0;
    for (const kernel of this.kernels) work += kernel.step();
    await microtasksDrained();
    for (const kernel of this.kernels) {
      work += kernel.runnable;
      kernel.tasksRan();
      work += kernel.runnable; // those that waited for their quantum
    }
    return work;
  }

  /** Steps until nothing is left to do at this moment. */
  async quiet(): Promise<void> {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      // Time stands still, and acknowledgements must not wait for it while others have something to do.
      if (round % ROUNDS_PER_ACK === 0) for (const kernel of this.kernels) kernel.quiesce();
      if ((await this.round()) > 0) continue;
      let sent = 0;
      for (const kernel of this.kernels) sent += kernel.quiesce();
      if (sent === 0 && (await this.round()) === 0) return;
    }
    throw new Error("the nodes do not come to rest");
  }

  /** Steps until `promise` settles, moving time to the next deadline whenever all is quiet. */
  async run<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const note = (): void => {
      settled = true;
    };
    promise.then(note, note);
    for (let round = 0; round < ROUNDS_MAX; round++) {
      await this.quiet();
      if (settled) return promise;
      const deadlineNs = Math.min(...this.kernels.map((kernel) => kernel.nextDeadlineNs()));
      if (deadlineNs === NEVER) throw new Error("this waits for ever");
      this.clock.reach(deadlineNs);
    }
    throw new Error("this takes too long");
  }

  /** Moves time forward and does what has become due. */
  async pass(ns: number): Promise<void> {
    this.clock.pass(ns);
    await this.quiet();
  }

  // --- what is left -----------------------------------------------------------------------------

  /** Ends all tasks; then every message, frame and right must be back where it came from (I-11).
   *  Proxies stay: they are collected by a later protocol. */
  async expectNothingLeaked(): Promise<void> {
    await this.quiet();
    for (const task of [...this.spaces.keys()]) this.end(task);
    await this.quiet();
    for (const kernel of this.kernels) {
      const census = takeCensus(kernel);
      const { ringLength, wireBuffers } = kernel.memory.layout;
      expect(census).toMatchObject({
        framesFree: census.framesTotal - ringLength - wireBuffers,
        framesArmed: ringLength,
        framesInMessages: 0,
        messagesFree: census.messagesTotal,
        ports: KERNEL_PORTS,
        sendRights: KERNEL_SEND_RIGHTS,
        sendOnceRights: 0,
        queuedMessages: 0,
        unacknowledged: 0,
        names: 0,
      });
      const own = KERNEL_PACKETS + STREAM_PACKETS;
      expect(kernel.ipc.pool.freeCount).toBe(kernel.memory.layout.packetBuffers - own);
      expect(kernel.vm.pages.busyFrames).toBe(0);
    }
  }
}

/** What a call threw, which must be a MachError with this code. */
export const machError = (call: () => unknown, code: string): MachError => {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(MachError);
    expect((error as MachError).code).toBe(code);
    return error as MachError;
  }
  throw new Error(`the call succeeded; ${code} was expected`);
};

/** Whether a promise has settled; look after quiet(). */
export const watch = (promise: Promise<unknown>): { readonly settled: boolean } => {
  const seen = { settled: false };
  const note = (): void => {
    seen.settled = true;
  };
  promise.then(note, note);
  return seen;
};

/** Resolves when every microtask there is, and those that they make, have run. */
const microtasksDrained = (): Promise<void> => new Promise((resolve) => nextTick(resolve));
