// The page table: entries and mappings say the same, and leaf tables come and go.

import { expect, test } from "@jest/globals";
import { FRAME_OBJECT, FRAME_TABLE } from "../../src/hardware/frame-table.ts";
import type { Page } from "../../src/vm/page.ts";
import { PTE_READ, PTE_WRITE } from "../../src/vm/page-table.ts";
import { PAGE, testVirtualMemory } from "../support/virtual-memory.ts";

/** Virtual pages of one leaf table. */
const LEAF = PAGE / 4;

const make = (frames = 16) => {
  const { vm, task } = testVirtualMemory(frames);
  const newPage = (): Page => vm.pages.at(vm.frames.allocate(FRAME_OBJECT));
  return { vm, table: task.pageTable, other: vm.newTaskMemory().pageTable, newPage };
};

test("page table: an entry is the frame's first word and what may be done", () => {
  const { vm, table, newPage } = make();
  const page = newPage();
  expect(table.entry(70)).toBe(0);
  expect(table.enter(70, page, false)).toBe(true);
  expect(table.entry(70)).toBe(vm.memory.frameWord(page.frame) | PTE_READ);
  expect(table.enter(70, page, true)).toBe(true);
  expect(table.entry(70)).toBe(vm.memory.frameWord(page.frame) | PTE_READ | PTE_WRITE);
  expect(page.mappings).toBe(1);
  expect(table.pageOf(table.entry(70))).toBe(page);
});

test("page table: the two levels are found by shifts of an address", () => {
  const { vm, table, newPage } = make();
  table.enter(3 * LEAF + 5, newPage(), true);
  const address = (3 * LEAF + 5) * PAGE + 17;
  const leaf = table.directory[address >>> table.directoryShift]!;
  const entry = vm.memory.words[leaf + ((address >>> table.pageShift) & table.tableMask)];
  expect(entry).toBe(table.entry(3 * LEAF + 5));
  expect(entry).not.toBe(0);
});

test("page table: another page in the same place is the only one mapped there", () => {
  const { table, newPage } = make();
  const [first, second] = [newPage(), newPage()];
  table.enter(1, first, true);
  table.enter(1, second, false);
  expect(first.mapped).toBe(false);
  expect(second.mappings).toBe(1);
});

test("page table: a page in three places loses its right to be stored to, and its places, in all", () => {
  const { table, other, newPage } = make();
  const page = newPage();
  table.enter(1, page, true);
  other.enter(1, page, true);
  table.enter(LEAF, page, true);
  expect(page.mappings).toBe(3);
  page.writeProtect();
  for (const entry of [table.entry(1), other.entry(1), table.entry(LEAF)]) {
    expect(entry & (PTE_READ | PTE_WRITE)).toBe(PTE_READ);
  }
  other.remove(0, 2);
  expect(page.mappings).toBe(2);
  page.unmap();
  expect([table.entry(1), other.entry(1), table.entry(LEAF)]).toEqual([0, 0, 0]);
  expect(page.mapped).toBe(false);
});

test("page table: a range is removed and protected across leaf tables, to its ends and no further", () => {
  const { table, newPage } = make();
  const virtual = [LEAF - 2, LEAF - 1, LEAF, LEAF + 1];
  for (const page of virtual) table.enter(page, newPage(), true);
  table.protect(LEAF - 1, LEAF + 1);
  expect(virtual.map((page) => table.entry(page) & PTE_WRITE)).toEqual([2, 0, 0, 2]);
  table.remove(LEAF - 1, LEAF + 1);
  expect(virtual.map((page) => table.entry(page) !== 0)).toEqual([true, false, false, true]);
});

test("page table: empty leaf tables can be given back, and all of them", () => {
  const { vm, table, newPage } = make();
  const page = newPage();
  table.enter(1, newPage(), true);
  table.enter(LEAF, page, true);
  expect(vm.frames.count(FRAME_TABLE)).toBe(2);
  expect(table.shrink(false)).toBe(0);
  table.remove(1, 2);
  expect(table.shrink(false)).toBe(1);
  expect(table.shrink(true)).toBe(1);
  expect(page.mapped).toBe(false);
  expect(vm.frames.count(FRAME_TABLE)).toBe(0);
});

test("page table: without a frame for a leaf table nothing is mapped", () => {
  const { vm, table, newPage } = make(2);
  const page = newPage();
  newPage();
  expect(vm.frames.freeCount).toBe(0);
  expect(table.enter(1, page, true)).toBe(false);
  expect(page.mapped).toBe(false);
});
