// Suite rights with small fills: what counts is that the fill is there and that the parts give results.

import { afterAll, expect, test } from "@jest/globals";
import { BenchMachine } from "../../bench/contenders/bench-machine.ts";
import { type Progress, SILENT } from "../../bench/harness/progress.ts";
import { checkFill, FILL_STEPS, fillNode } from "../../bench/rights/fill-node.ts";
import { measureRpc } from "../../bench/rights/measure-rpc.ts";
import { measureSpace, sizesOf, spaceSlices } from "../../bench/rights/measure-space.ts";
import { RpcInOneThread } from "../../bench/rights/rpc-in-one-thread.ts";

const FILL = { ports: 1500, holders: 3 };
const EFFORT = { rounds: 3, sliceNs: 1e5, samplesMin: 4, samplesMax: 8 };

const bench = new BenchMachine(1, 1, 7);
afterAll(() => bench.halt());

test("rights: a filled node has the ports and send rights that were asked for, another one none", async () => {
  const machine = await bench.running();
  const [node, other] = [await machine.census(1), await machine.census(0)];
  let steps = 0;
  const before = await fillNode(machine, 1, FILL, () => {
    steps += 1;
  });
  expect(steps).toBe(FILL_STEPS);
  expect(before).toEqual(node);
  const after = await machine.census(1);
  expect(after.ports - before.ports).toBeGreaterThanOrEqual(1500);
  expect(after.sendRights - before.sendRights).toBeGreaterThanOrEqual(4500);
  expect((await machine.census(0)).sendRights - other.sendRights).toBeLessThan(FILL.holders);
});

test("rights: a fill that is not there, or not any more, is an error that tells what is", () => {
  const before = { ports: 10, sendRights: 20 };
  const now = { node: 1, ports: 1510, sendRights: 4520 };
  expect(() => checkFill(now, before, FILL)).not.toThrow();
  expect(() => checkFill({ ...now, sendRights: 4519 }, before, FILL)).toThrow(
    "node 1 was filled with 1500 ports and 4499 send rights, not with 1500 and 4500",
  );
  expect(() => checkFill({ ...now, ports: 1509 }, before, FILL)).toThrow("1499 ports");
});

test("rights: a task of the fill that fails ends the filling", async () => {
  const machine = await bench.running();
  const refusing = Object.create(machine, {
    spawn: {
      value: (node: number, program: URL, options: object) =>
        machine.spawn(node, program, { ...options, args: null }),
    },
  }) as typeof machine;
  await expect(fillNode(refusing, 0, FILL)).rejects.toThrow(/null/);
});

test("rights: the RPC has a result for either fill and a ratio between them", async () => {
  const started: string[] = [];
  const progress: Progress = { ...SILENT, start: (suite) => started.push(suite) };
  const plan = { suite: "rights", fill: FILL, seed: 7, effort: EFFORT };
  const { results, ratios } = await measureRpc(plan, progress);
  expect(started).toEqual(["rights: fill", "rights"]);
  const rows = results.map(({ name, params }) => [name, params.ports, params.sendRights]);
  expect(rows).toEqual([
    ["fill", 1500, 4500],
    ["resident", 1500, 4500],
    ["mach-sync", 0, 0],
    ["mach", 0, 0],
    ["rpc-one-thread", 0, 0],
    ["mach-sync", 1500, 4500],
    ["mach", 1500, 4500],
    ["rpc-one-thread", 1500, 4500],
  ]);
  expect(ratios.map(({ name }) => name)).toEqual([
    "mach-sync filled/empty",
    "mach filled/empty",
    "rpc-one-thread filled/empty",
  ]);
  for (const { value } of ratios) expect(value).toBeGreaterThan(0);
});

test("rights: every operation on a space has a result per size and ratios to the smallest", async () => {
  const names = [10, 100];
  let slices = 0;
  const { results, ratios } = await measureSpace("rights", names, 7, EFFORT, () => {
    slices += 1;
  });
  expect(slices).toBe(spaceSlices(names, EFFORT));
  expect(sizesOf(names)).toEqual([
    { names: 10, touched: 10 },
    { names: 100, touched: 10 },
    { names: 100, touched: 100 },
  ]);
  const operations = ["look-up", "copyin", "copyout-known", "copyout-new"];
  expect(results.map(({ name }) => name)).toEqual(operations.flatMap((name) => [name, name, name]));
  expect(ratios.map(({ name }) => name)).toEqual(
    operations.flatMap((name) => [`${name}/10-names`, `${name}/10-names`]),
  );
  for (const { p50 } of results) expect(p50).toBeGreaterThan(0);
});

test("rights: slice() before prepare() is an error", async () => {
  await expect(new RpcInOneThread(FILL, 7).slice(1)).rejects.toThrow(/before prepare/);
});
