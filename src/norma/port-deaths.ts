// The death of a port, as far as its home knows whom to tell: the nodes that it has given rights to, and any
// node that still sends to it. A node that got its right from a third one hears of the death only when it
// sends; telling everybody is the token's business.
// A proxy of a dead port dies: its names become dead names and dead-name requests fire, as at home. Send-once
// rights that go with it are counted off at home.

import type { IpcContext } from "../ipc/context.ts";
import { PORT_DEAD, type Port } from "../ipc/port.ts";
import { destroyPort } from "../ipc/release.ts";
import { type CarriedRight, PORT_SEND, PORT_SEND_ONCE } from "../ipc/rights.ts";
import { FIRST_LOCAL_ID, type Identifier, identifierLocal, identifierNode } from "./identifier.ts";
import type { IdentifierTable } from "./identifier-table.ts";
import { abroadOf } from "./port-abroad.ts";
import type { PortNotes } from "./port-notes.ts";
import { NOTE_DEAD, NOTE_ONCE_GONE } from "./wire-values.ts";

export class PortDeaths {
  private readonly ipc: IpcContext;
  private readonly identifiers: IdentifierTable;
  private readonly notes: PortNotes;

  constructor(ipc: IpcContext, identifiers: IdentifierTable, notes: PortNotes) {
    this.ipc = ipc;
    this.identifiers = identifiers;
    this.notes = notes;
  }

  // --- at home ------------------------------------------------------------------------------------

  /** A right to a port of this node goes to another. */
  exported(port: Port, right: CarriedRight, node: number): void {
    if (right === PORT_SEND) {
      port.sendsAbroad = true;
      if (identifierLocal(port.identifier) >= FIRST_LOCAL_ID) abroadOf(port).sendNodes.add(node);
    } else if (right === PORT_SEND_ONCE) {
      const abroad = abroadOf(port);
      if (abroad.lastOnceNode === node) return;
      abroad.lastOnceNode = node;
      abroad.onceNodes.add(node);
    }
  }

  portDied(port: Port): void {
    if (port.abroad === null) return;
    const { visitors, sendNodes, onceNodes } = abroadOf(port);
    const nodes = new Set(sendNodes);
    for (const { node } of visitors) nodes.add(node);
    // Without a send-once right anywhere nobody need hear of it who had none but those.
    if (port.sendOnceRights > 0) for (const node of onceNodes) nodes.add(node);
    port.abroad = null;
    for (const node of nodes) this.notes.send(node, NOTE_DEAD, port.identifier);
  }

  /** A message came for a port that is dead or gone. */
  messageForTheDead(source: number, identifier: Identifier): void {
    this.notes.send(source, NOTE_DEAD, identifier);
  }

  /** Send-once rights to a dead port are gone, on another node. */
  onceGone(port: Port, count: number): void {
    if (port.state !== PORT_DEAD) return;
    port.sendOnceRights = Math.max(0, port.sendOnceRights - count);
    this.ipc.ports.collectIfGone(port);
  }

  // --- at the proxy -------------------------------------------------------------------------------

  deathArrived(identifier: Identifier): void {
    const proxy = this.identifiers.proxyOf(identifier);
    if (proxy === null) return;
    if (proxy.sendOnceRights > 0) {
      this.notes.send(proxy.home, NOTE_ONCE_GONE, identifier, proxy.sendOnceRights);
    }
    this.identifiers.forget(proxy);
    destroyPort(this.ipc, proxy);
    this.ipc.ports.collectIfGone(proxy);
  }

  /** A send-once right came to this node whose port is known to be dead. */
  deadOnArrival(identifier: Identifier): void {
    this.notes.send(identifierNode(identifier), NOTE_ONCE_GONE, identifier, 1);
  }
}
