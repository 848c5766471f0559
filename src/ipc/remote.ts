// All that local IPC knows of remoteness: a message whose destination is a proxy goes here instead of
// into a queue. norma/ implements it.

import type { KernelMessage } from "./kernel-message.ts";

export interface RemoteDelivery {
  /** Whether a message for a proxy may carry receive rights (migration). */
  readonly acceptsReceiveRights: boolean;
  /** Takes a message for a proxy. MACH_MSG_SUCCESS, or a send status and the message is untouched. */
  send(message: KernelMessage): number;
}
