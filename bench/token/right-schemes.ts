// What a history of rights costs in messages about them, in two ways of knowing when a port has no senders that are not
// the token: counted over the trace, without a machine.
//   naive   the home has a count that is never too low (paper 2.5.4): it is told of every right that one node sends to
//           another, and again when that did not raise the count after all, or when a right is dropped
//   credit  CMU's later scheme (norma/ipc_special.c, "stransit"): a node is given its rights on credit and pays them back
//           when its last one goes; one that has one left and wants to give one away asks the home for more

import { Holders, type RightMovement, type RightTrace } from "./right-trace.ts";

/** What a node is given when it asks. */
export const CREDIT_GRANT = 10_000;

/** A request and its reply. */
const RPC_MESSAGES = 2;

/** Messages of each period. */
export function naiveMessages({ homes, periods }: RightTrace): number[] {
  const holders = new Holders(homes);
  return periods.map((movements) => {
    let messages = 0;
    for (const movement of movements) {
      const home = homes[movement.port]!;
      const merged = holders.happen(movement);
      // The home knows by itself what it sends, and what comes to it.
      if (movement.kind === "drop" || passesBy(movement, home)) messages += 1;
      if (merged) messages += 1;
    }
    return messages;
  });
}

/** Messages of each period. */
export function creditMessages({ nodes, homes, periods }: RightTrace): number[] {
  const accounts = homes.map((home) => new Credits(home, nodes));
  const holders = new Holders(homes);
  return periods.map((movements) => {
    let messages = 0;
    for (const movement of movements) {
      holders.happen(movement);
      messages += accounts[movement.port]!.happen(movement);
    }
    return messages;
  });
}

/** Neither from the home nor to it. */
function passesBy(movement: RightMovement, home: number): boolean {
  return (movement.kind === "copy" || movement.kind === "move") && movement.to !== home;
}

/** Of one port: how many rights each node has been given and has not given away or paid back. */
class Credits {
  private readonly home: number;
  private readonly balances: number[];

  constructor(home: number, nodes: number) {
    this.home = home;
    this.balances = new Array(nodes).fill(0);
  }

  /** Returns the messages that it takes. */
  happen(movement: RightMovement): number {
    const messages = movement.kind === "make" ? 0 : this.leaves(movement);
    if (movement.kind !== "drop" && movement.to !== this.home) this.balances[movement.to]! += 1;
    return messages;
  }

  private leaves({ kind, from }: Exclude<RightMovement, { kind: "make" }>): number {
    const { balances } = this;
    if (kind === "copy") {
      let messages = 0;
      if (balances[from] === 1) {
        balances[from] += CREDIT_GRANT;
        messages = RPC_MESSAGES;
      }
      balances[from]! -= 1;
      return messages;
    }
    // With the last right its credit may go as a whole: that says by itself that nothing is left.
    const left = kind === "move" ? balances[from]! - 1 : balances[from]!;
    balances[from] = 0;
    return left > 0 ? 1 : 0;
  }
}
