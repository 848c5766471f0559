// The ways to move a message's pages that suite strategies compares, and the kernel options that choose them.

import type { MachineOptionsInput } from "../../src/index.ts";

export interface TransferStrategy {
  /** Name of the result. */
  readonly name: string;
  readonly transfer: "page-list" | "copy" | "shared-buffer" | "copy-object" | "rendezvous";
  readonly protection: "busy" | "hold";
  /** The memory goes with the message; the sender makes new for each. */
  readonly deallocate?: boolean;
  /** The sender writes to every page between two messages. */
  readonly rewrite?: boolean;
}

/** The first is the one that the others are compared with. */
export const STRATEGIES: readonly TransferStrategy[] = [
  { name: "page-list", transfer: "page-list", protection: "busy" },
  { name: "copy", transfer: "copy", protection: "busy" },
  { name: "shared-buffer", transfer: "shared-buffer", protection: "busy" },
  { name: "copy-object", transfer: "copy-object", protection: "busy" },
  { name: "rendezvous", transfer: "rendezvous", protection: "busy" },
  { name: "hold", transfer: "page-list", protection: "hold" },
  { name: "deallocate", transfer: "page-list", protection: "busy", deallocate: true },
  { name: "busy-rewrite", transfer: "page-list", protection: "busy", rewrite: true },
  { name: "hold-rewrite", transfer: "page-list", protection: "hold", rewrite: true },
];

/** The kernel's share of a strategy. */
export function kernelOptionsOf(strategy: TransferStrategy): MachineOptionsInput["kernel"] {
  const { transfer, protection } = strategy;
  return { transfer, protection };
}
