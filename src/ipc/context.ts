// What the stages of local IPC share on one node. A plain record: the functions of this folder take
// it as their first argument.

import type { FrameTable } from "../hardware/frame-table.ts";
import type { PhysicalMemory } from "../hardware/physical-memory.ts";
import type { VirtualMemory } from "../vm/virtual-memory.ts";
import type { KernelMessage, MessagePool } from "./kernel-message.ts";
import type { Notification } from "./notifications.ts";
import type { PortTable } from "./port.ts";
import type { RemoteDelivery } from "./remote.ts";
import type { Transfer } from "./transfer.ts";

export interface IpcContext {
  readonly memory: PhysicalMemory;
  readonly frames: FrameTable;
  readonly vm: VirtualMemory;
  readonly pool: MessagePool;
  /** How out-of-line data travels on this machine. */
  readonly transfer: Transfer;
  /** A sender waits until the interface is done with its pages, unless it says otherwise (paper 2.3.2). */
  readonly holdsSenders: boolean;
  readonly ports: PortTable;
  /** Where messages for proxies go; set once, when the node is assembled. */
  remote: RemoteDelivery;
  /** Messages waiting to be destroyed by the destroyMessage() at the bottom of the stack. */
  readonly doomed: KernelMessage[];
  destroying: boolean;
  /** Packets are being taken: requests to kernel-owned ports wait until that is done, since serving them may
   *  take long (CMU norma/kserver). */
  atInterruptLevel: boolean;
  readonly kernelRequests: KernelMessage[];
  /** Notifications that found the message pool empty, oldest first. */
  readonly notifications: Notification[];
}
