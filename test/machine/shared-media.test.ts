// Kernels in real threads over an ethernet and a token ring: calls between all nodes, pages of every size, and
// messages of several pages, on one medium.

import { describe, expect, test } from "@jest/globals";
import { boot, program, runOn, within } from "../support/machines.ts";

/** Every node serves; every node calls every node, its own too, with each size. */
const callAllPairs = async (
  options: Parameters<typeof boot>[0],
  sizes: readonly number[],
): Promise<void> => {
  await using test = await boot(options);
  const { machine } = test;
  const servers = Array.from({ length: machine.nodes }, (_, node) => node);
  await Promise.all(servers.map((node) => machine.spawn(node, program("echo"))));
  const args = { servers, sizes };
  const calls = servers.map((node) => runOn(machine, node, program("call-echo"), args));
  expect(await Promise.all(calls)).toEqual(servers.map(() => servers.length * sizes.length));
};

describe.each(["ethernet", "token-ring"] as const)("%s", (kind) => {
  test("rpc: across every ordered pair of 4 nodes, with one receive descriptor each", async () => {
    const interconnect = { kind, ringLength: 1 };
    const processors = { workers: 4 };
    await callAllPairs({ dimension: 2, processors, interconnect }, [0, 64, 192, 193, 1448, 4096]);
  });

  test("rpc: 16 nodes on 2 workers", async () => {
    const options = { dimension: 4, processors: { workers: 2 }, interconnect: { kind } };
    await callAllPairs(options, [0, 4096]);
  });

  test("rpc: with pages of 64 KiB", async () => {
    const memory = { pageBytes: 65_536, bytesPerNode: 1 << 23 };
    await callAllPairs({ dimension: 1, memory, interconnect: { kind } }, [0, 1449, 65_535, 65_536]);
  });

  test("rpc: paced, at 10 Mbit/s", async () => {
    const interconnect = { kind, latencyNs: 1e5, bytesPerSecond: 1.25e6 };
    const transport = { timeoutInitialNs: 20e6, timeoutMaxNs: 500e6 };
    await callAllPairs({ dimension: 2, interconnect, transport }, [0, 4096]);
  });

  test("pages: stores race against what is on its way", async () => {
    await using booted = await boot({ dimension: 1, interconnect: { kind } });
    const { machine } = booted;
    const args = { port: "racing", node: 1, messages: 300, pages: 16, protection: "busy" };
    const receiver = await machine.spawn(1, program("racing-receiver"), { args });
    const sender = await machine.spawn(0, program("racing-sender"), { args });
    const all = Promise.all([receiver.exited, sender.exited]);
    const words = (300 * 16 * 4096) / 4;
    expect(await within(50_000, "all messages", all)).toEqual([words, words]);
  });
});
