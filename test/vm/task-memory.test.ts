// A task's memory: regions and their addresses, what lies in them, what is not there, and the limit.

import { expect, test } from "@jest/globals";
import { FAULT_BUSY } from "../../src/vm/fault.ts";
import { PAGES_BUSY, PAGES_STEAL, PageList } from "../../src/vm/page-list.ts";
import { bytesAt, PAGE, testVirtualMemory } from "../support/virtual-memory.ts";

test("task memory: quick", () => {
  const { vm, task, free } = testVirtualMemory();
  const before = free();
  const address = task.allocate(3 * PAGE)!;
  expect(address).toBe(0x10000);
  expect(task.write(address + PAGE - 1, Uint8Array.of(1, 2, 3))).toBe(0);
  expect(bytesAt(task, address + PAGE - 2, 5)).toEqual([0, 1, 2, 3, 0]);
  const list = new PageList();
  expect(task.copyinPages(address + 5, PAGE, list, PAGES_BUSY)).toBe(0);
  expect(list.count).toBe(2);
  expect(task.fill(address, 1, 7)).toBe(FAULT_BUSY);
  const other = vm.newTaskMemory();
  expect(other.copyoutPages(list)).toBe(0);
  expect(bytesAt(other, other.address + PAGE - 6, 4)).toEqual([1, 2, 3, 0]);
  expect(task.fill(address, 1, 7)).toBe(0);
  expect(bytesAt(other, other.address - 5, 1)).toEqual([0]);
  expect(task.copyinPages(address, 3 * PAGE, list, PAGES_STEAL)).toBe(0);
  expect(task.bytesInUse).toBe(0);
  expect(other.copyoutPages(list)).toBe(0);
  expect(bytesAt(other, other.address, 1)).toEqual([7]);
  const at = other.address;
  const child = other.fork();
  expect(child.fill(at, 1, 8)).toBe(0);
  expect(bytesAt(other, at, 1)).toEqual([7]);
  expect(other.fill(at, 1, 9)).toBe(0);
  expect(bytesAt(child, at, 1)).toEqual([8]);
  const copy = child.copyinObject(at, 10, false)!;
  child.fill(at, 2, 10);
  expect(task.copyoutObject(copy)).toBe(0);
  expect(bytesAt(task, task.address, 2)).toEqual([8, 2 - 2]);
  expect(child.vmCopy(at, 100, at + 50)).toBe(0);
  expect(bytesAt(child, at + 50, 2)).toEqual([10, 10]);
  for (const one of [task, other, child]) one.destroy();
  expect(free()).toBe(before);
  expect(vm.objects.count).toBe(0);
});

test("task memory: quick swap", () => {
  const { vm, task, free } = testVirtualMemory(12, 100);
  const before = free();
  const address = task.allocate(40 * PAGE)!;
  for (let i = 0; i < 40; i++) expect(task.fill(address + i * PAGE, PAGE, i + 1)).toBe(0);
  for (let i = 0; i < 40; i++) expect(bytesAt(task, address + i * PAGE + 7, 1)).toEqual([i + 1]);
  const child = task.fork();
  for (let i = 0; i < 40; i++) expect(child.fill(address + i * PAGE, PAGE, 2 * i)).toBe(0);
  for (let i = 0; i < 40; i++) {
    expect(bytesAt(task, address + i * PAGE + 7, 1)).toEqual([i + 1]);
    expect(bytesAt(child, address + i * PAGE + 7, 1)).toEqual([2 * i]);
  }
  task.destroy();
  child.destroy();
  expect(free()).toBe(before);
  expect(vm.slots.used).toBe(0);
});
