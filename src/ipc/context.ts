// What the stages of local IPC share on one node. A plain record: the functions of this folder take
// it as their first argument.

import type { FrameTable } from "../hardware/frame-table.ts";
import type { PhysicalMemory } from "../hardware/physical-memory.ts";
import type { KernelMessage, MessagePool } from "./kernel-message.ts";
import type { Notification } from "./notifications.ts";
import type { PortTable } from "./port.ts";
import type { RemoteDelivery } from "./remote.ts";

export interface IpcContext {
  readonly memory: PhysicalMemory;
  readonly frames: FrameTable;
  readonly pool: MessagePool;
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
