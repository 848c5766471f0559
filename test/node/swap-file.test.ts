// The swap file: extents of nodes, errors, and that nothing of it is left on the disk.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "@jest/globals";
import { SCRATCH_PREFIX } from "../../src/node/scratch-file.ts";
import { SwapExtent, SwapFile } from "../../src/node/swap-file.ts";

const PAGE_BYTES = 1024;

const filled = (byte: number): Uint8Array =>
  new Uint8Array(new SharedArrayBuffer(PAGE_BYTES)).fill(byte);

let folder = "";
afterEach(() => {
  if (folder !== "") rmSync(folder, { recursive: true, force: true });
  folder = "";
});

/** Descriptors of this process that are open files of normacube's. */
const openScratch = (): string[] =>
  readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.includes(SCRATCH_PREFIX) ? [target] : [];
    } catch {
      return []; // the descriptor of the listing itself
    }
  });

const namesLeft = (folder: string): string[] =>
  readdirSync(folder).filter((name) => name.startsWith(SCRATCH_PREFIX));

test("swap file: each node reads what it wrote to each of its slots, and nothing of its neighbours'", () => {
  const file = new SwapFile(3, 4 * PAGE_BYTES + 1, PAGE_BYTES);
  const extents = [0, 1, 2].map((node) => new SwapExtent(file.record, node));
  for (const [node, extent] of extents.entries()) {
    expect(extent.slots).toBe(4);
    for (let slot = 0; slot < 4; slot++) {
      expect(extent.write(slot, filled(16 * node + slot + 1))).toBe(true);
    }
  }
  const page = filled(0);
  for (const [node, extent] of extents.entries()) {
    for (let slot = 3; slot >= 0; slot--) {
      expect(extent.read(slot, page)).toBe(true);
      expect(page).toEqual(filled(16 * node + slot + 1));
    }
  }
  file.close();
});

test("swap file: a page of the wrong size and a slot of somebody else's are bugs of the caller", () => {
  const file = new SwapFile(2, 2 * PAGE_BYTES, PAGE_BYTES);
  const extent = new SwapExtent(file.record, 0);
  expect(() => extent.write(2, filled(1))).toThrow("a slot is the node's own");
  expect(() => extent.read(-1, filled(1))).toThrow("a slot is the node's own");
  expect(() => extent.write(0, filled(1).subarray(1))).toThrow("a slot holds a page");
  file.close();
});

test("swap file: a read that comes up short and one that fails are false, as are writes", () => {
  const file = new SwapFile(1, 2 * PAGE_BYTES, PAGE_BYTES);
  const beyond = new SwapExtent(file.record, 1); // of a node that the file has no room for
  expect(beyond.read(0, filled(0))).toBe(false);
  const unwritable = openSync("/proc/self/cmdline", "r");
  const broken = new SwapExtent({ ...file.record, fd: unwritable }, 0);
  expect(broken.write(0, filled(1))).toBe(false);
  closeSync(unwritable);
  const full = openSync("/dev/full", "r+");
  expect(new SwapExtent({ ...file.record, fd: full }, 0).write(0, filled(1))).toBe(false);
  closeSync(full);
  file.close();
});

test("swap file: once it is closed, its extents fail instead of reading another file", () => {
  const file = new SwapFile(1, PAGE_BYTES, PAGE_BYTES);
  const extent = new SwapExtent(file.record, 0);
  file.close();
  file.close();
  const other = openSync("/dev/zero", "r+");
  expect([extent.read(0, filled(1)), extent.write(0, filled(1))]).toEqual([false, false]);
  closeSync(other);
});

test("swap file: it has no name while it is open, and no descriptor when it is closed", () => {
  const before = { names: namesLeft(tmpdir()), open: openScratch() };
  const file = new SwapFile(1, PAGE_BYTES, PAGE_BYTES);
  expect(namesLeft(tmpdir())).toEqual(before.names);
  expect(openScratch()).toHaveLength(before.open.length + 1);
  file.close();
  expect(openScratch()).toEqual(before.open);
});

test.each([
  ["Machine.boot", "halts"],
  ["Machine.simulate", "halts"],
  ["Machine.boot", "is killed"],
])("swap file: nothing is left of that of %s when the process %s", async (boot, end) => {
  folder = mkdtempSync(join(tmpdir(), "swap-test-"));
  const index = new URL("../../src/index.js", import.meta.url).href;
  const ending = end === "halts" ? "await machine.halt();" : "setInterval(() => {}, 1000);";
  const source = `
    const { Machine } = await import(${JSON.stringify(index)});
    const { readdirSync, readlinkSync } = await import("node:fs");
    const open = () => readdirSync("/proc/self/fd").flatMap((fd) => {
      try { return readlinkSync("/proc/self/fd/" + fd); } catch { return []; }
    }).filter((path) => path.includes(${JSON.stringify(folder)}));
    const machine = await ${boot}({ dimension: 1, devices: [{ node: 0, name: "sd0", bytes: 512 }] });
    const booted = open().length;
    ${ending}
    console.log(booted, open().length);`;
  const args = ["--input-type=module", "-e", source];
  const env = { ...process.env, TMPDIR: folder };
  if (end === "halts") {
    expect(execFileSync(process.execPath, args, { env, encoding: "utf8" })).toBe("2 0\n");
  } else {
    const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "inherit"] });
    const exited = once(child, "exit");
    const [line] = await once(child.stdout, "data");
    expect(String(line)).toBe("2 2\n");
    child.kill("SIGKILL");
    await exited;
  }
  expect(readdirSync(folder)).toEqual([]);
});
