// The address map: where new memory goes, and how entries are cut and joined.

import { expect, test } from "@jest/globals";
import { TASK_MEMORY_BYTES_MAX } from "../../src/base/limits.ts";
import {
  KERN_INVALID_ADDRESS,
  KERN_INVALID_ARGUMENT,
  KERN_NO_SPACE,
  KERN_SUCCESS,
} from "../../src/base/status.ts";
import { VM_INHERIT_COPY, VM_PROT_ALL, VM_PROT_READ } from "../../src/vm/protection.ts";
import { PAGE, testVirtualMemory } from "../support/virtual-memory.ts";

const FIRST = 0x10000;
const END = 2 ** 32;

test("address map: memory goes to the lowest place that is large enough, and addresses are used again", () => {
  const { task } = testVirtualMemory();
  expect(task.allocate(2 * PAGE)).toBe(FIRST);
  expect(task.allocate(PAGE + 1)).toBe(FIRST + 2 * PAGE);
  expect(task.allocate(PAGE)).toBe(FIRST + 4 * PAGE);
  task.vmDeallocate(FIRST + PAGE, PAGE);
  expect(task.allocate(2 * PAGE)).toBe(FIRST + 5 * PAGE);
  expect(task.allocate(PAGE)).toBe(FIRST + PAGE);
  task.vmDeallocate(FIRST, END - FIRST);
  expect(task.allocate(PAGE)).toBe(FIRST);
});

test("address map: a fixed address is rounded down, must be free, and must be one", () => {
  const { task } = testVirtualMemory();
  expect(task.vmAllocate(0x20000 + 5, PAGE, false)).toBe(KERN_SUCCESS);
  expect(task.address).toBe(0x20000);
  expect(task.vmAllocate(0x20000 - PAGE, PAGE + 1, false)).toBe(KERN_NO_SPACE);
  expect(task.vmAllocate(0, PAGE, false)).toBe(KERN_INVALID_ADDRESS);
  expect(task.vmAllocate(END - PAGE, 2 * PAGE, false)).toBe(KERN_INVALID_ADDRESS);
  expect(task.vmAllocate(END - PAGE, PAGE, false)).toBe(KERN_SUCCESS);
  expect(task.write(END - 2, Uint8Array.of(8, 9))).toBe(KERN_SUCCESS);
  expect(task.has(END - 2, 3)).toBe(false);
  expect(task.bytesInUse).toBe(2 * PAGE);
});

test("address map: no bytes are at address 0, and take no room", () => {
  const { task } = testVirtualMemory();
  expect(task.allocate(0)).toBe(0);
  expect(task.bytesInUse).toBe(0);
  expect(task.has(0, 1)).toBe(false);
});

test("address map: a task has its limit and not a page more, whatever it was made of", () => {
  const { task } = testVirtualMemory();
  task.allocate(1);
  expect(task.allocate(TASK_MEMORY_BYTES_MAX)).toBeNull();
  expect(task.allocate(TASK_MEMORY_BYTES_MAX - PAGE)).not.toBeNull();
  expect(task.bytesInUse).toBe(TASK_MEMORY_BYTES_MAX);
  expect(task.allocate(1)).toBeNull();
  task.vmDeallocate(FIRST, 1);
  expect(task.allocate(PAGE)).toBe(FIRST);
});

test("address map: every page that a range touches is given back, and no other; holes are fine", () => {
  const { task, free } = testVirtualMemory();
  const address = task.allocate(5 * PAGE)!;
  task.fill(address, 5 * PAGE, 1);
  const before = free();
  task.vmDeallocate(address + 2 * PAGE - 1, PAGE + 2);
  expect(free()).toBe(before + 3);
  task.vmDeallocate(address, 4 * PAGE);
  expect(free()).toBe(before + 4);
  expect(task.has(address + 4 * PAGE, PAGE)).toBe(true);
  expect(task.vmDeallocate(address + 4 * PAGE, 0)).toBe(KERN_SUCCESS);
  expect(task.bytesInUse).toBe(PAGE);
  expect(task.vmDeallocate(PAGE, END)).toBe(KERN_INVALID_ARGUMENT);
  expect(task.vmDeallocate(Number.NaN, 1)).toBe(KERN_INVALID_ARGUMENT);
});

test("address map: what was cut for a change is joined when it is alike again", () => {
  const { task } = testVirtualMemory();
  const address = task.allocate(6 * PAGE)!;
  task.vmProtect(address + 2 * PAGE, PAGE, false, VM_PROT_READ);
  expect(task.map.entries).toHaveLength(3);
  task.vmProtect(address + 2 * PAGE, PAGE, false, VM_PROT_READ | 2);
  expect(task.map.entries).toHaveLength(1);
  expect(task.map.entries[0]!.backing.references).toBe(1);
});

test("address map: an aligned place is found behind what is in the way", () => {
  const { task } = testVirtualMemory();
  task.allocate(PAGE);
  const mask = 4 * PAGE - 1;
  const map = (pages: number): number =>
    task.vmMap(0, pages * PAGE, mask, true, null, 0, false, 3, VM_PROT_ALL, VM_INHERIT_COPY);
  expect(map(5)).toBe(KERN_SUCCESS);
  expect(task.address).toBe(FIRST + 4 * PAGE);
  expect(map(1)).toBe(KERN_SUCCESS);
  expect(task.address).toBe(FIRST + 12 * PAGE);
});
