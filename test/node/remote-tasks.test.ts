// Tasks made on other nodes and used from there: what they inherit, what their makers can do to them, and what is left
// when they end.

import { expect, test } from "@jest/globals";
import { COUNTERS } from "../../src/base/counters.ts";
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
import { takeCensus } from "../../src/node/census.ts";
import { checkNode } from "../../src/node/check-node.ts";
import { normaInternal } from "../../src/node/remote-tasks.ts";
import {
  mach,
  machNorma,
  machPort,
  made,
  TASK_BASIC_INFO,
  TASK_BOOTSTRAP_PORT,
  TASK_EXCEPTION_PORT,
} from "../../src/task/kernel-interfaces.ts";
import { makeClient } from "../../src/task/stubs.ts";
import type { Task } from "../../src/task/task.ts";
import {
  VM_INHERIT_COPY,
  VM_INHERIT_NONE,
  VM_INHERIT_SHARE,
  VM_PROT_ALL,
  VM_PROT_DEFAULT,
  VM_PROT_NONE,
  VM_PROT_READ,
} from "../../src/vm/protection.ts";
import { letter } from "../support/letters.ts";
import { LoneNodes, type LoneNodesInput } from "../support/lone-node.ts";
import { PLACES } from "../support/places.ts";

const PAGE = 4096;
const DATA_COPIED = COUNTERS.dataCopiedBytes.index;

const furnish = (input: LoneNodesInput = { dimension: 1 }) => {
  const nodes = new LoneNodes(input);
  const task = nodes.task(0);
  const run = <T>(promise: Promise<T>): Promise<T> => nodes.run(promise);
  const fails = async (call: Promise<unknown>, code: string): Promise<void> => {
    await expect(run(call)).rejects.toMatchObject({ code });
  };
  /** Ends a child by its kernel port. */
  const end = async (child: PortName): Promise<void> => {
    await run(mach.client(task, child).taskTerminate());
    await nodes.quiet();
  };
  return { nodes, task, run, fails, end };
};

/** What a task reads of another's memory. */
const readFrom = async (
  nodes: LoneNodes,
  task: Task,
  child: PortName,
  address: number,
  bytes: number,
): Promise<Uint8Array> => {
  const { data } = await nodes.run(mach.client(task, child).vmRead({ address, bytes }));
  const read = task.memory.read(data.address, bytes);
  task.vm.deallocate(data.address, bytes);
  return read;
};

/** Bytes that tell where they are. */
const pattern = (bytes: number, seed: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, i) => (seed + i + (i >> 8) * 3) & 0xff);

test.each(PLACES)(
  "remote task: it inherits a copy of memory as each region says %s (D49)",
  async (_w, input, place) => {
    const { nodes, task, run, end } = furnish(input);
    const { vm, memory } = task;
    const first = vm.map({ address: 0x100000, bytes: 3 * PAGE });
    memory.write(first, pattern(3 * PAGE, 1));
    const hidden = vm.map({ address: 0x200000, bytes: PAGE, inheritance: VM_INHERIT_NONE });
    memory.fill(hidden, PAGE, 9);
    const guarded = vm.map({ address: 0x300000, bytes: 2 * PAGE });
    memory.write(guarded, pattern(2 * PAGE, 2));
    vm.protect(guarded, PAGE, VM_PROT_READ, { maximum: true });
    vm.protect(guarded + PAGE, PAGE, VM_PROT_NONE);
    const zeros = vm.map({ address: 0x400000, bytes: 512 * PAGE }); // more than the node has
    const child = await run(task.norma.taskCreate({ node: place, inheritMemory: true }));
    expect(await run(task.norma.portLocationHint(child))).toBe(place);
    memory.fill(first, PAGE, 0xee);

    const calls = mach.client(task, child);
    const regions = [];
    for (let at = 0; ; ) {
      const found = await run(calls.vmRegion({ address: at })).catch(() => null);
      if (found === null) break;
      const { address, bytes, protection, maxProtection, inheritance, shared } = found;
      regions.push([address, bytes / PAGE, protection, maxProtection, inheritance, shared]);
      at = address + bytes;
    }
    expect(regions).toEqual([
      [first, 3, VM_PROT_DEFAULT, VM_PROT_ALL, VM_INHERIT_COPY, false],
      [guarded, 1, VM_PROT_READ, VM_PROT_READ, VM_INHERIT_COPY, false],
      [guarded + PAGE, 1, VM_PROT_NONE, VM_PROT_ALL, VM_INHERIT_COPY, false],
      [zeros, 512, VM_PROT_DEFAULT, VM_PROT_ALL, VM_INHERIT_COPY, false],
    ]);
    expect(await readFrom(nodes, task, child, first, 3 * PAGE)).toEqual(pattern(3 * PAGE, 1));
    await run(
      calls.vmProtect({
        address: guarded + PAGE,
        bytes: PAGE,
        setMaximum: false,
        protection: VM_PROT_READ,
      }),
    );
    expect(await readFrom(nodes, task, child, guarded, 2 * PAGE)).toEqual(pattern(2 * PAGE, 2));
    expect(await readFrom(nodes, task, child, zeros + 100 * PAGE, 5)).toEqual(new Uint8Array(5));
    const data = { address: guarded, bytes: 10 };
    await run(calls.vmWrite({ address: first, data }));
    expect(memory.load8(first)).toBe(0xee);
    expect(await readFrom(nodes, task, child, first, 10)).toEqual(pattern(10, 2));
    await end(child);
    await nodes.expectNothingLeaked();
  },
);

test("remote task: it is empty if it shall not inherit, and a child of the child is one as well", async () => {
  const { nodes, task, run, fails, end } = furnish({ dimension: 2 });
  task.memory.fill(task.vm.allocate(PAGE), PAGE, 1);
  const child = await run(task.norma.taskCreate({ node: 1 }));
  await fails(mach.client(task, child).vmRegion({ address: 0 }), "KERN_NO_SPACE");
  const { address } = await run(
    mach.client(task, child).vmAllocate({ address: 0, bytes: PAGE, anywhere: true }),
  );
  const mine = task.vm.allocate(PAGE);
  task.memory.write(mine, pattern(PAGE, 5));
  await run(mach.client(task, child).vmWrite({ address, data: { address: mine, bytes: PAGE } }));
  const calls = machNorma.client(task, child);
  const { child: grandchild } = await run(calls.taskCreate({ inheritMemory: true, node: 3 }));
  expect(await run(task.norma.portLocationHint(grandchild))).toBe(3);
  await end(child);
  expect(await readFrom(nodes, task, grandchild, address, PAGE)).toEqual(pattern(PAGE, 5));
  await end(grandchild);
  await nodes.expectNothingLeaked();
});

test.each(PLACES)(
  "remote task: it inherits bootstrap, exception and registered ports %s (D49)",
  async (_w, input, place) => {
    const { nodes, task, run, end } = furnish(input);
    const own = mach.client(task, task.self);
    const [bootstrap, exception, ...four] = Array.from({ length: 6 }, () => {
      const name = task.ports.allocate();
      task.ports.insertRight(name, name, MAKE_SEND);
      return name;
    }) as [PortName, PortName, ...PortName[]];
    const set = (which: number, port: PortName) =>
      run(own.taskSetSpecialPort({ which, port: made(port) }));
    await set(TASK_BOOTSTRAP_PORT, bootstrap);
    await set(TASK_EXCEPTION_PORT, exception);
    four[2] = MACH_PORT_NULL;
    await run(own.machPortsRegister({ ports: four }));
    const child = await run(task.norma.taskCreate({ node: place }));
    const calls = mach.client(task, child);
    const got = async (which: number) => (await run(calls.taskGetSpecialPort({ which }))).port;
    expect(await got(TASK_BOOTSTRAP_PORT)).toBe(bootstrap);
    expect(await got(TASK_EXCEPTION_PORT)).toBe(exception);
    const { ports } = await run(calls.machPortsLookup());
    expect(ports[2]).toBe(MACH_PORT_NULL);
    expect(ports.filter((_, i) => i !== 2)).toEqual(four.filter((_, i) => i !== 2));
    const { child: second } = await run(
      machNorma.client(task, child).taskCreate({ inheritMemory: false, node: 0 }),
    );
    const inherited = mach.client(task, second);
    const { port } = await run(inherited.taskGetSpecialPort({ which: TASK_BOOTSTRAP_PORT }));
    expect(port).toBe(bootstrap);
    await end(second);
    await end(child);
    await nodes.expectNothingLeaked();
  },
);

test("remote task: memory to be shared cannot be on two nodes, and then nothing is made (D49)", async () => {
  const { nodes, task, run, fails, end } = furnish();
  const shared = task.vm.allocate(2 * PAGE);
  task.memory.fill(shared, 2 * PAGE, 1);
  task.vm.inherit(shared + PAGE, PAGE, VM_INHERIT_SHARE);
  const { ports } = nodes.kernels[1]!.ipc;
  const before = ports.count;
  await fails(task.norma.taskCreate({ node: 1, inheritMemory: true }), "KERN_INVALID_ARGUMENT");
  await nodes.quiet();
  expect(ports.count).toBe(before);
  expect(task.vm.region(shared)).toMatchObject({ shared: false });
  const child = await run(task.norma.taskCreate({ node: 1 }));
  await end(child);
  // On one node it is shared.
  const twin = await run(task.norma.taskCreate({ node: 0, inheritMemory: true }));
  task.memory.store8(shared + PAGE, 77);
  expect([...(await readFrom(nodes, task, twin, shared + PAGE, 1))]).toEqual([77]);
  await end(twin);
  await nodes.expectNothingLeaked();
});

test("task_set_child_node: task_create goes to that node until it is told otherwise", async () => {
  const { nodes, task, run, fails, end } = furnish({ dimension: 2 });
  const own = mach.client(task, task.self);
  const where = async (): Promise<number> => {
    const { child } = await run(own.taskCreate({ inheritMemory: true }));
    const node = await run(task.norma.portLocationHint(child));
    await end(child);
    return node;
  };
  task.memory.fill(task.vm.allocate(PAGE), PAGE, 1);
  expect(await where()).toBe(0);
  for (const node of [2, 3, 0]) {
    await run(task.norma.setChildNode(node));
    expect(await where()).toBe(node);
  }
  await run(task.norma.setChildNode(2));
  for (const node of [-1, 4]) {
    await fails(task.norma.setChildNode(node), "KERN_INVALID_ARGUMENT");
    await fails(task.norma.taskCreate({ node }), "KERN_INVALID_ARGUMENT");
  }
  expect(await where()).toBe(2);
  await nodes.expectNothingLeaked();
});

test.each(["page-list", "copy", "shared-buffer", "copy-object", "rendezvous"] as const)(
  "remote task: its memory gets there in each way that data does: %s",
  async (transfer) => {
    const { nodes, task, run, end } = furnish({ dimension: 1, kernel: { transfer } });
    const { vm, memory } = task;
    const large = vm.map({ address: 0x500000, bytes: 40 * PAGE });
    memory.write(large, pattern(40 * PAGE, 3));
    const small = vm.map({ address: 0x900000, bytes: PAGE });
    memory.store8(small + 17, 18);
    const child = await run(task.norma.taskCreate({ node: 1, inheritMemory: true }));
    const copied = nodes.kernels.map((kernel) => kernel.memory.counters[DATA_COPIED]!);
    if (transfer === "page-list") expect(copied).toEqual([0, 0]);
    memory.fill(large, 40 * PAGE, 0);
    expect(await readFrom(nodes, task, child, large, 40 * PAGE)).toEqual(pattern(40 * PAGE, 3));
    expect([...(await readFrom(nodes, task, child, small + 17, 2))]).toEqual([18, 0]);
    await end(child);
    nodes.end(task);
    await nodes.quiet();
    for (const kernel of nodes.kernels) {
      expect(checkNode(kernel)).toEqual([]);
      const { messagesFree, messagesTotal } = takeCensus(kernel);
      expect(messagesFree).toBe(messagesTotal);
      expect(kernel.vm.pages.wiredFrames).toBe(0);
    }
  },
);

test("remote task: a parent with more memory than a node has frames has a child on another", async () => {
  const bytes = 3 << 20;
  const { nodes, task, run, end } = furnish({ dimension: 1, memory: { swapBytes: 4 * bytes } });
  const step = 16 * PAGE;
  const address = task.vm.allocate(bytes);
  for (let at = 0; at < bytes; at += step) task.memory.write(address + at, pattern(step, at >> 12));
  const child = await run(task.norma.taskCreate({ node: 1, inheritMemory: true }));
  task.memory.fill(address, bytes, 0);
  for (let at = 0; at < bytes; at += step) {
    const found = await readFrom(nodes, task, child, address + at, step);
    expect(Buffer.compare(found, pattern(step, at >> 12))).toBe(0);
  }
  await end(child);
  await nodes.expectNothingLeaked();
  nodes.files.close();
});

test("remote task: memory in more pieces than a message can name is refused, and nothing is held", async () => {
  const { nodes, task, fails } = furnish();
  const pieces = 40_000;
  const address = task.vm.allocate(pieces * PAGE);
  for (let i = 0; i < pieces; i += 2) task.vm.protect(address + i * PAGE, PAGE, VM_PROT_READ);
  await fails(task.norma.taskCreate({ node: 1, inheritMemory: true }), "MIG_ARRAY_TOO_LARGE");
  await nodes.expectNothingLeaked();
});

test("remote task: a parent that ends while its memory is on the way gives it up, and is not waited for", async () => {
  const { nodes, task, run } = furnish();
  const observer = nodes.task(0);
  const address = task.vm.allocate(30 * PAGE);
  task.memory.write(address, pattern(30 * PAGE, 3));
  const door = task.ports.allocate();
  const created = task.norma.taskCreate({ node: 1, inheritMemory: true });
  created.catch(() => {}); // the task is gone when the answer comes
  nodes.kernels[0]!.step();
  task.ports.destroy(door);
  nodes.end(task);
  await nodes.quiet();
  const [home] = nodes.kernels;
  expect(home!.vm.pages.wiredFrames).toBe(0);
  expect(home!.vm.pages.busyFrames).toBe(0);
  expect(await run(observer.norma.getSpecialPort(1, 9))).toBe(MACH_PORT_NULL);
});

test.each(PLACES)(
  "remote task: all calls of its memory work from elsewhere %s",
  async (_w, input, place) => {
    const { nodes, task, run, fails, end } = furnish(input);
    const child = await run(task.norma.taskCreate({ node: place }));
    const calls = mach.client(task, child);
    const { address } = await run(
      calls.vmAllocate({ address: 0x80000, bytes: 4 * PAGE, anywhere: false }),
    );
    const data = { address: task.vm.allocate(8 * PAGE), bytes: 2 * PAGE + 5 };
    task.memory.write(data.address, pattern(data.bytes, 7));
    await run(calls.vmWrite({ address: address + 3, data }));
    expect(await readFrom(nodes, task, child, address + 3, data.bytes)).toEqual(
      pattern(data.bytes, 7),
    );
    await run(calls.vmCopy({ source: address + 3, bytes: 100, destination: address + 3 * PAGE }));
    expect(await readFrom(nodes, task, child, address + 3 * PAGE, 100)).toEqual(pattern(100, 7));
    await run(
      calls.vmProtect({ address, bytes: PAGE, setMaximum: false, protection: VM_PROT_READ }),
    );
    await fails(calls.vmWrite({ address, data }), "KERN_PROTECTION_FAILURE");
    await run(calls.vmInherit({ address, bytes: PAGE, inheritance: VM_INHERIT_NONE }));
    expect(await run(calls.vmRegion({ address: 0 }))).toMatchObject({
      address,
      bytes: PAGE,
      protection: VM_PROT_READ,
      inheritance: VM_INHERIT_NONE,
    });
    await run(calls.vmDeallocate({ address, bytes: PAGE }));
    await fails(calls.vmRead({ address, bytes: 1 }), "KERN_INVALID_ADDRESS");
    const mapped = await run(
      calls.vmMap({
        address: 0,
        bytes: PAGE,
        mask: 0xffff,
        anywhere: true,
        object: MACH_PORT_NULL,
        offset: 0,
        copy: false,
        protection: VM_PROT_DEFAULT,
        maxProtection: VM_PROT_ALL,
        inheritance: VM_INHERIT_COPY,
      }),
    );
    expect(mapped.address % 0x10000).toBe(0);
    const { info } = await run(calls.taskInfo({ flavor: TASK_BASIC_INFO }));
    expect(info[2]).toBe(4 * PAGE);
    expect((await run(calls.vmStatistics())).statistics[0]).toBe(PAGE);
    await end(child);
    await fails(calls.vmRead({ address: address + PAGE, bytes: 1 }), "MACH_SEND_INVALID_DEST");
    await nodes.expectNothingLeaked();
  },
);

test.each(PLACES)(
  "remote task: its end gives up all that it had, wherever that leads %s",
  async (_w, input, place) => {
    const { nodes, task, run, end } = furnish(input);
    const far = nodes.task(place);
    const watcher = task.ports.allocate();
    const child = await run(task.norma.taskCreate({ node: place }));
    const calls = mach.client(task, child);
    const names = machPort.client(task, child);
    // A send right to a port of node 0, its only sender; and one of each kind that a child inherits.
    const server = task.ports.allocate();
    await run(names.insertRight({ name: 0x5500, poly: made(server) }));
    task.ports.requestNotification(server, NOTIFY_NO_SENDERS, 0, watcher);
    const registered = task.ports.allocate();
    task.ports.insertRight(registered, registered, MAKE_SEND);
    await run(calls.machPortsRegister({ ports: [registered] }));
    task.ports.requestNotification(registered, NOTIFY_NO_SENDERS, 0, watcher);
    // A receive right whose senders are here and with a task of the other node, and a message in its queue.
    await run(names.allocateName({ right: RIGHT_RECEIVE, name: 0x6600 }));
    const { poly } = await run(names.extractRight({ name: 0x6600, disposition: MAKE_SEND }));
    await run(task.norma.setSpecialPort(20, poly.right, place));
    const theirs = await run(far.norma.getSpecialPort(place, 20));
    task.ports.requestNotification(poly.right, NOTIFY_DEAD_NAME, 0, watcher);
    const carried = task.ports.allocate();
    const message = letter(poly.right, COPY_SEND, 4).addRight(carried, MAKE_SEND);
    await run(task.send(message));
    task.ports.requestNotification(carried, NOTIFY_NO_SENDERS, 0, watcher);
    // Memory that takes up frames.
    const own = { address: task.vm.allocate(16 * PAGE), bytes: 16 * PAGE };
    task.memory.fill(own.address, own.bytes, 3);
    await nodes.quiet();
    const free = (): number => nodes.kernels[place]!.frames.freeCount;
    const before = free();
    const { address } = await run(
      calls.vmAllocate({ address: 0, bytes: 16 * PAGE, anywhere: true }),
    );
    await run(calls.vmWrite({ address, data: own }));
    await nodes.quiet();
    expect(free()).toBeLessThanOrEqual(before - 16);

    await end(child);
    const told = [];
    for (let i = 0; i < 4; i++) told.push((await run(task.receive(watcher))).id);
    expect(told.sort()).toEqual([
      NOTIFY_NO_SENDERS,
      NOTIFY_NO_SENDERS,
      NOTIFY_NO_SENDERS,
      NOTIFY_DEAD_NAME,
    ]);
    for (const [who, name] of [
      [task, child],
      [task, poly.right],
      [far, theirs],
    ] as const) {
      expect(who.ports.type(name)).toBe(TYPE_DEAD_NAME);
    }
    expect(await run(far.norma.getSpecialPort(place, 20))).toBe(MACH_PORT_NULL);
    expect(free()).toBe(before);
    await nodes.expectNothingLeaked();
  },
);

const internal = (task: Task, node: number) => makeClient(normaInternal, task, task.hostPriv(node));

test.each(PLACES)(
  "norma_internal: a kernel makes no task of what is not one, and gives everything up %s",
  async (_w, input, place) => {
    const { nodes, task, run, fails } = furnish(input);
    const calls = internal(task, place);
    const right = task.ports.allocate();
    const give = (): PortName => {
      task.ports.insertRight(right, right, MAKE_SEND);
      return right;
    };
    const page = { address: task.vm.allocate(4 * PAGE), bytes: PAGE };
    task.memory.fill(page.address, 4 * PAGE, 6);
    const none = { address: 0, bytes: 0 };
    const whole = [VM_PROT_DEFAULT, VM_PROT_ALL, VM_INHERIT_COPY];
    const ask = (pieces: number[], contents: { address: number; bytes: number }[], count = 1) =>
      calls.taskAllocate({
        id: 556000,
        bootstrap: give(),
        exception: give(),
        registered: Array.from({ length: count }, give),
        pieces,
        contents,
      });
    const wrong: [string, number[], { address: number; bytes: number }[]][] = [
      ["KERN_INVALID_ARGUMENT", [256], [page]],
      ["KERN_INVALID_ARGUMENT", [256, 1, ...whole], []],
      ["KERN_INVALID_ARGUMENT", [256, 2, ...whole], [page]],
      ["KERN_INVALID_ARGUMENT", [256, 0, ...whole], [page]],
      ["KERN_INVALID_ARGUMENT", [256, -1, ...whole], [none]],
      ["KERN_INVALID_ARGUMENT", [256, 1, 99, 7, 1], [page]],
      ["KERN_INVALID_ARGUMENT", [256, 1, 3, 99, 1], [page]],
      ["KERN_INVALID_ARGUMENT", [256, 1, 3, 7, 5], [page]],
      ["KERN_INVALID_ARGUMENT", [256, 1, ...whole], [{ ...page, address: page.address + 9 }]],
      ["KERN_INVALID_ADDRESS", [0, 1, ...whole], [page]],
      ["KERN_INVALID_ADDRESS", [-5, 1, ...whole], [page]],
      ["KERN_INVALID_ADDRESS", [1 << 20, 1, ...whole], [page]],
      ["KERN_INVALID_ADDRESS", [0, 1, ...whole], [none]],
      ["KERN_NO_SPACE", [256, 1, ...whole, 256, 1, ...whole, 258, 1, ...whole], [page, page, page]],
      ["KERN_NO_SPACE", [256, 1 << 30, ...whole], [none]],
    ];
    for (const [code, pieces, contents] of wrong) await fails(ask(pieces, contents), code);
    await fails(ask([], [], 5), "KERN_INVALID_ARGUMENT");
    const good = await run(ask([300, 1, ...whole, 256, 9, ...whole], [page, none]));
    expect([...(await readFrom(nodes, task, good.child, 300 * PAGE + 9, 1))]).toEqual([6]);
    await run(mach.client(task, good.child).taskTerminate());
    const watcher = task.ports.allocate();
    task.ports.requestNotification(right, NOTIFY_NO_SENDERS, 0, watcher);
    expect((await run(task.receive(watcher))).id).toBe(NOTIFY_NO_SENDERS);
    await nodes.expectNothingLeaked();
  },
);

test("norma_internal: it is served at the privileged host port alone, and is no program's interface", async () => {
  const { task, fails } = furnish();
  const calls = makeClient(normaInternal, task, task.host(1));
  const args = {
    id: 1,
    bootstrap: MACH_PORT_NULL,
    exception: MACH_PORT_NULL,
    registered: [],
    pieces: [],
    contents: [],
  };
  await fails(calls.taskAllocate(args), "MIG_BAD_ID");
  await fails(internal(task, 1).taskAllocate(args), "MIG_REPLY_MISMATCH");
});
