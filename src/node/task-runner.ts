// Runs programs on a node: loads a module, gives its default export a Task, keeps the outcome until it
// is asked for, and releases everything the task had. Outcomes are plain records: they cross threads.

import { KERN_FAILURE, KERN_INVALID_TASK, KERN_SUCCESS, statusName } from "../base/status.ts";
import { destroySpace } from "../ipc/mach-port-names.ts";
import type { Space } from "../ipc/space.ts";
import { MachError } from "../task/mach-error.ts";
import { type Program, Task } from "../task/task.ts";
import type { NodeKernel } from "./kernel.ts";
import type { KernelTask } from "./kernel-task.ts";
import type { ProgramLoader } from "./task-server.ts";

/** An error as it crosses threads. */
export interface FailureRecord {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  /** Mach's number, if it was a MachError. */
  readonly status?: number;
}

/** How a program ended. */
export type Outcome =
  | { readonly kind: "returned"; readonly value: unknown }
  | { readonly kind: "failed"; readonly failure: FailureRecord };

/** How an attempt to start one ended. */
export type SpawnOutcome =
  | { readonly kind: "started"; readonly id: number }
  | { readonly kind: "failed"; readonly failure: FailureRecord };

interface RunningTask {
  readonly task: Task;
  readonly outcome: Promise<Outcome>;
}

/** How the loader gets a module: import(), or something else in a test. */
export type ModuleLoader = (url: string) => Promise<{ readonly default?: unknown }>;

export class TaskRunner implements ProgramLoader {
  private readonly kernel: NodeKernel;
  private readonly load: ModuleLoader;
  private readonly tasks = new Map<number, RunningTask>();
  private nextId = 0;
  private running = 0;
  private loading = 0;

  constructor(kernel: NodeKernel, load: ModuleLoader) {
    this.kernel = kernel;
    this.load = load;
    kernel.loader = this;
  }

  /** Tasks that have not ended. */
  get runningCount(): number {
    return this.running;
  }

  /** True while programs are being loaded or run: their own timers and I/O must get on. */
  get isBusy(): boolean {
    return this.running + this.loading > 0;
  }

  /** Loads the module at `url` and starts its program. */
  async spawn(url: string, args: unknown): Promise<SpawnOutcome> {
    this.loading += 1;
    const loaded = await this.loadProgram(url);
    this.loading -= 1;
    if (loaded.kind === "failed") return loaded;
    const id = this.nextId++;
    const { task, outcome } = this.start(loaded.program, this.kernel.newSpace(), id, args, null);
    this.tasks.set(id, { task, outcome });
    return { kind: "started", id };
  }

  /** ProgramLoader: loads a module and starts its program in a task that was created empty. Nobody asks for
   *  its outcome; an error goes to the log. */
  async run(record: KernelTask, url: string, args: unknown): Promise<number> {
    this.loading += 1;
    const loaded = await this.loadProgram(url);
    this.loading -= 1;
    if (loaded.kind === "failed") return KERN_FAILURE;
    if (!record.space.active) return KERN_INVALID_TASK;
    const id = this.nextId++;
    const { task, outcome } = this.start(loaded.program, record.space, id, args, record);
    void outcome.then((ended) => {
      if (ended.kind === "failed") this.kernel.log(task, ended.failure.stack);
    });
    return KERN_SUCCESS;
  }

  private start(
    program: Program,
    space: Space,
    id: number,
    args: unknown,
    record: KernelTask | null,
  ): { readonly task: Task; readonly outcome: Promise<Outcome> } {
    const task = new Task(this.kernel, space, id);
    if (record !== null) record.task = task;
    this.running += 1;
    return { task, outcome: this.runProgram(program, task, space, args) };
  }

  /** Resolves when the task has ended; its outcome can be asked for once. */
  async exited(id: number): Promise<Outcome> {
    const running = this.tasks.get(id);
    if (running === undefined) throw new Error(`no task ${id} on node ${this.kernel.node}`);
    const outcome = await running.outcome;
    this.tasks.delete(id);
    return outcome;
  }

  private async loadProgram(
    url: string,
  ): Promise<
    | { readonly kind: "loaded"; readonly program: Program }
    | { readonly kind: "failed"; readonly failure: FailureRecord }
  > {
    try {
      const module = await this.load(url);
      if (typeof module.default === "function") {
        return { kind: "loaded", program: module.default as Program };
      }
      const what = `${url} has no default export that is a function`;
      return { kind: "failed", failure: recordFailure(new TypeError(what)) };
    } catch (error) {
      return { kind: "failed", failure: recordFailure(error) };
    }
  }

  private async runProgram(
    program: Program,
    task: Task,
    space: Space,
    args: unknown,
  ): Promise<Outcome> {
    let outcome: Outcome;
    try {
      if (task.suspension.waiting) {
        await task.suspension.over();
        if (!space.active) throw new MachError(KERN_INVALID_TASK, "it ended before it began");
      }
      const value = await program(task, args);
      outcome = { kind: "returned", value };
      checkCloneable(value);
    } catch (error) {
      outcome = { kind: "failed", failure: recordFailure(error) };
    }
    this.kernel.taskRuns(task);
    destroySpace(this.kernel.ipc, space);
    this.running -= 1;
    return outcome;
  }
}

/** A value that cannot be cloned is the program's mistake: say so now, and not in the transport. */
const checkCloneable = (value: unknown): void => {
  try {
    structuredClone(value);
  } catch (error) {
    throw new TypeError(`the program's return value: ${recordFailure(error).message}`);
  }
};

const recordFailure = (error: unknown): FailureRecord => {
  if (!(error instanceof Error)) {
    // Errors of another realm are no instances of ours, but look alike.
    const like = error as { name?: unknown; message?: unknown; stack?: unknown } | null | undefined;
    if (typeof like !== "object" || like === null || typeof like.message !== "string") {
      return { name: "Error", message: `the program threw ${textOf(error)}`, stack: "" };
    }
    return { name: textOf(like.name), message: like.message, stack: textOf(like.stack) };
  }
  const record = {
    name: textOf(error.name),
    message: textOf(error.message),
    stack: textOf(error.stack ?? ""),
  };
  return error instanceof MachError ? { ...record, status: error.status } : record;
};

/** Some objects cannot be made a text, and a program may throw any. */
const textOf = (value: unknown): string => {
  try {
    return String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
};

/** The error that a record stands for, with its stack of the other thread. */
export const reviveFailure = (failure: FailureRecord): Error => {
  const { status, message, name, stack } = failure;
  if (status !== undefined) {
    const error = new MachError(status, message.replace(`${statusName(status)}: `, ""));
    error.stack = stack;
    return error;
  }
  const error = new Error(message);
  error.name = name;
  error.stack = stack;
  return error;
};

/** The error of a spawn whose program could not be loaded. */
export const loadFailure = (node: number, url: string, failure: FailureRecord): Error => {
  const cause = reviveFailure(failure);
  return new Error(`program ${url} could not be loaded on node ${node}: ${cause.message}`, {
    cause,
  });
};
