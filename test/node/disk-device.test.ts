// Disks below the message layer: which records there are, gather and scatter, errors of the host.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import {
  D_INVALID_RECNUM,
  D_INVALID_SIZE,
  D_IO_ERROR,
  D_READ_ONLY,
  KERN_SUCCESS,
} from "../../src/base/status.ts";
import { parseMachineOptions } from "../../src/config/machine-options.ts";
import { DiskDevice, PIECES_MAX } from "../../src/node/disk-device.ts";
import { DiskFile } from "../../src/node/disk-file.ts";
import { MachineFiles, nodeFiles } from "../../src/node/machine-files.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "disk-test-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const counted = (bytes: number, first = 0): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, i) => (first + i) % 251);

/** A disk over a fresh file with `bytes` counted bytes. */
const over = (name: string, bytes: number, readOnly = false) => {
  const path = join(folder, name);
  writeFileSync(path, counted(bytes));
  const file = new DiskFile({ node: 0, name: "sd0", path, readOnly }, "devices.0");
  return { path, file, disk: new DiskDevice(file.record) };
};

const shared = (bytes: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(bytes));

test("disk: reads get what there is, from records that there are", () => {
  const { file, disk } = over("sizes", 1500);
  expect(disk.records).toBe(3);
  expect(disk.readable(0, 100)).toBe(100);
  expect(disk.readable(0, 5000)).toBe(1500);
  expect(disk.readable(2, 512)).toBe(476);
  expect(disk.readable(3, 1)).toBe(-D_INVALID_RECNUM);
  expect(disk.readable(-1, 1)).toBe(-D_INVALID_RECNUM);
  expect(disk.readable(0, 0)).toBe(-D_INVALID_SIZE);
  expect(disk.readable(0, -1)).toBe(-D_INVALID_SIZE);
  file.close();
});

test("disk: writes are whole records, or end where the disk does", () => {
  const { file, disk } = over("writes", 1500);
  expect(disk.writable(0, 1024)).toBe(KERN_SUCCESS);
  expect(disk.writable(1, 988)).toBe(KERN_SUCCESS);
  expect(disk.writable(0, 1500)).toBe(KERN_SUCCESS);
  for (const bytes of [0, 1, 513, 1536]) expect(disk.writable(0, bytes)).toBe(D_INVALID_SIZE);
  expect(disk.writable(2, 512)).toBe(D_INVALID_SIZE);
  expect(disk.writable(3, 512)).toBe(D_INVALID_RECNUM);
  file.close();
});

test("disk: pieces of shared memory go out one behind the other, and come in the same way", () => {
  const { path, file, disk } = over("gather", 4096);
  const memory = shared(4096);
  memory.set(counted(1000, 7), 3000);
  memory.set(counted(24, 9), 100);
  const pieces = [memory.subarray(3000, 4000), memory.subarray(100, 124)];
  expect(disk.write(1024, pieces, 1024)).toBe(KERN_SUCCESS);
  const written = counted(4096);
  written.set(counted(1000, 7), 1024);
  written.set(counted(24, 9), 2024);
  expect(Buffer.from(written).equals(readFileSync(path))).toBe(true);

  memory.fill(0);
  expect(disk.read(1024, [memory.subarray(0, 10), memory.subarray(2000, 3014)], 1024)).toBe(
    KERN_SUCCESS,
  );
  expect(memory.slice(0, 10)).toEqual(written.slice(1024, 1034));
  expect(memory.slice(2000, 3014)).toEqual(written.slice(1034, 2048));
  expect(memory[10]! + memory[3014]!).toBe(0);
  file.close();
});

test("disk: as many pieces as it allows go in one transfer, and not one more", () => {
  const { file, disk } = over("pieces", 512 * PIECES_MAX);
  const pieces = Array.from({ length: PIECES_MAX }, () => shared(512));
  expect(disk.read(0, pieces, 512 * PIECES_MAX)).toBe(KERN_SUCCESS);
  const got = Buffer.concat(pieces.map((piece) => Uint8Array.from(piece)));
  expect(got.equals(counted(512 * PIECES_MAX))).toBe(true);
  expect(() => disk.read(0, [...pieces, shared(512)], 512)).toThrow("one transfer");
  file.close();
});

test("disk: a transfer that comes up short or fails is an I/O error", () => {
  const { path, file, disk } = over("short", 1024);
  writeFileSync(path, counted(600)); // somebody has cut the file
  expect(disk.read(512, [shared(512)], 512)).toBe(D_IO_ERROR);
  const full = new DiskDevice({ ...file.record, fd: file.record.fd + 10_000 });
  expect(full.read(0, [shared(512)], 512)).toBe(D_IO_ERROR);
  expect(full.write(0, [shared(512)], 512)).toBe(D_IO_ERROR);
  file.close();
  file.close();
  expect(disk.read(0, [shared(512)], 512)).toBe(D_IO_ERROR);
});

test("disk: one that is read-only is not written", () => {
  const { file, disk } = over("read-only", 1024, true);
  expect(disk.writable(0, 512)).toBe(D_READ_ONLY);
  expect(disk.write(0, [shared(512)], 512)).toBe(D_IO_ERROR); // the descriptor does not allow it either
  file.close();
});

test("disk: without a file it is zero, and its bytes are the machine's own", () => {
  const devices = [
    { node: 1, name: "sd0", bytes: 1024 },
    { node: 0, name: "sd0", bytes: 512 },
  ];
  const options = parseMachineOptions({ dimension: 1, devices }, "simulation");
  const files = new MachineFiles(options);
  const [here, there] = [nodeFiles(files.record, 0), nodeFiles(files.record, 1)];
  expect([here.disks, there.disks].map((disks) => disks.map((disk) => disk.bytes))).toEqual([
    [512],
    [1024],
  ]);
  const disk = new DiskDevice(there.disks[0]!);
  const page = shared(1024).fill(1);
  expect(disk.read(0, [page], 1024)).toBe(KERN_SUCCESS);
  expect(page).toEqual(shared(1024));
  files.close();
});

test("disk: a file that cannot be had is a mistake in the options, and leaves nothing open", () => {
  const open = (path: string) =>
    new MachineFiles(
      parseMachineOptions({ devices: [{ node: 0, name: "sd0", path }] }, "simulation"),
    );
  const missing = join(folder, "missing");
  expect(() => open(missing)).toThrow(
    `option devices.0.path is "${missing}"; it cannot be opened (ENOENT)`,
  );
  expect(() => open(folder)).toThrow(`option devices.0.path is "${folder}"; it must be a file`);
});
