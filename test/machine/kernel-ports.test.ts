// Kernel ports in threads: a task on one node makes a task on another, starts a program in it, looks into
// it and ends it, all by messages to kernel-owned ports (D23).

import { expect, test } from "@jest/globals";
import { boot, eventually, inline, MODULE_URL, within } from "../support/machines.ts";

/** Offers its own kernel port until the machine is halted. */
const owner = inline(`
  export default async (task) => {
    await task.names.checkIn("kernel port", task.self);
    await task.receive(task.ports.allocate());
  };`);

/** What is started in the new task: says where it is, and waits to be ended. */
const child = inline(`
  export default async (task, args) => {
    task.log("child", task.node, args.word);
    await task.receive(task.ports.allocate());
  };`);

const parent = inline(`
  import { loader, mach, machPort } from ${JSON.stringify(MODULE_URL)};
  export default async (task, { child }) => {
    const codes = [];
    const code = (promise) => promise.catch((error) => codes.push(error.code));
    const right = await task.names.lookUp("kernel port", { waitNs: 60e9 });
    const made = (await mach.client(task, right).taskCreate({ inheritMemory: false })).child;
    const run = (url) => loader.client(task, made).run({ url, args: { word: "hello" } });
    await code(run("file:///there/is/no/such/module.js"));
    await run(child); // the failure has left the task as it was
    await code(run(child));
    const names = machPort.client(task, made);
    while ((await names.names()).names.length === 0) await task.sleep(1000);
    await mach.client(task, made).taskTerminate();
    await code(names.names());
    return codes;
  };`);

test("kernel ports: a task on node 0 creates a task on node 5, runs a program there and terminates it", async () => {
  await using test = await boot({ dimension: 3, processors: { workers: 2 } });
  const { machine, lines } = test;
  const kept = await machine.spawn(5, owner);
  kept.exited.catch(() => {}); // halt() ends it
  const task = await machine.spawn(0, parent, { args: { child } });
  const codes = await within(60_000, "the parent", task.exited);
  expect(codes).toEqual(["KERN_FAILURE", "KERN_FAILURE", "MACH_SEND_INVALID_DEST"]);
  await eventually("the child has said so", () =>
    lines.some((line) => line.endsWith("child 5 hello")),
  );
  // Its receive ended with the right that was taken from it, and the log says how.
  await eventually("the child has ended", () =>
    lines.some((line) => line.includes("MACH_RCV_PORT_DIED")),
  );
});
