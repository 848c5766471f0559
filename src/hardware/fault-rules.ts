// What may happen to the packets of a node's links, as data: rates, windows of time, and which of them hold for one link.

/** Which packets of a link a fault hits: a share of them; or, by the number in PACKET_NUMBER and only at
 *  their first attempt, every n-th; or only the one that bears a number. (The transport numbers each class of packets
 *  apart, so a number may name one of each; `packets` tells them apart.) */
export type FaultRate = number | { readonly every: number } | { readonly once: number };

/** What may happen to the packets of a link. What is left out does not happen. */
export interface FaultRates {
  /** The packet is lost. */
  readonly drop?: FaultRate | undefined;
  /** It arrives twice. */
  readonly duplicate?: FaultRate | undefined;
  /** It is held back for a time, so that later ones overtake it. A duplicate is judged for this by itself. */
  readonly delay?: FaultRate | undefined;
  /** Shortest and longest time it is held back, ns. */
  readonly delayNs?: readonly [number, number] | undefined;
  /** It is held back until the next packet of its link has passed; at most `delayNs[1]`. */
  readonly reorder?: FaultRate | undefined;
  /** One bit of its software header, inline bytes or page is flipped. */
  readonly flip?: FaultRate | undefined;
  /** Classes of packets (packet-class.ts) that this holds for; default: all. */
  readonly packets?: readonly number[] | undefined;
}

/** Rates of some links, one way. */
export interface LinkFaults extends FaultRates {
  /** Default: from everywhere; to everywhere. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** When something is the case: from `atNs` for `forNs`; with `everyNs`, again in every such period; with `chance`, in a period
 *  only that probably, and then at a moment of it that is drawn. */
export interface FaultWindow {
  readonly atNs: number;
  readonly forNs: number;
  readonly everyNs?: number | undefined;
  readonly chance?: number | undefined;
}

/** Links that are cut meanwhile: those that fit all that is given. `node`: from it and to it. */
export interface LinkCut extends FaultWindow {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly node?: number | undefined;
}

/** A node, or with none every node by itself, to which something happens meanwhile. */
export interface NodeWindow extends FaultWindow {
  readonly node?: number | undefined;
}

export interface FaultRules extends FaultRates {
  readonly seed: number;
  /** Rates of links, over those for all; a later entry over an earlier one. */
  readonly links?: readonly LinkFaults[] | undefined;
  readonly cuts?: readonly LinkCut[] | undefined;
  /** The node stands still: its interface takes nothing off the ring and gives nothing out; its kernel asks (isPaused) and
   *  does nothing either. */
  readonly pauses?: readonly NodeWindow[] | undefined;
}

/** The sets of rates that hold for one link: the first that holds for a packet's class is its own. */
export const ratesOfLink = (rules: FaultRules, from: number, to: number): FaultRates[] => {
  const found: FaultRates[] = [];
  let rates: FaultRates = rules;
  for (const link of rules.links ?? []) {
    if ((link.from ?? from) !== from || (link.to ?? to) !== to) continue;
    const merged = { ...rates, ...defined(link) };
    if (link.packets === undefined) rates = merged;
    else found.unshift(merged);
  }
  return [...found, rates];
};

/** Without the keys that are there but undefined: they must not hide a general rate. */
const defined = (link: LinkFaults): Partial<LinkFaults> =>
  Object.fromEntries(Object.entries(link).filter(([, value]) => value !== undefined));

export const isCutOfLink = (cut: LinkCut, from: number, to: number): boolean =>
  (cut.from ?? from) === from &&
  (cut.to ?? to) === to &&
  (cut.node === undefined || cut.node === from || cut.node === to);
