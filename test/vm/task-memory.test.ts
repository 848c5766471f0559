// A task's memory as the task and the kernel use it: what lies in it, what is not there, faults, and frames.

import { expect, test } from "@jest/globals";
import { COUNTERS } from "../../src/base/counters.ts";
import {
  KERN_INVALID_ADDRESS,
  KERN_PROTECTION_FAILURE,
  KERN_RESOURCE_SHORTAGE,
  KERN_SUCCESS,
} from "../../src/base/status.ts";
import { checkMemory } from "../../src/vm/check-memory.ts";
import { FAULT_BUSY } from "../../src/vm/fault.ts";
import { PAGES_BUSY, PageList } from "../../src/vm/page-list.ts";
import { PTE_READ, PTE_WRITE } from "../../src/vm/page-table.ts";
import { VM_PROT_NONE, VM_PROT_READ, VM_PROT_WRITE } from "../../src/vm/protection.ts";
import { bytesAt, PAGE, testVirtualMemory } from "../support/virtual-memory.ts";

const END = 2 ** 32;

test("task memory: new memory is zero, and a page has no frame until it is touched", () => {
  const { vm, task, free } = testVirtualMemory();
  const before = free();
  const address = task.allocate(3 * PAGE)!;
  expect(free()).toBe(before);
  expect(bytesAt(task, address + 2 * PAGE, 3)).toEqual([0, 0, 0]);
  expect(before - free()).toBe(2); // the page, and the page table
  expect(vm.counters[COUNTERS.zeroFills.index]).toBe(1);
});

test("task memory: bytes go over the seams of pages and of neighbouring regions", () => {
  const { task } = testVirtualMemory();
  const first = task.allocate(2 * PAGE)!;
  expect(task.allocate(PAGE)).toBe(first + 2 * PAGE);
  const from = Uint8Array.from({ length: 2 * PAGE + 1 }, (_, i) => (i * 13) % 251);
  expect(task.write(first + PAGE - 1, from)).toBe(KERN_SUCCESS);
  expect(bytesAt(task, first + PAGE - 1, from.length)).toEqual([...from]);
  expect(bytesAt(task, first + PAGE - 2, 1)).toEqual([0]);
  expect(task.fill(first + PAGE - 1, 2, 0xab)).toBe(KERN_SUCCESS);
  expect(bytesAt(task, first + PAGE - 2, 4)).toEqual([0, 0xab, 0xab, from[2]]);
});

test("task memory: a range that is not all there is neither read nor written, not even in part", () => {
  const { task } = testVirtualMemory();
  const address = task.allocate(3 * PAGE)!;
  task.fill(address, 3 * PAGE, 5);
  task.vmDeallocate(address + PAGE, PAGE);
  const into = new Uint8Array(PAGE + 1).fill(7);
  expect(task.read(address, into)).toBe(KERN_INVALID_ADDRESS);
  expect([...new Set(into)]).toEqual([7]);
  expect(task.write(address, new Uint8Array(2 * PAGE))).toBe(KERN_INVALID_ADDRESS);
  expect(task.write(address + 3 * PAGE - 1, new Uint8Array(2))).toBe(KERN_INVALID_ADDRESS);
  expect(task.fill(address, 3 * PAGE, 9)).toBe(KERN_INVALID_ADDRESS);
  expect(bytesAt(task, address, 1)).toEqual([5]);
  expect(bytesAt(task, address + 3 * PAGE - 1, 1)).toEqual([5]);
});

test.each([
  ["a negative address", -PAGE, PAGE],
  ["an address that is none", Number.NaN, PAGE],
  ["a negative length", 0, -1],
  ["a length that is none", 0, Number.NaN],
  ["an end behind the last address", END - 1, 2],
])("task memory: nothing is at %s", (_what, address, bytes) => {
  const { task } = testVirtualMemory();
  task.allocate(2 * PAGE);
  expect(task.has(address, bytes)).toBe(false);
  expect(task.fill(address, bytes, 1)).toBe(KERN_INVALID_ADDRESS);
});

test("task memory: protection holds for faults, reads and writes, over a whole range", () => {
  const { task } = testVirtualMemory();
  const address = task.allocate(2 * PAGE)!;
  task.fill(address, 2 * PAGE, 1);
  task.vmProtect(address + PAGE, PAGE, false, VM_PROT_READ);
  expect(task.fill(address, 2 * PAGE, 2)).toBe(KERN_PROTECTION_FAILURE);
  expect(bytesAt(task, address, 1)).toEqual([1]);
  expect(task.pageTable.entry((address + PAGE) / PAGE) & PTE_WRITE).toBe(0);
  expect(task.fault(address + PAGE, true)).toBe(KERN_PROTECTION_FAILURE);
  expect(task.fault(address + PAGE, false)).toBe(KERN_SUCCESS);
  task.vmProtect(address, PAGE, false, VM_PROT_NONE);
  expect(task.pageTable.entry(address / PAGE)).toBe(0);
  expect(bytesAt(task, address, 1)).toBe(KERN_PROTECTION_FAILURE);
  expect(task.has(address, 1)).toBe(false);
  expect(task.fault(address, false)).toBe(KERN_PROTECTION_FAILURE);
  expect(task.fault(address + 2 * PAGE, false)).toBe(KERN_INVALID_ADDRESS);
  task.vmProtect(address, PAGE, false, VM_PROT_READ | VM_PROT_WRITE);
  expect(task.fault(address, true)).toBe(KERN_SUCCESS);
  expect(task.pageTable.entry(address / PAGE) & (PTE_READ | PTE_WRITE)).toBe(3);
});

test("task memory: nothing of a range is stored as long as one page of it is busy", () => {
  const { vm, task } = testVirtualMemory();
  const address = task.allocate(3 * PAGE)!;
  task.fill(address, 3 * PAGE, 1);
  const list = new PageList();
  expect(task.copyinPages(address + PAGE, PAGE, list, PAGES_BUSY)).toBe(KERN_SUCCESS);
  expect(task.fill(address, 3 * PAGE, 2)).toBe(FAULT_BUSY);
  expect(vm.pages.busy(task.busyFrame)).toBe(1);
  expect(task.fault(address + PAGE, true)).toBe(FAULT_BUSY);
  expect(vm.counters[COUNTERS.busyWaits.index]).toBe(2);
  expect(bytesAt(task, address, 1)).toEqual([1]);
  expect(task.fill(address, PAGE, 3)).toBe(KERN_SUCCESS);
  expect(bytesAt(task, address + PAGE, 1)).toEqual([1]);
  vm.discardList(list);
  expect(task.fill(address, 3 * PAGE, 2)).toBe(KERN_SUCCESS);
});

test("task memory: a page that becomes the task's own as the page before it is copied is found busy in time", () => {
  const { vm, task } = testVirtualMemory();
  const address = task.allocate(2 * PAGE)!;
  task.fill(address, 2 * PAGE, 1);
  task.vmProtect(address, PAGE, true, VM_PROT_READ | VM_PROT_WRITE); // so that there are two entries
  const list = new PageList();
  expect(task.copyinPages(address, 2 * PAGE, list, PAGES_BUSY)).toBe(KERN_SUCCESS);
  const child = task.fork();
  task.destroy();
  expect(child.fill(address, 2 * PAGE, 2)).toBe(FAULT_BUSY);
  expect(bytesAt(child, address, 1)).toEqual([1]);
  vm.discardList(list);
  expect(child.fill(address, 2 * PAGE, 2)).toBe(KERN_SUCCESS);
  expect(bytesAt(child, address + PAGE, 1)).toEqual([2]);
  expect(checkMemory(vm, [], [])).toEqual([]);
});

test("task memory: the frames of a range are shown in order, with what part of them it is", () => {
  const { vm, task } = testVirtualMemory();
  const address = task.allocate(3 * PAGE)!;
  task.write(address + PAGE - 1, Uint8Array.of(1, 2));
  const seen: number[][] = [];
  const status = task.framesOf(address + PAGE - 1, PAGE + 2, (frame, from, length) => {
    seen.push([from, length, vm.pageBytesOf(frame)[from]!]);
  });
  expect(status).toBe(KERN_SUCCESS);
  expect(seen).toEqual([
    [PAGE - 1, 1, 1],
    [0, PAGE, 2],
    [0, 1, 0],
  ]);
  expect(task.framesOf(address, 4 * PAGE, () => undefined)).toBe(KERN_INVALID_ADDRESS);
  expect(checkMemory(vm, [], [])).toEqual([]);
});

test("task memory: when no frame is left it is said so, and what there is can still be used", () => {
  const { vm, task } = testVirtualMemory(4);
  const address = task.allocate(10 * PAGE)!;
  for (let i = 0; i < 3; i++) expect(task.fill(address + i * PAGE, 1, i + 1)).toBe(KERN_SUCCESS);
  expect(task.fill(address + 3 * PAGE, 1, 4)).toBe(KERN_RESOURCE_SHORTAGE);
  expect(task.fault(address + 3 * PAGE, false)).toBe(KERN_RESOURCE_SHORTAGE);
  for (let i = 0; i < 3; i++) expect(bytesAt(task, address + i * PAGE, 1)).toEqual([i + 1]);
  expect(checkMemory(vm, [], [])).toEqual([]);
});

test("task memory: a task that dies leaves nothing", () => {
  const { vm, task, free } = testVirtualMemory();
  const before = free();
  const address = task.allocate(5 * PAGE)!;
  task.fill(address, 5 * PAGE, 1);
  const child = task.fork();
  child.fill(address, PAGE, 2);
  task.destroy();
  child.destroy();
  expect(free()).toBe(before);
  expect(vm.objects.count).toBe(0);
  expect(vm.tasks.size).toBe(0);
});
