// Programs on a node: loading, outcomes, failures as records, what is left when one has ended.

import { expect, test } from "@jest/globals";
import { KERN_NO_SPACE, MACH_SEND_INVALID_DEST } from "../../src/base/status.ts";
import { COPY_SEND } from "../../src/ipc/rights.ts";
import { type Outcome, reviveFailure, TaskRunner } from "../../src/node/task-runner.ts";
import { MachError } from "../../src/task/mach-error.ts";
import type { Program } from "../../src/task/task.ts";
import { letter } from "../support/letters.ts";
import { LoneNodes } from "../support/lone-node.ts";

/** Runs one program to its end. */
const runProgram = async (program: unknown, args?: unknown) => {
  const nodes = new LoneNodes();
  const runner = new TaskRunner(nodes.kernels[0]!, async () => ({ default: program }));
  const spawned = await runner.spawn("test:program", args);
  if (spawned.kind === "failed") return { nodes, runner, outcome: spawned };
  const outcome = await nodes.run(runner.exited(spawned.id));
  return { nodes, runner, outcome };
};

const failureOf = (outcome: Outcome | { kind: string }) => {
  expect(outcome.kind).toBe("failed");
  return (outcome as Extract<Outcome, { kind: "failed" }>).failure;
};

test("task runner: a program gets its task and its arguments, and its value is the outcome", async () => {
  const program: Program<number, unknown> = async (task, args) => {
    await task.sleep(1000);
    return { node: task.node, nodes: task.nodes, twice: args * 2 };
  };
  const { nodes, runner, outcome } = await runProgram(program, 21);
  expect(outcome).toEqual({ kind: "returned", value: { node: 0, nodes: 1, twice: 42 } });
  expect(runner.runningCount).toBe(0);
  await nodes.expectNothingLeaked();
});

test("task runner: a program that is no async function may return at once, or throw at once", async () => {
  expect((await runProgram(() => 5)).outcome).toEqual({ kind: "returned", value: 5 });
  expect((await runProgram(() => {})).outcome).toEqual({ kind: "returned", value: undefined });
  const { outcome } = await runProgram(() => {
    throw new RangeError("too far");
  });
  expect(failureOf(outcome)).toMatchObject({ name: "RangeError", message: "too far" });
});

test("task runner: a MachError keeps its code, status and stack across the record", async () => {
  const { outcome } = await runProgram(async () => {
    throw new MachError(KERN_NO_SPACE, "the name space is full");
  });
  const revived = reviveFailure(structuredClone(failureOf(outcome)));
  expect(revived).toBeInstanceOf(MachError);
  expect(revived).toMatchObject({
    code: "KERN_NO_SPACE",
    status: KERN_NO_SPACE,
    message: "KERN_NO_SPACE: the name space is full",
  });
  expect(revived.stack).toContain("task-runner.test");
});

test("task runner: a failed call that a program does not catch is its outcome", async () => {
  const { nodes, outcome } = await runProgram((task: Parameters<Program>[0]) =>
    task.send(letter(0xbad00, COPY_SEND)),
  );
  expect(failureOf(outcome).status).toBe(MACH_SEND_INVALID_DEST);
  await nodes.expectNothingLeaked();
});

test("task runner: what is thrown need not be an error", async () => {
  for (const [thrown, message] of [
    ["a text", "the program threw a text"],
    [undefined, "the program threw undefined"],
    [null, "the program threw null"],
    [42n, "the program threw 42"],
    [Symbol("s"), "the program threw Symbol(s)"],
    [{ message: "alike", name: "Odd", stack: "here" }, "alike"],
    [Object.create(null), "the program threw [object Object]"],
  ] as const) {
    const { outcome } = await runProgram(async () => {
      throw thrown;
    });
    const failure = failureOf(outcome);
    expect(failure.message).toBe(message);
    expect(reviveFailure(structuredClone(failure))).toBeInstanceOf(Error);
  }
});

test("task runner: a value that cannot be cloned fails the program, and says which", async () => {
  const { nodes, outcome } = await runProgram(async () => ({ answer: () => 42 }));
  expect(failureOf(outcome).message).toBe(
    "the program's return value: () => 42 could not be cloned.",
  );
  await nodes.expectNothingLeaked();
});

test("task runner: a module without a function as default export, or that does not load", async () => {
  for (const program of [undefined, 42, { run() {} }]) {
    expect(failureOf((await runProgram(program)).outcome)).toMatchObject({
      name: "TypeError",
      message: "test:program has no default export that is a function",
    });
  }
  const nodes = new LoneNodes();
  const runner = new TaskRunner(nodes.kernels[0]!, async () => {
    throw new SyntaxError("Unexpected token");
  });
  expect(failureOf(await runner.spawn("test:x", 0))).toMatchObject({ message: "Unexpected token" });
  expect(runner.runningCount).toBe(0);
});

test("task runner: everything that a program leaves open is closed when it ends", async () => {
  const { nodes, outcome } = await runProgram(async (task: Parameters<Program>[0]) => {
    const ports = [1, 2, 3, 4].map(() => task.ports.allocate());
    for (const port of ports) task.receive(port).catch(() => {});
    task.ports.allocate("dead-name");
    await task.names.checkIn("left behind", ports[0]!);
    task.sleep(1e9).catch(() => {});
    return "gone";
  });
  expect(outcome).toEqual({ kind: "returned", value: "gone" });
  await nodes.expectNothingLeaked();
});

test("task runner: outcomes are kept until they are asked for, once", async () => {
  const nodes = new LoneNodes();
  const runner = new TaskRunner(nodes.kernels[0]!, async () => ({
    default: (_: unknown, n: number) => n,
  }));
  const ids: number[] = [];
  for (let i = 0; i < 5; i++) {
    const spawned = await runner.spawn("test:n", i * 10);
    if (spawned.kind === "started") ids.push(spawned.id);
  }
  await nodes.quiet();
  for (const [i, id] of [...ids.entries()].reverse()) {
    expect(await runner.exited(id)).toEqual({ kind: "returned", value: i * 10 });
  }
  await expect(runner.exited(ids[0]!)).rejects.toThrow("no task 0 on node 0");
});
