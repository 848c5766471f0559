// Each example runs as a newcomer runs it, in a process of its own, and says what its comment promises.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";

const run = async (example: string, ...args: string[]): Promise<string> => {
  const main = fileURLToPath(new URL(`../../examples/${example}/main.js`, import.meta.url));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [main, ...args], {
    timeout: 50_000,
  });
  expect(stderr).toBe("");
  return stdout;
};

test("hello: the caller hears from node 1", async () => {
  expect(await run("hello")).toBe("hello, hypercube, from node 1\n");
});

test("ring: after ten rounds of eight nodes the token holds ten times 0 + 1 + ... + 7", async () => {
  expect(await run("ring", "3", "10")).toContain("8 nodes, 10 rounds: the token holds 280\n");
});

test("all-to-all: each of eight nodes hears from all others", async () => {
  const sums = [0, 1, 2, 3, 4, 5, 6, 7].map((node) => 28 - node).join(" ");
  expect(await run("all-to-all", "3")).toContain(`received from all others: ${sums}\n`);
});

test("file-server: clients on other nodes read every file, in one-page and two-page replies", async () => {
  const reports = [45, 88, 45].map(
    (reads, i) => `node ${i + 1}: 350700 bytes in ${reads} reads, 0 wrong\n`,
  );
  expect(await run("file-server")).toBe(reports.join(""));
});

test("typed: the client sets the clock of node 1 and hears it strike", async () => {
  const strikes = [1, 2, 3].map((hour) => `Big Ben strikes ${hour}\n`);
  expect(await run("typed")).toBe(`nameless, on node 1, is now Big Ben\n${strikes.join("")}`);
});
