// Faults as a description: in a file, by name, in swarms, in words.

import { expect, test } from "@jest/globals";
import { activeFaults, faultRules } from "../../src/config/active-faults.ts";
import { describeFaults } from "../../src/config/describe-faults.ts";
import { type FaultOptionsInput, parseFaults } from "../../src/config/fault-options.ts";
import { FAULT_PRESETS } from "../../src/config/fault-presets.ts";
import { parseMachineOptions } from "../../src/config/machine-options.ts";
import { CLASS_NACK, CLASS_SYNC } from "../../src/hardware/packet-class.ts";

const parse = (faults: FaultOptionsInput) => parseFaults(faults, "faults");

test("faults: a file is a JSON document of the same fields", () => {
  expect(parseFaults('{ "drop": 0.1, "cuts": [{ "forNs": 5 }] }', "storm.json")).toEqual({
    drop: 0.1,
    cuts: [{ atNs: 0, forNs: 5 }],
    swarm: false,
  });
});

test.each<[string, string]>([
  ["{ drop: 1 }", "storm.json is not JSON: "],
  ["[]", "storm.json: fields is []; it must be an object"],
  ['{ "drop": 2 }', "storm.json: field drop is 2; it must be a"],
  ['{ "drops": 1 }', "storm.json: unknown field drops"],
  ['{ "delayNs": [2, 1] }', "storm.json: field delayNs is 2 to 1; the shortest time comes first"],
  [
    '{ "pauses": [{ "forNs": 2, "everyNs": 1 }] }',
    "storm.json: field pauses.0.everyNs is 1; it must be",
  ],
  ['{ "links": [{ "to": 5000 }] }', "storm.json: field links.0.to is 5000; it must be an integer"],
])("faults: a file that is wrong is told so, by field (%s)", (text, sentence) => {
  expect(() => parseFaults(text, "storm.json")).toThrow(sentence);
});

test.each(Object.entries(FAULT_PRESETS))(
  "faults: preset %s is a description for any machine",
  (_name, faults) => {
    expect(parseMachineOptions({ dimension: 0, faults }, "threads").faults).toEqual(parse(faults));
  },
);

test("faults: a swarm switches each kind off in about half of the runs, by the seed alone, links included", () => {
  const faults = parse({
    drop: 0.1,
    flip: 0.1,
    pauses: [{ forNs: 1 }],
    links: [{ from: 1, drop: 0.5, reorder: 0.5 }],
    swarm: true,
  });
  const count = { drop: 0, flip: 0, pauses: 0, both: 0 };
  for (let seed = 0; seed < 400; seed++) {
    const active = activeFaults(faults, seed);
    expect(activeFaults(faults, seed)).toEqual(active);
    expect("drop" in active.links![0]!).toBe("drop" in active);
    for (const kind of ["drop", "flip", "pauses"] as const) if (kind in active) count[kind] += 1;
    if ("drop" in active && "flip" in active) count.both += 1;
  }
  for (const kind of ["drop", "flip", "pauses"] as const) {
    expect(count[kind]).toBeGreaterThan(150);
    expect(count[kind]).toBeLessThan(250);
  }
  expect(count.both).toBeGreaterThan(60);
  expect(count.both).toBeLessThan(140);
  expect(activeFaults({ ...faults, swarm: false }, 1)).toEqual({ ...faults, swarm: false });
});

test("faults: rules have the machine's seed unless they have their own, and classes by number", () => {
  const faults = parse({ links: [{ packets: ["nack", "sync"], drop: 1 }] });
  expect(faultRules(faults, 7)).toMatchObject({
    seed: 7,
    links: [{ packets: [CLASS_NACK, CLASS_SYNC], drop: 1 }],
  });
  expect(faultRules({ ...faults, seed: 9 }, 7).seed).toBe(9);
});

test("faults: described in lines", () => {
  const faults = parse({
    drop: 0.1,
    flip: { every: 3 },
    links: [{ from: 1, packets: ["ack"], drop: 1 }],
    cuts: [
      { node: 2, atNs: 5, forNs: 6, everyNs: 7, chance: 0.5 },
      { from: 1, to: 3, forNs: 9 },
    ],
    pauses: [{ forNs: 1 }],
    starve: [{ node: 0, forNs: 2 }],
    clocks: [{ node: 3, rate: 2 }],
  });
  expect(describeFaults(faults, 1)).toEqual([
    'all links: drop 0.1, flip {"every":3}',
    "1 to all, ack: drop 1",
    "node 2 cut for 6 ns from 5 ns every 7 ns with probability 0.5",
    "1 to 3 cut for 9 ns from 0 ns",
    "every node paused for 1 ns from 0 ns",
    "node 0 starved for 2 ns from 0 ns",
    "clock of node 3 at 2",
  ]);
  expect(describeFaults(parse({}), 1)).toEqual(["none"]);
});
