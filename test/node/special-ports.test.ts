// Special ports of nodes: who sets one and who finds it, from which node, and when the slot is empty again.

import { expect, test } from "@jest/globals";
import { COUNTERS } from "../../src/base/counters.ts";
import {
  COPY_SEND,
  MACH_PORT_DEAD,
  MACH_PORT_NULL,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  NOTIFY_NO_SENDERS,
  type PortName,
  RIGHT_SEND,
  TYPE_SEND,
} from "../../src/ipc/rights.ts";
import { machNorma } from "../../src/task/kernel-interfaces.ts";
import type { Task } from "../../src/task/task.ts";
import { letter } from "../support/letters.ts";
import { LoneNodes, type LoneNodesInput } from "../support/lone-node.ts";
import { PLACES } from "../support/places.ts";

/** A task on node 0, another where it is placed. */
const furnish = (input: LoneNodesInput, place: number) => {
  const nodes = new LoneNodes(input);
  const run = <T>(promise: Promise<T>): Promise<T> => nodes.run(promise);
  return { nodes, task: nodes.task(0), owner: nodes.task(place), run };
};

const fails = async (call: Promise<unknown>, code: string): Promise<void> => {
  await expect(call).rejects.toMatchObject({ code });
};

/** Nobody has a send right for a port of the task. */
const expectNoSenders = async (nodes: LoneNodes, task: Task, port: PortName): Promise<void> => {
  const watcher = task.ports.allocate();
  task.ports.requestNotification(port, NOTIFY_NO_SENDERS, 0, watcher);
  expect((await nodes.run(task.receive(watcher))).id).toBe(NOTIFY_NO_SENDERS);
};

const messagesAbroad = (nodes: LoneNodes): number[] =>
  nodes.kernels.map(({ memory }) => memory.counters[COUNTERS.messagesRemote.index]!);

test("mach_norma: the ids are those of CMU's subsystem, in our order", () => {
  const ids = Object.fromEntries(machNorma.subsystem.routines.map(({ key, id }) => [key, id]));
  expect(ids).toEqual({
    getSpecialPort: 555000,
    setSpecialPort: 555001,
    portLocationHint: 555002,
    taskCreate: 555003,
    taskSetChildNode: 555004,
  });
});

test("special ports: those of the kernel are found for any node without a message (D46)", async () => {
  const { nodes, task, run } = furnish({ dimension: 2 }, 0);
  for (let node = 0; node < 4; node++) {
    expect(await run(task.norma.getSpecialPort(node, 1))).toBe(task.deviceMaster(node));
    expect(await run(task.norma.getSpecialPort(node, 2))).toBe(task.host(node));
    expect(await run(task.norma.getSpecialPort(node, 3))).toBe(task.hostPriv(node));
  }
  expect(messagesAbroad(nodes)).toEqual([0, 0, 0, 0]);
  await nodes.expectNothingLeaked();
});

test.each(PLACES)(
  "special ports: slot 4 is born with the name server, the others empty %s (D46)",
  async (_w, input, place) => {
    const { nodes, task, owner, run } = furnish(input, place);
    const server = await run(task.norma.getSpecialPort(place, 4));
    expect(task.ports.type(server)).toBe(TYPE_SEND);
    const port = owner.ports.allocate();
    await run(owner.names.checkIn("somebody", port));
    const reply = task.ports.allocate();
    const request = letter(server, COPY_SEND, 1041, reply, MAKE_SEND_ONCE).addText("somebody");
    const answer = await run(task.rpc(request));
    expect([answer.id, answer.takeInteger()]).toEqual([1141, 0]);
    for (const which of [5, 32]) {
      expect(await run(task.norma.getSpecialPort(place, which))).toBe(MACH_PORT_NULL);
    }
    await nodes.expectNothingLeaked();
  },
);

test.each(PLACES)(
  "special ports: a slot that was set is found from elsewhere, and replaced %s (D46)",
  async (_w, input, place) => {
    const { nodes, task, owner, run } = furnish(input, place);
    const [first, second] = [owner.ports.allocate(), owner.ports.allocate()];
    await run(owner.norma.setSpecialPort(32, first));
    const found = await run(task.norma.getSpecialPort(place, 32));
    await run(task.send(letter(found, COPY_SEND, 7)));
    expect((await run(owner.receive(first))).id).toBe(7);
    await run(owner.norma.setSpecialPort(32, second));
    expect(await run(task.norma.getSpecialPort(place, 32))).not.toBe(found);
    expect(await run(owner.norma.getSpecialPort(place, 32))).toBe(second);
    await run(owner.norma.setSpecialPort(32, MACH_PORT_NULL));
    expect(await run(task.norma.getSpecialPort(place, 32))).toBe(MACH_PORT_NULL);
    await nodes.expectNothingLeaked();
  },
);

test.each(PLACES)(
  "special ports: a slot of another node is set by a right to its privileged host port %s",
  async (_w, input, place) => {
    const { nodes, task, owner, run } = furnish(input, place);
    const mine = task.ports.allocate();
    const server = await run(owner.norma.getSpecialPort(place, 4));
    await run(task.norma.setSpecialPort(4, mine, place));
    const theirs = await run(owner.norma.getSpecialPort(place, 4));
    await run(owner.send(letter(theirs, COPY_SEND, 8)));
    expect((await run(task.receive(mine))).id).toBe(8);
    // The kernel's own name server stays what task.names asks.
    await run(owner.names.checkIn("still here", owner.ports.allocate()));
    expect(await run(task.names.lookUp("still here"))).not.toBe(MACH_PORT_NULL);
    nodes.end(task);
    await nodes.quiet();
    expect(await run(owner.norma.getSpecialPort(place, 4))).toBe(MACH_PORT_NULL);
    await run(owner.norma.setSpecialPort(4, server));
    await nodes.expectNothingLeaked();
  },
);

test.each(PLACES)(
  "special ports: a slot is a sender until it is replaced, and is empty when its port dies %s",
  async (_w, input, place) => {
    const { nodes, task, owner, run } = furnish(input, place);
    const [port, watcher] = [task.ports.allocate(), task.ports.allocate()];
    await run(task.norma.setSpecialPort(9, port, place));
    task.ports.requestNotification(port, NOTIFY_NO_SENDERS, 0, watcher);
    await nodes.pass(10_000_000);
    await fails(run(task.receive(watcher, { timeoutNs: 0 })), "MACH_RCV_TIMED_OUT");
    await run(owner.norma.setSpecialPort(9, MACH_PORT_NULL));
    expect((await run(task.receive(watcher))).id).toBe(NOTIFY_NO_SENDERS);
    await run(task.norma.setSpecialPort(9, port, place));
    task.ports.destroy(port);
    await nodes.pass(10_000_000);
    expect(await run(owner.norma.getSpecialPort(place, 9))).toBe(MACH_PORT_NULL);
    await nodes.expectNothingLeaked();
  },
);

test.each(PLACES)(
  "special ports: ids and nodes that there are not are refused, and leak nothing %s (D46, D47)",
  async (_w, input, place) => {
    const { nodes, task, run } = furnish(input, place);
    const { norma } = task;
    for (const which of [0, 33, -1, 1 << 30]) {
      await fails(run(norma.getSpecialPort(place, which)), "KERN_INVALID_ARGUMENT");
    }
    for (const node of [-1, nodes.kernels.length]) {
      await fails(run(norma.getSpecialPort(node, 1)), "KERN_INVALID_ARGUMENT");
      await fails(run(norma.getSpecialPort(node, 9)), "KERN_INVALID_ARGUMENT");
    }
    await fails(run(norma.getSpecialPort(0.5, 9)), "KERN_INVALID_ARGUMENT");
    const port = task.ports.allocate();
    for (const which of [0, 1, 2, 3, 33, -5]) {
      await fails(run(norma.setSpecialPort(which, port, place)), "KERN_INVALID_VALUE");
    }
    await expectNoSenders(nodes, task, port);
    expect(await run(norma.getSpecialPort(place, 1))).toBe(task.deviceMaster(place));
    await nodes.expectNothingLeaked();
  },
);

test.each(PLACES)(
  "special ports: a host port that is not privileged is no host here, a task port neither %s",
  async (_w, input, place) => {
    const { nodes, task, owner, run } = furnish(input, place);
    const mine = task.ports.allocate();
    const given = { right: mine, disposition: MAKE_SEND } as const;
    for (const port of [
      task.host(place),
      task.self,
      owner.node === 0 ? task.thread : task.host(0),
    ]) {
      const calls = machNorma.client(task, port);
      await fails(run(calls.getSpecialPort({ node: 0, which: 1 })), "KERN_INVALID_HOST");
      await fails(run(calls.setSpecialPort({ which: 9, port: given })), "KERN_INVALID_HOST");
    }
    const host = machNorma.client(task, task.hostPriv(place));
    await fails(run(host.portLocationHint({ port: given })), "KERN_INVALID_ARGUMENT");
    await fails(
      run(host.taskCreate({ inheritMemory: false, node: place })),
      "KERN_INVALID_ARGUMENT",
    );
    await fails(run(host.taskSetChildNode({ node: place })), "KERN_INVALID_ARGUMENT");
    await expectNoSenders(nodes, task, mine);
    await nodes.expectNothingLeaked();
  },
);

test("special ports: another node answers whoever asked, and the node between is done with it", async () => {
  const { nodes, task, run } = furnish({ dimension: 2 }, 0);
  const owner = nodes.task(3);
  await run(owner.norma.setSpecialPort(10, owner.ports.allocate()));
  await nodes.quiet();
  const before = messagesAbroad(nodes);
  const between = machNorma.client(task, task.hostPriv(1));
  const { port } = await run(between.getSpecialPort({ node: 3, which: 10 }));
  expect(task.ports.type(port)).toBe(TYPE_SEND);
  await nodes.quiet();
  const sent = messagesAbroad(nodes).map((count, node) => count - before[node]!);
  expect(sent).toEqual([1, 1, 0, 1]);
  await nodes.expectNothingLeaked();
});

test("port location hint: the node of the receive right; null and dead have none", async () => {
  const { nodes, task, owner, run } = furnish({ dimension: 1 }, 1);
  const port = owner.ports.allocate();
  await run(owner.names.checkIn("there", port));
  const right = await run(task.names.lookUp("there"));
  expect(await run(task.norma.portLocationHint(right))).toBe(1);
  expect(await run(owner.norma.portLocationHint(port))).toBe(1);
  expect(await run(task.norma.portLocationHint(task.ports.allocate()))).toBe(0);
  expect(await run(task.norma.portLocationHint(task.host(1)))).toBe(1);
  for (const name of [MACH_PORT_NULL, MACH_PORT_DEAD]) {
    await fails(run(task.norma.portLocationHint(name)), "KERN_INVALID_ARGUMENT");
  }
  await fails(run(task.norma.portLocationHint(0xdead00)), "MACH_SEND_INVALID_RIGHT");
  expect(task.ports.getRefs(right, RIGHT_SEND)).toBe(1);
  await nodes.expectNothingLeaked();
});
