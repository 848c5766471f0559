// Uses the host's own facilities while its worker has nothing else to do: each way must make progress
// though the kernel is at rest. Returns what each gave.

import { pbkdf2, webcrypto } from "node:crypto";
import { lookup } from "node:dns/promises";
import { readFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises"; // time of its own must pass, see below // time must pass for the worker to park
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Program } from "../../../src/index.ts";

const WAYS: Record<string, () => Promise<unknown>> = {
  timer: () => wait(30, "timer"),
  timers: async () => {
    for (let i = 0; i < 20; i++) await wait(2);
    return "timers";
  },
  file: async () => (await readFile(fileURLToPath(import.meta.url), "utf8")).includes("own-io"),
  files: async () => {
    let bytes = 0;
    for (let i = 0; i < 50; i++) bytes += (await readFile(fileURLToPath(import.meta.url))).length;
    return bytes > 0;
  },
  pbkdf2: async () => (await promisify(pbkdf2)("a", "b", 50_000, 8, "sha256")).length,
  digest: async () =>
    (await webcrypto.subtle.digest("SHA-256", new Uint8Array(1 << 22))).byteLength,
  gzip: async () => (await promisify(gzip)(new Uint8Array(1 << 22))).length > 0,
  import: async () => typeof (await import("./start.js")).default,
  immediate: () => new Promise((resolve) => setImmediate(resolve, "immediate")),
  lookup: async () => (await lookup("127.0.0.1")).address,
};

const ownIo: Program<{ way: string }, unknown> = (_task, { way }) => WAYS[way]!();

export default ownIo;
