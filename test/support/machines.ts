// Machines in threads for tests: booted with their log kept, halted whatever happens, and with bounds on
// every wait, so that a promise that never settles fails the test that waits for it by name.

import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ThreadMachine, type ThreadMachineInput } from "../../src/machine/thread-machine.ts";

/** A program of test/machine/programs. */
export const program = (name: string): URL =>
  new URL(`../machine/programs/${name}.js`, import.meta.url);

/** A program given as the text of its module. */
export const inline = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`;

/** Rejects with `what` when `promise` takes longer than `ms`. */
export const within = async <T>(ms: number, what: string, promise: Promise<T>): Promise<T> => {
  const limit = new AbortController();
  const late = wait(ms, undefined, { signal: limit.signal }).then(() => {
    throw new Error(`${what}: not within ${ms} ms`);
  });
  late.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    limit.abort();
  }
};

/** Resolves when `check` holds; rejects with `what` when it does not within `ms`. */
export const eventually = async (
  what: string,
  check: () => boolean | Promise<boolean>,
  ms = 10_000,
): Promise<void> => {
  const end = Date.now() + ms;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`${what}: not within ${ms} ms`);
    await wait(5);
  }
};

export interface TestMachine extends AsyncDisposable {
  readonly machine: ThreadMachine;
  /** What programs have logged, as "node.task line". */
  readonly lines: string[];
}

/** Boots a machine; `await using` halts it. */
export const boot = async (options: ThreadMachineInput): Promise<TestMachine> => {
  const lines: string[] = [];
  const log = (node: number, task: number, line: string): void => {
    lines.push(`${node}.${task} ${line}`);
  };
  const machine = await ThreadMachine.boot({ log, ...options });
  return {
    machine,
    lines,
    [Symbol.asyncDispose]: () => within(30_000, "halt", machine.halt()),
  };
};

/** Runs a program to its end. */
export const runOn = async (
  machine: ThreadMachine,
  node: number,
  what: string | URL,
  args?: unknown,
): Promise<unknown> => {
  const task = await machine.spawn(node, what, { args });
  return await within(60_000, `program on node ${node}`, task.exited);
};

/** Worker threads and ports that keep this process alive. */
export const openHandles = (): number =>
  process.getActiveResourcesInfo().filter((kind) => /Worker|MessagePort/.test(kind)).length;

/** The public API, for programs given as text. */
export const MODULE_URL = new URL("../../src/index.js", import.meta.url).href;
export const MODULE = fileURLToPath(MODULE_URL);
