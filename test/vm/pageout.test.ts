// Pageout: what goes, in which order, what stays, and what a device that fails or is full does to it.

import { expect, test } from "@jest/globals";
import { COUNTERS } from "../../src/base/counters.ts";
import { KERN_MEMORY_ERROR, KERN_RESOURCE_SHORTAGE, KERN_SUCCESS } from "../../src/base/status.ts";
import { FRAME_ARMED, FRAME_MESSAGE, NO_FRAME } from "../../src/hardware/frame-table.ts";
import { checkMemory } from "../../src/vm/check-memory.ts";
import { isSwapped, PAGES_HOLD, PageList, residentEntry } from "../../src/vm/page-list.ts";
import type { VirtualMemory } from "../../src/vm/virtual-memory.ts";
import { bytesAt, PAGE, testVirtualMemory } from "../support/virtual-memory.ts";

const ALL = 1000;

const pageOuts = (vm: VirtualMemory): number => vm.counters[COUNTERS.pageOuts.index]!;
const pageIns = (vm: VirtualMemory): number => vm.counters[COUNTERS.pageIns.index]!;

test("pageout: memory larger than the frames is kept, byte for byte", () => {
  const { vm, task, free } = testVirtualMemory(12, 100);
  const before = free();
  const address = task.allocate(40 * PAGE)!;
  for (let i = 0; i < 40; i++) expect(task.fill(address + i * PAGE, PAGE, i + 1)).toBe(0);
  for (let i = 0; i < 40; i++) expect(bytesAt(task, address + i * PAGE + 7, 1)).toEqual([i + 1]);
  expect(checkMemory(vm, [], [])).toEqual([]);
  task.destroy();
  expect(free()).toBe(before);
  expect(vm.slots.used).toBe(0);
});

test("pageout: a page that was not changed since it came from swap goes without a write", () => {
  const { vm, task } = testVirtualMemory(12, 100);
  const address = task.allocate(PAGE)!;
  task.fill(address, PAGE, 5);
  vm.pageout.run(ALL);
  expect(bytesAt(task, address, 1)).toEqual([5]);
  vm.pageout.run(ALL);
  expect(pageOuts(vm)).toBe(1);
  expect(bytesAt(task, address, 1)).toEqual([5]);
  expect(pageIns(vm)).toBe(2);
  task.fill(address, 1, 6);
  expect(vm.slots.used).toBe(0);
  vm.pageout.run(ALL);
  expect(pageOuts(vm)).toBe(2);
  expect(bytesAt(task, address, 2)).toEqual([6, 5]);
});

test("pageout: a wired page stays", () => {
  const { vm, task } = testVirtualMemory(12, 100);
  const address = task.allocate(2 * PAGE)!;
  task.fill(address, 2 * PAGE, 5);
  const list = new PageList();
  task.copyinPages(address, PAGE, list, PAGES_HOLD);
  vm.pageout.run(ALL);
  expect(pageOuts(vm)).toBe(1);
  vm.discardList(list);
  vm.pageout.run(ALL);
  expect(pageOuts(vm)).toBe(2);
});

test("pageout: a page that is used again after it became inactive outlives one that is not", () => {
  const { vm, task, free } = testVirtualMemory(20, 100);
  const address = task.allocate(12 * PAGE)!;
  task.fill(address, 12 * PAGE, 5);
  vm.pageout.run(free() + 1); // the first has gone, others are inactive
  expect(vm.pages.inactive.length).toBeGreaterThan(0);
  const second = vm.pages.inactive.first!;
  expect(second.mapped).toBe(false);
  expect(bytesAt(task, address + second.index * PAGE, 1)).toEqual([5]);
  expect(second.queue).toBe(vm.pages.active);
});

test("pageout: a page that cannot be written stays, and can go later", () => {
  const { vm, swap, task } = testVirtualMemory(12, 100);
  const address = task.allocate(PAGE)!;
  task.fill(address, PAGE, 5);
  swap.fails = (write) => write;
  vm.pageout.run(ALL);
  expect(vm.slots.used).toBe(0);
  expect(pageOuts(vm)).toBe(0);
  expect(bytesAt(task, address, 1)).toEqual([5]);
  swap.fails = () => false;
  vm.pageout.run(ALL);
  expect(pageOuts(vm)).toBe(1);
});

test("pageout: a page that cannot be read is an error for who wants it, and stays on swap", () => {
  const { vm, swap, task, free } = testVirtualMemory(12, 100);
  const address = task.allocate(PAGE)!;
  task.fill(address, PAGE, 5);
  vm.pageout.run(ALL);
  const before = free();
  swap.fails = (write) => !write;
  expect(bytesAt(task, address, 1)).toBe(KERN_MEMORY_ERROR);
  expect(task.fault(address, true)).toBe(KERN_MEMORY_ERROR);
  expect(free()).toBe(before);
  swap.fails = () => false;
  expect(bytesAt(task, address, 1)).toEqual([5]);
});

test("pageout: when swap is full, whoever asks for more memory is told, and nothing is lost", () => {
  const { vm, task } = testVirtualMemory(6, 4);
  const address = task.allocate(20 * PAGE)!;
  let filled = 0;
  let status = KERN_SUCCESS;
  for (; status === KERN_SUCCESS; filled++) status = task.fill(address + filled * PAGE, 1, filled);
  expect(status).toBe(KERN_RESOURCE_SHORTAGE);
  expect(filled).toBeGreaterThan(8);
  expect(vm.grab(FRAME_MESSAGE)).toBe(NO_FRAME);
  expect(checkMemory(vm, [], [])).toEqual([]);
  for (let i = filled - 2; i > filled - 4; i--) {
    expect(bytesAt(task, address + i * PAGE, 1)).toEqual([i]);
  }
});

test("pageout: arrived lists go to swap as long as they are linked, and come out of it again", () => {
  const { vm, task } = testVirtualMemory(12, 100);
  const list = new PageList();
  for (let i = 0; i < 4; i++) {
    const frame = vm.grab(FRAME_MESSAGE);
    vm.pageBytesOf(frame).fill(i + 1);
    list.push(residentEntry(frame));
  }
  list.bytes = 4 * PAGE;
  vm.pageout.run(ALL);
  expect([...list.entries.subarray(0, 4)].some(isSwapped)).toBe(false);
  vm.linkArrived(list);
  vm.pageout.run(ALL);
  expect([...list.entries.subarray(0, 4)].every(isSwapped)).toBe(true);
  expect(checkMemory(vm, [list], [])).toEqual([]);
  expect(vm.bringIn(list, 2)).toBe(KERN_SUCCESS);
  expect(isSwapped(list.entries[2]!)).toBe(false);
  expect(task.copyoutPages(list)).toBe(KERN_SUCCESS);
  expect(list.linked).toBe(false);
  expect(bytesAt(task, task.address + 2 * PAGE - 1, 2)).toEqual([2, 3]);
  vm.linkArrived(list);
  vm.discardList(list);
  task.destroy();
  expect(vm.slots.used).toBe(0);
});

test("pageout: grab leaves the reserve to the network, and balance makes more than that free", () => {
  const options = { reserveFrames: 3, lowFrames: 5, highFrames: 8 };
  const { vm, task } = testVirtualMemory(12, 100, options);
  const address = task.allocate(30 * PAGE)!;
  for (let i = 0; i < 30; i++) expect(task.fill(address + i * PAGE, 1, i)).toBe(0);
  expect(vm.frames.freeCount).toBeGreaterThanOrEqual(options.reserveFrames);
  while (vm.frames.freeCount >= options.lowFrames) vm.frames.allocate(FRAME_ARMED);
  expect(vm.needsBalance).toBe(true);
  vm.balance();
  expect(vm.frames.freeCount).toBeGreaterThanOrEqual(options.lowFrames);
  expect(vm.needsBalance).toBe(false);
});

test("pageout: balance that can free nothing is not due again until the free frames change", () => {
  const options = { reserveFrames: 1, lowFrames: 4, highFrames: 6 };
  const { vm } = testVirtualMemory(8, 0, options);
  const taken: number[] = [];
  while (vm.frames.freeCount >= options.lowFrames) taken.push(vm.frames.allocate(FRAME_ARMED));
  expect(vm.needsBalance).toBe(true);
  vm.balance();
  expect(vm.needsBalance).toBe(false);
  taken.push(vm.frames.allocate(FRAME_ARMED));
  expect(vm.needsBalance).toBe(true);
  vm.balance();
  for (const frame of taken) vm.frames.free(frame, FRAME_ARMED);
  expect(vm.needsBalance).toBe(false);
});
