// Copy-on-write copies of memory, and the checker that recounts all of it.

import { expect, test } from "@jest/globals";
import { COUNTERS } from "../../src/base/counters.ts";
import { KERN_INVALID_ADDRESS, KERN_NO_SPACE, KERN_SUCCESS } from "../../src/base/status.ts";
import { checkMemory } from "../../src/vm/check-memory.ts";
import { frameOf } from "../../src/vm/page-list.ts";
import { bytesAt, PAGE, testVirtualMemory } from "../support/virtual-memory.ts";

const make = (pages = 4) => {
  const node = testVirtualMemory(64);
  const address = node.task.allocate(pages * PAGE)!;
  for (let i = 0; i < pages; i++) node.task.fill(address + i * PAGE, PAGE, i + 1);
  const copies = (): number => node.vm.counters[COUNTERS.cowCopies.index]!;
  return { ...node, address, copies, receiver: node.vm.newTaskMemory() };
};

test("copy of objects: both see what was there, whoever stores; only pages stored to are copied", () => {
  const { vm, task, receiver, address, copies } = make();
  const copy = task.copyinObject(address + 5, 3 * PAGE, false)!;
  task.fill(address, PAGE, 50);
  expect(receiver.copyoutObject(copy)).toBe(KERN_SUCCESS);
  const there = receiver.address;
  expect(there % PAGE).toBe(5);
  receiver.fill(there + PAGE, PAGE, 60);
  expect(bytesAt(receiver, there, 1)).toEqual([1]);
  expect(bytesAt(task, address + PAGE, 1)).toEqual([2]);
  expect(copies()).toBe(3);
  expect(copy.pieces).toHaveLength(0);
  expect(checkMemory(vm, [], [])).toEqual([]);
});

test("copy of objects: what is deallocated with the message is not copied at all", () => {
  const { vm, task, receiver, address, copies } = make();
  const copy = task.copyinObject(address, 4 * PAGE, true)!;
  expect(task.bytesInUse).toBe(0);
  receiver.copyoutObject(copy);
  expect(receiver.fill(receiver.address, 4 * PAGE, 9)).toBe(KERN_SUCCESS);
  expect(copies()).toBe(0);
  expect(checkMemory(vm, [], [])).toEqual([]);
});

test("copy of objects: when the copy is gone the sender stores without copying", () => {
  const { vm, task, address, copies } = make();
  const copy = task.copyinObject(address, 4 * PAGE, false)!;
  vm.discardCopy(copy);
  task.fill(address, 4 * PAGE, 9);
  expect(copies()).toBe(0);
});

test("copy of objects: only the part that was copied needs copies", () => {
  const { task, address, copies } = make();
  task.copyinObject(address + PAGE, PAGE, false);
  task.fill(address, 4 * PAGE, 9);
  expect(copies()).toBe(1);
});

test("copy of objects: pages can be had one by one, and stay as they are", () => {
  const { vm, task, address } = make();
  const copy = task.copyinObject(address, 4 * PAGE, false)!;
  task.fill(address, 4 * PAGE, 9);
  const entries = [0, 1, 2, 3].map((i) => vm.pageOfCopy(copy, i));
  expect(entries.map((entry) => vm.pageBytesOf(frameOf(entry))[0])).toEqual([1, 2, 3, 4]);
  expect(entries.map((entry) => vm.pages.wired(frameOf(entry)))).toEqual([1, 1, 1, 1]);
  for (const entry of entries) vm.pageDone(entry);
  expect(checkMemory(vm, [], [copy])).toEqual([]);
  vm.discardCopy(copy);
  expect(checkMemory(vm, [], [])).toEqual([]);
});

test("copy of objects: is written over memory that there is, at any alignment, and stays", () => {
  const { vm, task, receiver, address } = make();
  const copy = task.copyinObject(address + PAGE - 2, 4, false)!;
  const there = receiver.allocate(2 * PAGE)!;
  expect(receiver.overwriteObject(there + PAGE - 1, copy)).toBe(KERN_SUCCESS);
  expect(receiver.overwriteObject(there + 1, copy)).toBe(KERN_SUCCESS);
  expect(bytesAt(receiver, there + PAGE - 2, 6)).toEqual([0, 1, 1, 2, 2, 0]);
  expect(bytesAt(receiver, there, 6)).toEqual([0, 1, 1, 2, 2, 0]);
  expect(receiver.overwriteObject(there + 2 * PAGE - 1, copy)).toBe(KERN_INVALID_ADDRESS);
  vm.discardCopy(copy);
});

test("copy of objects: without room it is still good; a range that is not there has none", () => {
  const { vm, task, receiver, address } = make();
  while (receiver.allocate(64 * 1024 * 1024) !== null);
  const copy = task.copyinObject(address, PAGE, false)!;
  expect(receiver.copyoutObject(copy)).toBe(KERN_NO_SPACE);
  expect(copy.pieces).toHaveLength(1);
  expect(task.copyinObject(address, 5 * PAGE, true)).toBeNull();
  expect(task.status).toBe(KERN_INVALID_ADDRESS);
  expect(task.bytesInUse).toBe(4 * PAGE);
  vm.discardCopy(copy);
});

test("check of memory: finds what is counted wrongly", () => {
  const { vm, task, address } = make();
  expect(checkMemory(vm, [], [])).toEqual([]);
  const page = task.pageTable.pageOf(task.pageTable.entry(address / PAGE));
  vm.pages.wire(page.frame);
  expect(checkMemory(vm, [], [])).toEqual([`frame ${page.frame}: wired is 1, not 0`]);
  vm.pages.unwire(page.frame);
  page.object!.references += 1;
  expect(checkMemory(vm, [], [])).toEqual(["1 references to an object, not 2"]);
  page.object!.references -= 1;
  vm.memory.words[vm.memory.layout.frameTableAt + page.frame * 4 + 1] = 1;
  expect(checkMemory(vm, [], [])).toContain("a busy page can be stored to (I-2)");
});

test("copy of objects: it is put where it must be, if that is free and an address", () => {
  const { vm, task, receiver, address } = make();
  const copy = task.copyinObject(address, 3 * PAGE, false)!;
  for (const [at, status] of [
    [0, KERN_INVALID_ADDRESS],
    [2 ** 32 - PAGE, KERN_INVALID_ADDRESS],
    [2 ** 32, KERN_INVALID_ADDRESS],
  ] as const) {
    expect(receiver.copyoutObject(copy, at)).toBe(status);
  }
  expect(receiver.vmAllocate(0x80000 + 2 * PAGE, PAGE, false)).toBe(KERN_SUCCESS);
  expect(receiver.copyoutObject(copy, 0x80000)).toBe(KERN_NO_SPACE);
  expect(receiver.copyoutObject(copy, 0x80000 + 3 * PAGE)).toBe(KERN_SUCCESS);
  expect(receiver.address).toBe(0x80000 + 3 * PAGE);
  expect(bytesAt(receiver, receiver.address + PAGE, 1)).toEqual([2]);
  expect(checkMemory(vm, [], [])).toEqual([]);
});
