// From options to the shape of a board.

import { expect, test } from "@jest/globals";
import { isUnreliable, machineLayout, workerCount } from "../../src/config/board-shape.ts";
import { type MachineOptionsInput, parseMachineOptions } from "../../src/config/machine-options.ts";
import { LoneNodes } from "../support/lone-node.ts";

const parse = (input: MachineOptionsInput) => parseMachineOptions(input, "simulation");

const SMALL = { bytesPerNode: 131_072 };

test.each<[string, MachineOptionsInput]>([
  ["a long receive ring", { dimension: 0, memory: SMALL, interconnect: { ringLength: 1024 } }],
  ["many messages", { dimension: 0, memory: SMALL, kernel: { messages: 65_536 } }],
  ["long traces", { dimension: 1, memory: SMALL, trace: { entries: 65_536 } }],
  ["large pages", { dimension: 0, memory: { ...SMALL, pageBytes: 65_536 } }],
  [
    "small pages and long traces",
    { dimension: 0, memory: { ...SMALL, pageBytes: 1024 }, trace: { entries: 65_536 } },
  ],
  [
    "small pages and the longest ring",
    { dimension: 0, memory: { ...SMALL, pageBytes: 1024 }, interconnect: { ringLength: 1024 } },
  ],
  [
    "slots for store-and-forward",
    {
      dimension: 5,
      memory: SMALL,
      interconnect: { kind: "store-and-forward", channelSlots: 64 },
    },
  ],
  [
    "places where frames are put together",
    { dimension: 1, memory: SMALL, interconnect: { kind: "ethernet", reassemblies: 64 } },
  ],
  ["faults", { dimension: 1, memory: SMALL, faults: { drop: 0.5 } }],
])(
  "board shape: too little memory for %s; what the message asks for is enough, and not a page less",
  (_what, input) => {
    let asked = 0;
    try {
      machineLayout(parse(input), 1);
    } catch (error) {
      const { message } = error as Error;
      expect(message).toMatch(
        /^option memory.bytesPerNode is 131072; with these options a node needs at least \d+$/,
      );
      asked = Number(message.split(" ").at(-1));
    }
    expect(asked).toBeGreaterThan(131_072);
    const withMemory = (bytesPerNode: number) =>
      parse({ ...input, memory: { ...input.memory, bytesPerNode } });
    const layout = machineLayout(withMemory(asked), 1);
    expect(layout.frameCount).toBeGreaterThanOrEqual(layout.ringLength + 8);
    const pageBytes = input.memory?.pageBytes ?? 4096;
    expect(() => machineLayout(withMemory(asked - pageBytes), 1)).toThrow("needs at least");
  },
);

test("board shape: the least memory that the options allow boots and works", async () => {
  const nodes = new LoneNodes({ dimension: 1, memory: SMALL, kernel: { messages: 64 } });
  const task = nodes.task(1);
  const port = task.ports.allocate();
  await nodes.run(task.names.checkIn("x", port));
  await nodes.run(nodes.task(0).names.lookUp("x"));
  await nodes.expectNothingLeaked();
});

test("board shape: workers are as many as asked for, or one per node up to four over the cores", () => {
  const workers = (input: MachineOptionsInput, cores: number) => workerCount(parse(input), cores);
  expect(workers({ dimension: 3, processors: { workers: 5 } }, 2)).toBe(5);
  expect(workers({ dimension: 0 }, 8)).toBe(1);
  expect(workers({ dimension: 2 }, 2)).toBe(4);
  expect(workers({ dimension: 3 }, 4)).toBe(8);
  expect(workers({ dimension: 3 }, 2)).toBe(2);
  expect(workers({ dimension: 7 }, 16)).toBe(16);
});

test("board shape: with faults or an ethernet the network is unreliable, else only if one says so", () => {
  expect(isUnreliable(parse({}))).toBe(false);
  expect(isUnreliable(parse({ faults: {} }))).toBe(true);
  expect(isUnreliable(parse({ interconnect: { kind: "ethernet" } }))).toBe(true);
  expect(isUnreliable(parse({ interconnect: { kind: "token-ring" } }))).toBe(false);
  expect(isUnreliable(parse({ transport: { unreliable: true } }))).toBe(true);
});
