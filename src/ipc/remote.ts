// All that local IPC knows of remoteness: a message whose destination is a proxy goes here instead of
// into a queue. norma/ implements it.

import type { KernelMessage } from "./kernel-message.ts";
import type { Port } from "./port.ts";

export interface RemoteDelivery {
  /** Whether a message for a proxy may carry receive rights (migration). */
  readonly acceptsReceiveRights: boolean;
  /** False when so much is on its way to the proxy's node that an ordinary sender must wait at the proxy;
   *  it is let go, oldest first, when there is room again. */
  hasRoom(proxy: Port): boolean;
  /** Takes a message for a proxy. MACH_MSG_SUCCESS, or a send status and the message is untouched. */
  send(message: KernelMessage): number;
}
