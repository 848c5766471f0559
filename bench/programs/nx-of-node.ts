// The NX layer of the node that this module was loaded on. A node has one, for all programs that run
// there one after the other; NX machines have a worker per node, so one per worker is one per node.

import { Nx } from "../../src/comparators/nx.ts";
import type { Task } from "../../src/index.ts";

let nx: Nx | null = null;

export function nxOf(task: Task): Nx {
  nx ??= new Nx(task);
  return nx;
}
