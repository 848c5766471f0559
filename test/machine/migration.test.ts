// A port whose receive right goes round a machine in threads while every node sends to it: every letter is received
// once, in the order of its writer, and the token finds when there are no senders.

import { expect, test } from "@jest/globals";
import { boot, program, within } from "../support/machines.ts";
import type { Stage, TravellerArgs } from "./programs/traveller.ts";

const LETTERS = 60;

test.each<[string, object]>([
  ["a worker for each node", { dimension: 2 }],
  ["two workers", { dimension: 3, processors: { workers: 2 } }],
  ["one packet at a time", { dimension: 2, transport: { windowPackets: 1 } }],
  ["store and forward", { dimension: 2, interconnect: { kind: "store-and-forward" } }],
  ["packets lost", { dimension: 2, faults: { drop: 0.01 } }],
])("migration: a port travels while all nodes send to it (%s)", async (_what, options) => {
  await using booted = await boot({ kernel: { tokenPauseNs: 1e6 }, ...options });
  const { machine } = booted;
  const places = machine.nodes;
  const tasks = [];
  for (let place = 0; place < places; place++) {
    const args: TravellerArgs = { place, places, stages: 2 * places, letters: LETTERS };
    tasks.push(await machine.spawn(place, program("traveller"), { args }));
  }
  const ended = Promise.all(tasks.map(({ exited }) => exited));
  const stages = (await within(30_000, "the travellers", ended)).flat() as Stage[];
  stages.sort((a, b) => a.stage - b.stage);
  expect(stages.map(({ stage }) => stage)).toEqual([...Array(2 * places + 1).keys()]);
  const letters = stages.flatMap(({ got }) => got);
  expect(letters.length).toBe(2 * places * LETTERS);
  const last = Array<number>(places).fill(0);
  for (let at = 0; at < letters.length; at += 2) {
    const [writer, number] = [letters[at]!, letters[at + 1]!];
    expect(number).toBe(last[writer]! + 1);
    last[writer] = number;
  }
});
