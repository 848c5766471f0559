// A machine in threads as its host sees it: boot, spawn, outcomes, statistics, halt; and what is left.

import { spawnSync } from "node:child_process";
import { describe, expect, test } from "@jest/globals";
import { MachError, OptionError } from "../../src/index.ts";
import { ThreadMachine } from "../../src/machine/thread-machine.ts";
import { KERNEL_PORTS } from "../../src/node/kernel.ts";
import {
  boot,
  eventually,
  inline,
  MODULE,
  openHandles,
  program,
  runOn,
  within,
} from "../support/machines.ts";

describe("boot and halt", () => {
  test.each([
    ["one node", { dimension: 0 }, 1, 1],
    ["eight nodes, a worker each", { dimension: 3, processors: { workers: 8 } }, 8, 8],
    ["sixteen nodes on two workers", { dimension: 4, processors: { workers: 2 } }, 16, 2],
    ["five nodes' worth of workers for eight", { dimension: 3, processors: { workers: 5 } }, 8, 5],
  ])(
    "machine: %s: boots, answers, halts, and leaves no handle open",
    async (_what, options, nodes, workers) => {
      const before = openHandles();
      for (let round = 0; round < 2; round++) {
        const machine = await within(30_000, "boot", ThreadMachine.boot(options));
        expect([machine.nodes, machine.workers]).toEqual([nodes, workers]);
        const names = await Promise.all(Array.from({ length: nodes }, (_, i) => machine.census(i)));
        expect(names.map(({ node }) => node)).toEqual(Array.from({ length: nodes }, (_, i) => i));
        await within(10_000, "halt", machine.halt());
      }
      await eventually("handles as before", () => openHandles() === before);
    },
  );

  test("machine: a process that boots, runs and halts ends by itself, with nothing on standard error", () => {
    const code = `
      import { Machine } from ${JSON.stringify(MODULE)};
      const machine = await Machine.boot({ dimension: 1 });
      const program = "data:text/javascript,export default (task) => task.log('here', task.node)";
      for (const node of [0, 1]) await (await machine.spawn(node, program)).exited;
      await machine.halt();
      console.log(process.getActiveResourcesInfo().filter((kind) => /Worker|Port/.test(kind)).length);
    `;
    const args = ["--input-type=module", "-e", code];
    const run = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 30_000 });
    expect(run).toMatchObject({ status: 0, stderr: "", stdout: "[0.0] here 0\n[1.0] here 1\n0\n" });
  });

  test("machine: halt is idempotent, alone and side by side", async () => {
    const machine = await ThreadMachine.boot({ dimension: 1 });
    await within(10_000, "halts", Promise.all([machine.halt(), machine.halt()]));
    await machine.halt();
  });

  test("machine: await using halts at the end of the block", async () => {
    let exited: Promise<unknown>;
    {
      await using machine = await ThreadMachine.boot({ dimension: 0, log: () => {} });
      ({ exited } = await machine.spawn(0, program("hang"), { args: { way: "receive" } }));
    }
    await expect(within(1000, "exit", exited)).rejects.toThrow("MACH_RCV_INTERRUPTED");
  });

  test("machine: wrong options and too little memory are refused before any thread starts", async () => {
    const before = openHandles();
    await expect(ThreadMachine.boot({ dimension: 8 })).rejects.toThrow(OptionError);
    await expect(
      ThreadMachine.boot({ memory: { bytesPerNode: 131_072 }, kernel: { messages: 4096 } }),
    ).rejects.toThrow(/^option memory.bytesPerNode is 131072; with these options a node needs/);
    expect(openHandles()).toBe(before);
  });

  test("machine: a boot that does not end in time says so, and leaves nothing behind", async () => {
    const before = openHandles();
    const started = ThreadMachine.boot({ dimension: 3, host: { bootMs: 1 } });
    await expect(within(30_000, "refusal", started)).rejects.toThrow(
      "the machine did not boot within host.bootMs, 1",
    );
    await eventually("handles as before", () => openHandles() === before);
  });

  test.each(["wasm", "shared-array-buffer"] as const)(
    "machine: memory of kind %s works the same",
    async (kind) => {
      await using test = await boot({ dimension: 2, memory: { kind } });
      const { machine } = test;
      await machine.spawn(3, program("echo"));
      const args = { servers: [3], sizes: [0, 1, 192, 193, 4096] };
      expect(await runOn(machine, 0, program("call-echo"), args)).toBe(5);
    },
  );
});

describe("spawn", () => {
  test("machine: a program gets its arguments by value, and gives its result by value", async () => {
    await using test = await boot({ dimension: 1 });
    const { machine } = test;
    const echo = inline("export default (task, args) => ({ node: task.node, args })");
    const args = { text: "grüße", list: [1, null, undefined], big: 10n, map: new Map([[1, 2]]) };
    expect(await runOn(machine, 1, echo, args)).toEqual({ node: 1, args });
    expect(await runOn(machine, 0, echo)).toEqual({ node: 0, args: undefined });
  });

  test("machine: tasks are numbered per node, and many run side by side", async () => {
    await using test = await boot({ dimension: 1 });
    const { machine } = test;
    const nap = inline(
      "export default async (task) => { await task.sleep(1000); return task.id; }",
    );
    const tasks = await Promise.all(
      Array.from({ length: 20 }, (_, i) => machine.spawn(i % 2, nap)),
    );
    const ids = await Promise.all(tasks.map((task) => task.exited));
    expect(ids).toEqual(tasks.map((task) => task.id));
    expect(ids).toEqual(tasks.map((_, i) => i >> 1));
  });

  test.each([-1, 2, 0.5, Number.NaN, "0"])("machine: there is no node %p", async (node) => {
    await using test = await boot({ dimension: 1 });
    const sentence = `node is ${node}; it must be 0 to 1`;
    const spawned = test.machine.spawn(node as number, program("echo"));
    await expect(spawned).rejects.toThrow(new OptionError(sentence));
    await expect(test.machine.census(node as number)).rejects.toThrow(sentence);
  });

  test("machine: arguments that cannot be cloned are refused, and the machine goes on", async () => {
    await using test = await boot({ dimension: 0 });
    const { machine } = test;
    const spawned = machine.spawn(0, program("echo"), { args: () => 42 });
    await expect(within(5000, "refusal", spawned)).rejects.toThrow("could not be cloned");
    expect(await runOn(machine, 0, inline("export default () => 7"))).toBe(7);
  });

  test("machine: after halt neither spawn nor census hang", async () => {
    const machine = await ThreadMachine.boot({ dimension: 0 });
    await machine.halt();
    const calls: Promise<unknown>[] = [machine.spawn(0, program("echo")), machine.census(0)];
    for (const call of calls) {
      await expect(within(1000, "refusal", call)).rejects.toThrow("the machine was halted");
    }
    expect(machine.stats().nodes).toHaveLength(1);
  });

  test("machine: a program that cannot be loaded is told with its address and its reason", async () => {
    await using test = await boot({ dimension: 0 });
    const { machine } = test;
    for (const [address, reason] of [
      [
        "/nowhere/at-all.js",
        /program file:\/\/\/nowhere\/at-all.js could not be loaded on node 0: .*Cannot find/,
      ],
      [inline("export const run = 1"), /has no default export that is a function/],
      [inline("export default 42"), /has no default export that is a function/],
      [inline("export default ("), /could not be loaded on node 0: .*Unexpected/],
      [inline("throw new Error('at load')"), /could not be loaded on node 0: at load/],
      [inline("import './missing.js'"), /could not be loaded/],
      ["nonsense:thing", /could not be loaded/],
    ] as const) {
      const spawned = within(10_000, "refusal", machine.spawn(0, address));
      await expect(spawned).rejects.toThrow(reason);
    }
    expect(await runOn(machine, 0, inline("export default () => 7"))).toBe(7);
  });

  test.each<[string, string, Record<string, unknown>]>([
    [
      "throws at once",
      "() => { throw new RangeError('sync') }",
      { name: "RangeError", message: "sync" },
    ],
    [
      "throws later",
      "async (t) => { await t.sleep(1); throw new TypeError('late') }",
      { name: "TypeError", message: "late" },
    ],
    [
      "throws what is no error",
      "async () => { throw 'a text' }",
      { message: "the program threw a text" },
    ],
    [
      "throws nothing",
      "async () => { throw undefined }",
      { message: "the program threw undefined" },
    ],
    [
      "throws what has no text",
      "() => { throw Object.create(null) }",
      { message: "the program threw [object Object]" },
    ],
    [
      "returns a function",
      "() => ({ f: () => 1 })",
      { name: "TypeError", message: expect.stringContaining("return value: ") },
    ],
    ["returns a promise that rejects", "() => Promise.reject(new Error('no'))", { message: "no" }],
    [
      "fails a call",
      "(t) => t.ports.destroy(5)",
      { name: "MachError", code: "KERN_INVALID_NAME", status: 15 },
    ],
  ])(
    "machine: a program that %s rejects its outcome, and the node goes on",
    async (_what, code, error) => {
      await using test = await boot({ dimension: 0 });
      const { machine } = test;
      await expect(runOn(machine, 0, inline(`export default ${code}`))).rejects.toMatchObject(
        error,
      );
      expect(await runOn(machine, 0, inline("export default () => 7"))).toBe(7);
      await eventually(
        "nothing left",
        async () => (await machine.census(0)).ports === KERNEL_PORTS,
      );
    },
  );

  test("machine: a MachError is one on the host too, with its stack of the program", async () => {
    await using test = await boot({ dimension: 0 });
    const failing = runOn(test.machine, 0, inline("export default (task) => task.ports.type(77)"));
    const error = (await failing.catch((reason) => reason)) as MachError;
    expect(error).toBeInstanceOf(MachError);
    expect(error.message).toBe(
      "KERN_INVALID_NAME: name 0x4d: a name denotes no right of this task",
    );
    expect(error.stack).toContain("data:text/javascript");
  });
});

describe("log and statistics", () => {
  test("machine: log lines reach the host in order, those just before the end and halt included", async () => {
    const { machine, lines } = await boot({ dimension: 1 });
    const chatter = inline(`export default (task) => {
      for (let i = 0; i < 100; i++) task.log("line", i);
    }`);
    const task = await machine.spawn(1, chatter);
    await task.exited;
    await machine.halt();
    expect(lines).toEqual(Array.from({ length: 100 }, (_, i) => `1.0 line ${i}`));
  });

  test("machine: a log sink that throws does no harm", async () => {
    const machine = await ThreadMachine.boot({
      dimension: 0,
      log: () => {
        throw new Error("the sink is full");
      },
    });
    await runOn(machine, 0, inline("export default (task) => { task.log('x'); return 1; }"));
    await within(10_000, "halt", machine.halt());
  });

  test("machine: statistics are read while the machine runs, and only grow", async () => {
    await using test = await boot({ dimension: 2 });
    const { machine } = test;
    await machine.spawn(3, program("echo"));
    let packets = 0;
    for (let round = 0; round < 3; round++) {
      await runOn(machine, 0, program("call-echo"), { servers: [3], sizes: [64, 4096] });
      const { nodes, total, parks } = machine.stats();
      expect(nodes.map(({ node }) => node)).toEqual([0, 1, 2, 3]);
      expect(parks).toHaveLength(machine.workers);
      expect(total.packetsSent).toBeGreaterThan(packets);
      packets = total.packetsSent;
      expect(total.packetsSent).toBe(
        nodes.reduce((sum, { counters }) => sum + counters.packetsSent, 0),
      );
      // e-cube: from 0 to 3 by dimension 0, then, at node 1, by dimension 1. A packet that is on its way while the
      // counters are read, such as a last acknowledgement, has been counted by one channel and not by the other.
      await eventually("both channels have counted the same packets", () => {
        const [first, second] = machine.stats().nodes;
        return second!.channels[1]!.packets === first!.channels[0]!.packets;
      });
      expect(nodes[0]!.channels[0]!.packets).toBeGreaterThan(0);
      expect(nodes[0]!.channels[1]!.packets).toBe(0);
    }
    expect(machine.stats().nodes[0]!.counters.messagesSent).toBeGreaterThan(0);
  });
});
