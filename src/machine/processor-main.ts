// What runs in a worker thread from boot to halt: builds the nodes that the worker steps, answers the
// host's calls, and runs the processor's loop.

import { setImmediate as turnEventLoop } from "node:timers/promises";
import * as Comlink from "comlink";
import { NS_PER_US } from "../base/clock.ts";
import { Random } from "../base/random.ts";
import { Board } from "../hardware/board.ts";
import { workerWord } from "../hardware/machine-layout.ts";
import { assembleNode } from "../node/assemble.ts";
import { takeCensus } from "../node/census.ts";
import { describeNode } from "../node/describe-node.ts";
import type { NodeKernel } from "../node/kernel.ts";
import { nodeFiles } from "../node/machine-files.ts";
import { TaskRunner } from "../node/task-runner.ts";
import {
  type HostEvents,
  type ProcessorBoot,
  type ProcessorControl,
  quietEndpoint,
  workerEndpoint,
} from "./control-plane.ts";
import { Processor } from "./processor.ts";

/** How long a waiting task steps its kernel before it suspends. Longer than any reply takes from a
 *  worker that is awake, shorter than it takes to wake one. */
const TASK_SPIN_NS = 20 * NS_PER_US;

/** Turns of the event loop that interrupted programs get to end in. */
const HALT_TURNS_MIN = 3;
const HALT_TURNS_MAX = 1000;

/** Runs one processor until the host halts it. Resolves with the number of tasks cut short. */
export const runProcessor = async (boot: ProcessorBoot): Promise<number> => {
  const { memory, layout, options } = boot;
  const board = new Board(memory, layout);
  const workerAt = workerWord(layout, boot.worker);
  const { words } = board;
  const host = Comlink.wrap<HostEvents>(quietEndpoint(boot.events));
  const processor = new Processor(
    {
      words,
      workerAt,
      cores: boot.cores,
      startMs: boot.startMs,
      policy: options.processors.idle,
      spinNs: options.processors.spinNs,
    },
    // A sink of the host's that throws is the host's affair: the line is lost, the node goes on.
    (node, task, line) => void host.log(node, task, line).catch(() => {}),
  );

  const kernels = new Map<number, NodeKernel>();
  const runners = new Map<number, TaskRunner>();
  const random = new Random(options.seed);
  const exclusive = boot.nodes.length === 1;
  const spinNs = exclusive ? TASK_SPIN_NS : 0;
  for (const node of boot.nodes) {
    const placement = { exclusive, spinNs, taps: null, ...nodeFiles(boot.files, node) };
    const forked = random.fork(`node ${node}`);
    const kernel = assembleNode(board, memory.buffer, node, options, processor, placement, forked);
    const runner = new TaskRunner(kernel, (url) => import(url));
    processor.add(kernel, runner);
    kernels.set(node, kernel);
    runners.set(node, runner);
  }

  const control: ProcessorControl = {
    ready: () => boot.worker,
    spawn: (node, url, args) => runners.get(node)!.spawn(url, args),
    exited: (node, id) => runners.get(node)!.exited(id),
    census: (node) => takeCensus(kernels.get(node)!),
    heal: () => {
      for (const kernel of kernels.values()) kernel.heal();
    },
    describeNode: (node) => describeNode(kernels.get(node)!),
    runTokenPeriods: (periods) => kernels.get(0)!.runTokenPeriods(periods),
  };
  Comlink.expose(control, workerEndpoint(boot.control, words, workerAt));

  try {
    await processor.run();
    return await haltNodes(kernels, runners);
  } finally {
    // Also when a kernel has failed: as long as they are open the host takes the worker to be alive.
    boot.control.close();
    boot.events.close();
  }
};

/** Interrupts every wait, and lets the programs end that end at that. Returns how many have not. */
const haltNodes = async (
  kernels: ReadonlyMap<number, NodeKernel>,
  runners: ReadonlyMap<number, TaskRunner>,
): Promise<number> => {
  for (const kernel of kernels.values()) kernel.halt();
  const running = (): number => {
    let count = 0;
    for (const runner of runners.values()) count += runner.runningCount;
    return count;
  };
  // Interrupted programs see a MachError: let those that end at that do so, and their outcomes leave.
  for (let turn = 0; turn < HALT_TURNS_MIN || (running() > 0 && turn < HALT_TURNS_MAX); turn++) {
    await turnEventLoop();
  }
  return running();
};
