// Conformance: the vm calls, of a task's own (task.vm) and by RPC to another task's kernel port. "Another" is
// the server, the caller the client.

import { expect } from "@jest/globals";
import {
  COPY_SEND,
  MACH_PORT_NULL,
  MAKE_SEND_ONCE,
  type PortName,
  RIGHT_SEND,
} from "../../src/ipc/rights.ts";
import { TASK_BASIC_INFO } from "../../src/task/kernel-interfaces.ts";
import {
  VM_INHERIT_COPY,
  VM_INHERIT_NONE,
  VM_INHERIT_SHARE,
  VM_PROT_ALL,
  VM_PROT_DEFAULT,
  VM_PROT_EXECUTE,
  VM_PROT_NONE,
  VM_PROT_READ,
  VM_PROT_WRITE,
} from "../../src/vm/protection.ts";
import { conform } from "../support/conform.ts";
import { memoryOf, sameBytes } from "../support/conformance-steps.ts";
import { pattern, region, regionAt } from "../support/peer-letter.ts";
import { fails, type World } from "../support/worlds.ts";

const PAGE = 4096;
const VM_WRITE = 2027;
const MIG_BAD_ARGUMENTS = -304;
/** An address that nothing is given by itself. */
const FAR = 0x40000000;
/** No bit of a protection, no kind of inheritance. */
const STRANGE = 8;
/** In place of a memory object. */
const NO_OBJECT = MACH_PORT_NULL;

/** The vm calls of the client on the server's memory. */
const control = async ({ client, server, give }: World) => {
  const port = await give(server, await server.self(), COPY_SEND, client);
  return { port, calls: client.kernel("mach", port) };
};

/** vm_map of new memory, but for what is given. */
const mapping = (given: object) => ({
  address: 0,
  bytes: PAGE,
  mask: 0,
  anywhere: true,
  object: NO_OBJECT,
  offset: 0,
  copy: false,
  protection: VM_PROT_DEFAULT,
  maxProtection: VM_PROT_ALL,
  inheritance: VM_INHERIT_COPY,
  ...given,
});

// --- vm_allocate, vm_deallocate ---------------------------------------------------------------------

conform("vm_allocate where there is something already: KERN_NO_SPACE (O9)", async ({ client }) => {
  const address = await client.vm.allocate({ address: FAR, bytes: 2 * PAGE });
  expect(address).toBe(FAR);
  for (const at of [FAR, FAR + PAGE, FAR - PAGE]) {
    await fails(client.vm.allocate({ address: at, bytes: 2 * PAGE }), "KERN_NO_SPACE");
  }
  expect(await client.vm.allocate({ address: FAR + 2 * PAGE, bytes: 1 })).toBe(FAR + 2 * PAGE);
  await client.vm.deallocate(FAR, 3 * PAGE);
  expect(await client.vm.allocate({ address: FAR, bytes: PAGE })).toBe(FAR);
});

conform("vm_allocate rounds its address down and its size up", async ({ client }) => {
  expect(await client.vm.allocate({ address: FAR + 100, bytes: 1 })).toBe(FAR);
  await client.memory.store8(FAR + PAGE - 1, 7);
  await fails(client.memory.load8(FAR + PAGE), "KERN_INVALID_ADDRESS");
  expect(await client.vm.allocate({ address: FAR + PAGE, bytes: 0 })).toBe(0);
});

conform("vm_allocate outside of what addresses reach fails", async ({ client }) => {
  await fails(client.vm.allocate({ address: 0xfffff000, bytes: 3 * PAGE }), "KERN_INVALID_ADDRESS");
  await fails(client.vm.allocate({ address: 0, bytes: 1 }), "KERN_INVALID_ADDRESS");
  await fails(client.vm.allocate(-1), "KERN_INVALID_ARGUMENT");
  await fails(client.vm.allocate(1.5), "KERN_INVALID_ARGUMENT");
});

conform("vm_allocate makes zeros that keep patterns (O10)", async ({ client }) => {
  const pages = 9;
  const address = await client.vm.allocate(pages * PAGE);
  for (let at = address; at < address + pages * PAGE; at += 1028) {
    expect(await client.memory.load32(at)).toBe(0);
    await client.memory.store32(at, at);
  }
  for (let at = address; at < address + pages * PAGE; at += 1028) {
    expect(await client.memory.load32(at)).toBe(at);
  }
  const board = Uint8Array.from({ length: pages * PAGE }, (_, i) => (i % 2 === 0 ? 0x55 : 0xaa));
  await client.memory.write(address, board);
  expect(sameBytes(await client.memory.read(address, pages * PAGE), board)).toBe(true);
});

conform(
  "task.memory takes 8, 16, 32 and 64 bits at any address",
  async ({ client: { vm, memory } }) => {
    const address = await vm.allocate(2 * PAGE);
    for (const at of [address, address + 1, address + 6, address + PAGE - 3, address + PAGE - 1]) {
      await memory.store64(at, -0x123456789abcdef0n);
      expect(await memory.load64(at)).toBe(-0x123456789abcdef0n);
      expect(await memory.load8(at)).toBe(0x10);
      expect(await memory.load16(at + 1)).toBe(0x4321);
      expect(await memory.load32(at + 2)).toBe(0xa9876543 - 2 ** 32);
      await memory.store16(at + 1, 0x8001);
      await memory.store8(at + 3, 0x1ff);
      expect(await memory.load32(at)).toBe(0xff800110 - 2 ** 32);
      await memory.store32(at + 4, 0x80000000);
      expect(await memory.load64(at)).toBe(BigInt.asIntN(64, 0x80000000ff800110n));
    }
  },
);

conform("vm_deallocate takes whole pages, holes or not", async ({ client }) => {
  const address = await memoryOf(client, pattern(4 * PAGE));
  await client.vm.deallocate(address + 2 * PAGE, PAGE);
  await client.vm.deallocate(address + PAGE + 5, 2 * PAGE);
  expect(await client.memory.load8(address + PAGE - 1)).toBe(pattern(PAGE)[PAGE - 1]);
  for (const page of [1, 2, 3]) {
    await fails(client.memory.load8(address + page * PAGE), "KERN_INVALID_ADDRESS");
  }
});

conform("vm_deallocate of no bytes or of a range that wraps around (O15)", async ({ client }) => {
  const address = await memoryOf(client, pattern(PAGE));
  await client.vm.deallocate(address, 0);
  expect(await client.memory.load8(address)).toBe(pattern(1)[0]);
  await fails(client.vm.deallocate(address, 0xffffffff), "KERN_INVALID_ARGUMENT");
  expect(await client.memory.load8(address)).toBe(pattern(1)[0]);
});

// --- vm_protect, vm_inherit -------------------------------------------------------------------------

conform("vm_protect takes reading and writing away, and gives it back (O16)", async (world) => {
  const { client } = world;
  const address = await memoryOf(client, pattern(3 * PAGE));
  const middle = address + PAGE;
  await client.vm.protect(middle + 5, 1, VM_PROT_READ);
  expect(await client.memory.load8(middle)).toBe(pattern(PAGE + 1)[PAGE]);
  await fails(client.memory.store8(middle, 1), "KERN_PROTECTION_FAILURE");
  await fails(client.memory.write(address, pattern(2 * PAGE, 2)), "KERN_PROTECTION_FAILURE");
  await fails(client.memory.fill(middle, 1, 0), "KERN_PROTECTION_FAILURE");
  await client.memory.store8(middle + PAGE, 3);
  await client.vm.protect(middle, PAGE, VM_PROT_NONE);
  await fails(client.memory.load8(middle), "KERN_PROTECTION_FAILURE");
  await fails(client.memory.load32(middle - 2), "KERN_PROTECTION_FAILURE");
  await fails(client.memory.read(address, 2 * PAGE), "KERN_PROTECTION_FAILURE");
  await client.vm.protect(middle, PAGE, VM_PROT_DEFAULT);
  await client.memory.store8(middle + 1, 9);
  expect(await client.memory.load8(middle)).toBe(pattern(PAGE + 1)[PAGE]);
});

conform(
  "vm_protect above the maximum: KERN_PROTECTION_FAILURE (O16)",
  async ({ client: { vm, memory } }) => {
    const address = await vm.allocate(3 * PAGE);
    await vm.protect(address + 2 * PAGE, PAGE, VM_PROT_READ, { maximum: true });
    expect(await vm.region(address + 2 * PAGE)).toMatchObject({
      protection: VM_PROT_READ,
      maxProtection: VM_PROT_READ,
    });
    await fails(vm.protect(address + 2 * PAGE, 1, VM_PROT_DEFAULT), "KERN_PROTECTION_FAILURE");
    // The whole range is looked at first.
    await fails(vm.protect(address, 3 * PAGE, VM_PROT_WRITE), "KERN_PROTECTION_FAILURE");
    expect(await memory.load8(address)).toBe(0);
    await fails(
      vm.protect(address, 3 * PAGE, VM_PROT_ALL, { maximum: true }),
      "KERN_PROTECTION_FAILURE",
    );
  },
);

conform("vm_protect and vm_inherit take nothing but what there is", async ({ client: { vm } }) => {
  const address = await vm.allocate(PAGE);
  await fails(vm.protect(address, PAGE, STRANGE), "KERN_INVALID_ARGUMENT");
  await fails(vm.inherit(address, PAGE, STRANGE), "KERN_INVALID_ARGUMENT");
  await fails(vm.inherit(address, PAGE, 3), "KERN_INVALID_ARGUMENT");
  await fails(vm.protect(address, 0xffffffff, VM_PROT_READ), "KERN_INVALID_ARGUMENT");
  await vm.protect(address, PAGE, VM_PROT_READ | VM_PROT_EXECUTE);
  expect((await vm.region(address)).protection).toBe(VM_PROT_READ | VM_PROT_EXECUTE);
});

conform("task_create gives a child what each region's inheritance says", async (world) => {
  const { client, server } = world;
  const { calls } = await control(world);
  const address = await memoryOf(server, pattern(4 * PAGE));
  await server.vm.inherit(address, PAGE, VM_INHERIT_NONE);
  await server.vm.inherit(address + PAGE, PAGE, VM_INHERIT_SHARE);
  const { child } = await calls.taskCreate({ inheritMemory: true });
  const born = client.kernel("mach", child);
  const { child: bare } = await calls.taskCreate({ inheritMemory: false });
  await fails(client.kernel("mach", bare).vmRegion({ address: 0 }), "KERN_NO_SPACE");
  await fails(born.vmRead({ address, bytes: 1 }), "KERN_INVALID_ADDRESS");

  await server.memory.fill(address + PAGE, 3 * PAGE, 5);
  const { data } = await born.vmRead({ address: address + PAGE, bytes: 3 * PAGE });
  const seen = await client.memory.read(data.address, data.bytes);
  expect(sameBytes(seen.subarray(0, PAGE), new Uint8Array(PAGE).fill(5))).toBe(true);
  expect(sameBytes(seen.subarray(PAGE), pattern(4 * PAGE).subarray(2 * PAGE))).toBe(true);

  const change = await memoryOf(client, pattern(3 * PAGE, 9));
  await born.vmWrite({ address: address + PAGE, data: { address: change, bytes: 3 * PAGE } });
  const kept = await server.memory.read(address + PAGE, 3 * PAGE);
  expect(sameBytes(kept.subarray(0, PAGE), pattern(3 * PAGE, 9).subarray(0, PAGE))).toBe(true);
  expect(sameBytes(kept.subarray(PAGE), new Uint8Array(2 * PAGE).fill(5))).toBe(true);
  await born.taskTerminate();
  await client.kernel("mach", bare).taskTerminate();
  expect(await server.memory.load8(address + PAGE)).toBe(pattern(1, 9)[0]);
});

// --- vm_read, vm_write, vm_copy ---------------------------------------------------------------------

conform("vm_read of a task's own is a copy in new memory", async ({ client: { vm, memory } }) => {
  const address = await vm.allocate(3 * PAGE);
  await memory.write(address, pattern(3 * PAGE));
  const copy = await vm.read(address + 100, 2 * PAGE);
  await memory.fill(address, 3 * PAGE, 0);
  const expected = pattern(3 * PAGE).subarray(100, 100 + 2 * PAGE);
  expect(sameBytes(await memory.read(copy, 2 * PAGE), expected)).toBe(true);
  await memory.store8(copy, 1);
  expect(await memory.load8(address + 100)).toBe(0);
  expect(await vm.read(address, 0)).toBe(0);
});

conform("vm_read of another task's memory: a page, 8 pages, 65 pages (O19)", async (world) => {
  const { client, server } = world;
  const { calls } = await control(world);
  const bytes = 65 * PAGE + 5;
  const address = await memoryOf(server, pattern(bytes));
  for (const [start, length] of [
    [0, PAGE],
    [0, 8 * PAGE],
    [3, 1],
    [PAGE - 1, 2 * PAGE + 2],
    [0, bytes],
  ] as const) {
    const { data } = await calls.vmRead({ address: address + start, bytes: length });
    expect(data.bytes).toBe(length);
    const expected = pattern(bytes).subarray(start, start + length);
    expect(sameBytes(await client.memory.read(data.address, length), expected)).toBe(true);
    await client.memory.store8(data.address, 1);
    await client.vm.deallocate(data.address, length);
  }
  expect(sameBytes(await server.memory.read(address, bytes), pattern(bytes))).toBe(true);
});

conform("vm_read of what is not there, or not to be read", async (world) => {
  const { client, server } = world;
  const { calls } = await control(world);
  const address = await server.vm.allocate(3 * PAGE);
  await server.vm.deallocate(address + PAGE, PAGE);
  const all = { address, bytes: 3 * PAGE };
  await fails(calls.vmRead(all), "KERN_INVALID_ADDRESS");
  await fails(calls.vmRead({ address, bytes: 0xffffffff }), "KERN_INVALID_ADDRESS");
  await server.vm.allocate({ address: address + PAGE, bytes: PAGE });
  await server.vm.protect(address + PAGE, PAGE, VM_PROT_WRITE);
  await fails(calls.vmRead(all), "KERN_PROTECTION_FAILURE");
  await fails(server.vm.read(address, 3 * PAGE), "KERN_PROTECTION_FAILURE");
  await server.vm.deallocate(address, 3 * PAGE);
  await fails(server.vm.read(address, 1), "KERN_INVALID_ADDRESS");
  expect(await calls.vmRead({ address, bytes: 0 })).toEqual({ data: { address: 0, bytes: 0 } });
  expect(await client.vm.region(0).catch(() => null)).toBe(null);
});

conform("vm_write to another task's memory, at any alignment", async (world) => {
  const { client, server } = world;
  const { calls } = await control(world);
  const bytes = 20 * PAGE;
  const address = await memoryOf(server, pattern(bytes));
  const from = await memoryOf(client, pattern(bytes, 2));
  const expected = pattern(bytes);
  for (const [to, start, length] of [
    [0, 0, PAGE],
    [2 * PAGE, PAGE, 8 * PAGE],
    [11 * PAGE + 7, 100, 1],
    [12 * PAGE + 1000, 5, 3 * PAGE],
    [17 * PAGE - 1, 2 * PAGE, 2],
    [0, 0, 0],
  ] as const) {
    await calls.vmWrite({ address: address + to, data: { address: from + start, bytes: length } });
    expected.set(pattern(bytes, 2).subarray(start, start + length), to);
  }
  expect(sameBytes(await server.memory.read(address, bytes), expected)).toBe(true);
  await server.memory.fill(address, bytes, 0);
  expect(sameBytes(await client.memory.read(from, bytes), pattern(bytes, 2))).toBe(true);
});

conform("vm_write to what is partly gone or not to be written (O13)", async (world) => {
  const { client, server } = world;
  const { calls } = await control(world);
  const address = await memoryOf(server, pattern(3 * PAGE));
  await server.vm.deallocate(address + 2 * PAGE, PAGE);
  const data = { address: await memoryOf(client, pattern(3 * PAGE, 2)), bytes: 3 * PAGE };
  await fails(calls.vmWrite({ address, data }), "KERN_INVALID_ADDRESS");
  await fails(calls.vmWrite({ address: 0xfffffff0, data }), "KERN_INVALID_ADDRESS");
  await server.vm.protect(address + PAGE, PAGE, VM_PROT_READ);
  const two = { ...data, bytes: 2 * PAGE };
  await fails(calls.vmWrite({ address, data: two }), "KERN_PROTECTION_FAILURE");
  expect(sameBytes(await server.memory.read(address, 2 * PAGE), pattern(2 * PAGE))).toBe(true);
  await server.vm.protect(address + PAGE, PAGE, VM_PROT_DEFAULT);
  await calls.vmWrite({ address, data: two });
  expect(sameBytes(await server.memory.read(address, 2 * PAGE), pattern(2 * PAGE, 2))).toBe(true);
  expect(sameBytes(await client.memory.read(data.address, PAGE), pattern(PAGE, 2))).toBe(true);
});

conform("vm_copy within a task, at any alignment (O14)", async (world) => {
  const { server } = world;
  const { calls } = await control(world);
  const address = await memoryOf(server, pattern(12 * PAGE));
  const expected = pattern(12 * PAGE);
  for (const [source, length, destination] of [
    [0, 2 * PAGE, 4 * PAGE],
    [100, PAGE, 7 * PAGE + 3],
    [0, 0, 4 * PAGE],
  ] as const) {
    await server.vm.copy(address + source, length, address + destination);
    expected.copyWithin(destination, source, source + length);
    expect(sameBytes(await server.memory.read(address, 12 * PAGE), expected)).toBe(true);
  }
  await calls.vmCopy({ source: address, bytes: PAGE, destination: address + 10 * PAGE });
  await server.vm.write(address + 11 * PAGE + 9, address + PAGE, 50);
  expected.copyWithin(10 * PAGE, 0, PAGE);
  expected.copyWithin(11 * PAGE + 9, PAGE, PAGE + 50);
  expect(sameBytes(await server.memory.read(address, 12 * PAGE), expected)).toBe(true);
  await server.memory.fill(address, PAGE, 0);
  expect(await server.memory.load8(address + 10 * PAGE)).toBe(expected[0]);
});

conform("vm_copy fails for its source as for its destination (O14, O15)", async ({ client }) => {
  const { vm, memory } = client;
  const good = await memoryOf(client, pattern(2 * PAGE));
  const bad = await vm.allocate({ address: FAR, bytes: 2 * PAGE });
  await vm.deallocate(bad + PAGE, PAGE);
  await fails(vm.copy(bad, 2 * PAGE, good), "KERN_INVALID_ADDRESS");
  await fails(vm.copy(good, 2 * PAGE, bad), "KERN_INVALID_ADDRESS");
  await fails(vm.copy(good, 0xffffffff, bad), "KERN_INVALID_ADDRESS");
  await fails(vm.read(good, 0xffffffff), "KERN_INVALID_ADDRESS");
  await vm.allocate({ address: bad + PAGE, bytes: PAGE });
  await vm.protect(bad + PAGE, PAGE, VM_PROT_READ);
  await fails(vm.copy(good, 2 * PAGE, bad), "KERN_PROTECTION_FAILURE");
  await vm.protect(bad + PAGE, PAGE, VM_PROT_NONE);
  await fails(vm.copy(bad, 2 * PAGE, good), "KERN_PROTECTION_FAILURE");
  expect(sameBytes(await memory.read(good, 2 * PAGE), pattern(2 * PAGE))).toBe(true);
  expect(await memory.load8(bad)).toBe(0);
});

// --- vm_region, vm_map, vm_statistics ---------------------------------------------------------------

conform("vm_region tells of the first region at an address or above", async (world) => {
  const { server } = world;
  const { calls } = await control(world);
  await server.vm.allocate({ address: FAR, bytes: 3 * PAGE });
  await server.vm.protect(FAR + PAGE, PAGE, VM_PROT_READ);
  await server.vm.inherit(FAR + 2 * PAGE, PAGE, VM_INHERIT_SHARE);
  const common = { bytes: PAGE, maxProtection: VM_PROT_ALL, shared: false };
  const own = await server.vm.region(FAR - 5 * PAGE);
  expect(own).toMatchObject({ ...common, address: FAR, protection: VM_PROT_DEFAULT });
  expect(own).toMatchObject({ inheritance: VM_INHERIT_COPY });
  expect(await server.vm.region(FAR + PAGE + 5)).toMatchObject({
    ...common,
    address: FAR + PAGE,
    protection: VM_PROT_READ,
  });
  const last = await calls.vmRegion({ address: FAR + 2 * PAGE });
  expect(last).toMatchObject({ ...common, address: FAR + 2 * PAGE, object: NO_OBJECT });
  expect(last).toMatchObject({ inheritance: VM_INHERIT_SHARE });
  await fails(calls.vmRegion({ address: FAR + 3 * PAGE }), "KERN_NO_SPACE");
  await fails(server.vm.region(0xffffffff), "KERN_NO_SPACE");
});

conform("vm_map takes no protection and no inheritance that there is not (O18)", async (world) => {
  const { calls } = await control(world);
  for (const given of [
    { protection: STRANGE },
    { maxProtection: STRANGE },
    { inheritance: STRANGE },
    { inheritance: -1 },
  ]) {
    await fails(calls.vmMap(mapping(given)), "KERN_INVALID_ARGUMENT");
  }
});

conform("vm_map honours its mask, its place and its protections (O18)", async (world) => {
  const { client, server } = world;
  const { calls } = await control(world);
  for (let i = 0; i < 3; i++) {
    const { address } = await calls.vmMap(mapping({ mask: 0xffff }));
    expect(address % 0x10000).toBe(0);
    expect(await server.memory.load32(address)).toBe(0);
  }
  expect(await calls.vmMap(mapping({ address: FAR, anywhere: false }))).toEqual({ address: FAR });
  await fails(calls.vmMap(mapping({ address: FAR, anywhere: false })), "KERN_NO_SPACE");
  const address = await client.vm.map({
    bytes: 3,
    mask: 0xfffff,
    protection: VM_PROT_READ,
    maxProtection: VM_PROT_READ,
    inheritance: VM_INHERIT_NONE,
  });
  expect(address % 0x100000).toBe(0);
  expect(await client.vm.region(address)).toMatchObject({
    bytes: PAGE,
    protection: VM_PROT_READ,
    maxProtection: VM_PROT_READ,
    inheritance: VM_INHERIT_NONE,
  });
  await fails(client.memory.store8(address, 1), "KERN_PROTECTION_FAILURE");
});

conform("vm_map of a port that stands for no memory: KERN_INVALID_ARGUMENT", async (world) => {
  const { client } = world;
  const { port, calls } = await control(world);
  await fails(calls.vmMap(mapping({ object: port })), "KERN_INVALID_ARGUMENT");
  expect(await client.ports.getRefs(port, RIGHT_SEND)).toBe(1);
});

conform("vm_statistics and task_info tell of memory in use", async (world) => {
  const { server } = world;
  const { calls } = await control(world);
  const before = (await calls.vmStatistics()).statistics;
  expect(before).toHaveLength(13);
  expect(before[0]).toBe(PAGE);
  const address = await memoryOf(server, pattern(5 * PAGE));
  const after = (await calls.vmStatistics()).statistics;
  expect(before[1]! - after[1]!).toBeGreaterThanOrEqual(5);
  expect(after[9]! - before[9]!).toBeGreaterThanOrEqual(5);
  const { info } = await calls.taskInfo({ flavor: TASK_BASIC_INFO });
  expect(info[2]).toBe(5 * PAGE);
  await server.vm.deallocate(address, 5 * PAGE);
});

// --- ports ------------------------------------------------------------------------------------------

conform("task.vm does what the vm calls of the task port do", async (world) => {
  const { server } = world;
  const { calls } = await control(world);
  const { address } = await calls.vmAllocate({ address: 0, bytes: 2 * PAGE, anywhere: true });
  await server.memory.write(address, pattern(2 * PAGE));
  await calls.vmProtect({
    address,
    bytes: PAGE,
    setMaximum: false,
    protection: VM_PROT_READ,
  });
  await fails(server.memory.store8(address, 1), "KERN_PROTECTION_FAILURE");
  await calls.vmInherit({ address, bytes: PAGE, inheritance: VM_INHERIT_NONE });
  expect((await server.vm.region(address)).inheritance).toBe(VM_INHERIT_NONE);
  await calls.vmDeallocate({ address, bytes: PAGE });
  await fails(server.memory.load8(address), "KERN_INVALID_ADDRESS");
  const taken = { address: address + PAGE, bytes: PAGE, anywhere: false };
  await fails(calls.vmAllocate(taken), "KERN_NO_SPACE");
  const size = { address: address + PAGE, bytes: PAGE };
  await fails(
    calls.vmProtect({ ...size, setMaximum: true, protection: STRANGE }),
    "KERN_INVALID_ARGUMENT",
  );
  await fails(calls.vmInherit({ ...size, inheritance: STRANGE }), "KERN_INVALID_ARGUMENT");
});

conform("mach_thread_self has no vm calls: KERN_INVALID_ARGUMENT", async (world) => {
  const { client, server, give } = world;
  const thread: PortName = await give(server, await server.thread(), COPY_SEND, client);
  const calls = client.kernel("mach", thread);
  const address = await memoryOf(client, pattern(3 * PAGE));
  const all = { address, bytes: 3 * PAGE };
  await fails(calls.vmAllocate({ ...all, anywhere: true }), "KERN_INVALID_ARGUMENT");
  await fails(calls.vmRead(all), "KERN_INVALID_ARGUMENT");
  await fails(calls.vmWrite({ address, data: all }), "KERN_INVALID_ARGUMENT");
  await fails(calls.vmRegion({ address: 0 }), "KERN_INVALID_ARGUMENT");
});

conform("vm_write by hand: other items than its own are MIG_BAD_ARGUMENTS", async (world) => {
  const { client } = world;
  const { port } = await control(world);
  const local = await client.ports.allocate();
  const address = await memoryOf(client, pattern(3 * PAGE));
  for (const items of [
    [region(pattern(PAGE))],
    [region(pattern(PAGE)), regionAt(address, 3 * PAGE, true)],
  ]) {
    const reply = await client.rpc({
      remote: port,
      id: VM_WRITE,
      items,
      local,
      localDisposition: MAKE_SEND_ONCE,
    });
    expect(reply).toMatchObject({
      id: VM_WRITE + 100,
      items: [{ kind: "integers", values: [MIG_BAD_ARGUMENTS] }],
    });
  }
  await client.ports.destroy(local);
});

conform("task_terminate takes the task's memory away", async (world) => {
  const { client, server } = world;
  const { calls } = await control(world);
  const { child } = await calls.taskCreate({ inheritMemory: false });
  const born = client.kernel("mach", child);
  const { address } = await born.vmAllocate({ address: 0, bytes: 9 * PAGE, anywhere: true });
  const from = await memoryOf(client, pattern(9 * PAGE));
  await born.vmWrite({ address, data: { address: from, bytes: 9 * PAGE } });
  await born.taskTerminate();
  await fails(born.vmRegion({ address: 0 }), "MACH_SEND_INVALID_DEST");
  expect(await server.vm.region(0).catch(() => null)).toBe(null);
});
