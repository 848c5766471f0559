// task.vm: numbers that are none, tasks that have ended, and pages that an interface reads. What each call does
// is in conformance/vm-calls.test.ts.

import { expect, test } from "@jest/globals";
import { KERN_SUCCESS } from "../../src/base/status.ts";
import { PAGES_BUSY, PageList } from "../../src/vm/page-list.ts";
import { LoneNodes, machError } from "../support/lone-node.ts";

const PAGE = 4096;
const WRONG = [-1, 0.5, 2 ** 32, Number.NaN];

test("vm: what is no number of 32 bits is KERN_INVALID_ARGUMENT", () => {
  const { vm } = new LoneNodes().task();
  const address = vm.allocate(PAGE);
  for (const wrong of WRONG) {
    for (const call of [
      () => vm.allocate(wrong),
      () => vm.allocate({ address: wrong, bytes: PAGE }),
      () => vm.deallocate(address, wrong),
      () => vm.protect(address, PAGE, wrong),
      () => vm.inherit(wrong, PAGE, 1),
      () => vm.read(address, wrong),
      () => vm.write(address, wrong, 1),
      () => vm.copy(address, wrong, address),
      () => vm.region(wrong),
      () => vm.map({ bytes: wrong }),
      () => vm.map({ bytes: PAGE, mask: wrong }),
    ]) {
      machError(call, "KERN_INVALID_ARGUMENT");
    }
  }
});

test("vm: a task that has ended gets no memory any more", async () => {
  const nodes = new LoneNodes();
  const task = nodes.task();
  const address = task.vm.allocate(PAGE);
  task.memory.store8(address, 1);
  nodes.end(task);
  machError(() => task.memory.load8(address), "KERN_INVALID_ADDRESS");
  machError(() => task.vm.allocate(PAGE), "KERN_INVALID_TASK");
  machError(() => task.vm.read(address, PAGE), "KERN_INVALID_TASK");
  machError(() => task.vm.map({ bytes: PAGE }), "KERN_INVALID_TASK");
  machError(() => task.vm.region(0), "KERN_NO_SPACE");
  task.vm.deallocate(address, PAGE);
  await nodes.expectNothingLeaked();
});

test("vm: region() answers with a record of its own", () => {
  const { vm } = new LoneNodes().task();
  vm.allocate({ address: 0x100000, bytes: PAGE });
  vm.allocate({ address: 0x200000, bytes: 2 * PAGE });
  const first = vm.region(0);
  const second = vm.region(0x100000 + PAGE);
  expect(first).toMatchObject({ address: 0x100000, bytes: PAGE });
  expect(second).toMatchObject({ address: 0x200000, bytes: 2 * PAGE });
});

test("vm: copy() onto a page that an interface reads waits until it is done", async () => {
  const nodes = new LoneNodes();
  const kernel = nodes.kernels[0]!;
  const task = nodes.task();
  const address = task.vm.allocate(3 * PAGE);
  task.memory.fill(address, PAGE, 1);
  task.memory.fill(address + PAGE, 2 * PAGE, 2);
  const list = new PageList();
  const { memory } = nodes.spaceOf(task);
  expect(memory.copyinPages(address + PAGE, 2 * PAGE, list, PAGES_BUSY)).toBe(KERN_SUCCESS);
  let before = 0;
  kernel.setTimer(kernel.clock.now() + 10_000, () => {
    before = task.memory.load8(address + PAGE + 7);
    kernel.vm.discardList(list);
  });
  task.vm.copy(address, PAGE, address + PAGE + 5);
  expect(before).toBe(2);
  expect(task.memory.load8(address + PAGE + 4)).toBe(2);
  expect(task.memory.load8(address + PAGE + 5)).toBe(1);
  expect(task.memory.load8(address + 2 * PAGE + 5)).toBe(2);
  await nodes.expectNothingLeaked();
});
