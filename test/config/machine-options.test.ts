// Machine options: defaults, and what every mistake is told.

import { describe, expect, test } from "@jest/globals";
import { type MachineOptionsInput, parseMachineOptions } from "../../src/config/machine-options.ts";
import { OptionError } from "../../src/config/option-error.ts";

const complaint = (input: unknown, driver: "threads" | "simulation" = "threads"): string => {
  try {
    parseMachineOptions(input as MachineOptionsInput, driver);
  } catch (error) {
    expect(error).toBeInstanceOf(OptionError);
    return (error as Error).message;
  }
  return "accepted";
};

/** { memory: { pageBytes: value } } from "memory.pageBytes". */
const nested = (path: string, value: unknown): Record<string, unknown> =>
  path
    .split(".")
    .reverse()
    .reduce((inner, key) => ({ [key]: inner }), value as Record<string, unknown>);

test("options: without any, everything has its documented default", () => {
  expect(parseMachineOptions({}, "threads")).toEqual({
    dimension: 3,
    seed: 1,
    memory: {
      pageBytes: 4096,
      bytesPerNode: 4_194_304,
      kind: "auto",
      poison: false,
      swapBytes: 67_108_864,
    },
    devices: [],
    interconnect: {
      kind: "direct-connect",
      ringLength: 16,
      channelSlots: 4,
      reassemblies: 8,
      latencyNs: 0,
      bytesPerSecond: 0,
    },
    transport: {
      windowPackets: 8,
      ackDelayNs: 20_000,
      timeoutInitialNs: 200_000,
      timeoutMinNs: 10_000,
      timeoutMaxNs: 50_000_000,
    },
    kernel: {
      messages: 256,
      namesPerTask: 2 ** 24 - 2,
      loopback: false,
      tokenPauseNs: 2e9,
      transfer: "page-list",
      protection: "busy",
    },
    processors: { idle: "adaptive", spinNs: 200_000 },
    trace: { entries: 0 },
    host: { haltMs: 2000, bootMs: 60_000 },
  });
});

test("options: one given inside a group leaves the others of the group at their defaults", () => {
  const { memory, kernel } = parseMachineOptions({ memory: { pageBytes: 1024 } }, "simulation");
  expect(memory).toMatchObject({ pageBytes: 1024, bytesPerNode: 4_194_304, kind: "auto" });
  expect(kernel.messages).toBe(256);
});

// option, least, greatest, and whether it must be whole
const RANGES: [string, number, number, "integer" | "number" | "power of two"][] = [
  ["seed", 0, Number.MAX_SAFE_INTEGER, "integer"],
  ["memory.pageBytes", 1024, 65_536, "power of two"],
  ["memory.bytesPerNode", 131_072, 2 ** 32, "integer"],
  ["memory.swapBytes", 0, 17_179_869_184, "integer"],
  ["memory.reserveFrames", 0, 4_194_304, "integer"],
  ["memory.pageoutLowFrames", 0, 4_194_304, "integer"],
  ["memory.pageoutHighFrames", 0, 4_194_304, "integer"],
  ["interconnect.ringLength", 1, 1024, "power of two"],
  ["interconnect.channelSlots", 1, 64, "power of two"],
  ["interconnect.reassemblies", 1, 64, "integer"],
  ["interconnect.latencyNs", 0, 1e10, "number"],
  ["interconnect.bytesPerSecond", 0, 1e12, "number"],
  ["transport.windowPackets", 1, 1024, "integer"],
  ["transport.ackDelayNs", 0, 1e9, "number"],
  ["transport.timeoutInitialNs", 1000, 1e10, "number"],
  ["transport.timeoutMinNs", 1000, 1e10, "number"],
  ["transport.timeoutMaxNs", 1000, 1e10, "number"],
  ["kernel.messages", 8, 65_536, "integer"],
  ["kernel.receiveReserve", 1, 32_768, "integer"],
  ["kernel.namesPerTask", 16, 2 ** 24 - 2, "integer"],

  ["processors.workers", 1, 128, "integer"],
  ["processors.spinNs", 0, 1e10, "number"],
  ["faults.seed", 0, Number.MAX_SAFE_INTEGER, "integer"],
  ["trace.entries", 0, 65_536, "integer"],
  ["host.haltMs", 0, 600_000, "integer"],
  ["host.bootMs", 1, 600_000, "integer"],
];

describe.each(RANGES)("option %s", (option, min, max, kind) => {
  const range = `it must be a${kind === "integer" ? "n" : ""} ${kind} from ${min} to ${max}`;
  const wrong: [string, unknown][] = [
    [`${min - 1}`, min - 1],
    [`${max * 2}`, max * 2],
    ['"7"', "7"],
    ["true", true],
    ["null", null],
    ["NaN", Number.NaN],
    ["Infinity", Number.POSITIVE_INFINITY],
    ["an object", {}],
    ["[1]", [1]],
  ];
  if (kind !== "number") wrong.push([`${min + 0.5}`, min + 0.5]);
  if (kind === "power of two") wrong.push([`${max - 1}`, max - 1]);
  test.each(wrong)("options: %s is refused, with the option and its range", (shown, value) => {
    expect(complaint(nested(option, value))).toBe(`option ${option} is ${shown}; ${range}`);
  });

  test("options: both ends of the range pass the check of this option", () => {
    for (const value of [min, max]) expect(complaint(nested(option, value))).not.toContain(range);
  });
});

test("options: the pause of the token is a time, or manual", () => {
  const range = 'it must be a number from 0 to 10000000000, or "manual"';
  for (const tokenPauseNs of [-1, 2e10, "auto", null, Number.NaN]) {
    const shown = typeof tokenPauseNs === "string" ? '"auto"' : `${tokenPauseNs}`;
    const heard = complaint({ kernel: { tokenPauseNs } });
    expect(heard).toBe(`option kernel.tokenPauseNs is ${shown}; ${range}`);
  }
  for (const tokenPauseNs of [0, 1e10, "manual"]) {
    expect(complaint({ kernel: { tokenPauseNs } })).toBe("accepted");
  }
});

test("options: the dimension is 0 to 7 in threads, to 10 in simulation", () => {
  const range = "it must be an integer from 0 to 7, or to 10 in simulation";
  for (const dimension of [-1, 1.5, 8, 11]) {
    expect(complaint({ dimension })).toBe(`option dimension is ${dimension}; ${range}`);
  }
  expect(complaint({ dimension: "3" })).toBe(`option dimension is "3"; ${range}`);
  for (const dimension of [0, 1, 7]) expect(complaint({ dimension })).toBe("accepted");
  const memory = { bytesPerNode: 262_144 };
  expect(complaint({ dimension: 10, memory }, "simulation")).toBe("accepted");
  expect(complaint({ dimension: 11, memory }, "simulation")).toContain(range);
});

test.each([
  ["memory.kind", '"auto", "wasm", "shared-array-buffer"'],
  ["interconnect.kind", '"direct-connect", "store-and-forward", "ethernet", "token-ring"'],
  ["processors.idle", '"adaptive", "spin", "yield", "park"'],
])("options: %s is one of a few", (option, choices) => {
  for (const [value, shown] of [
    ["best", '"best"'],
    [5, "5"],
    [null, "null"],
  ]) {
    expect(complaint(nested(option as string, value))).toBe(
      `option ${option} is ${shown}; it must be one of ${choices}`,
    );
  }
});

test("options: an ethernet is unreliable, and transport.unreliable may not deny it", () => {
  const interconnect = { kind: "ethernet" };
  expect(complaint({ interconnect, transport: { unreliable: false } })).toBe(
    "option transport.unreliable is false; an ethernet is unreliable by itself, leave it out",
  );
  expect(complaint({ interconnect, transport: { unreliable: true } })).toBe("accepted");
  expect(complaint({ interconnect })).toBe("accepted");
});

test.each(["memory.poison", "transport.unreliable"])("options: %s is true or false", (option) => {
  expect(complaint(nested(option, 1))).toBe(`option ${option} is 1; it must be true or false`);
});

test.each([
  ["memory", "kind"],
  ["interconnect", "kind"],
  ["transport", "window"],
  ["kernel", "message"],
  ["processors", "worker"],
  ["faults", "drops"],
  ["trace", "entry"],
  ["host", "halt"],
])("options: group %s refuses what is no group and keys that it does not have", (group, _key) => {
  expect(complaint({ [group]: 7 })).toBe(`option ${group} is 7; it must be an object`);
  expect(complaint({ [group]: { sped: 1 } })).toBe(`unknown option ${group}.sped`);
  expect(complaint({ [group]: { sped: 1, spud: 2 } })).toBe(
    `unknown option ${group}.sped, ${group}.spud`,
  );
});

test("options: unknown keys at the top, and options that are none", () => {
  expect(complaint({ dimensions: 3 })).toBe("unknown option dimensions");
  expect(complaint(null)).toBe("options is null; it must be an object");
  expect(complaint([])).toBe("options is []; it must be an object");
});

test("options: several mistakes are told together", () => {
  const message = complaint({ seed: -1, memory: { kind: "x" }, speed: 1 });
  expect(message.split("; it ")[0]).toBe("option seed is -1");
  expect(message).toContain("option memory.kind");
  expect(message).toContain("unknown option speed");
});

test("options: pageout begins below the mark that it goes on to", () => {
  expect(complaint({ memory: { pageoutLowFrames: 8, pageoutHighFrames: 8 } })).toBe("accepted");
  expect(complaint({ memory: { pageoutLowFrames: 9, pageoutHighFrames: 8 } })).toBe(
    "option memory.pageoutLowFrames is 9; it must be at most memory.pageoutHighFrames, 8",
  );
});

describe("devices", () => {
  const disk = { node: 0, name: "sd0", bytes: 512 };
  const complain = (...devices: unknown[]) => complaint({ dimension: 1, devices });

  test("options: a disk has a file or a size, a name, and a node", () => {
    expect(complain(disk, { node: 1, name: "sd0", path: "a" }, { ...disk, name: "sd1" })).toBe(
      "accepted",
    );
    expect(complain({ ...disk, path: "a" })).toBe(
      "option devices.0 must have either a path or bytes",
    );
    expect(complain({ node: 0, name: "sd0" })).toBe(
      "option devices.0 must have either a path or bytes",
    );
    expect(complain(disk, { ...disk, node: 2 })).toBe(
      "option devices.1 is on node 2; nodes are 0 to 1",
    );
    const name = "it must be a text of 1 to 127 characters";
    expect(complain({ ...disk, name: "" })).toBe(`option devices.0.name is ""; ${name}`);
    expect(complain({ ...disk, name: 7 })).toBe(`option devices.0.name is 7; ${name}`);
    expect(complain({ ...disk, name: "x".repeat(128) })).toContain(name);
    expect(complain({ node: 0, name: "sd0", path: 7 })).toBe(
      "option devices.0.path is 7; it must be the path of a file",
    );
    expect(complaint({ devices: disk })).toBe("option devices is an object; it must be an array");
    expect(complain({ ...disk, speed: 1 })).toBe("unknown option devices.0.speed");
  });

  test("options: the size of a disk is a number of records", () => {
    expect(complain({ ...disk, bytes: 2 ** 39 })).toBe("accepted");
    const range = "it must be an integer from 512 to 549755813888";
    for (const bytes of [0, 511, 2 ** 39 + 512]) {
      expect(complain({ ...disk, bytes })).toBe(`option devices.0.bytes is ${bytes}; ${range}`);
    }
    expect(complain({ ...disk, bytes: 513 })).toBe(
      "option devices.0.bytes is 513; it must be a multiple of 512",
    );
  });

  test("options: two disks of one node have different names", () => {
    expect(complain(disk, disk)).toBe('option devices.1 is "sd0"; node 0 has a disk of that name');
  });
});

describe("faults", () => {
  test.each(["drop", "duplicate", "delay", "reorder", "flip"])("options: %s is a rate", (fault) => {
    for (const rate of [0, 0.5, 1, { every: 3 }, { once: 1 }]) {
      expect(complaint({ faults: { [fault]: rate } })).toBe("accepted");
      expect(complaint({ faults: { links: [{ from: 0, to: 7, [fault]: rate }] } })).toBe(
        "accepted",
      );
    }
    const rate = "it must be a probability from 0 to 1, { every: n } or { once: n }";
    const complain = (value: unknown) => complaint({ faults: { [fault]: value } });
    expect(complain("often")).toBe(`option faults.${fault} is "often"; ${rate}`);
    expect(complain({ each: 3 })).toBe(`option faults.${fault} is an object; ${rate}`);
    expect(complain(1.1)).toContain(`option faults.${fault} is 1.1; it must be a`);
    expect(complain({ every: 0 })).toContain(
      `option faults.${fault}.every is 0; it must be an integer from 1`,
    );
    const links = [{ from: 0, to: 1, [fault]: -0.1 }];
    expect(complaint({ faults: { links } })).toContain(`option faults.links.0.${fault} is -0.1`);
  });

  test("options: the time that a packet is held back is a range", () => {
    expect(complaint({ faults: { delayNs: [5, 5] } })).toBe("accepted");
    expect(complaint({ faults: { delayNs: [6, 5] } })).toBe(
      "option faults.delayNs is 6 to 5; the shortest time comes first",
    );
    expect(complaint({ faults: { links: [{ from: 0, to: 1, delayNs: [6, 5] }] } })).toContain(
      "option faults.links.0.delayNs is 6 to 5",
    );
    expect(complaint({ faults: { delayNs: [-1, 5] } })).toBe(
      "option faults.delayNs.0 is -1; it must be a number from 0 to 10000000000",
    );
    for (const delayNs of [[1], [1, 2, 3], 5]) {
      expect(complaint({ faults: { delayNs } })).toContain("it must be two numbers, the shortest");
    }
  });

  test.each(["cuts", "pauses", "starve"])("options: %s are windows of time", (list) => {
    const complain = (entry: object) => complaint({ faults: { [list]: [entry] } });
    expect(complain({ forNs: 5 })).toBe("accepted");
    expect(complain({ atNs: 1, forNs: 5, everyNs: 5, chance: 0.5, node: 7 })).toBe("accepted");
    const at = `option faults.${list}.0`;
    expect(complain({})).toContain(`${at}.forNs is undefined; it must be a number from 1`);
    expect(complain({ forNs: 5, atNs: -1 })).toContain(`${at}.atNs is -1`);
    expect(complain({ forNs: 5, everyNs: 4 })).toBe(
      `${at}.everyNs is 4; it must be at least forNs, 5`,
    );
    expect(complain({ forNs: 5, chance: 0.5 })).toBe(`${at}.chance is 0.5; it needs everyNs`);
    expect(complain({ forNs: 5, everyNs: 9, chance: 2 })).toContain(`${at}.chance is 2`);
    expect(complain({ forNs: 5, node: 8 })).toBe(`${at}.node is 8; nodes are 0 to 7`);
    expect(complain({ forNs: 5, nodes: 1 })).toBe(`unknown option faults.${list}.0.nodes`);
  });

  test("options: clocks have a node and a rate; classes of packets have names; swarm is a switch", () => {
    expect(complaint({ faults: { clocks: [{ node: 1, rate: 0.5 }], swarm: true } })).toBe(
      "accepted",
    );
    expect(complaint({ faults: { clocks: [{ node: 1, rate: 11 }] } })).toBe(
      "option faults.clocks.0.rate is 11; it must be a number from 0.1 to 10",
    );
    expect(complaint({ faults: { clocks: [{ rate: 1 }] } })).toContain(
      "option faults.clocks.0.node",
    );
    expect(complaint({ faults: { links: [{ packets: ["data", "sync"], drop: 1 }] } })).toBe(
      "accepted",
    );
    expect(complaint({ faults: { links: [{ packets: ["token"] }] } })).toBe(
      'option faults.links.0.packets.0 is "token"; it must be one of "data", "ack", "nack", "sync", "quench"',
    );
    expect(complaint({ faults: { swarm: 1 } })).toBe(
      "option faults.swarm is 1; it must be true or false",
    );
  });

  test("options: a link names two nodes of this machine", () => {
    const links = [
      { from: 0, to: 1 },
      { from: 2, to: 9 },
    ];
    expect(complaint({ faults: { links } })).toBe(
      "option faults.links.1.to is 9; nodes are 0 to 7",
    );
    expect(complaint({ faults: { links: [{ from: 0 }] } })).toBe("accepted");
    expect(complaint({ faults: { links: {} } })).toBe(
      "option faults.links is an object; it must be an array",
    );
  });
});

describe("combinations", () => {
  test.each<[string, MachineOptionsInput, string]>([
    [
      "memory that is no multiple of the page size",
      { memory: { bytesPerNode: 200_000 } },
      "option memory.bytesPerNode is 200000; it must be a multiple of memory.pageBytes, 4096",
    ],
    [
      "more than 4 GiB in all",
      { dimension: 7, memory: { bytesPerNode: 2 ** 25 } },
      "option memory.bytesPerNode is 33554432; 128 nodes of it make more than the 4 GiB that one " +
        "shared memory can have",
    ],
    [
      "a reserve of more than half of the messages",
      { kernel: { messages: 16, receiveReserve: 9 } },
      "option kernel.receiveReserve is 9; it must be 1 to half of kernel.messages, 8",
    ],
    [
      "more workers than nodes",
      { dimension: 1, processors: { workers: 3 } },
      "option processors.workers is 3; it must be 1 to the number of nodes, 2",
    ],
    [
      "a least timeout above the greatest",
      { transport: { timeoutMinNs: 2000, timeoutMaxNs: 1000 } },
      "option transport.timeoutMinNs is 2000; it must be at most transport.timeoutMaxNs, 1000",
    ],
    [
      "faults on a network that is said to be reliable",
      { faults: { drop: 0.1 }, transport: { unreliable: false } },
      "option transport.unreliable is false; with faults the network is unreliable, leave it out",
    ],
  ])("options: %s", (_what, input, message) => {
    expect(complaint(input)).toBe(message);
  });
});
