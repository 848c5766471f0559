// What a description of faults comes to in a run. For workers and simulation, which are given one that is checked.
//   activeFaults    what remains of it: swarm mode switches kinds off
//   faultRules      the rules of the hardware for it

import { hashFraction } from "../base/random.ts";
import type { FaultRules, LinkFaults } from "../hardware/fault-rules.ts";
import {
  CLASS_ACK,
  CLASS_DATA,
  CLASS_NACK,
  CLASS_QUENCH,
  CLASS_SYNC,
} from "../hardware/packet-class.ts";
import type { FaultOptions } from "./fault-options.ts";

const PACKET_CLASSES = {
  data: CLASS_DATA,
  ack: CLASS_ACK,
  nack: CLASS_NACK,
  sync: CLASS_SYNC,
  quench: CLASS_QUENCH,
} as const;
type PacketClassName = keyof typeof PACKET_CLASSES;
export const CLASS_NAMES = Object.keys(PACKET_CLASSES) as [PacketClassName, ...PacketClassName[]];

const KINDS = [
  "drop",
  "duplicate",
  "delay",
  "reorder",
  "flip",
  "cuts",
  "pauses",
  "starve",
  "clocks",
] as const;

/** What of a description holds in a run: in swarm mode each kind is off with probability 1/2, drawn from the seed.
 *  (Groce and others, "Swarm testing": what is always there hides what its absence would show.) */
export const activeFaults = (faults: FaultOptions, seed: number): FaultOptions => {
  if (!faults.swarm) return faults;
  const off = new Set<string>(
    KINDS.filter((_, i) => hashFraction(seed, Math.floor(seed / 2 ** 32), i, 0x5a, 0) < 0.5),
  );
  const without = <T extends object>(entry: T): T =>
    Object.fromEntries(Object.entries(entry).filter(([key]) => !off.has(key))) as T;
  const active = without(faults);
  return { ...active, ...(active.links && { links: active.links.map(without) }) };
};

/** The rules of the hardware for a description. `seed`: the machine's. */
export const faultRules = (faults: FaultOptions, seed: number): FaultRules => {
  const active = activeFaults(faults, faults.seed ?? seed);
  return { ...active, seed: faults.seed ?? seed, links: (active.links ?? []).map(ruleOfLink) };
};

const ruleOfLink = ({
  packets,
  ...link
}: NonNullable<FaultOptions["links"]>[number]): LinkFaults => ({
  ...link,
  ...(packets && { packets: packets.map((name) => PACKET_CLASSES[name]) }),
});
