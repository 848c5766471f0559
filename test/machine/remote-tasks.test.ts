// A remote task in threads: made on another node with a copy of its parent's memory, written to, read, stopped, let go on
// and ended from elsewhere; afterwards its names are dead on every node, and nothing of it is left (D49).

import { expect, test } from "@jest/globals";
import type { NodeCensus } from "../../src/node/census.ts";
import { boot, eventually, inline, MODULE_URL, within } from "../support/machines.ts";

const MODULE = JSON.stringify(MODULE_URL);

const PROBE = `
  import { defineInterface, fields, routine } from ${MODULE};
  const probe = defineInterface("probe", 9000, {
    peek: routine({ address: fields.uint32 }, { value: fields.int32, node: fields.int32 }),
  });`;

/** What runs in the remote task: shows its memory. */
const child = inline(`${PROBE}
  export default async (task) => {
    const port = task.ports.allocate();
    await task.names.checkIn("probe", port);
    await probe.serve(task, port, {
      peek: ({ address }) => ({ value: task.memory.load8(address), node: task.node }),
    });
  };`);

/** On a third node: finds the task's port in a slot of its own node, and waits for its death and its port's. */
const witness = inline(`${PROBE}
  import { NOTIFY_DEAD_NAME } from ${MODULE};
  export default async (task, { address }) => {
    let found = 0;
    while (found === 0) {
      await task.sleep(100_000);
      found = await task.norma.getSpecialPort(task.node, 20);
    }
    const port = await task.names.lookUp("probe", { waitNs: 60e9 });
    const { value, node } = await probe.client(task, port).peek({ address });
    const notify = task.ports.allocate();
    for (const name of [found, port]) task.ports.requestNotification(name, NOTIFY_DEAD_NAME, 0, notify);
    await task.names.checkIn("witness", notify);
    const ids = [(await task.receive(notify)).id, (await task.receive(notify)).id];
    const types = [found, port].map((name) => task.ports.type(name));
    return { value, node, ids, types, slot: await task.norma.getSpecialPort(task.node, 20) };
  };`);

const parent = inline(`${PROBE}
  import { loader, mach, TASK_BASIC_INFO, VM_INHERIT_NONE } from ${MODULE};
  export default async (task, { url }) => {
    const code = (promise) => promise.then(() => "no error", (error) => error.code);
    const bytes = 20 * 4096;
    const address = task.vm.allocate(bytes);
    task.memory.write(address, Uint8Array.from({ length: bytes }, (_, i) => i % 251));
    const kept = task.vm.allocate(4096);
    task.vm.inherit(kept, 4096, VM_INHERIT_NONE);
    const made = await task.norma.taskCreate({ node: 5, inheritMemory: true });
    const calls = mach.client(task, made);
    const seen = { hint: await task.norma.portLocationHint(made) };

    task.memory.store8(kept, 99);
    await calls.vmWrite({ address: address + 300, data: { address: kept, bytes: 1 } });
    const { data } = await calls.vmRead({ address, bytes });
    const back = task.memory.read(data.address, bytes);
    seen.wrong = back.findIndex((byte, i) => byte !== (i === 300 ? 99 : i % 251));
    seen.hidden = await code(calls.vmRead({ address: kept, bytes: 1 }));

    await loader.client(task, made).run({ url, args: null });
    const port = await task.names.lookUp("probe", { waitNs: 60e9 });
    const peek = () => probe.client(task, port).peek({ address: address + 300 });
    seen.peeked = await peek();

    await calls.taskSuspend();
    let answered = false;
    const late = peek().then((answer) => {
      answered = true;
      return answer;
    });
    for (let i = 0; i < 20; i++) {
      const { info } = await calls.taskInfo({ flavor: TASK_BASIC_INFO });
      seen.suspendCount = info[0];
    }
    seen.answered = answered;
    await calls.taskResume();
    seen.late = await late;

    await task.norma.setSpecialPort(20, made, 3);
    await task.names.lookUp("witness", { waitNs: 60e9 });
    await calls.taskTerminate();
    while ((await code(calls.taskThreads())) !== "MACH_SEND_INVALID_DEST") await task.sleep(1000);
    seen.dead = await code(peek());
    return seen;
  };`);

const held = ({ framesFree, messagesFree, ports, sendOnceRights }: NodeCensus) => ({
  framesFree,
  messagesFree,
  ports,
  sendOnceRights,
});

test("remote task: made by node 0 on node 5, used, stopped and ended from there, mourned on node 3", async () => {
  await using test = await boot({
    dimension: 3,
    processors: { workers: 2 },
    kernel: { tokenPauseNs: 1e6 },
  });
  const { machine } = test;
  const before = held(await machine.census(5));
  const address = 0x10000 + 300; // the parent's first memory
  const mourner = await machine.spawn(3, witness, { args: { address } });
  const task = await machine.spawn(0, parent, { args: { url: child } });
  const [seen, grief] = await within(
    60_000,
    "parent and witness",
    Promise.all([task.exited, mourner.exited]),
  );
  expect(seen).toEqual({
    hint: 5,
    wrong: -1,
    hidden: "KERN_INVALID_ADDRESS",
    peeked: { value: 99, node: 5 },
    suspendCount: 1,
    answered: false,
    late: { value: 99, node: 5 },
    dead: expect.stringMatching(/^(MACH_SEND_INVALID_DEST|MIG_SERVER_DIED)$/),
  });
  expect(grief).toEqual({
    value: 99,
    node: 5,
    ids: [72, 72],
    types: [1 << 20, 1 << 20],
    slot: 0,
  });
  await eventually("node 5 has everything back", async () => {
    const now = held(await machine.census(5));
    return JSON.stringify(now) === JSON.stringify(before);
  });
});
