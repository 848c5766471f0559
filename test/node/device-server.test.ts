// Devices by message: opened at the device master port, read, written, closed; on one's own node and on
// another. Data out of line is in device-pages.test.ts.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "@jest/globals";
import { COUNTERS } from "../../src/base/counters.ts";
import { MIG_BAD_ID } from "../../src/base/status.ts";
import {
  COPY_SEND,
  MAKE_SEND_ONCE,
  NOTIFY_NO_SENDERS,
  TYPE_DEAD_NAME,
  TYPE_SEND,
} from "../../src/ipc/rights.ts";
import {
  D_READ,
  D_WRITE,
  DEV_GET_RECORDS,
  DEV_GET_SIZE,
  device,
} from "../../src/task/device-interface.ts";
import type { Task } from "../../src/task/task.ts";
import { letter } from "../support/letters.ts";
import { LoneNodes, type LoneNodesInput } from "../support/lone-node.ts";
import { PLACES } from "../support/places.ts";

let opened: LoneNodes[] = [];
let folder = "";
afterEach(() => {
  if (folder !== "") rmSync(folder, { recursive: true, force: true });
  folder = "";
  for (const nodes of opened) nodes.files.close();
  opened = [];
});

/** A task on node 0, and the master port of a node with a disk of 16 records. */
const furnish = (input: LoneNodesInput, place: number) => {
  const devices = [{ node: place, name: "sd0", bytes: 8192 }];
  const nodes = new LoneNodes({ ...input, devices });
  opened.push(nodes);
  const task = nodes.task(0);
  const master = device.client(task, task.deviceMaster(place));
  const run = <T>(promise: Promise<T>): Promise<T> => nodes.run(promise);
  return { nodes, task, master, run };
};

const refusal = (code: string) => ({ code });
const counted = (bytes: number, first = 0): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, i) => (first + i) % 251);

test.each(PLACES)("device: what is written in line is read again %s", async (_w, input, place) => {
  const { nodes, task, master, run } = furnish(input, place);
  const { device: right } = await run(master.open({ mode: D_READ | D_WRITE, name: "sd0" }));
  expect(task.ports.type(right)).toBe(TYPE_SEND);
  const disk = device.client(task, right);
  const zero = await run(disk.readInband({ mode: 0, recnum: 3, bytesWanted: 700 }));
  expect(zero.data).toEqual(new Uint8Array(700));
  const data = counted(1024);
  expect(await run(disk.writeInband({ mode: 0, recnum: 3, data }))).toEqual({
    bytesWritten: 1024,
  });
  const back = await run(disk.readInband({ mode: 0, recnum: 2, bytesWanted: 4096 }));
  const expected = new Uint8Array(4096);
  expected.set(data, 512);
  expect(back.data).toEqual(expected);
  expect(await run(disk.getStatus({ flavor: DEV_GET_SIZE }))).toEqual({
    status: Int32Array.of(8192, 512),
  });
  expect(await run(disk.getStatus({ flavor: DEV_GET_RECORDS }))).toEqual({
    status: Int32Array.of(16, 512),
  });
  await run(disk.close());
  await nodes.quiet();
  expect(task.ports.type(right)).toBe(TYPE_DEAD_NAME);
  await nodes.expectNothingLeaked();
});

test.each(PLACES)(
  "device: mistakes are answered with the codes of devices %s",
  async (_w, input, place) => {
    const { nodes, task, master, run } = furnish(input, place);
    const fails = async (call: Promise<unknown>, code: string): Promise<void> => {
      await expect(run(call)).rejects.toMatchObject(refusal(code));
    };
    await fails(master.open({ mode: D_READ, name: "sd1" }), "D_NO_SUCH_DEVICE");
    await fails(master.close(), "D_NO_SUCH_DEVICE");
    await fails(master.getStatus({ flavor: DEV_GET_SIZE }), "D_NO_SUCH_DEVICE");
    const { device: right } = await run(master.open({ mode: D_READ, name: "sd0" }));
    const disk = device.client(task, right);
    await fails(disk.open({ mode: D_READ, name: "sd0" }), "D_INVALID_OPERATION");
    await fails(disk.setStatus({ flavor: 0, status: [1] }), "D_INVALID_OPERATION");
    await fails(disk.getStatus({ flavor: 9 }), "D_INVALID_OPERATION");
    const read = (recnum: number, bytesWanted: number) =>
      disk.readInband({ mode: 0, recnum, bytesWanted });
    await fails(read(16, 512), "D_INVALID_RECNUM");
    await fails(read(-1, 512), "D_INVALID_RECNUM");
    await fails(read(0, 0), "D_INVALID_SIZE");
    await fails(read(0, 4097), "D_INVALID_SIZE");
    const write = (recnum: number, bytes: number) =>
      disk.writeInband({ mode: 0, recnum, data: counted(bytes) });
    await fails(write(16, 512), "D_INVALID_RECNUM");
    await fails(write(0, 100), "D_INVALID_SIZE");
    await fails(write(15, 1024), "D_INVALID_SIZE");
    expect((await run(read(15, 1024))).data).toHaveLength(512);
    await run(disk.close());
    await nodes.expectNothingLeaked();
  },
);

test("device: an open one is opened once more, and closed when it was closed as often", async () => {
  const { nodes, task, master, run } = furnish({ dimension: 1 }, 1);
  const first = await run(master.open({ mode: D_READ, name: "sd0" }));
  const second = await run(master.open({ mode: D_READ, name: "sd0" }));
  expect(second).toEqual(first);
  const disk = device.client(task, first.device);
  await run(disk.close());
  expect((await run(disk.readInband({ mode: 0, recnum: 0, bytesWanted: 1 }))).data).toHaveLength(1);
  await run(disk.close());
  await expect(run(disk.close())).rejects.toMatchObject(refusal("MACH_SEND_INVALID_DEST"));
  const again = await run(master.open({ mode: D_READ, name: "sd0" }));
  expect(again.device).not.toBe(first.device);
  await run(device.client(task, again.device).close());
  await nodes.expectNothingLeaked();
});

test("device: it is closed when the last task with a right to it ends, or lets it go", async () => {
  const { nodes, task, master, run } = furnish({}, 0);
  const ports = (): number => nodes.kernels[0]!.ipc.ports.count;
  const before = ports();
  const { device: right } = await run(master.open({ mode: D_READ, name: "sd0" }));
  await run(master.open({ mode: D_READ, name: "sd0" }));
  task.ports.deallocate(right);
  await run(device.client(task, right).getStatus({ flavor: DEV_GET_SIZE }));
  task.ports.deallocate(right);
  await nodes.quiet();
  const other: Task = nodes.task(0);
  const theirs = device.client(other, other.deviceMaster());
  await run(theirs.open({ mode: D_READ, name: "sd0" }));
  nodes.end(other);
  await nodes.quiet();
  expect(ports()).toBeLessThanOrEqual(before + 1); // the reply port of the client's calls
  await nodes.expectNothingLeaked();
});

test("device: a task cannot make a device believe that nobody has it any more", async () => {
  const { nodes, task, master, run } = furnish({}, 0);
  const { device: right } = await run(master.open({ mode: D_READ, name: "sd0" }));
  const reply = task.ports.allocate();
  const forged = letter(right, COPY_SEND, NOTIFY_NO_SENDERS, reply, MAKE_SEND_ONCE);
  await run(task.send(forged));
  const answer = await run(task.receive(reply));
  expect(answer.takeInteger()).toBe(MIG_BAD_ID);
  await run(device.client(task, right).close());
  await nodes.expectNothingLeaked();
});

test("device: a read-only one is not opened for writing", async () => {
  folder = mkdtempSync(join(tmpdir(), "disk-test-"));
  const path = join(folder, "disk");
  writeFileSync(path, counted(600));
  const devices = [{ node: 0, name: "sd0", path, readOnly: true }];
  const nodes = new LoneNodes({ devices });
  opened.push(nodes);
  const task = nodes.task(0);
  const master = device.client(task, task.deviceMaster());
  await expect(nodes.run(master.open({ mode: D_WRITE, name: "sd0" }))).rejects.toMatchObject(
    refusal("D_READ_ONLY"),
  );
  const { device: right } = await nodes.run(master.open({ mode: D_READ, name: "sd0" }));
  const disk = device.client(task, right);
  await expect(
    nodes.run(disk.writeInband({ mode: 0, recnum: 0, data: counted(512) })),
  ).rejects.toMatchObject(refusal("D_READ_ONLY"));
  const { data } = await nodes.run(disk.readInband({ mode: 0, recnum: 1, bytesWanted: 512 }));
  expect(data).toEqual(counted(600).slice(512));
  await nodes.run(disk.close());
  await nodes.expectNothingLeaked();
});

test("device: a name with a node is opened there, and that node answers whoever asked", async () => {
  const devices = [
    { node: 1, name: "sd0", bytes: 4096 },
    { node: 3, name: "disk", bytes: 8192 },
  ];
  const nodes = new LoneNodes({ dimension: 2, devices });
  opened.push(nodes);
  const task = nodes.task(0);
  const between = device.client(task, task.deviceMaster(1));
  const abroad = (): number[] =>
    nodes.kernels.map(({ memory }) => memory.counters[COUNTERS.messagesRemote.index]!);
  const before = abroad();
  const { device: right } = await nodes.run(between.open({ mode: D_READ, name: "<3>disk" }));
  // The request twice, and one reply: from node 3.
  expect(abroad().map((count, node) => count - before[node]!)).toEqual([1, 1, 0, 1]);
  expect(await nodes.run(task.norma.portLocationHint(right))).toBe(3);
  const disk = device.client(task, right);
  const { status } = await nodes.run(disk.getStatus({ flavor: DEV_GET_RECORDS }));
  expect(status[0]).toBe(16);
  await nodes.run(disk.close());
  await nodes.expectNothingLeaked();
});

test("device: a name with a node is no device if the node has none, or there is no such node", async () => {
  const devices = [
    { node: 1, name: "sd0", bytes: 4096 },
    { node: 1, name: "<2>sd9", bytes: 4096 },
  ];
  const nodes = new LoneNodes({ dimension: 2, devices });
  opened.push(nodes);
  const task = nodes.task(0);
  const at = (node: number) => device.client(task, task.deviceMaster(node));
  const open = async (node: number, name: string): Promise<string> => {
    const opening = at(node).open({ mode: D_READ, name });
    const outcome = opening.then(
      ({ device: right }) =>
        device
          .client(task, right)
          .close()
          .then(() => "opened"),
      ({ code }: { code: string }) => code,
    );
    return nodes.run(outcome);
  };
  for (const node of [0, 1, 3]) {
    for (const name of ["<1>sd0", "<01>sd0", "<1><2>sd9"]) {
      expect([node, name, await open(node, name)]).toEqual([node, name, "opened"]);
    }
    const wrong = [
      "<",
      "<>sd0",
      "<1",
      "<1sd0",
      "<-1>sd0",
      "< 1>sd0",
      "<1.0>sd0",
      "<x>sd0",
      "<4>sd0",
    ];
    wrong.push(
      `<${"9".repeat(400)}>sd0`,
      "<1>",
      "<1>sd1",
      "<2>sd0",
      "<1><1>sd0",
      "<2>sd9",
      "1>sd0",
    );
    for (const name of wrong) {
      expect([node, name, await open(node, name)]).toEqual([node, name, "D_NO_SUCH_DEVICE"]);
    }
  }
  await nodes.expectNothingLeaked();
});

test("device: a request that is passed on without a reply port opens the device, and nobody is told", async () => {
  const nodes = new LoneNodes({ dimension: 1, devices: [{ node: 1, name: "sd0", bytes: 4096 }] });
  opened.push(nodes);
  const task = nodes.task(0);
  await nodes.run(
    task.send(letter(task.deviceMaster(), COPY_SEND, 2800).addInteger(D_READ).addText("<1>sd0")),
  );
  await nodes.expectNothingLeaked();
});
