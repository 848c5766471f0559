// A task's memory: regions and their addresses, what lies in them, what is not there, and the limit.

import { expect, test } from "@jest/globals";
import { TASK_MEMORY_BYTES_MAX } from "../../src/base/limits.ts";
import { TaskMemory } from "../../src/vm/task-memory.ts";

const PAGE = 1024;
/** Where all addresses are used, in fewer steps. */
const LARGE_PAGE = 65536;
/** Addresses have 32 bits. */
const END = 2 ** 32;

const bytesAt = (memory: TaskMemory, address: number, count: number): number[] | null => {
  const into = new Uint8Array(count);
  return memory.read(address, into) ? [...into] : null;
};

const isFilled = (memory: TaskMemory, address: number, count: number, byte: number): boolean => {
  const into = new Uint8Array(count).fill(byte + 1);
  return memory.read(address, into) && into.every((one) => one === byte);
};

const allocate = (memory: TaskMemory, bytes: number): number => {
  const address = memory.allocate(bytes);
  if (address === null) throw new Error("there was no room");
  return address;
};

/** Gives out all addresses behind `last` but those of the last page, and takes them back. */
const useUpAddresses = (memory: TaskMemory, last: number): void => {
  let size = 64 * 1024 * 1024;
  for (let next = last; next < END - LARGE_PAGE; next += size) {
    while (END - LARGE_PAGE - next < size) size /= 2;
    const address = allocate(memory, size);
    expect(address).toBe(next);
    memory.deallocate(address, size);
  }
};

// --- regions and addresses ------------------------------------------------------------------------

test("task memory: a region begins at a page, is whole pages, and is zero", () => {
  const memory = new TaskMemory(PAGE);
  const address = allocate(memory, PAGE + 1);
  expect(address).toBeGreaterThan(0);
  expect(address % PAGE).toBe(0);
  expect(memory.bytesInUse).toBe(2 * PAGE);
  expect(memory.has(address, 2 * PAGE)).toBe(true);
  expect(memory.has(address, 2 * PAGE + 1)).toBe(false);
  expect(memory.has(address - 1, 1)).toBe(false);
  expect(isFilled(memory, address, 2 * PAGE, 0)).toBe(true);
});

test("task memory: no bytes are at address 0, and take no room", () => {
  const memory = new TaskMemory(PAGE);
  expect(memory.allocate(0)).toBe(0);
  expect(memory.bytesInUse).toBe(0);
  expect(memory.has(0, 1)).toBe(false);
});

test("task memory: what is given back is not given out again at once", () => {
  const memory = new TaskMemory(PAGE);
  const first = allocate(memory, PAGE);
  memory.deallocate(first, PAGE);
  const second = allocate(memory, PAGE);
  expect(second).not.toBe(first);
  expect(memory.has(first, 1)).toBe(false);
});

test("task memory: a page that is given back and allocated again at the same address is zero", () => {
  const memory = new TaskMemory(LARGE_PAGE);
  const low = allocate(memory, 2 * LARGE_PAGE);
  const above = allocate(memory, LARGE_PAGE);
  memory.fill(low, 2 * LARGE_PAGE, 0xee);
  useUpAddresses(memory, above + LARGE_PAGE);
  memory.deallocate(low, 2 * LARGE_PAGE);
  expect(allocate(memory, 2 * LARGE_PAGE)).toBe(low);
  expect(isFilled(memory, low, 2 * LARGE_PAGE, 0)).toBe(true);
});

test("task memory: addresses begin again when they are used up, and what is in use is left out", () => {
  const memory = new TaskMemory(LARGE_PAGE);
  const first = allocate(memory, LARGE_PAGE);
  const second = allocate(memory, LARGE_PAGE);
  memory.fill(first, LARGE_PAGE, 1);
  memory.fill(second, LARGE_PAGE, 2);
  useUpAddresses(memory, second + LARGE_PAGE);
  const third = allocate(memory, 2 * LARGE_PAGE);
  expect(third).toBe(second + LARGE_PAGE);
  expect(isFilled(memory, first, LARGE_PAGE, 1)).toBe(true);
  expect(isFilled(memory, second, LARGE_PAGE, 2)).toBe(true);
  expect(isFilled(memory, third, 2 * LARGE_PAGE, 0)).toBe(true);
  expect(memory.bytesInUse).toBe(4 * LARGE_PAGE);
});

test("task memory: a hole is used only if it is large enough", () => {
  const memory = new TaskMemory(LARGE_PAGE);
  const hole = allocate(memory, 2 * LARGE_PAGE);
  const above = allocate(memory, LARGE_PAGE);
  memory.deallocate(hole, 2 * LARGE_PAGE);
  useUpAddresses(memory, above + LARGE_PAGE);
  expect(allocate(memory, 3 * LARGE_PAGE)).toBe(above + LARGE_PAGE);
});

test("task memory: the last page of the address space can be had, and read to its last byte", () => {
  const memory = new TaskMemory(LARGE_PAGE);
  useUpAddresses(memory, allocate(memory, LARGE_PAGE) + LARGE_PAGE);
  const last = allocate(memory, LARGE_PAGE);
  expect(last).toBe(END - LARGE_PAGE);
  expect(memory.write(END - 2, Uint8Array.of(8, 9))).toBe(true);
  expect(bytesAt(memory, END - 2, 2)).toEqual([8, 9]);
  expect(memory.has(END - 2, 3)).toBe(false);
  memory.deallocate(END - 1, 2 ** 31);
  expect(memory.has(END - LARGE_PAGE, LARGE_PAGE)).toBe(false);
  expect(memory.bytesInUse).toBe(LARGE_PAGE);
});

// --- limits ---------------------------------------------------------------------------------------

test("task memory: a task has its limit and not a page more, whatever it was made of", () => {
  const memory = new TaskMemory(PAGE);
  const page = allocate(memory, 1);
  expect(memory.allocate(TASK_MEMORY_BYTES_MAX)).toBeNull();
  expect(memory.allocate(TASK_MEMORY_BYTES_MAX - PAGE + 1)).toBeNull();
  const rest = allocate(memory, TASK_MEMORY_BYTES_MAX - PAGE);
  expect(memory.bytesInUse).toBe(TASK_MEMORY_BYTES_MAX);
  expect(memory.allocate(1)).toBeNull();
  memory.deallocate(page, 1);
  expect(allocate(memory, PAGE)).toBeGreaterThan(rest);
  memory.deallocate(0, END);
  expect(memory.bytesInUse).toBe(0);
});

// --- giving back ----------------------------------------------------------------------------------

test("task memory: every page that a range touches is given back, and no other", () => {
  const memory = new TaskMemory(PAGE);
  const address = allocate(memory, 5 * PAGE);
  memory.deallocate(address + 2 * PAGE - 1, PAGE + 2);
  const left = [0, 1, 2, 3, 4].map((page) => memory.has(address + page * PAGE, PAGE));
  expect(left).toEqual([true, false, false, false, true]);
  expect(memory.bytesInUse).toBe(2 * PAGE);
});

test("task memory: giving no bytes back takes no page away", () => {
  const memory = new TaskMemory(PAGE);
  const address = allocate(memory, PAGE);
  memory.deallocate(address + 1, 0);
  expect(memory.has(address, PAGE)).toBe(true);
});

test("task memory: pages that are not there can be given back, and count for nothing", () => {
  const memory = new TaskMemory(PAGE);
  const address = allocate(memory, 2 * PAGE);
  memory.deallocate(address, PAGE);
  memory.deallocate(address, PAGE);
  memory.deallocate(address + 2 * PAGE, PAGE);
  expect(memory.bytesInUse).toBe(PAGE);
  memory.deallocate(address, 2 * PAGE);
  expect(memory.bytesInUse).toBe(0);
});

test("task memory: a range much longer than what is allocated ends where it says", () => {
  const memory = new TaskMemory(PAGE);
  const first = allocate(memory, PAGE);
  const second = allocate(memory, PAGE);
  const third = allocate(memory, PAGE);
  memory.deallocate(0, second + 1);
  const there = (address: number): boolean => memory.has(address, PAGE);
  expect([first, second, third].map(there)).toEqual([false, false, true]);
  memory.deallocate(third + PAGE, END - third - PAGE);
  expect(there(third)).toBe(true);
  memory.deallocate(third + PAGE - 1, END);
  expect(there(third)).toBe(false);
  expect(memory.bytesInUse).toBe(0);
});

// --- reading and writing --------------------------------------------------------------------------

test("task memory: bytes go over the seams of pages and of neighbouring regions", () => {
  const memory = new TaskMemory(PAGE);
  const first = allocate(memory, 2 * PAGE);
  const second = allocate(memory, PAGE);
  expect(second).toBe(first + 2 * PAGE);
  const from = Uint8Array.from({ length: 2 * PAGE + 1 }, (_, i) => (i * 13) % 251);
  expect(memory.write(first + PAGE - 1, from)).toBe(true);
  expect(bytesAt(memory, first + PAGE - 1, from.length)).toEqual([...from]);
  expect(bytesAt(memory, first + PAGE - 2, 1)).toEqual([0]);
});

test("task memory: a range that is not all there is neither read nor written, not even in part", () => {
  const memory = new TaskMemory(PAGE);
  const address = allocate(memory, 3 * PAGE);
  memory.fill(address, 3 * PAGE, 5);
  memory.deallocate(address + PAGE, PAGE);
  const into = new Uint8Array(PAGE + 1).fill(7);
  expect(memory.read(address, into)).toBe(false);
  expect([...new Set(into)]).toEqual([7]);
  expect(memory.write(address, new Uint8Array(2 * PAGE))).toBe(false);
  expect(memory.write(address + 3 * PAGE - 1, new Uint8Array(2))).toBe(false);
  expect(memory.fill(address, 3 * PAGE, 9)).toBe(false);
  expect(bytesAt(memory, address, 1)).toEqual([5]);
  expect(isFilled(memory, address + 2 * PAGE, PAGE, 5)).toBe(true);
});

test("task memory: fill sets the bytes of its range and none beside it", () => {
  const memory = new TaskMemory(PAGE);
  const address = allocate(memory, 2 * PAGE);
  expect(memory.fill(address + PAGE - 1, 2, 0xab)).toBe(true);
  expect(bytesAt(memory, address + PAGE - 2, 4)).toEqual([0, 0xab, 0xab, 0]);
});

test.each([
  ["a negative address", -PAGE, PAGE],
  ["an address that is none", Number.NaN, PAGE],
  ["a negative length", 0, -1],
  ["a length that is none", 0, Number.NaN],
  ["an end behind the last address", END - 1, 2],
])("task memory: nothing is at %s", (_what, address, bytes) => {
  const memory = new TaskMemory(PAGE);
  allocate(memory, 2 * PAGE);
  expect(memory.has(address, bytes)).toBe(false);
});
