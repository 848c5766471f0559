// The identifiers of one port on one node, while there are more than one: its receive right has moved from node to node
// and the old identifiers are still in use somewhere (paper 2.5.6). Rights that are on their way are counted under the
// identifier that they travel by, since an old one is forgotten when nothing travels by it any more.

import type { Port } from "../ipc/port.ts";
import { type CarriedRight, PORT_SEND } from "../ipc/rights.ts";
import type { Identifier } from "./identifier.ts";

/** Rights to one port that one node has given to the network less those that it has taken from it. */
export interface Transits {
  transit: number;
  onceTransit: number;
}

interface Tally extends Transits {
  /** How often the receive right had moved when the port got the identifier, as far as is known. */
  readonly moves: number;
}

export class Lineage {
  /** Of each identifier; together they are the port's own counts. */
  readonly tallies = new Map<Identifier, Tally>();
  /** How often it has come to a node, lately, only to be sent on. */
  unreceived = 0;
  /** At the home of the port: the newest identifier that has been put on the token. */
  newest: Identifier;
  /** At the home of the port: the identifier that leads to this node. */
  own: Identifier;

  constructor(port: Port) {
    const { identifier, transit, onceTransit, moves } = port;
    this.tallies.set(identifier, { transit, onceTransit, moves });
    this.newest = identifier;
    this.own = identifier;
  }

  /** How many identifiers the port has that are older than this one, counted up to `enough`. */
  countOlder(identifier: Identifier, enough: number): number {
    const moves = this.tallies.get(identifier)?.moves ?? 0;
    let older = 0;
    for (const tally of this.tallies.values()) {
      if (tally.moves < moves) older += 1;
      if (older === enough) break;
    }
    return older;
  }

  /** The port goes by one more identifier, since its receive right has moved so often. */
  add(identifier: Identifier, moves: number): void {
    if (!this.tallies.has(identifier)) {
      this.tallies.set(identifier, { transit: 0, onceTransit: 0, moves });
    }
  }

  /** What the port goes by when its oldest identifier is forgotten: the successor of that; or the oldest that is left, if it
   *  died before it heard of the successor. */
  next(successor: Identifier): Identifier {
    const [oldest = successor] = this.tallies.keys();
    return this.tallies.has(successor) ? successor : oldest;
  }

  /** `by` is 1 for a right given to the network, -1 for one taken from it. */
  count(identifier: Identifier, right: CarriedRight, by: number): void {
    const tally = this.tallies.get(identifier);
    if (tally === undefined) return; // a message that is not what it seems
    if (right === PORT_SEND) tally.transit += by;
    else tally.onceTransit += by;
  }
}

/** Takes one of a port's identifiers off, and what it counts out of the port's counts. */
export const takeTransits = (port: Port, identifier: Identifier): Transits | undefined => {
  const { tallies } = port.lineage as Lineage;
  const tally = tallies.get(identifier);
  if (tally === undefined) return undefined;
  tallies.delete(identifier);
  port.transit -= tally.transit;
  port.onceTransit -= tally.onceTransit;
  return tally;
};

/** Adds to what one of a port's identifiers counts. */
export const addTransits = (
  port: Port,
  identifier: Identifier,
  { transit, onceTransit }: Readonly<Transits>,
): void => {
  port.transit += transit;
  port.onceTransit += onceTransit;
  const tally = (port.lineage as Lineage | null)?.tallies.get(identifier);
  if (tally === undefined) return;
  tally.transit += transit;
  tally.onceTransit += onceTransit;
};

/** The port's lineage, a new one if it had a single identifier. */
export const lineageOf = (port: Port): Lineage => {
  port.lineage ??= new Lineage(port);
  return port.lineage as Lineage;
};

/** What one of a port's identifiers counts. */
export const tallyOf = (port: Port, identifier: Identifier): Readonly<Transits> | undefined => {
  if (port.lineage !== null) return (port.lineage as Lineage).tallies.get(identifier);
  return port.identifier === identifier ? port : undefined;
};

/** What each of a port's identifiers counts. */
export const talliesOf = (port: Port): Iterable<readonly [Identifier, Transits]> => {
  if (port.lineage !== null) return (port.lineage as Lineage).tallies;
  return [[port.identifier, { transit: port.transit, onceTransit: port.onceTransit }]];
};
