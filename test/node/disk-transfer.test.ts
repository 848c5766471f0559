// Data between a disk and page lists and copies, over a node's real memory: contents, offsets, pages on swap,
// errors, and that no frame is lost.

import { afterEach, expect, test } from "@jest/globals";
import {
  D_INVALID_RECNUM,
  D_INVALID_SIZE,
  D_IO_ERROR,
  D_NO_MEMORY,
  KERN_SUCCESS,
} from "../../src/base/status.ts";
import { machineLayout } from "../../src/config/board-shape.ts";
import { parseMachineOptions } from "../../src/config/machine-options.ts";
import { FRAME_MESSAGE, FrameTable } from "../../src/hardware/frame-table.ts";
import { PhysicalMemory } from "../../src/hardware/physical-memory.ts";
import { DiskDevice, PIECES_MAX } from "../../src/node/disk-device.ts";
import { DiskFile } from "../../src/node/disk-file.ts";
import { DiskTransfer } from "../../src/node/disk-transfer.ts";
import { SwapExtent, SwapFile } from "../../src/node/swap-file.ts";
import type { MapCopy } from "../../src/vm/map-copy.ts";
import {
  frameOf,
  isSwapped,
  PAGES_BUSY,
  PAGES_HOLD,
  PAGES_STEAL,
  PageList,
  type PageMode,
} from "../../src/vm/page-list.ts";
import { VirtualMemory } from "../../src/vm/virtual-memory.ts";

const PAGE = 1024;
const DISK_BYTES = 256 * PAGE;

let open: { close(): void }[] = [];
afterEach(() => {
  for (const file of open) file.close();
  open = [];
});

const furnish = () => {
  const memoryOptions = { pageBytes: PAGE, bytesPerNode: 1 << 19 };
  const options = parseMachineOptions({ dimension: 0, memory: memoryOptions }, "simulation");
  const layout = machineLayout(options, 1);
  const memory = new PhysicalMemory(new SharedArrayBuffer(layout.totalBytes), layout, 0);
  const frames = new FrameTable(memory, true);
  const swap = new SwapFile(1, 1 << 20, PAGE);
  const file = new DiskFile(
    { node: 0, name: "sd0", bytes: DISK_BYTES, readOnly: false },
    "devices.0",
  );
  open.push(swap, file);
  const limits = { reserveFrames: 4, lowFrames: 8, highFrames: 16 };
  const vm = new VirtualMemory(memory, frames, limits, new SwapExtent(swap.record, 0));
  const disk = new DiskDevice(file.record);
  const transfer = new DiskTransfer(vm);
  /** Writes data and gives it up. */
  const write = (recnum: number, data: PageList | MapCopy): number => {
    const status = transfer.write(disk, recnum, data);
    if (data instanceof PageList) vm.discardList(data);
    else vm.discardCopy(data);
    return status;
  };
  const free = frames.freeCount;
  return { vm, frames, free, file, disk, transfer, write, task: vm.newTaskMemory() };
};

const counted = (bytes: number, first = 0): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, i) => (first + i) % 251);

const onDisk = (disk: DiskDevice, position: number, bytes: number): Uint8Array => {
  const got = new Uint8Array(bytes);
  expect(disk.read(position, [got], bytes)).toBe(KERN_SUCCESS);
  return got;
};

test.each([
  ["held", PAGES_HOLD],
  ["busy", PAGES_BUSY],
  ["stolen", PAGES_STEAL],
] as [string, PageMode][])(
  "transfer: pages that are %s are written from where they are",
  (_w, mode) => {
    const { write, disk, task, frames, free } = furnish();
    const address = task.allocate(4 * PAGE)!;
    expect(task.write(address + 100, counted(2 * PAGE))).toBe(KERN_SUCCESS);
    const list = new PageList();
    expect(task.copyinPages(address + 100, 2 * PAGE, list, mode)).toBe(KERN_SUCCESS);
    expect(write(3, list)).toBe(KERN_SUCCESS);
    expect(onDisk(disk, 3 * 512, 2 * PAGE)).toEqual(counted(2 * PAGE));
    expect(onDisk(disk, 0, 3 * 512)).toEqual(new Uint8Array(3 * 512));
    expect([list.count, list.bytes]).toEqual([0, 0]);
    if (mode === PAGES_STEAL) expect(task.has(address + PAGE, PAGE)).toBe(false);
    else expect(task.write(address + 100, counted(2 * PAGE, 1))).toBe(KERN_SUCCESS); // not busy any more
    task.destroy();
    expect(frames.freeCount).toBe(free);
  },
);

test("transfer: a copy is written though its pages are on swap, more of them than one transfer takes", () => {
  const { write, disk, task, frames, free, vm } = furnish();
  const bytes = (2 * PIECES_MAX + 3) * PAGE;
  const address = task.allocate(bytes)!;
  expect(task.write(address, counted(bytes))).toBe(KERN_SUCCESS);
  const copy = task.copyinObject(address + 512, bytes - 512, false)!;
  vm.pageout.run(free); // all that can go
  expect(vm.slots.used).toBeGreaterThan(PIECES_MAX);
  expect(write(0, copy)).toBe(KERN_SUCCESS);
  expect(onDisk(disk, 0, bytes - 512)).toEqual(counted(bytes).slice(512));
  task.destroy();
  expect(frames.freeCount).toBe(free);
  expect(vm.slots.used).toBe(0);
});

test("transfer: what is read arrives in pages of its own, with nothing behind the data", () => {
  const { transfer, disk, task, frames, free } = furnish();
  const bytes = (PIECES_MAX + 1) * PAGE + 700;
  expect(disk.write(512, [counted(DISK_BYTES - 512)], DISK_BYTES - 512)).toBe(KERN_SUCCESS);
  const list = new PageList();
  expect(transfer.read(disk, 1, bytes, list)).toBe(KERN_SUCCESS);
  expect([list.offset, list.bytes, list.count]).toEqual([0, bytes, PIECES_MAX + 2]);
  expect(task.copyoutPages(list)).toBe(KERN_SUCCESS);
  const got = new Uint8Array(PIECES_MAX * PAGE + 2 * PAGE);
  expect(task.read(task.address, got)).toBe(KERN_SUCCESS);
  expect(got.slice(0, bytes)).toEqual(counted(bytes));
  expect(got.slice(bytes)).toEqual(new Uint8Array(324));
  task.destroy();
  expect(frames.freeCount).toBe(free);
});

test("transfer: an arrived list that went to swap is written all the same", () => {
  const { transfer, write, disk, frames, free, vm } = furnish();
  const list = new PageList();
  expect(disk.write(0, [counted(5 * PAGE)], 5 * PAGE)).toBe(KERN_SUCCESS);
  expect(transfer.read(disk, 0, 5 * PAGE, list)).toBe(KERN_SUCCESS);
  vm.linkArrived(list);
  vm.pageout.run(free);
  expect(isSwapped(list.entries[4]!)).toBe(true);
  expect(write(20, list)).toBe(KERN_SUCCESS);
  expect(onDisk(disk, 20 * 512, 5 * PAGE)).toEqual(counted(5 * PAGE));
  expect([frames.freeCount, vm.slots.used]).toEqual([free, 0]);
});

test("transfer: an arrived list is written though few of its pages fit into memory at once", () => {
  const { transfer, write, disk, frames, free, vm } = furnish();
  const [list, pages] = [new PageList(), 150];
  expect(disk.write(0, [counted(DISK_BYTES)], DISK_BYTES)).toBe(KERN_SUCCESS);
  expect(transfer.read(disk, 0, pages * PAGE, list)).toBe(KERN_SUCCESS);
  vm.linkArrived(list);
  vm.pageout.run(free - 20); // some stay
  const taken: number[] = [];
  while (frames.freeCount > 12) taken.push(frames.allocate(FRAME_MESSAGE));
  expect(write(2, list)).toBe(KERN_SUCCESS);
  expect(onDisk(disk, PAGE, pages * PAGE)).toEqual(counted(pages * PAGE));
  for (const frame of taken) frames.free(frame, FRAME_MESSAGE);
  expect([frames.freeCount, vm.slots.used]).toEqual([free, 0]);
});

test("transfer: what cannot be is refused, and no frame is lost", () => {
  const { transfer, write, disk, file, task, frames, free } = furnish();
  const address = task.allocate(2 * PAGE)!;
  task.write(address, counted(2 * PAGE));
  const before = frames.freeCount;
  const data = (bytes: number): PageList => {
    const list = new PageList();
    expect(task.copyinPages(address, bytes, list, PAGES_BUSY)).toBe(KERN_SUCCESS);
    return list;
  };
  expect(write(0, data(100))).toBe(D_INVALID_SIZE);
  expect(write(disk.records, data(PAGE))).toBe(D_INVALID_RECNUM);
  expect(write(disk.records - 1, data(PAGE))).toBe(D_INVALID_SIZE);
  const list = new PageList();
  expect(transfer.read(disk, disk.records, PAGE, list)).toBe(D_INVALID_RECNUM);
  expect(transfer.read(disk, 0, 0, list)).toBe(D_INVALID_SIZE);
  file.close();
  expect(write(0, data(PAGE))).toBe(D_IO_ERROR);
  expect(transfer.read(disk, 0, 3 * PAGE, list)).toBe(D_IO_ERROR);
  expect(list.count).toBe(0);
  expect(frames.freeCount).toBe(before);
  expect(task.write(address, counted(2 * PAGE, 1))).toBe(KERN_SUCCESS);
  task.destroy();
  expect(frames.freeCount).toBe(free);
});

test("transfer: without frames there is D_NO_MEMORY, and those had by then are free again", () => {
  const { transfer, disk, frames } = furnish();
  const taken: number[] = [];
  while (frames.freeCount > 10) taken.push(frames.allocate(FRAME_MESSAGE));
  const list = new PageList();
  expect(transfer.read(disk, 0, 8 * PAGE, list)).toBe(D_NO_MEMORY);
  expect([frames.freeCount, list.count]).toEqual([10, 0]);
  expect(transfer.read(disk, 0, 6 * PAGE, list)).toBe(KERN_SUCCESS);
  for (let i = 0; i < list.count; i++) taken.push(frameOf(list.entries[i]!));
  expect(transfer.read(disk, 0, PAGE, new PageList())).toBe(D_NO_MEMORY);
  expect(transfer.read(disk, 0, DISK_BYTES, new PageList())).toBe(D_NO_MEMORY);
  expect(new Set(taken).size).toBe(taken.length);
});
