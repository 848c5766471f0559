// Faults as options: one description for threads and simulation, in a machine's options and in a file.
//   parseFaults     checks a description, a text or what JSON.parse made of it; names what is wrong

import * as z from "zod";
import { DIMENSION_MAX } from "../base/limits.ts";
import type { FaultRates, FaultWindow } from "../hardware/fault-rules.ts";
import { CLASS_NAMES } from "./active-faults.ts";
import { aCount, aSeed, describeIssues, integer, NS_MAX, real } from "./fields.ts";
import { OptionError } from "./option-error.ts";

const aNode = integer(0, 2 ** DIMENSION_MAX - 1);

/** A probability; or every n-th packet; or the one packet with a number (fault-rules.ts). */
const rate = z.union(
  [real(0, 1), z.strictObject({ every: aCount }), z.strictObject({ once: aCount })],
  { error: "it must be a probability from 0 to 1, { every: n } or { once: n }" },
);

const rates = {
  /** A packet is lost. */
  drop: rate.optional(),
  /** A packet arrives twice. */
  duplicate: rate.optional(),
  /** A packet is held back, so that later ones overtake it. */
  delay: rate.optional(),
  /** Shortest and longest time it is held back, ns. */
  delayNs: z
    .tuple([real(0, NS_MAX), real(0, NS_MAX)], {
      error: "it must be two numbers, the shortest and the longest time in ns",
    })
    .optional(),
  /** A packet is held back until the next one of its link has passed, at most the longest of delayNs. */
  reorder: rate.optional(),
  /** One bit of a packet is flipped. */
  flip: rate.optional(),
};

const window = {
  /** When it begins, ns after boot. */
  atNs: real(0, NS_MAX).default(0),
  /** How long it lasts, ns. */
  forNs: real(1, NS_MAX),
  /** Again in every such period, ns. */
  everyNs: real(1, NS_MAX).optional(),
  /** In a period only with this probability, at a moment of it that is drawn. */
  chance: real(0, 1).optional(),
};

const nodeWindow = z.strictObject({ node: aNode.optional(), ...window });

export const faultSchema = z.strictObject({
  /** Default: the machine's seed. */
  seed: aSeed.optional(),
  ...rates,
  /** Rates of links, over those for all; without from, or to: from, or to, every node; with packets: for those alone. */
  links: z
    .array(
      z.strictObject({
        from: aNode.optional(),
        to: aNode.optional(),
        packets: z.array(z.enum(CLASS_NAMES)).optional(),
        ...rates,
      }),
    )
    .optional(),
  /** Links that lose everything for a time; node: all from it and to it. */
  cuts: z
    .array(
      z.strictObject({
        from: aNode.optional(),
        to: aNode.optional(),
        node: aNode.optional(),
        ...window,
      }),
    )
    .optional(),
  /** A node, without one: each by itself, stands still for a time: its interface, its timers, and who waits on it. */
  pauses: z.array(nodeWindow).optional(),
  /** Arrivals at a node get no message buffer for a time, and pages no frame. */
  starve: z.array(nodeWindow).optional(),
  /** Clocks of nodes that run too fast or too slowly. */
  clocks: z.array(z.strictObject({ node: aNode, rate: real(0.1, 10) })).optional(),
  /** Swarm: of the kinds of fault described each is off in a run with probability 1/2, by the seed. */
  swarm: z.boolean().default(false),
});

/** What a host may write. */
export type FaultOptionsInput = z.input<typeof faultSchema>;
/** The same, checked. */
export type FaultOptions = z.output<typeof faultSchema>;

/** A description of faults, out of JSON. Throws OptionError; `where` names it in messages. */
export const parseFaults = (input: unknown, where: string): FaultOptions => {
  let value = input;
  if (typeof input === "string") {
    try {
      value = JSON.parse(input);
    } catch (error) {
      throw new OptionError(`${where} is not JSON: ${(error as Error).message}`);
    }
  }
  const parsed = faultSchema.safeParse(value, { reportInput: true });
  if (!parsed.success) throw new OptionError(`${where}: ${describeIssues(parsed.error, "field")}`);
  checkFaults(parsed.data, 2 ** DIMENSION_MAX, `${where}: field `);
  return parsed.data;
};

/** What depends on the machine, or on several fields together. Throws OptionError; `at` stands before the fields' names. */
export const checkFaults = (faults: FaultOptions, nodes: number, at: string): void => {
  checkDelay(at, faults);
  for (const [i, link] of (faults.links ?? []).entries()) checkDelay(`${at}links.${i}.`, link);
  const lists = {
    links: faults.links,
    cuts: faults.cuts,
    pauses: faults.pauses,
    starve: faults.starve,
    clocks: faults.clocks,
  };
  for (const [name, list] of Object.entries(lists)) {
    for (const [i, entry] of (list ?? []).entries()) {
      checkNodes(`${at}${name}.${i}`, entry, nodes);
      if ("forNs" in entry) checkWindow(`${at}${name}.${i}`, entry);
    }
  }
};

/** Nodes that an entry may name. */
interface Places {
  readonly node?: number | undefined;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

const checkNodes = (path: string, { node, from, to }: Places, nodes: number): void => {
  for (const [name, value] of Object.entries({ node, from, to })) {
    if (value === undefined || value < nodes) continue;
    throw new OptionError(`${path}.${name} is ${value}; nodes are 0 to ${nodes - 1}`);
  }
};

const checkWindow = (path: string, { forNs, everyNs, chance }: FaultWindow): void => {
  if (everyNs !== undefined && everyNs < forNs) {
    throw new OptionError(`${path}.everyNs is ${everyNs}; it must be at least forNs, ${forNs}`);
  }
  if (chance !== undefined && everyNs === undefined) {
    throw new OptionError(`${path}.chance is ${chance}; it needs everyNs`);
  }
};

const checkDelay = (at: string, { delayNs }: Pick<FaultRates, "delayNs">): void => {
  if (delayNs === undefined || delayNs[0] <= delayNs[1]) return;
  throw new OptionError(`${at}delayNs is ${delayNs.join(" to ")}; the shortest time comes first`);
};
