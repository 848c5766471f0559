// A node whose tasks have more memory than it has frames: what does not fit is in the machine's swap file, and
// devices and messages do not notice.

import { afterEach, expect, test } from "@jest/globals";
import { COUNTERS } from "../../src/base/counters.ts";
import { D_READ, D_WRITE, device } from "../../src/task/device-interface.ts";
import { LoneNodes } from "../support/lone-node.ts";

const PAGE = 4096;
/** Of a node with 1 MiB of memory. */
const BYTES = 3 << 20;
const CHUNK = 16 * PAGE;

let nodes: LoneNodes;
afterEach(() => nodes.files.close());

const counted = (bytes: number, first: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, i) => (first + i) % 251);

test.each([
  [0, "on one node"],
  [1, "on two nodes"],
])("paging: three times a node's memory goes to a disk and comes back (%i: %s)", async (place) => {
  nodes = new LoneNodes({
    dimension: 1,
    memory: { swapBytes: 4 * BYTES },
    devices: [{ node: place, name: "sd0", bytes: BYTES }],
  });
  const task = nodes.task(0);
  const run = <T>(promise: Promise<T>): Promise<T> => nodes.run(promise);
  const master = device.client(task, task.deviceMaster(place));
  const { device: right } = await run(master.open({ mode: D_READ | D_WRITE, name: "sd0" }));
  const disk = device.client(task, right);

  const address = task.vm.allocate(BYTES);
  for (let at = 0; at < BYTES; at += CHUNK) task.memory.write(address + at, counted(CHUNK, at));
  const pagesOut = nodes.kernels[0]!.memory.counters[COUNTERS.pageOuts.index]!;
  expect(pagesOut).toBeGreaterThan((2 * BYTES) / 3 / PAGE);
  const data = { address, bytes: BYTES };
  expect(await run(disk.write({ mode: 0, recnum: 0, data }))).toEqual({ bytesWritten: BYTES });
  task.memory.fill(address, BYTES, 0);
  for (let at = 0; at < BYTES; at += CHUNK) {
    const back = await run(disk.read({ mode: 0, recnum: at / 512, bytesWanted: CHUNK }));
    expect(Buffer.from(counted(CHUNK, at)).equals(task.memory.read(back.data.address, CHUNK))).toBe(
      true,
    );
  }
  await expect(run(disk.read({ mode: 0, recnum: 0, bytesWanted: BYTES }))).rejects.toMatchObject({
    code: "D_NO_MEMORY",
  });
  await run(disk.close());
  await nodes.expectNothingLeaked();
});
