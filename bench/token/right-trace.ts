// A random history of send rights on a machine: who makes, copies, moves on and drops the rights of which port. It is
// only told here; replay-trace.ts lets it happen, right-schemes.ts counts what it would have cost.
// A node has at most one right to a port: another one that comes is merged with it. A right that comes home is dropped.

import type { Random } from "../../src/base/random.ts";

export type RightMovement =
  /** The home gives a node a right. */
  | { readonly kind: "make"; readonly port: number; readonly to: number }
  /** A node that has one gives another node one, and keeps its own, or does not. */
  | { readonly kind: "copy"; readonly port: number; readonly from: number; readonly to: number }
  | { readonly kind: "move"; readonly port: number; readonly from: number; readonly to: number }
  | { readonly kind: "drop"; readonly port: number; readonly from: number };

export interface RightTrace {
  readonly nodes: number;
  /** The home of each port. */
  readonly homes: readonly number[];
  /** What happens in each period of the token. */
  readonly periods: readonly (readonly RightMovement[])[];
}

/** Which nodes have a right to each port; what a movement changes. */
export class Holders {
  private readonly homes: readonly number[];
  private readonly holders: Set<number>[];

  constructor(homes: readonly number[]) {
    this.homes = homes;
    this.holders = homes.map(() => new Set());
  }

  of(port: number): ReadonlySet<number> {
    return this.holders[port]!;
  }

  /** Returns whether the right that came was merged with one that was there. */
  happen(movement: RightMovement): boolean {
    const holders = this.holders[movement.port]!;
    if (movement.kind === "move" || movement.kind === "drop") holders.delete(movement.from);
    if (movement.kind === "drop" || movement.to === this.homes[movement.port]) return false;
    const merged = holders.has(movement.to);
    holders.add(movement.to);
    return merged;
  }
}

/** `rate` movements in each of `periods` periods; in the end every right is dropped, in a period of its own. */
export function randomTrace(
  random: Random,
  nodes: number,
  ports: number,
  rate: number,
  periods: number,
): RightTrace {
  const homes = Array.from({ length: ports }, () => random.below(nodes));
  const holders = new Holders(homes);
  const all: RightMovement[][] = [];
  for (let period = 0; period < periods; period++) {
    const movements: RightMovement[] = [];
    while (movements.length < rate) {
      const movement = randomMovement(random, nodes, homes, holders);
      holders.happen(movement);
      movements.push(movement);
    }
    all.push(movements);
  }
  const drops = homes.flatMap((_, port) =>
    [...holders.of(port)].map((from) => ({ kind: "drop" as const, port, from })),
  );
  return { nodes, homes, periods: [...all, drops] };
}

/** Two of ten make, three copy, three move on, two drop; who has nothing to pass on gets something. */
function randomMovement(
  random: Random,
  nodes: number,
  homes: readonly number[],
  holders: Holders,
): RightMovement {
  const port = random.below(homes.length);
  const what = random.below(10);
  const having = [...holders.of(port)];
  if (what < 2 || having.length === 0) {
    return { kind: "make", port, to: another(random, nodes, homes[port]!) };
  }
  const from = having[random.below(having.length)]!;
  if (what >= 8) return { kind: "drop", port, from };
  return { kind: what < 5 ? "copy" : "move", port, from, to: another(random, nodes, from) };
}

function another(random: Random, nodes: number, node: number): number {
  const other = random.below(nodes - 1);
  return other < node ? other : other + 1;
}
