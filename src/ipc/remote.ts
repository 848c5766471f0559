// All that local IPC knows of remoteness: a message whose destination is a proxy goes here instead of
// into a queue. norma/ implements it.

import type { KernelMessage } from "./kernel-message.ts";
import type { Port } from "./port.ts";
import type { SendWait } from "./waits.ts";

export interface RemoteDelivery {
  /** Whether a message for `destination` may carry a receive right (migration). */
  acceptsReceiveRight(destination: Port): boolean;
  /** False when an ordinary sender must wait at the proxy: the queue at its home is full, as far as is
   *  known here, or too much is on its way there. Senders are let go, oldest first, when there is room. */
  hasRoom(proxy: Port): boolean;
  /** A sender has begun to wait at the proxy. */
  senderWaits(proxy: Port): void;
  /** A sender has found no room at the proxy and does not wait. */
  senderGoes(proxy: Port): void;
  /** The queue of a port that other nodes send to is empty, and nobody waits to send. */
  queueDrained(port: Port): void;
  /** Keeps a message for a port that is held until its turn has come. */
  hold(message: KernelMessage): void;
  /** Takes a message for a proxy. `always`: its sender did not have to wait for room. */
  send(message: KernelMessage, always: boolean): void;
  /** The turn of senders of another node has come, which wait at a port of this one: `wait` is theirs. */
  admit(port: Port, wait: SendWait): void;
  /** True if another message that is to be reported as accepted (MACH_SEND_NOTIFY) can be sent. */
  readonly canReport: boolean;
  /** A port of this node that other nodes may know has died; it is destroyed further afterwards. */
  portDied(port: Port): void;
  /** A port has no senders here any more, and somebody wants to know whether there are some on other nodes: its
   *  receiver, if it is a port of this node; its home, if it is a proxy. */
  askForSenders(port: Port): void;
  /** The port's queue limit has changed. */
  limitChanged(port: Port): void;
  /** The principal of a proxy that leads back to this very node (loopback), else null. */
  principalOf(proxy: Port): Port | null;
  /** The other way round: the loopback proxy of a port of this node, if there is one. */
  loopbackProxyOf(port: Port): Port | null;
}
