// Message data as page lists: held, busy and taken away; and what a receiver gets.

import { expect, test } from "@jest/globals";
import {
  KERN_INVALID_ADDRESS,
  KERN_NO_SPACE,
  KERN_PROTECTION_FAILURE,
  KERN_RESOURCE_SHORTAGE,
  KERN_SUCCESS,
} from "../../src/base/status.ts";
import { FRAME_MESSAGE } from "../../src/hardware/frame-table.ts";
import { checkMemory } from "../../src/vm/check-memory.ts";
import { FAULT_BUSY } from "../../src/vm/fault.ts";
import {
  frameOf,
  isBorrowed,
  PAGES_BUSY,
  PAGES_HOLD,
  PAGES_STEAL,
  PageList,
} from "../../src/vm/page-list.ts";
import { VM_INHERIT_SHARE } from "../../src/vm/protection.ts";
import { bytesAt, PAGE, testVirtualMemory } from "../support/virtual-memory.ts";

const make = (frames = 48, pages = 4) => {
  const node = testVirtualMemory(frames);
  const address = node.task.allocate(pages * PAGE)!;
  for (let i = 0; i < pages; i++) node.task.fill(address + i * PAGE, PAGE, i + 1);
  return { ...node, address, list: new PageList() };
};

test("copyin: a list has the pages that a range touches, and says where in the first it begins", () => {
  const { task, vm, address, list } = make();
  expect(task.copyinPages(address + PAGE - 3, PAGE + 4, list, PAGES_HOLD)).toBe(KERN_SUCCESS);
  expect([list.offset, list.bytes, list.count]).toEqual([PAGE - 3, PAGE + 4, 3]);
  const first = [0, 1, 2].map((i) => vm.pageBytesOf(frameOf(list.entries[i]!))[0]);
  expect(first).toEqual([1, 2, 3]);
  expect(checkMemory(vm, [list], [])).toEqual([]);
  expect(task.copyinPages(address, 0, list, PAGES_HOLD)).toBe(KERN_SUCCESS);
  expect(list.count).toBe(0);
});

test("copyin: held pages may be stored to; busy ones may not until each is done", () => {
  const { task, vm, address, list } = make();
  task.copyinPages(address, PAGE, list, PAGES_HOLD);
  expect(task.fill(address, 1, 9)).toBe(KERN_SUCCESS);
  vm.discardList(list);
  task.copyinPages(address, 2 * PAGE, list, PAGES_BUSY);
  vm.pageDone(list.entries[0]!);
  list.entries[0] = 0;
  expect(task.fill(address, PAGE, 8)).toBe(KERN_SUCCESS);
  expect(task.fill(address + PAGE, PAGE, 8)).toBe(FAULT_BUSY);
  vm.discardList(list);
  expect(task.fill(address + PAGE, PAGE, 8)).toBe(KERN_SUCCESS);
});

test("copyin: a page that two lists have made busy is busy until both are done with it", () => {
  const { task, vm, address, list } = make();
  const second = new PageList();
  task.copyinPages(address, PAGE, list, PAGES_BUSY);
  task.copyinPages(address, PAGE, second, PAGES_BUSY);
  vm.discardList(list);
  expect(task.fill(address, 1, 9)).toBe(FAULT_BUSY);
  vm.discardList(second);
  expect(task.fill(address, 1, 9)).toBe(KERN_SUCCESS);
});

test("copyin: pages that nobody else can see leave the task with the message", () => {
  const { task, vm, address, list, free } = make();
  const before = free();
  expect(task.copyinPages(address + PAGE + 1, PAGE, list, PAGES_STEAL)).toBe(KERN_SUCCESS);
  expect([0, 1].some((i) => isBorrowed(list.entries[i]!))).toBe(false);
  expect(task.has(address + PAGE, 1)).toBe(false);
  expect(task.has(address, PAGE)).toBe(true);
  expect(task.bytesInUse).toBe(2 * PAGE);
  expect(checkMemory(vm, [list], [])).toEqual([]);
  vm.discardList(list);
  expect(free()).toBe(before + 2);
});

test("copyin: a page that a child has too, or another list, is borrowed in place of being taken", () => {
  const { task, vm, address, list } = make();
  const child = task.fork();
  const first = new PageList();
  expect(task.copyinPages(address, PAGE, first, PAGES_STEAL)).toBe(KERN_SUCCESS);
  expect(isBorrowed(first.entries[0]!)).toBe(true);
  expect(task.has(address, PAGE)).toBe(false);
  child.fill(address, PAGE, 99);
  expect(vm.pageBytesOf(frameOf(first.entries[0]!))[0]).toBe(1);
  const own = child.allocate(PAGE)!;
  child.fill(own, PAGE, 5);
  child.copyinPages(own, PAGE, list, PAGES_BUSY);
  const second = new PageList();
  expect(child.copyinPages(own, PAGE, second, PAGES_STEAL)).toBe(KERN_SUCCESS);
  expect(isBorrowed(second.entries[0]!)).toBe(true);
  expect(checkMemory(vm, [list, first, second], [])).toEqual([]);
  for (const one of [list, first, second]) vm.discardList(one);
  expect(checkMemory(vm, [], [])).toEqual([]);
});

test("copyin: a range that is not all there, or not readable, changes nothing", () => {
  const { task, vm, address, list } = make();
  expect(task.copyinPages(address, 5 * PAGE, list, PAGES_STEAL)).toBe(KERN_INVALID_ADDRESS);
  task.vmProtect(address + PAGE, PAGE, false, 0);
  expect(task.copyinPages(address, 4 * PAGE, list, PAGES_STEAL)).toBe(KERN_PROTECTION_FAILURE);
  expect(list.count).toBe(0);
  expect(task.bytesInUse).toBe(4 * PAGE);
  expect(checkMemory(vm, [], [])).toEqual([]);
});

test("copyin: a shortage in the middle gives back what was wired", () => {
  const { task, vm, list } = make(8);
  const untouched = task.allocate(10 * PAGE)!;
  expect(task.copyinPages(untouched, 10 * PAGE, list, PAGES_STEAL)).toBe(KERN_RESOURCE_SHORTAGE);
  expect(list.count).toBe(0);
  expect(task.has(untouched, 10 * PAGE)).toBe(true);
  expect(checkMemory(vm, [], [])).toEqual([]);
});

test("copyout: a receiver gets the pages themselves, mapped, with the offset of the first", () => {
  const { task, vm, address, list } = make();
  const receiver = vm.newTaskMemory();
  task.copyinPages(address + 10, 2 * PAGE, list, PAGES_STEAL);
  const frame = frameOf(list.entries[1]!);
  expect(receiver.copyoutPages(list)).toBe(KERN_SUCCESS);
  expect(list.count).toBe(0);
  expect(receiver.address % PAGE).toBe(10);
  expect(receiver.bytesInUse).toBe(3 * PAGE);
  const virtual = Math.floor(receiver.address / PAGE) + 1;
  expect(receiver.pageTable.pageOf(receiver.pageTable.entry(virtual)).frame).toBe(frame);
  expect(bytesAt(receiver, receiver.address + PAGE - 11, 2)).toEqual([1, 2]);
  expect(receiver.fill(receiver.address, 1, 7)).toBe(KERN_SUCCESS);
});

test("copyout: borrowed pages are copied, and given back", () => {
  const { task, vm, address, list } = make();
  const receiver = vm.newTaskMemory();
  task.copyinPages(address, 2 * PAGE, list, PAGES_BUSY);
  expect(receiver.copyoutPages(list)).toBe(KERN_SUCCESS);
  expect(task.fill(address, 2 * PAGE, 9)).toBe(KERN_SUCCESS);
  expect(bytesAt(receiver, receiver.address + PAGE - 1, 2)).toEqual([1, 2]);
  expect(checkMemory(vm, [], [])).toEqual([]);
});

test("copyout: without room for addresses or for copies the list is still good", () => {
  const { task, vm, address, list } = make(10);
  const full = vm.newTaskMemory();
  while (full.allocate(64 * 1024 * 1024) !== null);
  task.copyinPages(address, 2 * PAGE, list, PAGES_BUSY);
  expect(full.copyoutPages(list)).toBe(KERN_NO_SPACE);
  const taken: number[] = [];
  while (vm.frames.freeCount > 1) taken.push(vm.grab(FRAME_MESSAGE));
  expect(task.copyoutPages(list)).toBe(KERN_RESOURCE_SHORTAGE);
  expect(list.count).toBe(2);
  for (const frame of taken) vm.frames.free(frame, FRAME_MESSAGE);
  expect(task.copyoutPages(list)).toBe(KERN_SUCCESS);
  expect(bytesAt(task, task.address + PAGE - 1, 2)).toEqual([1, 2]);
  expect(checkMemory(vm, [], [])).toEqual([]);
});

test("busy: whoever waits no longer gets a copy; the transfer, and who shares the memory, see what they should", () => {
  const { task, vm, address, list, free } = make();
  const before = free();
  task.vmInherit(address, 4 * PAGE, VM_INHERIT_SHARE);
  const child = task.fork();
  task.copyinPages(address, PAGE, list, PAGES_BUSY);
  const frame = frameOf(list.entries[0]!);
  expect(task.fill(address, 1, 9)).toBe(FAULT_BUSY);
  expect(vm.replaceBusy(task.busyFrame)).not.toBeNull();
  expect(task.fill(address, 1, 9)).toBe(KERN_SUCCESS);
  expect([bytesAt(task, address, 2), bytesAt(child, address, 2)]).toEqual([
    [9, 1],
    [9, 1],
  ]);
  expect(vm.pageBytesOf(frame)[0]).toBe(1);
  expect(checkMemory(vm, [list], [])).toEqual([]);
  vm.discardList(list);
  child.destroy();
  expect(free()).toBe(before);
  task.copyinPages(address, PAGE, list, PAGES_BUSY);
  task.fill(address, 1, 8);
  while (vm.frames.freeCount > 0) vm.frames.allocate(FRAME_MESSAGE);
  expect([vm.replaceBusy(task.busyFrame), vm.status]).toEqual([null, KERN_RESOURCE_SHORTAGE]);
  expect(task.fill(address, 1, 8)).toBe(FAULT_BUSY);
});

test("parked: a store gets a copy at once, as long as nobody reads the page; then it waits", () => {
  const { task, vm, address, list } = make();
  task.copyinPages(address, 2 * PAGE, list, PAGES_HOLD);
  vm.parkList(list);
  expect(task.fill(address, 1, 9)).toBe(KERN_SUCCESS);
  expect(vm.pageBytesOf(frameOf(list.entries[0]!))[0]).toBe(1);
  expect(checkMemory(vm, [list], [])).toEqual([]);
  vm.protectList(list);
  expect(task.fill(address, 1, 8)).toBe(KERN_SUCCESS); // its own page
  expect(task.fill(address + PAGE, 1, 8)).toBe(FAULT_BUSY);
  expect(checkMemory(vm, [list], [])).toEqual([]);
  vm.parkList(list);
  vm.discardList(list);
  expect(task.fill(address + PAGE, 1, 8)).toBe(KERN_SUCCESS);
  expect(checkMemory(vm, [], [])).toEqual([]);
});
