// Makes the NX layer of this node, before anybody sends to it: a node without one discards NX
// packets as garbage, and a reliable interconnect does not send them again.

import type { Program } from "../../src/index.ts";
import { nxOf } from "./nx-of-node.ts";

const open: Program<unknown, void> = (task) => {
  nxOf(task);
};
export default open;
