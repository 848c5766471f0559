// The vm calls of task ports beside what conformance sees: ids, pages that an interface reads meanwhile, and
// where data goes that nobody takes.

import { expect, test } from "@jest/globals";
import { KERN_SUCCESS } from "../../src/base/status.ts";
import { Message } from "../../src/ipc/message.ts";
import { COPY_SEND, MACH_PORT_NULL } from "../../src/ipc/rights.ts";
import { mach, machPort } from "../../src/task/kernel-interfaces.ts";
import { PAGES_BUSY, PageList } from "../../src/vm/page-list.ts";
import { VM_INHERIT_COPY, VM_PROT_DEFAULT } from "../../src/vm/protection.ts";
import { give, openDoor } from "../support/doors.ts";
import { LoneNodes, type LoneNodesInput, watch } from "../support/lone-node.ts";
import { PLACES } from "../support/places.ts";

const PAGE = 4096;

/** A task with memory, and another one that has a right to its kernel port. */
const furnish = async (input: LoneNodesInput, place: number) => {
  const nodes = new LoneNodes(input);
  const [task, target] = [nodes.task(0), nodes.task(place)];
  const port = await give(nodes, target, target.self, COPY_SEND, task);
  const address = target.vm.allocate(4 * PAGE);
  target.memory.fill(address, 4 * PAGE, 1);
  const data = { address: task.vm.allocate(4 * PAGE), bytes: 2 * PAGE };
  task.memory.fill(data.address, 4 * PAGE, 2);
  const run = <T>(promise: Promise<T>): Promise<T> => nodes.run(promise);
  return { nodes, task, target, address, data, port, calls: mach.client(task, port), run };
};

test("vm calls: their ids are Mach's", () => {
  const ids = Object.fromEntries(mach.subsystem.routines.map(({ key, id }) => [key, id]));
  expect(ids).toMatchObject({
    vmAllocate: 2021,
    vmDeallocate: 2023,
    vmProtect: 2024,
    vmInherit: 2025,
    vmRead: 2026,
    vmWrite: 2027,
    vmCopy: 2028,
    vmRegion: 2029,
    vmStatistics: 2030,
    vmMap: 2089,
  });
});

test.each(PLACES)(
  "vm_write waits for a busy page, and holds nothing up %s",
  async (_w, input, place) => {
    const { nodes, task, target, address, data, port, calls, run } = await furnish(input, place);
    const list = new PageList();
    const { memory } = nodes.spaceOf(target);
    expect(memory.copyinPages(address + PAGE, 10, list, PAGES_BUSY)).toBe(KERN_SUCCESS);
    const written = calls.vmWrite({ address: address + 5, data });
    const copied = calls.vmCopy({ source: address, bytes: 3, destination: address + PAGE });
    const seen = [watch(written), watch(copied)];
    await nodes.pass(100_000);
    expect(seen.map(({ settled }) => settled)).toEqual([false, false]);
    await run(machPort.client(task, port).names());
    expect(target.memory.load8(address + PAGE)).toBe(1);
    nodes.kernels[place]!.vm.discardList(list);
    await run(written);
    await run(copied);
    expect(target.memory.load8(address + 4)).toBe(1);
    expect(target.memory.load8(address + 2 * PAGE + 4)).toBe(2);
    expect(target.memory.load8(address + 2 * PAGE + 5)).toBe(1);
    await nodes.expectNothingLeaked();
  },
);

test("vm_write to a task that ends while it waits fails, and its data is given up", async () => {
  const { nodes, target, address, data, calls, run } = await furnish({}, 0);
  const list = new PageList();
  const { memory } = nodes.spaceOf(target);
  expect(memory.copyinPages(address, PAGE, list, PAGES_BUSY)).toBe(KERN_SUCCESS);
  const written = calls.vmWrite({ address: address + 5, data });
  const outcome = written.catch(({ code }: { code: string }) => code);
  await nodes.quiet();
  nodes.end(target);
  nodes.kernels[0]!.vm.discardList(list);
  expect(await run(outcome)).toBe("KERN_INVALID_ADDRESS");
  await nodes.expectNothingLeaked();
});

test.each(PLACES)(
  "vm_read without a reply port leaves nothing behind %s",
  async (_w, input, place) => {
    const { nodes, task, address, port, run } = await furnish(input, place);
    const message = new Message(64);
    message.remote = port;
    message.remoteDisposition = COPY_SEND;
    message.local = MACH_PORT_NULL;
    message.id = mach.subsystem.routine("vmRead").id;
    message.addInteger(address).addInteger(3 * PAGE);
    await run(task.send(message));
    await nodes.expectNothingLeaked();
  },
);

test.each(PLACES)(
  "vm_write uses its data up once: later messages have their own pages %s",
  async (_w, input, place) => {
    const { nodes, task, target, address, data, calls, run } = await furnish(input, place);
    for (const to of [address, address + 7]) await run(calls.vmWrite({ address: to, data }));
    const { send, receive } = await openDoor(nodes, target, task);
    target.memory.fill(address, 2 * PAGE, 5);
    target.memory.fill(address + 2 * PAGE, 2 * PAGE, 6);
    const message = new Message(64);
    message.remote = send;
    message.remoteDisposition = COPY_SEND;
    message.addRegion(address, 2 * PAGE, false).addRegion(address + 2 * PAGE, 2 * PAGE, false);
    await run(target.send(message));
    const got = await run(task.receive(receive));
    for (const byte of [5, 6]) {
      const region = got.takeRegion();
      expect(new Set(task.memory.read(region.address, region.bytes))).toEqual(new Set([byte]));
    }
    await nodes.expectNothingLeaked();
  },
);

test.each(PLACES)("vm_write gives up data that it cannot place %s", async (_w, input, place) => {
  const { nodes, data, calls, run } = await furnish(input, place);
  await expect(run(calls.vmWrite({ address: 0, data }))).rejects.toMatchObject({
    code: "KERN_INVALID_ADDRESS",
  });
  await nodes.expectNothingLeaked();
});

test.each(PLACES)(
  "a child shares no page with a parent that has ended %s",
  async (_w, input, place) => {
    const { nodes, task, target, address, calls, run } = await furnish(input, place);
    const { child } = await run(calls.taskCreate({ inheritMemory: true }));
    nodes.end(target);
    const born = mach.client(task, child);
    const { data } = await run(born.vmRead({ address, bytes: 4 * PAGE }));
    expect(task.memory.read(data.address, data.bytes).every((byte) => byte === 1)).toBe(true);
    expect(await run(born.vmRegion({ address: 0 }))).toMatchObject({
      address,
      bytes: 4 * PAGE,
      protection: VM_PROT_DEFAULT,
      inheritance: VM_INHERIT_COPY,
      object: MACH_PORT_NULL,
    });
    await run(born.taskTerminate());
    await nodes.expectNothingLeaked();
  },
);
