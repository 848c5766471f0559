// task.memory: every width at every alignment, what is no memory, and pages that an interface reads.

import { expect, test } from "@jest/globals";
import { Random } from "../../src/base/random.ts";
import { KERN_SUCCESS } from "../../src/base/status.ts";
import type { Task } from "../../src/task/task.ts";
import { PAGES_BUSY, PageList } from "../../src/vm/page-list.ts";
import { VM_PROT_READ } from "../../src/vm/protection.ts";
import { LoneNodes, machError, watch } from "../support/lone-node.ts";

const PAGE = 4096;
const LATER_NS = 10_000;

const furnish = (pages: number) => {
  const nodes = new LoneNodes();
  const task = nodes.task();
  return { nodes, task, memory: task.memory, address: task.vm.allocate(pages * PAGE) };
};

/** Has an interface read pages of a task; the returned function ends that. */
const readByInterface = (
  nodes: LoneNodes,
  task: Task,
  address: number,
  bytes: number,
): (() => void) => {
  const list = new PageList();
  const status = nodes.spaceOf(task).memory.copyinPages(address, bytes, list, PAGES_BUSY);
  expect(status).toBe(KERN_SUCCESS);
  return () => nodes.kernels[0]!.vm.discardList(list);
};

test("memory: loads and stores of all widths do what a DataView does", () => {
  const { memory, address } = furnish(3);
  const model = new DataView(new ArrayBuffer(3 * PAGE));
  const random = new Random(7);
  for (let i = 0; i < 3000; i++) {
    // Mostly about the ends of pages.
    const near = random.below(2) === 0 ? PAGE : 2 * PAGE;
    const at = random.below(4) === 0 ? random.below(3 * PAGE - 8) : near - 12 + random.below(20);
    const value = random.below(0x7fffffff) * (random.below(2) === 0 ? 2 : -1);
    const wide = BigInt(value) * 0x100000001n;
    switch (random.below(4)) {
      case 0:
        memory.store8(address + at, value);
        model.setUint8(at, value);
        break;
      case 1:
        memory.store16(address + at, value);
        model.setUint16(at, value, true);
        break;
      case 2:
        memory.store32(address + at, value);
        model.setInt32(at, value, true);
        break;
      default:
        memory.store64(address + at, wide);
        model.setBigInt64(at, wide, true);
    }
    const look = Math.max(0, Math.min(at - 8 + random.below(16), 3 * PAGE - 8));
    expect(memory.load8(address + look)).toBe(model.getUint8(look));
    expect(memory.load16(address + look)).toBe(model.getUint16(look, true));
    expect(memory.load32(address + look)).toBe(model.getInt32(look, true));
    expect(memory.load64(address + look)).toBe(model.getBigInt64(look, true));
  }
  expect(Buffer.compare(memory.read(address, 3 * PAGE), new Uint8Array(model.buffer))).toBe(0);
});

test("memory: a page that was read first can be stored to, and one stored to be read", () => {
  const { memory, address } = furnish(1);
  expect(memory.load32(address)).toBe(0);
  memory.store32(address, 0xc0ffee);
  expect(memory.load32(address)).toBe(0xc0ffee);
});

test("memory: what is no address of 32 bits is none of the task's", () => {
  const { memory, address } = furnish(1);
  for (const wrong of [-1, address + 0.5, address + 2 ** 32, Number.NaN, -(2 ** 32) + address]) {
    machError(() => memory.load32(wrong), "KERN_INVALID_ADDRESS");
    machError(() => memory.store8(wrong, 1), "KERN_INVALID_ADDRESS");
    machError(() => memory.store32(wrong, 1), "KERN_INVALID_ADDRESS");
    machError(() => memory.store64(wrong, 1n), "KERN_INVALID_ADDRESS");
  }
  for (const length of [-1, 0.5, Number.NaN, 2 ** 40]) {
    machError(() => memory.read(address, length), "KERN_INVALID_ADDRESS");
    machError(() => memory.fill(address, length, 0), "KERN_INVALID_ADDRESS");
    machError(() => memory.pages(address, length), "KERN_INVALID_ADDRESS");
  }
  machError(() => memory.store32(address + PAGE - 2, -1), "KERN_INVALID_ADDRESS");
  expect(memory.load16(address + PAGE - 2)).toBe(0);
});

test("memory: a mapped page is not stored to any more once it is protected, nor read once it is gone", () => {
  const { task, memory, address } = furnish(1);
  memory.store32(address, 5);
  task.vm.protect(address, PAGE, VM_PROT_READ);
  machError(() => memory.store32(address, 6), "KERN_PROTECTION_FAILURE");
  expect(memory.load32(address)).toBe(5);
  task.vm.deallocate(address, PAGE);
  machError(() => memory.load32(address), "KERN_INVALID_ADDRESS");
});

test("memory: pages() shows a range where it is, page by page", () => {
  const { memory, address } = furnish(4);
  const contents = Uint8Array.from({ length: 3 * PAGE }, (_, i) => i * 7 + (i >> 8));
  memory.write(address, contents);
  const views = memory.pages(address + 100, 2 * PAGE + 50);
  expect(views.map((view) => view.length)).toEqual([PAGE - 100, PAGE, 150]);
  expect(Buffer.compare(Buffer.concat(views), contents.subarray(100, 2 * PAGE + 150))).toBe(0);
  memory.store8(address + PAGE, 0xab);
  expect(views[1]![0]).toBe(0xab);
  expect(memory.pages(address + 3 * PAGE, PAGE)[0]).toEqual(new Uint8Array(PAGE));
  expect(memory.pages(address, 0)).toEqual([]);
  machError(() => memory.pages(address + 3 * PAGE, PAGE + 1), "KERN_INVALID_ADDRESS");
});

test("memory: a store to a page that an interface reads waits until it is done", () => {
  const { nodes, task, memory, address } = furnish(3);
  const kernel = nodes.kernels[0]!;
  const stores = [
    () => memory.store8(address + 1, 1),
    () => memory.store32(address + 4, 1),
    () => memory.store64(address + PAGE - 4, 1n),
    () => memory.write(address, new Uint8Array(2 * PAGE).fill(1)),
    () => memory.fill(address, 2 * PAGE, 1),
  ];
  for (const store of stores) {
    memory.fill(address, 2 * PAGE, 0);
    const done = readByInterface(nodes, task, address, 2 * PAGE);
    let before = -1;
    kernel.setTimer(kernel.clock.now() + LATER_NS, () => {
      before = memory.load8(address + 1) + memory.load8(address + 4) + memory.load8(address + PAGE);
      done();
    });
    const started = kernel.clock.now();
    store();
    expect(kernel.clock.now()).toBeGreaterThanOrEqual(started + LATER_NS);
    expect(before).toBe(0);
    expect(memory.read(address, 2 * PAGE).includes(1)).toBe(true);
  }
});

test("memory: a page that an interface reads is read, and its neighbour stored to, at once", async () => {
  const { nodes, task, memory, address } = furnish(2);
  memory.store8(address, 9);
  const done = readByInterface(nodes, task, address, PAGE);
  const started = nodes.kernels[0]!.clock.now();
  expect(memory.load8(address)).toBe(9);
  memory.store8(address + PAGE, 1);
  expect(nodes.kernels[0]!.clock.now()).toBe(started);
  done();
  await nodes.expectNothingLeaked();
});

test("memory: whenWritable() suspends until no interface reads the range", async () => {
  const { nodes, task, memory, address } = furnish(4);
  memory.fill(address, 3 * PAGE, 2);
  await nodes.run(memory.whenWritable(address, 4 * PAGE));
  const first = readByInterface(nodes, task, address, PAGE);
  const second = readByInterface(nodes, task, address + 2 * PAGE, PAGE);
  const writable = memory.whenWritable(address + 5, 2 * PAGE);
  const other = watch(memory.whenWritable(address + PAGE, PAGE));
  const all = watch(writable);
  await nodes.pass(LATER_NS);
  expect([all.settled, other.settled]).toEqual([false, true]);
  first();
  await nodes.pass(LATER_NS);
  expect(all.settled).toBe(false);
  second();
  await nodes.run(writable);
  memory.store8(address + 2 * PAGE, 1);
  await nodes.expectNothingLeaked();
});

test("memory: whenWritable() of what is not there, or not to be written, rejects", async () => {
  const { nodes, task, memory, address } = furnish(2);
  const failed = (start: number, length: number) =>
    nodes.run(memory.whenWritable(start, length).catch(({ code }: { code: string }) => code));
  expect(await failed(address + PAGE, PAGE + 1)).toBe("KERN_INVALID_ADDRESS");
  expect(await failed(-1, 1)).toBe("KERN_INVALID_ADDRESS");
  task.vm.protect(address, 1, VM_PROT_READ);
  expect(await failed(address, 1)).toBe("KERN_PROTECTION_FAILURE");
});
