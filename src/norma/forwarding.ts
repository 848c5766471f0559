// Queue limits at a node that had the receive right of a port: other nodes still send to it, and their messages go on from
// here to where the receive right went (paper 2.5.6). Each of them counts as a message of this node there. A place
// that is promised to a sender of another node is one that this node may fill over there; whoever finds none waits here, in
// line with the senders of this node.

import type { IpcContext } from "../ipc/context.ts";
import { PORT_PROXY, type Port } from "../ipc/port.ts";
import { appendSender, type SendWait } from "../ipc/waits.ts";
import { type FlowControl, tellAllowance } from "./flow-control.ts";
import { abroadOf, flowOf, type PortAbroad, ProxyFlow } from "./port-abroad.ts";
import type { PortNotes } from "./port-notes.ts";
import {
  dismiss,
  type Visitor,
  type VisitorKeeper,
  VisitorWait,
  visitorBy,
  visitorOf,
} from "./visitors.ts";

export class Forwarding implements VisitorKeeper {
  private readonly ipc: IpcContext;
  private readonly notes: PortNotes;
  private readonly flow: FlowControl;

  constructor(ipc: IpcContext, notes: PortNotes, flow: FlowControl) {
    this.ipc = ipc;
    this.notes = notes;
    this.flow = flow;
  }

  /** The receive right has gone; the port is a proxy. Places promised to visitors are taken over there. */
  departed(port: Port): void {
    const visitors = (port.abroad as PortAbroad | null)?.visitors ?? [];
    port.abroad = new ProxyFlow();
    port.promised = 0;
    for (const visitor of visitors) {
      flowOf(port).visitors.push(visitor);
      for (let i = 0; i < visitor.promised; i++) this.flow.countOut(port);
      visitor.allowed = (visitor.received + visitor.promised) | 0;
      tellAllowance(this.notes, port, visitor, false);
    }
  }

  /** The receive right has come from a node, which may have rights to the port; the port is not a proxy any more. */
  arrived(port: Port, source: number): void {
    const visitors = (port.abroad as ProxyFlow | null)?.visitors ?? [];
    port.abroad = null;
    abroadOf(port).sendNodes.add(source);
    for (const visitor of visitors) {
      abroadOf(port).visitors.push(visitor);
      port.promised += visitor.promised;
    }
  }

  /** A metered message of a node has come and goes on. */
  countThrough(port: Port, node: number, tenure: number): void {
    const visitor = visitorBy(flowOf(port).visitors, port, node, tenure, this);
    if (visitor === null) {
      this.flow.countOut(port);
      return;
    }
    const isNew = visitor.received === 0;
    visitor.received = (visitor.received + 1) | 0;
    if (visitor.promised > 0) visitor.promised -= 1;
    else this.flow.countOut(port);
    if (!isNew) return;
    visitor.allowed = (visitor.received + visitor.promised) | 0;
    tellAllowance(this.notes, port, visitor, false);
  }

  /** A sender of a node wants a turn. */
  wantArrived(port: Port, node: number, tenure: number): void {
    const visitor = visitorBy(flowOf(port).visitors, port, node, tenure, this);
    if (visitor === null) return;
    if (port.senderFirst === null && this.ipc.remote.hasRoom(port)) {
      this.grant(port, visitor);
      return;
    }
    appendSender(port, new VisitorWait(visitor));
    this.flow.senderWaits(port);
  }

  /** The turn of a visitor has come. */
  admit(port: Port, wait: SendWait): void {
    this.grant(port, (wait as VisitorWait).visitor);
  }

  private grant(port: Port, visitor: Visitor): void {
    this.flow.countOut(port);
    visitor.promised += 1;
    visitor.allowed = (visitor.received + visitor.promised) | 0;
    tellAllowance(this.notes, port, visitor, true);
  }

  /** A node asks what it may send. */
  askArrived(port: Port, node: number, tenure: number): void {
    const visitor = visitorBy(flowOf(port).visitors, port, node, tenure, this);
    if (visitor === null) return;
    const spare = port.senderFirst === null && this.ipc.remote.hasRoom(port) ? 1 : 0;
    visitor.allowed = (visitor.received + visitor.promised + spare) | 0;
    tellAllowance(this.notes, port, visitor, false);
  }

  /** A granted place is not wanted any more. */
  returnArrived(port: Port, node: number, tenure: number): void {
    const visitor = visitorOf(flowOf(port).visitors, node);
    if (visitor === null || visitor.tenure !== tenure || visitor.promised === 0) return;
    this.giveBack(port, visitor);
  }

  private giveBack(port: Port, visitor: Visitor): void {
    visitor.promised -= 1;
    visitor.allowed = (visitor.allowed - 1) | 0;
    this.flow.countBack(port);
    if (port.senderFirst !== null) this.flow.letGo(port);
    else this.flow.returnPlace(port);
  }

  /** A node does not send by the way any more that it sent to `tenure` by; perhaps it comes by a new one already. */
  visitorLeaves(port: Port, node: number, tenure: number): void {
    const isProxy = port.state === PORT_PROXY;
    const visitor = visitorOf(isProxy ? flowOf(port).visitors : abroadOf(port).visitors, node);
    if (visitor === null || visitor.tenure > tenure) return;
    if (isProxy) this.visitorGoes(port, visitor);
    else this.flow.visitorGoes(port, visitor);
  }

  /** VisitorKeeper. */
  visitorGoes(port: Port, visitor: Visitor): void {
    const { visitors } = flowOf(port);
    dismiss(port, visitor);
    while (visitor.promised > 0) this.giveBack(port, visitor);
    visitors.splice(visitors.indexOf(visitor), 1);
  }
}
