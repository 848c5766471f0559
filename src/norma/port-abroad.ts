// What network IPC remembers of one port, beside its identifier. A principal knows the nodes that send to
// it and those that have been given rights to it; a proxy knows how much it may send.

import { PORT_QUEUE_LIMIT_DEFAULT } from "../base/limits.ts";
import type { Port } from "../ipc/port.ts";
import { type Visitor, visitorOf } from "./visitors.ts";

/** Of a principal. */
export class PortAbroad {
  readonly visitors: Visitor[] = [];
  /** Nodes that were given send rights, and send-once rights. */
  readonly sendNodes = new Set<number>();
  readonly onceNodes = new Set<number>();
  /** The node that was given a send-once right last: mostly it is the same again. */
  lastOnceNode = -1;

  /** The record of a node; null if it has not sent yet. */
  visitor(node: number): Visitor | null {
    return visitorOf(this.visitors, node);
  }
}

/** Of a proxy. */
export class ProxyFlow {
  /** Metered messages handed to the transport, in all. */
  sent = 0;
  /** How many may be, or OPEN_ALLOWANCE. One until the home has said more. */
  allowed = 1;
  /** Handed over and not acknowledged. */
  inFlight = 0;
  /** The queue limit at home. */
  limit = PORT_QUEUE_LIMIT_DEFAULT;
  /** The home has told an allowance. */
  told = false;
  /** The home has been asked for a new allowance and has not answered. */
  asked = false;
  /** Waiting senders for which the home has been asked. */
  wanted = 0;
  /** Nodes that still send by way of this one, which had the receive right. */
  readonly visitors: Visitor[] = [];

  /** Messages go another way from now on: what may be sent there nobody has said. Places that visitors were promised by the old
   *  way are filled by the new one. */
  restart(): void {
    this.sent = this.visitors.reduce((sum, { promised }) => sum + promised, 0);
    this.allowed = 1;
    this.limit = PORT_QUEUE_LIMIT_DEFAULT;
    this.told = false;
    this.asked = false;
    this.wanted = 0;
  }
}

export const abroadOf = (port: Port): PortAbroad => {
  port.abroad ??= new PortAbroad();
  return port.abroad as PortAbroad;
};

export const flowOf = (proxy: Port): ProxyFlow => {
  proxy.abroad ??= new ProxyFlow();
  return proxy.abroad as ProxyFlow;
};
