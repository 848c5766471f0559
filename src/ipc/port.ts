// A port: a queue of messages with one receiver, and the counts of rights to it on this node.
// A proxy is an ordinary port whose receive right lives on another node; only the queueing stage
// asks which of the two it has before it.
//
// States of the receive right (I-6: exactly one of them):
//   PORT_IN_SPACE    space !== null, name = the receiver's name for it
//   PORT_IN_TRANSIT  in a message that is queued or on its way: space === null
//   PORT_IN_KERNEL   kernel-owned: server !== null
//   PORT_PROXY       the receive right is at `home`; identifier !== 0; queue always empty
//   PORT_DEAD        no receiver any more; queue empty; names for it turn into dead names when touched
//
// Counts are of this node: names in spaces here, and rights in messages here that are not copied out.

import { assert } from "../base/assert.ts";
import { PORT_QUEUE_LIMIT_DEFAULT } from "../base/limits.ts";
import type { DeadNameRequest } from "./dead-name-request.ts";
import type { KernelServer } from "./kernel-server.ts";
import { MessageQueue } from "./message-queue.ts";
import type { PortSet } from "./port-set.ts";
import type { PortName } from "./rights.ts";
import type { Space } from "./space.ts";
import type { SendWait } from "./waits.ts";

export const PORT_IN_SPACE = 0;
export const PORT_IN_TRANSIT = 1;
export const PORT_IN_KERNEL = 2;
export const PORT_PROXY = 3;
export const PORT_DEAD = 4;
export type PortState =
  | typeof PORT_IN_SPACE
  | typeof PORT_IN_TRANSIT
  | typeof PORT_IN_KERNEL
  | typeof PORT_PROXY
  | typeof PORT_DEAD;

/** Bit n of entry s: a receive right in state s may enter state n. */
const PORT_NEXT = [
  /* in space   */ (1 << PORT_IN_TRANSIT) | (1 << PORT_DEAD),
  /* in transit */ (1 << PORT_IN_SPACE) | (1 << PORT_PROXY) | (1 << PORT_DEAD),
  /* in kernel  */ 1 << PORT_DEAD,
  /* proxy      */ (1 << PORT_IN_TRANSIT) | (1 << PORT_DEAD),
  /* dead       */ 0,
] as const;

export class Port {
  /** Number in this node's port table; body words of messages in the kernel hold it. Never 0. */
  readonly index: number;
  state: PortState;

  // --- receive right -------------------------------------------------------------------------
  space: Space | null = null;
  name: PortName = 0;
  /** In transit: the destination of the message that holds the receive right; null if that would close
   *  a circle. Following it from port to port comes to an end. */
  transitTo: Port | null = null;
  server: KernelServer | null = null;
  /** The set that it is a member of. */
  set: PortSet | null = null;
  makeSendCount = 0;
  sequence = 0;

  // --- rights on this node ---------------------------------------------------------------------
  sendRights = 0;
  sendOnceRights = 0;

  // --- queue -------------------------------------------------------------------------------------
  queueLimit = PORT_QUEUE_LIMIT_DEFAULT;
  messageCount = 0;
  /** Places in the queue that were promised to senders of other nodes and are not taken yet. */
  promised = 0;
  /** Where its messages and receivers wait: `ownQueue`, or its set's. */
  queue: MessageQueue;
  readonly ownQueue: MessageQueue;
  senderFirst: SendWait | null = null;
  senderLast: SendWait | null = null;

  // --- who wants to be told; each holds a send-once right to where ---------------------------------
  portDestroyedNotify: Port | null = null;
  noSendersNotify: Port | null = null;
  deadNameRequests: Set<DeadNameRequest> | null = null;

  // --- network: owned by norma/, opaque here -------------------------------------------------------
  /** Network identifier, 0 until the port is first exported. */
  identifier = 0;
  /** Node of the receive right, for a proxy. */
  home = 0;
  /** Send rights may be on other nodes, whose counts this node does not know. */
  sendsAbroad = false;
  /** Rights that this node has given to the network less those that it has taken from it (paper 2.5.4). Only
   *  the sum over all nodes means something: the rights that are on their way. */
  transit = 0;
  onceTransit = 0;
  /** Of a principal: send-once rights, among those it counts, that are elsewhere or on their way. */
  oncesAbroad = 0;
  /** A send right has been given to the network since the token last read the counts. */
  exported = false;
  /** Of a proxy: when its last send right here goes, its home is to hear of it. */
  watched = false;
  /** It waits to be asked about by the token. */
  queried = false;
  /** What norma/ remembers of the port and the nodes that deal with it. */
  abroad: unknown = null;
  /** How often the receive right had moved between nodes when it came to where this node believes it is. */
  moves = 0;
  /** Its identifiers, while it has several: the receive right has moved from node to node. */
  lineage: unknown = null;
  /** Messages of this node must wait for those that are still on their way by another one. */
  held = false;

  constructor(index: number, state: PortState) {
    this.index = index;
    this.state = state;
    this.ownQueue = new MessageQueue();
    this.queue = this.ownQueue;
  }
}

/** Moves the receive right to another state; transitions that the table lacks are bugs (I-6). */
export const enterPortState = (port: Port, to: PortState): void => {
  assert(((PORT_NEXT[port.state] >>> to) & 1) === 1, `port ${port.state} -> ${to}`);
  port.state = to;
};

/** True if an ordinary sender need not wait. */
export const hasQueueRoom = (port: Port): boolean =>
  port.messageCount + port.promised < port.queueLimit && !port.held;

/** True if a message to `destination` that holds `port`'s receive right would be out of everybody's
 *  reach: its queue is, in the end, its own (Mach 3.0 ipc_port_check_circularity). */
export const isCircular = (port: Port, destination: Port): boolean => {
  for (let at: Port | null = destination; at !== null; at = at.transitTo) {
    if (at === port) return true;
  }
  return false;
};

/** All ports of a node, by index. Index 0 stays empty: a body word of 0 is the null right. */
export class PortTable {
  private readonly ports: (Port | null)[] = [null];
  private readonly freeIndexes: number[] = [];
  private live = 0;

  create(state: PortState): Port {
    const index = this.freeIndexes.pop() ?? this.ports.length;
    const port = new Port(index, state);
    this.ports[index] = port;
    this.live += 1;
    return port;
  }

  /** The port of a body word that the kernel itself wrote. */
  byIndex(index: number): Port {
    const port = this.ports[index];
    assert(port != null, `no port ${index}`);
    return port;
  }

  /** Forgets a port when it is dead and its last right is gone. */
  collectIfGone(port: Port): void {
    if (port.state !== PORT_DEAD || port.sendRights > 0 || port.sendOnceRights > 0) return;
    this.forget(port);
  }

  /** Forgets a port that nobody has anything of any more. */
  forget(port: Port): void {
    if (!this.holds(port)) return;
    this.ports[port.index] = null;
    this.freeIndexes.push(port.index);
    this.live -= 1;
  }

  /** False for a port that has been forgotten. */
  holds(port: Port): boolean {
    return this.ports[port.index] === port;
  }

  get count(): number {
    return this.live;
  }

  /** Every live port: for checkers and stats. */
  *[Symbol.iterator](): Iterator<Port> {
    for (const port of this.ports) if (port !== null) yield port;
  }
}

export const describePort = (port: Port): string => {
  const states = ["in space", "in transit", "kernel", "proxy", "dead"];
  return (
    `port ${port.index} (${states[port.state]}) name ${port.name.toString(16)} ` +
    `id ${port.identifier.toString(16)} send ${port.sendRights} once ${port.sendOnceRights} ` +
    `queued ${port.messageCount}/${port.queueLimit}`
  );
};
