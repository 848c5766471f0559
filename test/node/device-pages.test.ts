// Devices by message, with data out of line: the pages of a write go to the disk, those of a read come from
// there; on one's own node and on another.

import { afterEach, expect, test } from "@jest/globals";
import { COUNTERS } from "../../src/base/counters.ts";
import { TYPE_SEND } from "../../src/ipc/rights.ts";
import { D_READ, D_WRITE, device } from "../../src/task/device-interface.ts";
import { LoneNodes, type LoneNodesInput } from "../support/lone-node.ts";
import { PLACES } from "../support/places.ts";

const PAGE = 4096;
const COPIED = COUNTERS.copiedBytes.index;
const DISK_BYTES = 64 * PAGE;
const MODE = 0;

let opened: LoneNodes[] = [];
afterEach(() => {
  for (const nodes of opened) nodes.files.close();
  opened = [];
});

/** A task on node 0, and a disk that it has opened on a node. */
const furnish = async (input: LoneNodesInput, place: number) => {
  const devices = [{ node: place, name: "sd0", bytes: DISK_BYTES }];
  const nodes = new LoneNodes({ ...input, devices });
  opened.push(nodes);
  const task = nodes.task(0);
  const master = device.client(task, task.deviceMaster(place));
  const run = <T>(promise: Promise<T>): Promise<T> => nodes.run(promise);
  const { device: right } = await run(master.open({ mode: D_READ | D_WRITE, name: "sd0" }));
  const disk = device.client(task, right);
  /** Ends the test. */
  const finish = async (): Promise<void> => {
    await run(disk.close());
    await nodes.expectNothingLeaked();
  };
  return { nodes, task, master, disk, right, run, finish };
};

const counted = (bytes: number, first = 0): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, i) => (first + i) % 251);

test.each(PLACES)(
  "device: memory written to a disk is read back into new memory %s",
  async (_w, input, place) => {
    const { task, disk, run, finish } = await furnish(input, place);
    const bytes = 5 * PAGE;
    const address = task.vm.allocate(bytes + PAGE);
    task.memory.write(address + 300, counted(bytes));
    const data = { address: address + 300, bytes };
    expect(await run(disk.write({ mode: MODE, recnum: 3, data }))).toEqual({ bytesWritten: bytes });
    task.memory.fill(address, bytes + PAGE, 0xff); // what is on the disk stays as it is

    const back = await run(disk.read({ mode: MODE, recnum: 3, bytesWanted: bytes }));
    expect(back.data.bytes).toBe(bytes);
    expect(task.memory.read(back.data.address, bytes)).toEqual(counted(bytes));
    task.memory.store8(back.data.address, 7); // it is the task's own
    const few = await run(disk.read({ mode: MODE, recnum: 3, bytesWanted: 700 }));
    expect(task.memory.read(few.data.address, few.data.bytes)).toEqual(counted(700));
    expect(task.memory.read(few.data.address + 700, PAGE - 700)).toEqual(
      new Uint8Array(PAGE - 700), // and nothing else of the disk, or of anybody
    );
    await finish();
  },
);

test.each(PLACES)(
  "device: memory that goes with a write is the task's no more %s",
  async (_w, input, place) => {
    const { task, disk, run, finish } = await furnish(input, place);
    const before = task.vm.allocate(PAGE);
    const address = task.vm.allocate(3 * PAGE);
    task.memory.write(address, counted(3 * PAGE));
    const data = { address, bytes: 3 * PAGE, deallocate: true };
    await run(disk.write({ mode: MODE, recnum: 8, data }));
    expect(() => task.memory.load8(address + PAGE)).toThrow("KERN_INVALID_ADDRESS");
    expect(task.memory.load8(before)).toBe(0);
    const { data: got } = await run(disk.read({ mode: MODE, recnum: 8, bytesWanted: 3 * PAGE }));
    expect(task.memory.read(got.address, got.bytes)).toEqual(counted(3 * PAGE));
    await finish();
  },
);

test.each(PLACES)(
  "device: a whole disk goes in one message, and comes in one %s",
  async (_w, input, place) => {
    const { nodes, task, disk, run, finish } = await furnish(input, place);
    const address = task.vm.allocate(DISK_BYTES);
    task.memory.write(address, counted(DISK_BYTES));
    const data = { address, bytes: DISK_BYTES, deallocate: true };
    const copied = (): number =>
      nodes.kernels.reduce((sum, { memory }) => sum + memory.counters[COPIED]!, 0);
    const before = copied();
    expect(await run(disk.write({ mode: MODE, recnum: 0, data }))).toEqual({
      bytesWritten: DISK_BYTES,
    });
    const all = await run(disk.read({ mode: MODE, recnum: 0, bytesWanted: 2 * DISK_BYTES }));
    expect(all.data.bytes).toBe(DISK_BYTES);
    expect(copied() - before).toBeLessThan(PAGE); // headers and integers, and no page
    expect(task.memory.read(all.data.address, DISK_BYTES)).toEqual(counted(DISK_BYTES));
    await finish();
  },
);

test.each(PLACES)(
  "device: what is refused gives the pages of its request up %s",
  async (_w, input, place) => {
    const { nodes, task, master, disk, right, run, finish } = await furnish(input, place);
    const address = task.vm.allocate(2 * PAGE);
    task.memory.write(address, counted(2 * PAGE));
    const fails = async (call: Promise<unknown>, code: string): Promise<void> => {
      await expect(run(call)).rejects.toMatchObject({ code });
    };
    const write = (recnum: number, bytes: number) => ({
      mode: MODE,
      recnum,
      data: { address, bytes },
    });
    await fails(disk.write(write(0, 0)), "D_INVALID_SIZE");
    await fails(disk.write(write(0, 700)), "D_INVALID_SIZE");
    await fails(disk.write(write(512, PAGE)), "D_INVALID_RECNUM");
    await fails(disk.write(write(511, PAGE)), "D_INVALID_SIZE");
    await fails(master.write(write(0, PAGE)), "D_NO_SUCH_DEVICE");
    const read = (recnum: number, bytesWanted: number) => ({ mode: MODE, recnum, bytesWanted });
    await fails(disk.read(read(512, PAGE)), "D_INVALID_RECNUM");
    await fails(disk.read(read(0, 0)), "D_INVALID_SIZE");
    await fails(master.read(read(0, PAGE)), "D_NO_SUCH_DEVICE");
    expect(task.ports.type(right)).toBe(TYPE_SEND);
    task.memory.fill(address, 2 * PAGE, 1); // nobody holds it any more
    nodes.files.close();
    await fails(disk.write(write(0, PAGE)), "D_IO_ERROR");
    await fails(disk.read(read(0, PAGE)), "D_IO_ERROR");
    await finish();
  },
);
