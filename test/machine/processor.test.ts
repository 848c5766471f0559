// The loop of a worker with programs that do things of their own: timers, files, threads of the host's
// pool. While the kernel rests such a program must still get on; and a node at rest must cost nothing.

import { expect, test } from "@jest/globals";
import {
  boot,
  eventually,
  inline,
  MODULE_URL,
  program,
  runOn,
  within,
} from "../support/machines.ts";

const WAYS: [string, unknown][] = [
  ["timer", "timer"],
  ["timers", "timers"],
  ["file", true],
  ["files", true],
  ["pbkdf2", 8],
  ["digest", 32],
  ["gzip", true],
  ["import", "function"],
  ["immediate", "immediate"],
  ["lookup", "127.0.0.1"],
];

test.each(["adaptive", "park", "spin"] as const)(
  "processor: programs get on with their own I/O under policy %s",
  async (idle) => {
    await using test = await boot({ dimension: 0, processors: { idle } });
    for (const [way, value] of WAYS) {
      const task = await test.machine.spawn(0, program("own-io"), { args: { way } });
      expect(await within(5000, way, task.exited)).toEqual(value);
    }
  },
);

test("processor: they get on as well beside tasks that wait in the kernel, on a shared worker", async () => {
  await using test = await boot({ dimension: 2, processors: { workers: 1 } });
  const { machine } = test;
  for (let node = 0; node < 4; node++) {
    await machine.spawn(node, program("hang"), { args: { way: "receive" } });
  }
  for (const [way, value] of WAYS) {
    const task = await machine.spawn(1, program("own-io"), { args: { way } });
    expect(await within(5000, way, task.exited)).toEqual(value);
  }
});

test("processor: a kernel sleep and a host timer end when they should, side by side", async () => {
  await using test = await boot({ dimension: 0 });
  const both = inline(`
    import { setTimeout as wait } from "node:timers/promises";
    export default async (task) => {
      const start = task.now();
      const slept = task.sleep(40e6).then(() => task.now() - start);
      const waited = wait(20).then(() => task.now() - start);
      return [await waited, await slept];
    }`);
  const [waited, slept] = (await runOn(test.machine, 0, both)) as [number, number];
  expect(waited).toBeGreaterThanOrEqual(19e6);
  expect(slept).toBeGreaterThanOrEqual(40e6);
  expect(slept).toBeLessThan(2e9);
});

test("processor: a machine at rest parks its workers, and they stay parked", async () => {
  await using test = await boot({ dimension: 3, processors: { workers: 2 } });
  const { machine } = test;
  await machine.spawn(5, program("hang"), { args: { way: "receive" } });
  await eventually("all parked", () => machine.stats().parks.every((parks) => parks > 0));
  const parks = () => machine.stats().parks.reduce((sum, count) => sum + count, 0);
  let before = parks();
  await eventually("no parking any more", async () => {
    await new Promise((resolve) => setTimeout(resolve, 100)); // so long without parking is rest
    const now = parks();
    const still = now === before;
    before = now;
    return still;
  });
});

test("processor: a program that computes without a break delays only its own worker", async () => {
  await using test = await boot({ dimension: 1, host: { haltMs: 200 } });
  const { machine } = test;
  await machine.spawn(0, program("hang"), { args: { way: "busy loop" } });
  await machine.spawn(1, program("echo"));
  const own = { servers: [1], sizes: [0, 64, 4096] };
  expect(await runOn(machine, 1, program("call-echo"), own)).toBe(3);
});

test("processor: spawning while a program spins in a Sync call waits for it, and then works", async () => {
  await using test = await boot({ dimension: 1 });
  const { machine } = test;
  const patient = inline(`
    export default (task) => {
      const port = task.ports.allocate();
      try { task.receiveSync(port, { timeoutNs: 100e6 }); } catch (error) { return error.code; }
    }`);
  const first = await machine.spawn(0, patient);
  const second = await within(10_000, "spawn", machine.spawn(0, inline("export default () => 2")));
  expect(await within(5000, "second", second.exited)).toBe(2);
  expect(await within(5000, "first", first.exited)).toBe("MACH_RCV_TIMED_OUT");
});

test("processor: a program that its own timer resumes may park in a Sync call, and is woken from it", async () => {
  await using test = await boot({ dimension: 1 });
  const { machine } = test;
  // The answer comes so late that the caller parks.
  const slow = inline(`
    export default async (task) => {
      const port = task.ports.allocate();
      await task.names.checkIn("slow", port);
      for (;;) {
        const message = await task.receive(port);
        await task.sleep(5e6);
        await task.send(message.answer(message));
      }
    }`);
  const caller = inline(`
    import { setTimeout as wait } from "node:timers/promises";
    import { COPY_SEND, MAKE_SEND_ONCE, Message } from ${JSON.stringify(MODULE_URL)};
    export default async (task) => {
      const message = new Message();
      const remote = await task.names.lookUp("slow", { host: 1, waitNs: 60e9 });
      const local = task.ports.allocate();
      for (let i = 0; i < 20; i++) {
        await wait(5); // the worker parks meanwhile
        const address = { remoteDisposition: COPY_SEND, localDisposition: MAKE_SEND_ONCE, size: 0 };
        task.rpcSync(Object.assign(message, { remote, local, ...address }), { into: message });
      }
      return "woken every time";
    }`);
  await machine.spawn(1, slow);
  const task = await machine.spawn(0, caller);
  expect(await within(10_000, "caller", task.exited)).toBe("woken every time");
});
