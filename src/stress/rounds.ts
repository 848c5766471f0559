// What `normacube stress` runs: one plan after the other, so that workloads, protocols and topologies all have their turn.
// Everything in a plan follows from the settings and the number of the round.

import type { MachineOptionsInput } from "../config/machine-options.ts";
import { makePlan, type StressPlan } from "./plan.ts";
import { WORKLOADS } from "./workloads.ts";

export type Protocol = "reliable" | "unreliable" | "auto";

export interface StressSettings {
  /** Empty: all, each alone and all together in turn. */
  readonly workloads: readonly string[];
  readonly seed: number;
  readonly dimension?: number;
  readonly workers?: number;
  readonly interconnect?: string;
  readonly window?: number;
  readonly protocol: Protocol;
  readonly faults: MachineOptionsInput["faults"];
  readonly messages?: number;
  readonly ring?: number;
  /** Steps of each program in a round. */
  readonly steps: number;
  /** Share of a round's work after which the faults stop. */
  readonly healAfter: number | null;
}

/** Topologies and windows that the rounds go through when nobody asks for one. */
const VARIANTS = [
  { dimension: 2, interconnect: "direct-connect", window: 8 },
  { dimension: 3, interconnect: "store-and-forward", window: 8 },
  { dimension: 1, interconnect: "direct-connect", window: 1 },
  { dimension: 3, interconnect: "direct-connect", window: 4 },
  { dimension: 2, interconnect: "store-and-forward", window: 1 },
  { dimension: 2, interconnect: "token-ring", window: 8 },
  { dimension: 2, interconnect: "ethernet", window: 8 },
] as const;

/** Faults of every other round when nobody asks for any. */
const ROUND_FAULTS = { drop: 0.05, duplicate: 0.02, delay: 0.05, reorder: 0.02, flip: 0.005 };

/** Tokens go round often, so that ports without senders are found in milliseconds. */
const TOKEN_PAUSE_NS = 5e6;

/** The plan of a round, 0 the first. */
export const planOfRound = (settings: StressSettings, round: number): StressPlan => {
  const variant = VARIANTS[round % VARIANTS.length]!;
  const { protocol, messages, ring, workers } = settings;
  const transport = {
    windowPackets: settings.window ?? variant.window,
    ...(protocol === "auto" ? {} : { unreliable: protocol === "unreliable" }),
  };
  const kind = settings.interconnect ?? variant.interconnect;
  const faults = settings.faults ?? (isFaulty(settings, round) ? ROUND_FAULTS : undefined);
  const machine: MachineOptionsInput = {
    dimension: settings.dimension ?? variant.dimension,
    seed: settings.seed + round,
    // Another kind than there is is refused by the options, which know them.
    interconnect: {
      kind: kind as "direct-connect",
      ...(ring === undefined ? {} : { ringLength: ring }),
    },
    transport,
    kernel: { tokenPauseNs: TOKEN_PAUSE_NS, ...(messages === undefined ? {} : { messages }) },
    ...(workers === undefined ? {} : { processors: { workers } }),
    ...(faults === undefined ? {} : { faults }),
  };
  return makePlan({
    workloads: workloadsOf(settings, round).map((name) => ({
      name,
      steps: Math.max(1, Math.round(settings.steps / (WORKLOADS.get(name)?.stepCost ?? 1))),
      programsPerNode: WORKLOADS.get(name)?.programsPerNode ?? 1,
    })),
    machine,
    healAfter: settings.healAfter,
  });
};

/** Every other round, unless the protocol is the one that does not expect any. */
const isFaulty = ({ protocol }: StressSettings, round: number): boolean =>
  protocol !== "reliable" && round % 2 === 1;

const workloadsOf = ({ workloads }: StressSettings, round: number): readonly string[] => {
  if (workloads.length > 0) return workloads;
  const all = [...WORKLOADS.keys()];
  const turn = round % (all.length + 1);
  return turn === all.length ? all : [all[turn]!];
};
