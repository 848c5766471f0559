// Recounts the memory of a node with all that its kernel's messages hold: the checker of invariants I-1 and I-2 in
// simulation. Between two steps of the node.

import { checkMemory } from "../vm/check-memory.ts";
import { MapCopy } from "../vm/map-copy.ts";
import { PageList } from "../vm/page-list.ts";
import type { NodeKernel } from "./kernel.ts";

/** What is wrong, a sentence each; empty when all is well. */
export const checkNode = (kernel: NodeKernel): string[] => {
  const lists = kernel.ipc.transfer.keptLists();
  const copies: MapCopy[] = [];
  const sent = new PageList();
  for (const message of kernel.ipc.pool.held()) {
    if (message.page !== 0) sent.push(message.page);
    for (const region of message.overflow?.regions ?? []) {
      if (region instanceof PageList) lists.push(region);
      else if (region instanceof MapCopy) copies.push(region);
    }
  }
  for (const entry of kernel.pagesOnTheWay()) sent.push(entry);
  lists.push(sent);
  return checkMemory(kernel.vm, lists, copies).map((wrong) => `node ${kernel.node}: ${wrong}`);
};
