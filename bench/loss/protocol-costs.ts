// The parts of suite loss that compare machines by the harness: large messages while packets are lost, as bandwidth; and what the
// protocol for unreliable networks costs on one that loses nothing, as time.

import type { MachineOptionsInput } from "../../src/index.ts";
import { BenchMachine } from "../contenders/bench-machine.ts";
import { largeMemory, stream } from "../contenders/page-shapes.ts";
import { PageStreams } from "../contenders/page-streams.ts";
import { ProgramPair } from "../contenders/program-pair.ts";
import { measureBandwidth } from "../harness/bandwidth.ts";
import type { Contender } from "../harness/contender.ts";
import type { Progress } from "../harness/progress.ts";
import type { BenchOptions, SuiteOutcome } from "../harness/report.ts";
import { largeEffortOf, measureSuite } from "../harness/suite.ts";
import { CLIENT_NODE } from "../programs/slice-args.ts";

const NODES = 2;
const LARGE_BYTES = 2 ** 20;
const SMALL_BYTES = 64;
/** Packets lost, of a hundred, where large messages are sent. */
const LOSS_PERCENT = 5;

const machineWith = (seed: number, options: MachineOptionsInput): BenchMachine =>
  new BenchMachine(1, 1, seed, NODES, { ...largeMemory(NODES), ...options });

const pages = (name: string, bench: BenchMachine): Contender =>
  new PageStreams(bench, {
    name,
    pairs: [{ from: CLIENT_NODE, to: bench.serverNode }],
    sync: false,
    shapeAt: ({ bytes = 0 }) => stream(bytes),
  });

const roundTrips = (name: string, bench: BenchMachine): Contender =>
  new ProgramPair(bench, {
    name,
    batch: 16,
    server: new URL("../programs/mach-server.js", import.meta.url),
    client: new URL("../programs/mach-client.js", import.meta.url),
    sync: false,
  });

/** MB/s of messages of 1 MiB, with and without loss. */
export const measurePagesUnderLoss = (
  suite: string,
  options: BenchOptions,
  progress: Progress,
): Promise<SuiteOutcome> => {
  const { seed } = options;
  const faults = { drop: LOSS_PERCENT / 100 };
  const contenders = [
    pages("pages-lossless", machineWith(seed, { transport: { unreliable: true } })),
    pages("pages-lossy", machineWith(seed, { faults })),
  ];
  const points = [{ nodes: NODES, bytes: LARGE_BYTES, lossPercent: LOSS_PERCENT }];
  const ratios = [["pages-lossy", "pages-lossless"]] as const;
  return measureBandwidth({ suite, contenders, points, ratios }, options, progress);
};

/** Time of round trips of 64 bytes and of messages of 1 MiB, by both protocols on a network that loses nothing. */
export const measureModes = (
  suite: string,
  options: BenchOptions,
  progress: Progress,
): Promise<SuiteOutcome> => {
  const { seed } = options;
  const large = new Set<Contender>();
  const contenders: Contender[] = [];
  for (const mode of ["reliable", "unreliable"] as const) {
    const bench = machineWith(seed, { transport: { unreliable: mode === "unreliable" } });
    const pair = pages(`pages-${mode}`, bench);
    large.add(pair);
    contenders.push(roundTrips(`rpc-${mode}`, bench), pair);
  }
  return measureSuite(
    {
      suite,
      contenders,
      points: [
        { nodes: NODES, bytes: SMALL_BYTES },
        { nodes: NODES, bytes: LARGE_BYTES },
      ],
      ratios: [
        ["rpc-unreliable", "rpc-reliable"],
        ["pages-unreliable", "pages-reliable"],
      ],
      effort: largeEffortOf(options),
      takesPart: (contender, { bytes }) => large.has(contender) === (bytes === LARGE_BYTES),
    },
    options,
    progress,
  );
};
