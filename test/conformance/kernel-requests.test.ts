// Conformance: requests to kernel-owned ports, by hand and by stubs: what is no request, many of them at a
// time, ports of tasks, threads and hosts, and tasks made and ended (K2 to K8, S41).

import { expect } from "@jest/globals";
import {
  COPY_SEND,
  MACH_PORT_DEAD,
  MACH_PORT_NULL,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  PORT_SEND_ONCE,
  type PortName,
  RIGHT_RECEIVE,
  RIGHT_SEND,
  TYPE_DEAD_NAME,
  TYPE_RECEIVE,
  TYPE_SEND,
} from "../../src/ipc/rights.ts";
import {
  HOST_BASIC_INFO,
  TASK_BASIC_INFO,
  TASK_BOOTSTRAP_PORT,
  TASK_EXCEPTION_PORT,
  TASK_KERNEL_PORT,
} from "../../src/task/kernel-interfaces.ts";
import { conform } from "../support/conform.ts";
import { expectNotice, sendOnceGone } from "../support/conformance-steps.ts";
import { integer, type LetterItem, pattern, region, right, text } from "../support/peer-letter.ts";
import type { Peer } from "../support/peers.ts";
import { fails, type World } from "../support/worlds.ts";

const FREE = 0x345600;
const MIG_BAD_ID = -303;
const MIG_BAD_ARGUMENTS = -304;
const ALLOCATE_NAME = 3203;
const ALLOCATE = 3204;
/** A number in the middle of an interface that stands for nothing. */
const SKIPPED = 2009;
const RENAME = 3202;
const DESTROY = 3205;
const INSERT_RIGHT = 3215;

/** The client's right to the kernel port of a peer. */
const kernelPort = async ({ client, give }: World, of: Peer): Promise<PortName> =>
  give(of, await of.self(), COPY_SEND, client);

/** A request of the client's, with a reply port: what it is answered. */
const ask = async ({ client }: World, remote: PortName, id: number, items: LetterItem[] = []) => {
  const local = await client.ports.allocate();
  const reply = await client.rpc({ remote, id, items, local, localDisposition: MAKE_SEND_ONCE });
  await client.ports.destroy(local);
  return reply;
};

const portName = (name: PortName): LetterItem => ({ kind: "portName", name });

conform("K2 an id that no call has is answered with MIG_BAD_ID, and id + 100", async (world) => {
  const { client, server } = world;
  const ports = [
    await kernelPort(world, server),
    await world.give(server, await server.thread(), COPY_SEND, client),
    await client.host(server.node),
  ];
  const own = await client.ports.allocate();
  for (const port of ports) {
    for (const id of [0, SKIPPED, 3999]) {
      const reply = await ask(world, port, id, [right(own, MAKE_SEND_ONCE)]);
      expect(reply).toMatchObject({ id: id + 100, localDisposition: PORT_SEND_ONCE });
      expect(reply).toMatchObject({ remote: MACH_PORT_NULL, items: [integer(MIG_BAD_ID)] });
      await expectNotice(client, own, sendOnceGone());
    }
  }
});

conform("K2 the answer by hand is a return code, and results after success", async (world) => {
  const { server } = world;
  const port = await kernelPort(world, server);
  const made = await ask(world, port, ALLOCATE_NAME, [integer(RIGHT_RECEIVE), portName(FREE)]);
  expect(made).toMatchObject({ id: ALLOCATE_NAME + 100, items: [integer(0)] });
  const name = await ask(world, port, ALLOCATE, [integer(RIGHT_RECEIVE)]);
  expect(name).toMatchObject({ id: ALLOCATE + 100, complex: false });
  expect(name.items[0]).toEqual(integer(0));
  expect(name.items[1]).toMatchObject({ kind: "portName" });
  const refused = await ask(world, port, ALLOCATE, [integer(RIGHT_SEND)]);
  expect(refused.items).toEqual([integer(18)]);
});

conform("K3 a request without reply port is carried out, and not answered", async (world) => {
  const { client, server } = world;
  const remote = await kernelPort(world, server);
  const before = (await server.ports.names()).length;
  await client.send({ remote, id: ALLOCATE, items: [integer(RIGHT_RECEIVE)] });
  await client.send({ remote, id: 3999 });
  await world.settled();
  expect((await server.ports.names()).length).toBe(before + 1);
});

conform("K3 a request whose reply port is dead is carried out, and not answered", async (world) => {
  const { client, server } = world;
  const remote = await kernelPort(world, server);
  const local = await client.ports.allocate("dead-name");
  const before = (await server.ports.names()).length;
  const items = [integer(RIGHT_RECEIVE)];
  for (const name of [local, MACH_PORT_DEAD]) {
    await client.send({ remote, id: ALLOCATE, items, local: name, localDisposition: COPY_SEND });
  }
  await world.settled();
  expect((await server.ports.names()).length).toBe(before + 2);
});

conform(
  "MIG_BAD_ARGUMENTS answers other items than the call has, which are freed",
  async (world) => {
    const { client, server } = world;
    const port = await kernelPort(world, server);
    const own = await client.ports.allocate();
    const once = right(own, MAKE_SEND_ONCE);
    const wrong: readonly (readonly [number, LetterItem[]])[] = [
      [ALLOCATE, [once]],
      [ALLOCATE, [integer(RIGHT_RECEIVE), once]],
      [INSERT_RIGHT, [once]],
      [INSERT_RIGHT, [integer(FREE), once]],
      [INSERT_RIGHT, [portName(FREE), integer(1), once]],
      [INSERT_RIGHT, [portName(FREE), region(pattern(9000)), once]],
      [RENAME, [portName(FREE), text("FREE"), once]],
      [2033, [once]],
    ];
    const before = await server.ports.names();
    for (const [id, items] of wrong) {
      const reply = await ask(world, port, id, items);
      expect(reply).toMatchObject({ id: id + 100, items: [integer(MIG_BAD_ARGUMENTS)] });
      await expectNotice(client, own, sendOnceGone());
    }
    for (const items of [[], [portName(1)], [integer(1), integer(1)]]) {
      const { items: answer } = await ask(world, port, ALLOCATE, items);
      expect(answer).toEqual([integer(MIG_BAD_ARGUMENTS)]);
    }
    expect(await server.ports.names()).toEqual(before);
  },
);

conform("requests of one sender to a kernel port are served in order", async (world) => {
  const { client, server } = world;
  const remote = await kernelPort(world, server);
  const names = Array.from({ length: 12 }, (_, i) => FREE + i * 256);
  const sends: Promise<number>[] = [];
  const post = (id: number, ...items: LetterItem[]) => {
    sends.push(client.send({ remote, id, items }));
  };
  for (const name of names) {
    post(ALLOCATE_NAME, integer(RIGHT_RECEIVE), portName(name));
    post(RENAME, portName(name), portName(name + 0x10000));
    post(ALLOCATE_NAME, integer(RIGHT_RECEIVE), portName(name));
    post(DESTROY, portName(name + 0x10000));
  }
  const after = client.kernel("machPort", remote).names();
  const listed = new Set((await after).names);
  await Promise.all(sends);
  expect(names.map((name) => listed.has(name))).toEqual(names.map(() => true));
  expect(names.some((name) => listed.has(name + 0x10000))).toBe(false);
});

conform(
  "requests of several senders to a kernel port queue up, and all are served",
  async (world) => {
    const { client, server, third } = world;
    const mine = await kernelPort(world, server);
    const theirs = await world.give(server, await server.self(), COPY_SEND, third);
    const before = (await server.ports.names()).length;
    const calls: Promise<{ name: PortName }>[] = [];
    for (let i = 0; i < 20; i++) {
      calls.push(client.kernel("machPort", mine).allocate({ right: RIGHT_RECEIVE }));
      calls.push(third.kernel("machPort", theirs).allocate({ right: RIGHT_RECEIVE }));
    }
    const names = (await Promise.all(calls)).map(({ name }) => name);
    expect(new Set(names).size).toBe(40);
    expect((await server.ports.names()).length).toBe(before + 40);
  },
);

conform("K4 registered ports: four are kept, five refused, and a child has them", async (world) => {
  const { client, server, third } = world;
  const calls = client.kernel("mach", await kernelPort(world, server));
  const four: PortName[] = [];
  for (let i = 0; i < 4; i++) four.push((await world.door(client, third)).send);
  for (const name of four) await client.ports.modRefs(name, RIGHT_SEND, 1);
  await calls.machPortsRegister({ ports: four });
  expect((await calls.machPortsLookup()).ports).toEqual(four);
  const five: PortName[] = [];
  for (let i = 0; i < 5; i++) five.push((await world.door(client, third)).send);
  await fails(calls.machPortsRegister({ ports: five }), "KERN_INVALID_ARGUMENT");
  for (const name of five) await fails(client.ports.type(name), "KERN_INVALID_NAME");
  const { child } = await calls.taskCreate({ inheritMemory: false });
  const ofChild = client.kernel("mach", child);
  await calls.machPortsRegister({ ports: [MACH_PORT_NULL, four[1]!] });
  expect((await calls.machPortsLookup()).ports).toEqual([MACH_PORT_NULL, four[1]]);
  expect((await ofChild.machPortsLookup()).ports).toEqual(four);
  await ofChild.taskTerminate();
});

conform("K6 special ports are set and got, and a child inherits them", async (world) => {
  const { client, server } = world;
  const port = await kernelPort(world, server);
  const calls = client.kernel("mach", port);
  const { send } = await world.door(client, world.third);
  const given = { right: send, disposition: COPY_SEND } as const;
  const got = async (from: typeof calls, which: number) =>
    (await from.taskGetSpecialPort({ which })).port;
  expect(await got(calls, TASK_KERNEL_PORT)).toBe(port);
  for (const which of [TASK_BOOTSTRAP_PORT, TASK_EXCEPTION_PORT]) {
    expect(await got(calls, which)).toBe(MACH_PORT_NULL);
    await calls.taskSetSpecialPort({ which, port: given });
    expect(await got(calls, which)).toBe(send);
  }
  const { child } = await calls.taskCreate({ inheritMemory: false });
  const ofChild = client.kernel("mach", child);
  expect(await got(ofChild, TASK_BOOTSTRAP_PORT)).toBe(send);
  expect(await got(ofChild, TASK_EXCEPTION_PORT)).toBe(send);
  expect(await got(ofChild, TASK_KERNEL_PORT)).toBe(child);
  await ofChild.taskTerminate();
  const none = { right: MACH_PORT_NULL, disposition: COPY_SEND } as const;
  await calls.taskSetSpecialPort({ which: TASK_BOOTSTRAP_PORT, port: none });
  expect(await got(calls, TASK_BOOTSTRAP_PORT)).toBe(MACH_PORT_NULL);
  for (const which of [0, 2, 5, -1]) {
    await fails(calls.taskGetSpecialPort({ which }), "KERN_INVALID_ARGUMENT");
    await fails(calls.taskSetSpecialPort({ which, port: given }), "KERN_INVALID_ARGUMENT");
  }
});

conform("task_create makes an empty task, which its maker fills and others use", async (world) => {
  const { client, server } = world;
  const calls = client.kernel("mach", await kernelPort(world, server));
  const { child } = await calls.taskCreate({ inheritMemory: false });
  const names = client.kernel("machPort", child);
  expect((await names.names()).names).toHaveLength(0);
  await names.allocateName({ right: RIGHT_RECEIVE, name: FREE });
  const { poly } = await names.extractRight({ name: FREE, disposition: MAKE_SEND });
  const forServer = await world.give(client, poly.right, COPY_SEND, server);
  await server.send({ remote: forServer, id: 3 });
  await world.settled();
  expect(await names.getReceiveStatus({ name: FREE })).toMatchObject({ msgcount: 1 });
  await client.kernel("mach", child).taskTerminate();
  await world.settled();
  expect(await client.ports.type(child)).toBe(TYPE_DEAD_NAME);
  expect(await client.ports.type(poly.right)).toBe(TYPE_DEAD_NAME);
});

conform("task_terminate ends a task: its waits, its rights, its kernel port", async (world) => {
  const { client, server } = world;
  const victim = await world.another(server);
  const port = await kernelPort(world, victim);
  const { send, receive } = await world.door(client, victim);
  const waiting = victim.receive(receive);
  await world.settled();
  await client.kernel("mach", port).taskTerminate();
  await fails(waiting, "MACH_RCV_PORT_DIED");
  await world.settled();
  expect(await client.ports.type(send)).toBe(TYPE_DEAD_NAME);
  await fails(victim.ports.allocate(), "KERN_INVALID_TASK");
  await fails(client.kernel("mach", port).taskTerminate(), "MACH_SEND_INVALID_DEST");
});

conform("task_info and task_threads tell of another task", async (world) => {
  const { client, server } = world;
  const calls = client.kernel("mach", await kernelPort(world, server));
  const { info } = await calls.taskInfo({ flavor: TASK_BASIC_INFO });
  await server.vm.allocate(10_000);
  const later = (await calls.taskInfo({ flavor: TASK_BASIC_INFO })).info;
  expect([later.length, later[2]! - info[2]!]).toEqual([5, 12_288]);
  expect(later[4]).toBe((await server.ports.names()).length);
  await fails(calls.taskInfo({ flavor: 99 }), "KERN_INVALID_ARGUMENT");
  const { threads } = await calls.taskThreads();
  const thread = await world.give(server, await server.thread(), COPY_SEND, client);
  expect(threads).toEqual([thread]);
  const wrong = client.kernel("mach", thread).taskInfo({ flavor: TASK_BASIC_INFO });
  await fails(wrong, "KERN_INVALID_ARGUMENT");
  await fails(calls.threadAbort(), "KERN_INVALID_ARGUMENT");
});

conform("S41 thread_abort ends a send that said so, and gives its message back", async (world) => {
  const { client, server } = world;
  const thread = await world.give(server, await server.thread(), COPY_SEND, client);
  const { send, receive } = await world.door(server, world.third);
  for (let id = 1; id <= 5; id++) await server.send({ remote: send, id });
  await world.settled();
  const sturdy = server.send({ remote: send, id: 6 });
  await world.settled();
  const fragile = server.send({ remote: send, id: 7 }, { interruptible: true });
  await world.settled();
  await client.kernel("mach", thread).threadAbort();
  const error = await fails(fragile, "MACH_SEND_INTERRUPTED");
  expect(error.letter).toMatchObject({ remote: send, id: 7 });
  for (let id = 1; id <= 6; id++) expect((await world.third.receive(receive)).id).toBe(id);
  await sturdy;
  await server.sendAgain(error);
  expect((await world.third.receive(receive)).id).toBe(7);
});

conform("S41 thread_abort ends a receive that said so, and no other", async (world) => {
  const { client, server } = world;
  const thread = await world.give(server, await server.thread(), COPY_SEND, client);
  const { send, receive } = await world.door(client, server);
  const other = await server.ports.allocate();
  const sturdy = server.receive(receive);
  const fragile = server.receive(other, { interruptible: true });
  await world.settled();
  await client.kernel("mach", thread).threadAbort();
  await fails(fragile, "MACH_RCV_INTERRUPTED");
  await client.send({ remote: send, id: 4 });
  expect(await sturdy).toMatchObject({ id: 4 });
  expect(await server.ports.type(other)).toBe(TYPE_RECEIVE);
});

conform("K8 the host port of another node tells of it", async (world) => {
  const { client, server } = world;
  const host = await client.host(server.node);
  expect(await client.ports.type(host)).toBe(TYPE_SEND);
  const calls = client.kernel("machHost", host);
  const { info } = await calls.hostInfo({ flavor: HOST_BASIC_INFO });
  expect([...info]).toEqual([1, 1, 1 << 21, 7, 3]);
  expect((await calls.hostKernelVersion()).version).toMatch(/^normacube \d/);
  await fails(calls.hostInfo({ flavor: 99 }), "KERN_INVALID_ARGUMENT");
});

conform(
  "MACH_SEND_INVALID_DEST answers a call to a task that has ended, once it is known",
  async (world) => {
    const { client, server } = world;
    const mortal = await world.another(server);
    const port = await kernelPort(world, mortal);
    const thread = await world.give(mortal, await mortal.thread(), COPY_SEND, client);
    await client.kernel("machPort", port).names();
    await world.end(mortal);
    await world.settled();
    await fails(client.kernel("machPort", port).names(), "MACH_SEND_INVALID_DEST");
    await fails(client.kernel("mach", thread).threadAbort(), "MACH_SEND_INVALID_DEST");
    expect(await client.ports.type(port)).toBe(TYPE_DEAD_NAME);
  },
);
