// Memory objects: references, shadow chains that do not grow, and pages whose object goes while they are
// borrowed.

import { expect, test } from "@jest/globals";
import { FRAME_MESSAGE, FRAME_OBJECT } from "../../src/hardware/frame-table.ts";
import { checkMemory } from "../../src/vm/check-memory.ts";
import { findPage } from "../../src/vm/fault.ts";
import type { MemoryObject } from "../../src/vm/memory-object.ts";
import { PAGES_BUSY, PageList } from "../../src/vm/page-list.ts";
import { bytesAt, PAGE, testVirtualMemory } from "../support/virtual-memory.ts";

const chainLength = (object: MemoryObject): number => {
  let length = 0;
  for (let next: MemoryObject | null = object; next !== null; next = next.shadow) length += 1;
  return length;
};

test("objects: an object goes with its last reference, its pages with it, and its hold on its shadow", () => {
  const { vm, free } = testVirtualMemory();
  const before = free();
  const below = vm.objects.make(4, null, 0);
  const above = vm.objects.make(2, below, 1);
  findPage(vm, below, 3, true, false);
  above.references += 1;
  below.references += 1;
  vm.objects.release(below);
  vm.objects.release(above);
  expect(vm.objects.count).toBe(2);
  findPage(vm, above, 0, true, false); // merges the two
  expect(vm.objects.count).toBe(1);
  vm.objects.release(above);
  expect(vm.objects.count).toBe(0);
  expect(free()).toBe(before);
});

test("objects: what shows through a window of the shadow is moved up when nobody else refers to it", () => {
  const { vm, free } = testVirtualMemory();
  const before = free();
  const below = vm.objects.make(4, null, 0);
  for (let i = 0; i < 4; i++) {
    const { frame } = findPage(vm, below, i, true, false)!;
    vm.pageBytesOf(frame).fill(i + 1);
  }
  below.references += 1;
  const above = vm.objects.make(2, below, 1);
  findPage(vm, above, 1, true, false);
  vm.objects.release(below);
  vm.objects.collapse(above);
  expect(above.shadow).toBeNull();
  expect(before - free()).toBe(2);
  const seen = [0, 1].map((i) => vm.pageBytesOf(findPage(vm, above, i, false, false)!.frame)[0]);
  expect(seen).toEqual([2, 3]);
});

test("objects: copies that come and go do not make a chain that grows", () => {
  const { vm, task } = testVirtualMemory(100);
  const address = task.allocate(3 * PAGE)!;
  task.fill(address, 3 * PAGE, 1);
  for (let round = 0; round < 20; round++) {
    const copy = task.copyinObject(address, 3 * PAGE, false)!;
    task.fill(address + (round % 3) * PAGE, PAGE, round);
    vm.discardCopy(copy);
  }
  task.fill(address, 1, 0);
  expect(chainLength(task.map.entries[0]!.backing.object)).toBeLessThanOrEqual(2);
  expect(checkMemory(vm, [], [])).toEqual([]);
});

test("objects: children that are forked one from the other, and die, do not make a chain that grows", () => {
  const { vm, task } = testVirtualMemory(100);
  let parent = task;
  const address = task.allocate(4 * PAGE)!;
  parent.fill(address, 4 * PAGE, 9);
  for (let round = 0; round < 20; round++) {
    const child = parent.fork();
    child.fill(address + PAGE * (round % 2), 1, round);
    parent.destroy();
    parent = child;
  }
  expect(bytesAt(parent, address + 3 * PAGE, 1)).toEqual([9]);
  expect(bytesAt(parent, address, 2)).toEqual([18, 9]);
  expect(chainLength(parent.map.entries[0]!.backing.object)).toBeLessThanOrEqual(2);
  expect(checkMemory(vm, [], [])).toEqual([]);
});

test("objects: a borrowed page outlives its object, as a page of a message, and is free when it is given back", () => {
  const { vm, task, free } = testVirtualMemory();
  const before = free();
  const address = task.allocate(PAGE)!;
  task.fill(address, PAGE, 7);
  const lists = [new PageList(), new PageList()];
  for (const list of lists) task.copyinPages(address, PAGE, list, PAGES_BUSY);
  const message = vm.frames.count(FRAME_MESSAGE);
  task.destroy();
  expect(vm.frames.count(FRAME_OBJECT)).toBe(0);
  expect(vm.frames.count(FRAME_MESSAGE)).toBe(message + 1);
  expect(checkMemory(vm, lists, [])).toEqual([]);
  vm.discardList(lists[0]!);
  expect(free()).toBe(before - 1);
  vm.discardList(lists[1]!);
  expect(free()).toBe(before);
});
