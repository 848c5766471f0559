// A message that was forced into a full queue (MACH_SEND_NOTIFY) carries a request: its sender is told when
// it has been taken out, or that it never will be. norma/ has a kind of its own, for senders of other nodes.

import type { IpcContext } from "./context.ts";
import { notifyMsgAccepted } from "./notifications.ts";
import type { Port } from "./port.ts";
import { releaseRight } from "./release.ts";
import { PORT_SEND_ONCE } from "./rights.ts";
import type { Space } from "./space.ts";

export interface AcceptRequest {
  /** A receiver has taken the message. */
  accepted(ipc: IpcContext): void;
  /** The message was destroyed. */
  destroyed(ipc: IpcContext): void;
}

/** The request of a sender of this node. */
export class LocalAccept implements AcceptRequest {
  private readonly space: Space;
  /** Holds a send-once right to where the sender wants to be told. */
  private readonly notify: Port;

  constructor(space: Space, notify: Port) {
    this.space = space;
    this.notify = notify;
  }

  /** msg-accepted, with the send right's name if the sender still has it. */
  accepted(ipc: IpcContext): void {
    notifyMsgAccepted(ipc, this.notify, this.space.clearAccept(this));
  }

  /** The notify right goes unused, which is a send-once notification. */
  destroyed(ipc: IpcContext): void {
    this.space.clearAccept(this);
    releaseRight(ipc, this.notify, PORT_SEND_ONCE);
  }
}
