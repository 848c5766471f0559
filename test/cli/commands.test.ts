// The command line from outside: exit codes, what goes to stdout and what to stderr.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "@jest/globals";

const MAIN = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
const SCRATCH = mkdtempSync(join(tmpdir(), "normacube-cli-"));

afterAll(() => rmSync(SCRATCH, { recursive: true }));

function normacube(...args: string[]) {
  const options = { encoding: "utf8", timeout: 50_000 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], options);
  return { status, stdout, stderr };
}

test("cli: an unknown suite is bad usage, and the message names the suites", () => {
  const run = normacube("bench", "nonsense");
  expect(run).toMatchObject({ status: 2, stdout: "" });
  expect(run.stderr).toMatch(/no suite called nonsense; suites: .*micro/);
  for (const suite of ["latency", "bandwidth", "multi-pair", "pages", "strategies", "peers"]) {
    expect(run.stderr).toContain(suite);
  }
});

test("cli: a bad number is bad usage, and the message names option and range", () => {
  for (const [option, value, range] of [
    ["--nodes", "many", "from 2 to 128"],
    ["--nodes", "256", "from 2 to 128"],
    ["--nodes", "6", "power of two from 2 to 128"],
    ["--hops", "0", "from 1 to 7"],
    ["--seed", "-1", "from 0 to 4294967295"],
  ] as const) {
    const run = normacube("bench", "micro", `${option}=${value}`);
    expect(run).toMatchObject({ status: 2, stdout: "" });
    expect(run.stderr).toContain(option);
    expect(run.stderr).toContain(range);
  }
});

test("cli: a distance that the machine does not have is bad usage", () => {
  const run = normacube("bench", "micro", "--nodes", "4", "--hops", "3");
  expect(run.status).toBe(2);
  expect(run.stderr).toContain("--hops must be a whole number from 1 to 2 for 4 nodes, not 3");
});

test("cli: an unknown command or option is bad usage, help is not", () => {
  expect(normacube("dance").status).toBe(2);
  expect(normacube("bench", "--dance").status).toBe(2);
  const help = normacube("--help");
  expect(help.status).toBe(0);
  expect(help.stdout).toContain("bench");
});

test("cli: a file to compare with is checked before anything runs", () => {
  const missing = normacube("bench", "micro", "--compare", join(SCRATCH, "missing.json"));
  expect(missing).toMatchObject({ status: 2, stdout: "" });
  expect(missing.stderr).toContain("ENOENT");
  const foreign = join(SCRATCH, "foreign.json");
  writeFileSync(foreign, '{ "schema": "other/1" }');
  const refused = normacube("bench", "micro", "--compare", foreign);
  expect(refused.status).toBe(2);
  expect(refused.stderr).toContain('has "other/1", expected "normacube.bench/1"');
});

test("cli: bench --json prints one document of the published shape and nothing else", () => {
  const out = join(SCRATCH, "out");
  const run = normacube("bench", "micro", "--quick", "--json", "--seed", "9", "--out", out);
  expect(run.status).toBe(0);
  const report = JSON.parse(run.stdout);
  expect(Object.keys(report)).toEqual(["schema", "host", "options", "results", "ratios"]);
  expect(report.schema).toBe("normacube.bench/1");
  expect(Object.keys(report.host).sort()).toEqual(["commit", "cores", "cpu", "node"]);
  expect(report.options).toMatchObject({ quick: true, seed: 9, suites: ["micro"] });
  for (const result of report.results) {
    expect(result).toMatchObject({ suite: "micro", unit: "ns", params: {} });
    const figures = ["p50", "p90", "p99", "p999", "min", "max", "mean", "samples", "perSecond"];
    for (const figure of figures) expect(result[figure]).toBeGreaterThan(0);
  }
  expect(run.stderr).toContain("SEED=9");
  expect(JSON.parse(readFileSync(join(out, "bench.json"), "utf8"))).toEqual(report);

  const compared = normacube("bench", "micro", "--quick", "--compare", join(out, "bench.json"));
  expect(compared.status).toBe(0);
  expect(compared.stdout).toContain("compared with the earlier report");
  expect(compared.stdout).toMatch(/micro clock-read.* %/);
});

test("cli: bench with a stream suite prints rates with their unit, and counters", () => {
  const run = normacube("bench", "contention", "pages", "--quick", "--json");
  expect(run.status).toBe(0);
  const { results, ratios } = JSON.parse(run.stdout);
  const of = (suite: string) =>
    results.filter((result: { suite: string }) => result.suite === suite);
  for (const result of of("contention")) {
    expect(result).toMatchObject({ unit: "MB/s", perSecond: null, params: { bytes: 16_384 } });
    expect(result.p50).toBeGreaterThan(0);
  }
  expect(of("contention").map(({ name }: { name: string }) => name)).toEqual([
    ...["alone", "disjoint", "shared-node", "shared-edge"],
  ]);
  for (const { counters } of of("pages")) expect(counters.dmaBytes).toBeGreaterThan(0);
  const names = ratios.map(({ name }: { name: string }) => name);
  expect(names).toEqual(expect.arrayContaining(["shared-edge/alone", "pages-1/rpc-64"]));
}, 60_000);

const ECHO = `export default async (task, args) => {
  if (args?.failOn === task.node) throw new Error("0xBAD");
  if (args?.hang) await task.sleep(3600e9);
  return task.node * 10;
};`;

function program(): string {
  const path = join(SCRATCH, "echo.mjs");
  writeFileSync(path, ECHO);
  return path;
}

test("cli: run prints what the program returned on every node", () => {
  const run = normacube("run", program(), "--dimension", "1");
  expect(run).toMatchObject({ status: 0, stdout: "node 0: 0\nnode 1: 10\n" });
  const { stdout } = normacube("run", program(), "--dimension", "1", "--json");
  expect(JSON.parse(stdout)).toMatchObject({
    schema: "normacube.run/1",
    endings: [
      { node: 0, value: 0 },
      { node: 1, value: 10 },
    ],
  });
});

test("cli: run with a program that fails on one node is a failed check", () => {
  const run = normacube("run", program(), "--dimension", "1", "--args", '{ "failOn": 1 }');
  expect(run.status).toBe(1);
  expect(run.stdout).toMatch(/node 0: 0\nnode 1: failed: .*0xBAD/);
});

test("cli: run with a program that does not end in time is no progress", () => {
  const run = normacube(
    ...["run", program(), "--dimension", "0", "--timeout", "1", "--args", '{ "hang": true }'],
  );
  expect(run).toMatchObject({ status: 4, stdout: "" });
  expect(run.stderr).toContain("no end after 1 s");
});

test("cli: run without a program or with arguments that are no JSON is bad usage", () => {
  expect(normacube("run", join(SCRATCH, "missing.mjs")).status).toBe(2);
  expect(normacube("run", program(), "--args", "{").status).toBe(2);
  const machine = normacube(
    "run",
    program(),
    "--machine",
    '{ "interconnect": { "kind": "string" } }',
  );
  expect(machine.status).toBe(2);
  expect(machine.stderr).toContain('option interconnect.kind is "string"; it must be one of');
  const file = join(SCRATCH, "number.json");
  writeFileSync(file, "3");
  const number = normacube("run", program(), "--machine", file);
  expect(number.status).toBe(2);
  expect(number.stderr).toContain("options is 3; it must be an object");
});

test("cli: run takes any options of the machine as a document; single options come on top", () => {
  const file = join(SCRATCH, "machine.json");
  const options = {
    dimension: 1,
    seed: 7,
    interconnect: { kind: "ethernet" },
    faults: { drop: 0.1 },
  };
  writeFileSync(file, JSON.stringify(options));
  const run = normacube("run", program(), "--machine", file, "--seed", "9");
  expect(run).toMatchObject({ status: 0, stdout: "node 0: 0\nnode 1: 10\n" });
  expect(run.stderr).toContain("SEED=9");
});

test("cli: info tells cores, versions and features", () => {
  const text = normacube("info");
  expect(text.status).toBe(0);
  expect(text.stdout).toMatch(/Atomics.pause +(yes|no)/);
  const info = JSON.parse(normacube("info", "--json").stdout);
  expect(info).toMatchObject({ schema: "normacube.info/1", node: process.version });
  expect(info.features["shared WebAssembly.Memory"]).toBe(true);
});
