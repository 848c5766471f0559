// The ways of transfer by name (option kernel.transfer).

import type { PhysicalMemory } from "../hardware/physical-memory.ts";
import type { VirtualMemory } from "../vm/virtual-memory.ts";
import type { Transfer } from "./transfer.ts";
import { TransferByCopy } from "./transfer-by-copy.ts";
import { TransferByCopyObject } from "./transfer-by-copy-object.ts";
import { TransferByPageList } from "./transfer-by-page-list.ts";
import { TransferByRendezvous } from "./transfer-by-rendezvous.ts";
import { TransferBySharedBuffer } from "./transfer-by-shared-buffer.ts";

export const TRANSFER_KINDS = [
  "page-list",
  "copy",
  "shared-buffer",
  "copy-object",
  "rendezvous",
] as const;
export type TransferKind = (typeof TRANSFER_KINDS)[number];

export const makeTransfer = (
  kind: TransferKind,
  vm: VirtualMemory,
  memory: PhysicalMemory,
): Transfer => {
  switch (kind) {
    case "page-list":
      return new TransferByPageList(vm, memory.layout.frameCount);
    case "copy":
      return new TransferByCopy(vm, memory);
    case "shared-buffer":
      return new TransferBySharedBuffer(vm, memory);
    case "copy-object":
      return new TransferByCopyObject(vm);
    case "rendezvous":
      return new TransferByRendezvous(vm, memory);
  }
};
