// The plan of a simulated run that follows from a seed: which workloads, which machine, which faults. What is pinned is as
// it is pinned; everything else is drawn as if nothing were, so that pinning one part does not change the others.

import { Random } from "../base/random.ts";
import type { FaultOptionsInput } from "../config/fault-options.ts";
import type { MachineOptionsInput } from "../config/machine-options.ts";
import { makePlan, type StressPlan } from "./plan.ts";
import { WORKLOADS } from "./workloads.ts";

export interface PlanPins {
  readonly workloads?: readonly string[];
  readonly dimension?: number;
  readonly steps?: number;
  readonly interconnect?: string;
  readonly window?: number;
  readonly faults?: FaultOptionsInput;
}

const INTERCONNECTS = ["direct-connect", "store-and-forward", "token-ring", "ethernet"] as const;
const WINDOWS = [1, 2, 8, 8, 32];
const POOLS = [128, 256];
/** Programs of these take what comes whatever else they wait for, so that the smallest pools cannot stop them for ever. */
const MODEST: ReadonlySet<string> = new Set(["rpc", "all-to-all", "hot-spot"]);
const TINY_POOLS = [32, 64, 256];
const RINGS = [1, 4, 16];
/** After which share of the work the faults stop, and everything must come forward without them; null: never. */
const HEALINGS = [null, 0.1, 0.3, 0.6];

/** Every kind of fault; the swarm switches some off, by the seed. */
const swarm = (random: Random): FaultOptionsInput => ({
  swarm: true,
  drop: random.below(20) / 100,
  duplicate: random.below(10) / 100,
  delay: random.below(20) / 100,
  delayNs: [100, 1000 * (1 + random.below(100))],
  reorder: random.below(20) / 100,
  flip: random.below(5) / 100,
  cuts: [{ node: 0, atNs: 50e3, forNs: 200e3, everyNs: 2e6, chance: 0.5 }],
  pauses: [{ atNs: 20e3, forNs: 100e3, everyNs: 1e6, chance: 0.5 }],
  starve: [{ forNs: 100e3, everyNs: 600e3, chance: 0.5 }],
  clocks: [{ node: 1, rate: [0.2, 0.8, 1.5, 5][random.below(4)]! }],
});

export const planOfSeed = (seed: number, pins: PlanPins = {}): StressPlan => {
  const random = new Random(seed).fork("plan");
  const known = [...WORKLOADS.keys()];
  const drawn = new Set(
    Array.from({ length: 1 + random.below(3) }, () => known[random.below(known.length)]!),
  );
  const dimension = 1 + random.below(3);
  const steps = 5 + random.below(40);
  const interconnect = INTERCONNECTS[random.below(INTERCONNECTS.length)]!;
  const window = WINDOWS[random.below(WINDOWS.length)]!;
  const names = pins.workloads ?? [...drawn];
  const pools = names.every((name) => MODEST.has(name)) ? TINY_POOLS : POOLS;
  const messages = pools[random.below(pools.length)]!;
  const ringLength = RINGS[random.below(RINGS.length)]!;
  const faulty = random.below(4) > 0;
  const faults = pins.faults ?? (faulty ? swarm(random) : undefined);
  const healAfter = HEALINGS[random.fork("healing").below(HEALINGS.length)]!;
  const machine: MachineOptionsInput = {
    dimension: pins.dimension ?? dimension,
    seed,
    memory: { bytesPerNode: 1 << 20, kind: "shared-array-buffer" },
    // Another kind than there is is refused by the options, which know them.
    interconnect: { kind: (pins.interconnect ?? interconnect) as "direct-connect", ringLength },
    transport: { windowPackets: pins.window ?? window },
    kernel: { messages, tokenPauseNs: 1e6 },
    ...(faults === undefined ? {} : { faults }),
  };
  return makePlan({
    workloads: names.map((name) => ({
      name,
      steps: Math.max(1, Math.round((pins.steps ?? steps) / (WORKLOADS.get(name)?.stepCost ?? 1))),
      programsPerNode: WORKLOADS.get(name)?.programsPerNode ?? 1,
    })),
    machine,
    healAfter: faults === undefined ? null : healAfter,
  });
};
