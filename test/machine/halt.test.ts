// Halt while programs wait in every way they can, run for ever, or crash their worker: every promise
// settles in bounded time with a sentence that says why, and no thread is left.

import { describe, expect, test } from "@jest/globals";
import {
  boot,
  eventually,
  inline,
  openHandles,
  program,
  runOn,
  within,
} from "../support/machines.ts";
import type { Way } from "./programs/hang.ts";

/** How each wait ends. A look-up sleeps between its calls; the node that is sent to may halt
 *  first: its program then drops the request, and its port dies. */
const INTERRUPTED: [Way, string][] = [
  ["receive", "MACH_RCV_INTERRUPTED"],
  ["receive with timeout", "MACH_RCV_INTERRUPTED"],
  ["blocked send", "MACH_SEND_INTERRUPTED"],
  ["no room in the pool", "MACH_SEND_INTERRUPTED"],
  ["full queue of another node", "MACH_SEND_INTERRUPTED|MACH_SEND_INVALID_DEST"],
  ["sleep", "KERN_ABORTED"],
  ["look-up", "KERN_ABORTED|MACH_RCV_INTERRUPTED"],
  ["rpc", "MACH_RCV_INTERRUPTED|MIG_SERVER_DIED|MACH_SEND_INVALID_DEST"],
  ["rpcSync", "MACH_RCV_INTERRUPTED|MIG_SERVER_DIED|MACH_SEND_INVALID_DEST"],
  ["receiveSync", "MACH_RCV_INTERRUPTED"],
  ["blocked sendSync", "MACH_SEND_INTERRUPTED"],
];

const UNINTERRUPTED: Way[] = ["promise", "timer"];
const ENDLESS: Way[] = ["stubborn", "busy loop", "microtask loop"];

/** A machine of two nodes with a program on node 0 that waits in some way. */
const hanging = async (way: Way, haltMs: number) => {
  const test = await boot({ dimension: 1, kernel: { messages: 32 }, host: { haltMs } });
  await test.machine.spawn(1, program("drain"), { args: { senders: [], count: 0, bytes: 0 } });
  const task = await test.machine.spawn(0, program("hang"), { args: { way } });
  await eventually("the program waits", () => test.lines.includes("0.0 waiting"));
  return { ...test, exited: task.exited };
};

describe("halt", () => {
  test.each(INTERRUPTED)(
    "halt: during %s the program sees %s, and its outcome is that",
    async (way, code) => {
      const before = openHandles();
      const { machine, lines, exited } = await hanging(way, 5000);
      const started = Date.now();
      await within(4000, "halt", machine.halt());
      expect(Date.now() - started).toBeLessThan(4000); // it did not come to terminating
      await expect(within(1000, "outcome", exited)).rejects.toMatchObject({
        code: expect.stringMatching(new RegExp(`^(${code})$`)),
      });
      expect(lines.at(-1)).toMatch(new RegExp(`^0.0 interrupted (${code})$`));
      await eventually("handles as before", () => openHandles() === before);
    },
  );

  test.each(UNINTERRUPTED)(
    "halt: during a %s of the program's own there is nothing to interrupt",
    async (way) => {
      const { machine, exited } = await hanging(way, 5000);
      await within(4000, "halt", machine.halt());
      await expect(within(1000, "outcome", exited)).rejects.toThrow("the machine was halted");
    },
  );

  test.each(ENDLESS)(
    "halt: a program that never ends (%s) is terminated when host.haltMs have passed",
    async (way) => {
      const before = openHandles();
      const { machine, exited } = await hanging(way, 300);
      const outcome = expect(exited).rejects.toThrow(
        way === "stubborn"
          ? /the machine was halted|did not stop within host.haltMs, 300: terminated/
          : "worker 0 (node 0) did not stop within host.haltMs, 300: terminated",
      );
      await within(5000, "halt", machine.halt());
      await within(1000, "outcome", outcome);
      await eventually("handles as before", () => openHandles() === before);
    },
  );

  test("halt: a program that makes and catches errors for ever is terminated, every time", async () => {
    const before = openHandles();
    const text = "export default async () => { for (;;) await fail().catch(() => {}); };";
    const fail = "const fail = () => new Promise((_, no) => no(new Error('again')));";
    // A single request is lost every eighth time.
    for (let run = 0; run < 16; run++) {
      const { machine } = await boot({ dimension: 0, host: { haltMs: 20 } });
      const task = await machine.spawn(0, inline(`${fail} ${text}`));
      const outcome = expect(task.exited).rejects.toThrow("terminated");
      await within(5000, "halt", machine.halt());
      await within(1000, "outcome", outcome);
    }
    await eventually("handles as before", () => openHandles() === before);
  });

  test("halt: while programs are being spawned", async () => {
    const before = openHandles();
    for (const nodes of [1, 4]) {
      const { machine } = await boot({ dimension: 2 });
      const spawns = Array.from({ length: 20 }, (_, i) =>
        machine.spawn(i % nodes, inline("export default (task) => task.sleep(1e15)")),
      );
      const settled = Promise.allSettled(spawns);
      await within(5000, "halt", machine.halt());
      for (const spawn of await within(1000, "spawns", settled)) {
        if (spawn.status === "rejected") {
          expect(String(spawn.reason)).toContain("the machine was halted");
        } else {
          await expect(within(1000, "outcome", spawn.value.exited)).rejects.toThrow(
            /the machine was halted/,
          );
        }
      }
    }
    await eventually("handles as before", () => openHandles() === before);
  });

  test("halt: a program may catch the interruption and still return", async () => {
    const { machine, lines } = await boot({ dimension: 0 });
    const graceful = inline(`
      export default async (task) => {
        task.log("ready");
        try { await task.sleep(1e15); } catch { return "cleaned up"; }
      }`);
    const task = await machine.spawn(0, graceful);
    await eventually("ready", () => lines.length === 1);
    await machine.halt();
    expect(await within(1000, "outcome", task.exited)).toBe("cleaned up");
  });

  test("halt: of a machine whose nodes are all talking", async () => {
    const before = openHandles();
    const { machine } = await boot({ dimension: 3, processors: { workers: 4 } });
    const tasks = [];
    for (let node = 0; node < 8; node++) {
      await machine.spawn(node, program("echo"));
      const sizes = Array.from({ length: 100_000 }, (_, i) => (i * 61) % 4097);
      const args = { servers: [node ^ 7, node ^ 1], sizes };
      tasks.push(await machine.spawn(node, program("call-echo"), { args }));
    }
    await eventually("they talk", () => machine.stats().total.packetsSent > 2000);
    await within(10_000, "halt", machine.halt());
    for (const { exited } of tasks) await expect(within(1000, "end", exited)).rejects.toThrow();
    await eventually("handles as before", () => openHandles() === before);
  });
});

describe("crash", () => {
  const CRASHES: [string, string, RegExp][] = [
    [
      "process.exit()",
      "(task) => process.exit(3)",
      /worker 0 \(node 0\) crashed: .*(exit|terminat)/,
    ],
    [
      "an exception in a timer",
      "() => { setTimeout(() => { throw new Error('in a timer') }); return new Promise(() => {}) }",
      /worker 0 \(node 0\) crashed: (Error: )?in a timer/,
    ],
    [
      "a rejection that nobody handles",
      "() => { Promise.reject(new Error('unhandled')); return new Promise(() => {}) }",
      /worker 0 \(node 0\) crashed: (Error: )?unhandled/,
    ],
  ];

  test.each(CRASHES)(
    "crash: by %s: its promises reject and say so; other nodes go on; halt is clean",
    async (_how, code, sentence) => {
      const before = openHandles();
      {
        await using test = await boot({ dimension: 1 });
        const { machine } = test;
        const bystander = await machine.spawn(0, program("hang"), { args: { way: "promise" } });
        await machine.spawn(1, program("echo"));
        const crasher = machine
          .spawn(0, inline(`export default ${code}`))
          .then(({ exited }) => exited);
        await expect(within(10_000, "crash", crasher)).rejects.toThrow(sentence);
        await expect(within(1000, "bystander", bystander.exited)).rejects.toThrow(sentence);
        await expect(within(1000, "spawn", machine.spawn(0, program("echo")))).rejects.toThrow(
          sentence,
        );
        await expect(within(1000, "census", machine.census(0))).rejects.toThrow(sentence);
        expect(machine.stats().nodes).toHaveLength(2);
        const args = { servers: [1], sizes: [0, 64, 4096] };
        expect(await runOn(machine, 1, program("call-echo"), args)).toBe(3);
      }
      await eventually("handles as before", () => openHandles() === before);
    },
  );

  test("crash: a kernel that fails ends its worker, and the host hears why", async () => {
    await using test = await boot({ dimension: 1 });
    const { machine } = test;
    const bystander = await machine.spawn(0, program("hang"), { args: { way: "promise" } });
    const breaker = await machine.spawn(0, program("break-kernel"));
    const sentence = /worker 0 \(node 0\) crashed: .*the kernel was broken on purpose/;
    await expect(within(5000, "crash", breaker.exited)).rejects.toThrow(sentence);
    await expect(within(1000, "bystander", bystander.exited)).rejects.toThrow(sentence);
  });

  test("crash: an outcome that left before the crash counts", async () => {
    await using test = await boot({ dimension: 0 });
    const { machine } = test;
    const quick = inline(`
      export default () => {
        setTimeout(() => process.exit(1), 20);
        return "made it";
      }`);
    const task = await machine.spawn(0, quick);
    expect(await within(5000, "outcome", task.exited)).toBe("made it");
  });

  test("crash: a machine of which every worker has crashed can be halted", async () => {
    const before = openHandles();
    const { machine } = await boot({ dimension: 1 });
    for (const node of [0, 1]) {
      const task = machine.spawn(node, inline("export default () => process.exit(1)"));
      await expect(
        within(
          5000,
          "crash",
          task.then(({ exited }) => exited),
        ),
      ).rejects.toThrow(/crashed/);
    }
    await within(5000, "halt", machine.halt());
    await eventually("handles as before", () => openHandles() === before);
  });
});
