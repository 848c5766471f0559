import { availableParallelism } from "node:os";
import { expect, test } from "@jest/globals";
import { describeHost } from "../../bench/harness/host.ts";
import { progressOn } from "../../bench/harness/progress.ts";

test("host: says what a reader needs to repeat a run", () => {
  const host = describeHost();
  expect(host.node).toBe(process.version);
  expect(host.cores).toBe(availableParallelism());
  expect(host.cpu).not.toBe("");
  // A repository of its own, or none: never the commit of whoever installed the package.
  expect(host.commit === null || /^[0-9a-f]{12}\+?$/.test(host.commit)).toBe(true);
});

test("progress: a stream that is no terminal gets one line per suite", () => {
  const lines: string[] = [];
  const write = (text: string) => lines.push(text) > 0;
  const progress = progressOn({ isTTY: false, write } as unknown as NodeJS.WriteStream);
  progress.start("rpc", 96);
  for (let i = 0; i < 96; i++) progress.step("bytes=64");
  progress.stop();
  expect(lines).toEqual(["bench: rpc: 96 steps\n"]);
});
