// Conformance: tasks that are made at a chosen node, and what is done to them from elsewhere (D49). The client is the
// parent, the server's node the place.

import { expect } from "@jest/globals";
import {
  COPY_SEND,
  MACH_PORT_NULL,
  MAKE_SEND,
  NOTIFY_DEAD_NAME,
  NOTIFY_NO_SENDERS,
  type PortName,
  RIGHT_RECEIVE,
  TYPE_DEAD_NAME,
} from "../../src/ipc/rights.ts";
import { made, TASK_BASIC_INFO, TASK_BOOTSTRAP_PORT } from "../../src/task/kernel-interfaces.ts";
import {
  VM_INHERIT_NONE,
  VM_INHERIT_SHARE,
  VM_PROT_DEFAULT,
  VM_PROT_READ,
} from "../../src/vm/protection.ts";
import { conform } from "../support/conform.ts";
import { MS } from "../support/conformance-steps.ts";
import { pattern, right } from "../support/peer-letter.ts";
import { fails, type World } from "../support/worlds.ts";

const PAGE = 4096;

/** A task at the server's node, made by the client. */
const makeTask = async ({ client, server }: World, inheritMemory = false) => {
  const port = await client.norma.taskCreate({ node: server.node, inheritMemory });
  const calls = client.kernel("mach", port);
  /** What is in its memory, read by the client. */
  const read = async (address: number, bytes: number): Promise<Uint8Array> => {
    const { data } = await calls.vmRead({ address, bytes });
    const found = await client.memory.read(data.address, bytes);
    await client.vm.deallocate(data.address, bytes);
    return found;
  };
  return { port, calls, names: client.kernel("machPort", port), read };
};

conform("D49 a task is made on a node, and inherits ports from its parent", async (world) => {
  const { client, server, third } = world;
  const own = client.kernel("mach", await client.self());
  const { send: bootstrap } = await world.door(client, third);
  const { send: registered } = await world.door(client, server);
  await own.taskSetSpecialPort({
    which: TASK_BOOTSTRAP_PORT,
    port: { right: bootstrap, disposition: COPY_SEND },
  });
  await client.ports.modRefs(registered, 0, 1);
  await own.machPortsRegister({ ports: [MACH_PORT_NULL, registered] });
  const { port, calls, names } = await makeTask(world);
  expect(await client.norma.portLocationHint(port)).toBe(server.node);
  expect((await calls.taskGetSpecialPort({ which: TASK_BOOTSTRAP_PORT })).port).toBe(bootstrap);
  expect((await calls.machPortsLookup()).ports).toEqual([MACH_PORT_NULL, registered]);
  expect((await names.names()).names).toHaveLength(0);
  await calls.taskTerminate();
});

conform("D49 a task that is made on a node inherits a copy of memory", async (world) => {
  const { client } = world;
  const contents = pattern(5 * PAGE);
  const copied = await client.vm.allocate(5 * PAGE);
  await client.memory.write(copied, contents);
  await client.vm.protect(copied + 4 * PAGE, PAGE, VM_PROT_READ);
  const hidden = await client.vm.map({ bytes: PAGE, mask: 0xfffff });
  await client.vm.inherit(hidden, PAGE, VM_INHERIT_NONE);
  const zeros = await client.vm.map({ bytes: 100 * PAGE, mask: 0xffffff });
  const { calls, read } = await makeTask(world, true);
  await client.memory.fill(copied, 2 * PAGE, 0xee);
  expect(await read(copied, 5 * PAGE)).toEqual(contents);
  expect(await read(zeros + 99 * PAGE, PAGE)).toEqual(new Uint8Array(PAGE));
  await fails(calls.vmRead({ address: hidden, bytes: 1 }), "KERN_INVALID_ADDRESS");
  const region = { address: copied, bytes: 4 * PAGE, protection: VM_PROT_DEFAULT, shared: false };
  expect(await calls.vmRegion({ address: 0 })).toMatchObject(region);
  const guarded = { address: copied + 4 * PAGE, bytes: PAGE, protection: VM_PROT_READ };
  expect(await calls.vmRegion({ address: copied + 4 * PAGE })).toMatchObject(guarded);
  await calls.taskTerminate();
});

conform("D49 task_set_child_node says where task_create makes children", async (world) => {
  const { client, server, third } = world;
  const own = client.kernel("mach", await client.self());
  for (const { node } of [server, third, client]) {
    await client.norma.setChildNode(node);
    const { child } = await own.taskCreate({ inheritMemory: false });
    expect(await client.norma.portLocationHint(child)).toBe(node);
    await client.kernel("mach", child).taskTerminate();
  }
  for (const node of [-1, 4]) {
    await fails(client.norma.setChildNode(node), "KERN_INVALID_ARGUMENT");
    await fails(client.norma.taskCreate({ node }), "KERN_INVALID_ARGUMENT");
  }
});

conform(
  "D49 memory that children share is not inherited by a task of another node",
  async (world) => {
    const { client, server } = world;
    const address = await client.vm.allocate(PAGE);
    await client.memory.fill(address, PAGE, 1);
    await client.vm.inherit(address, PAGE, VM_INHERIT_SHARE);
    const elsewhere = (client.node + 1) % 4;
    const { node } = server.node === client.node ? { node: elsewhere } : server;
    await fails(client.norma.taskCreate({ node, inheritMemory: true }), "KERN_INVALID_ARGUMENT");
    expect(await client.vm.region(address)).toMatchObject({ shared: false });
  },
);

conform(
  "task_suspend keeps what a task's calls come back with, task_resume gives it",
  async (world) => {
    const { client, server } = world;
    const self = await world.give(server, await server.self(), COPY_SEND, client);
    const calls = client.kernel("mach", self);
    const { send, receive } = await world.door(client, server);
    let done = 0;
    const received = server.receive(receive).finally(() => {
      done += 1;
    });
    await world.settled();
    await calls.taskSuspend();
    await calls.taskSuspend();
    await client.send({ remote: send, id: 8 });
    const slept = server.sleep(1).finally(() => {
      done += 1;
    });
    await world.settled();
    await client.sleep(10 * MS);
    const { info } = await calls.taskInfo({ flavor: TASK_BASIC_INFO });
    expect([info[0], done]).toEqual([2, 0]);
    expect(await server.ports.getReceiveStatus(receive)).toMatchObject({ msgcount: 0 });
    await calls.taskResume();
    await client.sleep(10 * MS);
    expect(done).toBe(0);
    await calls.taskResume();
    expect((await received).id).toBe(8);
    await slept;
    await fails(calls.taskResume(), "KERN_FAILURE");
  },
);

conform("task_terminate ends a task that is suspended", async (world) => {
  const { client, server } = world;
  const victim = await world.another(server);
  const port = await world.give(victim, await victim.self(), COPY_SEND, client);
  const calls = client.kernel("mach", port);
  const { receive } = await world.door(client, victim);
  const waiting = victim.receive(receive);
  await world.settled();
  await calls.taskSuspend();
  await calls.taskTerminate();
  await fails(waiting, "MACH_RCV_PORT_DIED");
  await world.settled();
  await fails(calls.taskResume(), "MACH_SEND_INVALID_DEST");
});

conform("D49 a task of a node is filled, read, stopped and ended from elsewhere", async (world) => {
  const { client } = world;
  const { port, calls, read } = await makeTask(world);
  const { address } = await calls.vmAllocate({ address: 0, bytes: 4 * PAGE, anywhere: true });
  const contents = pattern(3 * PAGE + 9);
  const from = await client.vm.allocate(4 * PAGE);
  await client.memory.write(from, contents);
  await calls.vmWrite({ address: address + 7, data: { address: from, bytes: contents.length } });
  expect(await read(address + 7, contents.length)).toEqual(contents);
  await calls.vmCopy({ source: address + 7, bytes: PAGE, destination: address + 2 * PAGE });
  expect(await read(address + 2 * PAGE, PAGE)).toEqual(contents.slice(0, PAGE));
  const first = { address, bytes: PAGE };
  await calls.vmProtect({ ...first, setMaximum: false, protection: VM_PROT_READ });
  const data = { address: from, bytes: 1 };
  await fails(calls.vmWrite({ address, data }), "KERN_PROTECTION_FAILURE");
  await calls.vmInherit({ ...first, inheritance: VM_INHERIT_NONE });
  expect(await calls.vmRegion({ address: 0 })).toMatchObject({
    ...first,
    protection: VM_PROT_READ,
    inheritance: VM_INHERIT_NONE,
  });
  await calls.vmDeallocate(first);
  await fails(calls.vmRead({ address, bytes: 1 }), "KERN_INVALID_ADDRESS");
  await calls.taskSuspend();
  await calls.taskResume();
  await calls.taskTerminate();
  await world.settled();
  expect(await client.ports.type(port)).toBe(TYPE_DEAD_NAME);
  await fails(calls.vmRead({ address, bytes: 1 }), "MACH_SEND_INVALID_DEST");
});

conform("D49 the end of a task gives up its rights, wherever that leads", async (world) => {
  const { client, server, third } = world;
  const { port, calls, names } = await makeTask(world);
  const notify = await client.ports.allocate();
  const watch = (name: PortName, id: number) =>
    client.ports.requestNotification(name, id, 0, notify);
  const served = await client.ports.allocate();
  await names.insertRight({ name: 0x5500, poly: made(served) });
  await watch(served, NOTIFY_NO_SENDERS);
  await names.allocateName({ right: RIGHT_RECEIVE, name: 0x6600 });
  const { poly } = await names.extractRight({ name: 0x6600, disposition: MAKE_SEND });
  await watch(poly.right, NOTIFY_DEAD_NAME);
  const holders = [
    await world.give(client, poly.right, COPY_SEND, third),
    await world.give(client, port, COPY_SEND, third),
  ];
  // In a message that waits in the queue of the task's port.
  const queued = await client.ports.allocate();
  await client.send({ remote: poly.right, items: [right(queued, MAKE_SEND)] });
  await watch(queued, NOTIFY_NO_SENDERS);
  await world.settled();
  await calls.taskTerminate();
  const told: number[] = [];
  for (let i = 0; i < 3; i++) told.push((await client.receive(notify)).id);
  expect(told.sort()).toEqual([NOTIFY_NO_SENDERS, NOTIFY_NO_SENDERS, NOTIFY_DEAD_NAME]);
  expect(await client.ports.type(port)).toBe(TYPE_DEAD_NAME);
  await third.sleep(10 * MS);
  for (const name of holders) expect(await third.ports.type(name)).toBe(TYPE_DEAD_NAME);
  expect(await server.norma.getSpecialPort(server.node, 9)).toBe(MACH_PORT_NULL);
});
