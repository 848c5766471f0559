import { afterEach, expect, test } from "@jest/globals";
import type { Contender } from "../../bench/harness/contender.ts";
import { comlinkPeer } from "../../bench/peers/comlink.ts";
import { messagePortPeer } from "../../bench/peers/messageport.ts";
import { missingForOpenMpi, OpenMpiPeer } from "../../bench/peers/openmpi.ts";
import { PeerThread } from "../../bench/peers/peer-thread.ts";
import { PiscinaPeer } from "../../bench/peers/piscina.ts";
import { RawPeer } from "../../bench/peers/raw.ts";
import { RawPagesPeer } from "../../bench/peers/raw-pages.ts";

const PEERS: readonly (readonly [string, () => Contender])[] = [
  ["raw", () => new RawPeer()],
  ["messageport", messagePortPeer],
  ["comlink", comlinkPeer],
  ["piscina", () => new PiscinaPeer()],
];
const SAMPLES = 8;

const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((entry) => entry.close()));
});

for (const [name, make] of PEERS) {
  test(`peer: ${name}: slices at two points give plausible times`, async () => {
    const peer = make();
    opened.push(peer);
    expect(peer.name).toBe(name);
    for (const bytes of [0, 1024]) {
      await peer.prepare({ bytes });
      for (let round = 0; round < 2; round++) {
        const slice = await peer.slice(SAMPLES);
        expect(slice).toHaveLength(SAMPLES);
        // Between a cache miss and a hang.
        for (const ns of slice) expect(ns > 10 && ns < 10e9).toBe(true);
      }
    }
  });
}

for (const [name, whole, bothWays] of [
  ["page by page", false, false],
  ["whole messages", true, false],
  ["both ways", false, true],
] as const) {
  test(`peer: raw pages, ${name}: what was sent came, from a page to 4 MiB`, async () => {
    const peer = new RawPagesPeer("raw-pages", whole, bothWays);
    opened.push(peer);
    await expect(peer.slice(1)).rejects.toThrow(/before prepare/);
    for (const bytes of [4096, 65_536, 4_194_304]) {
      await peer.prepare({ bytes });
      for (let round = 0; round < 2; round++) {
        const slice = await peer.slice(2);
        expect(slice).toHaveLength(2);
        for (const ns of slice) expect(ns > 10 && ns < 10e9).toBe(true);
      }
    }
    expect(peer.batch).toBe(2);
    await expect(peer.prepare({ bytes: 4097 })).rejects.toThrow(RangeError);
  });
}

test("peer: openmpi: what is missing is named", () => {
  expect(missingForOpenMpi("")).toBe("mpicc and mpirun not on the PATH");
});

const testWithOpenMpi = missingForOpenMpi() === null ? test : test.skip;

testWithOpenMpi("peer: openmpi: latency and bandwidth give plausible times", async () => {
  for (const kind of ["latency", "bandwidth"] as const) {
    const peer = new OpenMpiPeer(kind, () => 4);
    opened.push(peer);
    for (const bytes of [64, 65_536]) {
      await peer.prepare({ bytes });
      expect(peer.batch).toBe(kind === "latency" ? 8 : 4);
      const slice = await peer.slice(SAMPLES);
      expect(slice).toHaveLength(SAMPLES);
      for (const ns of slice) expect(ns > 10 && ns < 10e9).toBe(true);
    }
  }
});

testWithOpenMpi("peer: openmpi: a question that it refuses fails the slice", async () => {
  const peer = new OpenMpiPeer("bandwidth", () => 1_000_000);
  opened.push(peer);
  await peer.prepare({ bytes: 64 });
  await expect(peer.slice(1)).rejects.toThrow(/mpirun ended/);
});

test("peer: between slices raw's threads sleep", async () => {
  const peer = new RawPeer();
  opened.push(peer);
  await peer.prepare();
  await peer.slice(SAMPLES);
  const before = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, 300)); // the window that is measured
  const { user, system } = process.cpuUsage(before);
  // A thread that went on spinning would have used 300,000 us.
  expect(user + system).toBeLessThan(150_000);
});

test("peer: slice() before prepare() is an error", async () => {
  for (const [, make] of PEERS) {
    await expect((async () => make().slice(1))()).rejects.toThrow(/before prepare/);
  }
});

test("peer thread: its death fails the open question and every later one", async () => {
  const dying = new URL(
    `data:text/javascript,${encodeURIComponent(
      'import { parentPort } from "node:worker_threads"; parentPort.on("message", () => process.exit(9));',
    )}`,
  );
  const thread = await PeerThread.start<number, number>(dying, null);
  opened.push(thread);
  await expect(thread.ask(1)).rejects.toThrow("exited with code 9");
  await expect(thread.ask(2)).rejects.toThrow("exited with code 9");
});
