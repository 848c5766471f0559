// Where somebody may be whom a task talks to: what is asked of the machine, and on which node that one is.

import type { LoneNodesInput } from "./lone-node.ts";

export const PLACES: readonly (readonly [string, LoneNodesInput, number])[] = [
  ["on one node", {}, 0],
  ["on two nodes", { dimension: 1 }, 1],
  ["through a loopback proxy", { kernel: { loopback: true } }, 0],
];
