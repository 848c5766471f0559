// Queue limits across nodes. A port's queue is at its home; its senders may be anywhere, and wait at their
// node's proxy until there is room. What a proxy may send without asking is its allowance:
//   one message     until the home has answered the first
//   open            the home's queue was empty when the home looked last: as many as fit the queue may be
//                   under way at a time
//   so many in all  there are messages in the queue; when they are used up, each sender that waits asks
//                   for its turn (NOTE_WANT) and takes its place among the senders that wait at the port, WANTS_MAX
//                   of a node at a time; one that does not wait asks for a new allowance (NOTE_ASK), for the next one
// A turn is a place in the queue, kept until the message comes or is not wanted any more (NOTE_RETURN), so
// that senders of all nodes get in oldest first, as far as they may ask. Send-once rights and messages of the kernel are not
// metered. The original had no limits here and queues grew without bound.
//
// With one sending node the limit is kept exactly, as long as notes find a packet buffer. Nodes whose allowances were told before the queue
// filled up may together go over it by what each was allowed.

import { assert } from "../base/assert.ts";
import { PORT_QUEUE_LIMIT_MAX } from "../base/limits.ts";
import type { IpcContext } from "../ipc/context.ts";
import { hasQueueRoom, PORT_DEAD, PORT_IN_KERNEL, PORT_PROXY, type Port } from "../ipc/port.ts";
import { admitSender, admitSenders } from "../ipc/queueing.ts";
import { appendSender, type SendWait } from "../ipc/waits.ts";
import { FIRST_LOCAL_ID, identifierLocal } from "./identifier.ts";
import { abroadOf, flowOf, type ProxyFlow } from "./port-abroad.ts";
import type { PortNotes } from "./port-notes.ts";
import {
  dismiss,
  OPEN_ALLOWANCE,
  type Visitor,
  type VisitorKeeper,
  VisitorWait,
  visitorBy,
  visitorOf,
} from "./visitors.ts";
import { allowanceWord, NOTE_ALLOWANCE, NOTE_ASK, NOTE_RETURN, NOTE_WANT } from "./wire-values.ts";

/** Turns that a node asks for at a time: more than so many places no queue has. Who waits at a former home of a port asks there,
 *  and is asked for by it where the port went; when the way changes all of them ask again. Without a bound the askers of a port
 *  that wanders ask for each other. */
const WANTS_MAX = PORT_QUEUE_LIMIT_MAX;

export class FlowControl implements VisitorKeeper {
  private readonly ipc: IpcContext;
  private readonly notes: PortNotes;
  /** Proxies whose messages were acknowledged while senders wait. */
  private readonly toLetGo: Port[] = [];

  constructor(ipc: IpcContext, notes: PortNotes) {
    this.ipc = ipc;
    this.notes = notes;
  }

  // --- at the proxy -------------------------------------------------------------------------------

  /** True if an ordinary sender need not wait, as far as the port's queue goes. */
  hasRoom(proxy: Port): boolean {
    const flow = flowOf(proxy);
    return mayGo(flow) || identifierLocal(proxy.identifier) < FIRST_LOCAL_ID;
  }

  /** A metered message leaves. */
  countOut(proxy: Port): void {
    const flow = flowOf(proxy);
    flow.sent = (flow.sent + 1) | 0;
    flow.inFlight += 1;
  }

  /** It does not leave after all. */
  countBack(proxy: Port): void {
    const flow = flowOf(proxy);
    flow.sent = (flow.sent - 1) | 0;
    flow.inFlight = Math.max(0, flow.inFlight - 1);
  }

  /** It is stored over there: another may follow. */
  acknowledged(proxy: Port): void {
    if (proxy.state !== PORT_PROXY) return; // the receive right has come here since
    const flow = flowOf(proxy);
    flow.inFlight = Math.max(0, flow.inFlight - 1); // less, if it has come and gone
    if (proxy.senderFirst !== null) this.toLetGo.push(proxy);
  }

  /** All packets of a batch have been read: an allowance that came with an acknowledgement is known. */
  batchEnded(): void {
    while (this.toLetGo.length > 0) this.letGo(this.toLetGo.shift()!);
  }

  /** A sender has begun to wait: its home is asked for a turn, unless an answer is under way anyhow. */
  senderWaits(proxy: Port): void {
    const flow = flowOf(proxy);
    if (isUsedUp(flow) && flow.wanted < WANTS_MAX) this.want(proxy, flow);
  }

  /** A sender that does not want to wait has found no room: the next one may, if the home knows better. */
  senderGoes(proxy: Port): void {
    const flow = flowOf(proxy);
    if (!isUsedUp(flow) || flow.asked || flow.wanted > 0) return;
    flow.asked = true;
    this.notes.sendBehind(proxy.home, NOTE_ASK, proxy.identifier, proxy.moves);
  }

  /** Messages go to another node from now on. */
  wayChanges(proxy: Port): void {
    flowOf(proxy).restart();
  }

  /** Lets waiting senders go as far as the allowance reaches, and asks for turns for the others. */
  letGo(proxy: Port): void {
    if (proxy.state !== PORT_PROXY) return;
    const flow = flowOf(proxy);
    while (proxy.senderFirst !== null && this.ipc.remote.hasRoom(proxy)) {
      admitSender(this.ipc, proxy);
    }
    if (!isUsedUp(flow)) return;
    let waiting = 0;
    for (let wait = proxy.senderFirst; wait !== null && waiting < WANTS_MAX; wait = wait.next) {
      waiting += 1;
    }
    while (flow.wanted < waiting) this.want(proxy, flow);
  }

  private want(proxy: Port, flow: ProxyFlow): void {
    flow.wanted += 1;
    this.notes.sendBehind(proxy.home, NOTE_WANT, proxy.identifier, proxy.moves);
  }

  /** The home has told an allowance. `granted`: it is the answer to one NOTE_WANT. */
  allowanceArrived(proxy: Port, allowed: number, limit: number, granted: boolean): void {
    const flow = flowOf(proxy);
    flow.told = true;
    flow.asked = false;
    flow.allowed = allowed;
    flow.limit = limit;
    if (granted) flow.wanted = Math.max(0, flow.wanted - 1);
    // Whoever asked may have given up: the place is not to be kept for nobody.
    if (granted && proxy.senderFirst === null) this.returnPlace(proxy);
    else this.letGo(proxy);
  }

  /** A place at the home is not wanted any more. There is none if more has gone there than was allowed: what a former home must
   *  send on goes whether there is a place for it or not. */
  returnPlace(proxy: Port): void {
    const flow = flowOf(proxy);
    if (!flow.told || isOpen(flow) || ((flow.allowed - flow.sent) | 0) <= 0) return;
    flow.allowed = (flow.allowed - 1) | 0;
    this.notes.sendBehind(proxy.home, NOTE_RETURN, proxy.identifier, proxy.moves);
  }

  // --- at home ------------------------------------------------------------------------------------

  /** A metered message of a node has come and been queued, or handed to a receiver. */
  countIn(port: Port, node: number, tenure: number, queuedBefore: number): void {
    if (port.state === PORT_DEAD) return; // the message has brought that about
    const queued = port.messageCount > queuedBefore;
    const visitor = visitorBy(abroadOf(port).visitors, port, node, tenure, this);
    if (visitor !== null) this.countVisitor(port, visitor, queued);
    // A receiver has taken it at once: the place that was kept for it is free.
    if (!queued && port.senderFirst !== null) admitSenders(this.ipc, port);
  }

  private countVisitor(port: Port, visitor: Visitor, queued: boolean): void {
    const isNew = visitor.received === 0;
    visitor.received = (visitor.received + 1) | 0;
    if (visitor.promised > 0) {
      visitor.promised -= 1;
      port.promised -= 1;
    }
    if (queued && visitor.allowed === OPEN_ALLOWANCE) {
      visitor.allowed = (visitor.received + roomToSpare(port)) | 0;
      this.tell(port, visitor, false);
    } else if (isNew) {
      this.tell(port, visitor, false);
    }
  }

  /** VisitorKeeper. */
  visitorGoes(port: Port, visitor: Visitor): void {
    const { visitors } = abroadOf(port);
    dismiss(port, visitor);
    visitors.splice(visitors.indexOf(visitor), 1);
    port.promised -= visitor.promised;
    if (!port.held) admitSenders(this.ipc, port); // others may have waited for these places
  }

  /** A sender of a node wants a turn. */
  wantArrived(port: Port, node: number, tenure: number): void {
    const visitor = visitorBy(abroadOf(port).visitors, port, node, tenure, this);
    if (visitor === null) return;
    if (port.senderFirst === null && this.hasRoomAtHome(port)) this.grant(port, visitor);
    else appendSender(port, new VisitorWait(visitor));
  }

  /** A node asks what it may send. */
  askArrived(port: Port, node: number, tenure: number): void {
    const visitor = visitorBy(abroadOf(port).visitors, port, node, tenure, this);
    if (visitor === null) return;
    this.renew(port, visitor);
    this.tell(port, visitor, false);
  }

  /** The queue is empty and nobody waits: nodes that had used up what they were allowed may send again. */
  queueDrained(port: Port): void {
    for (const visitor of abroadOf(port).visitors) {
      if (visitor.allowed === OPEN_ALLOWANCE || visitor.promised > 0) continue;
      if (((visitor.allowed - visitor.received) | 0) > 0) continue;
      this.renew(port, visitor);
      this.tell(port, visitor, false);
    }
  }

  /** What a visitor may send from now on. Who waits in line goes before those who do not. */
  private renew(port: Port, visitor: Visitor): void {
    const free = port.promised === 0 && port.senderFirst === null;
    if (free && port.messageCount === 0 && port.queueLimit > 0) {
      visitor.allowed = OPEN_ALLOWANCE;
      return;
    }
    const spare = port.senderFirst === null ? roomToSpare(port) : 0;
    visitor.allowed = (visitor.received + visitor.promised + spare) | 0;
  }

  private hasRoomAtHome(port: Port): boolean {
    return port.state === PORT_IN_KERNEL || hasQueueRoom(port);
  }

  /** The turn of a visitor has come. */
  admit(port: Port, wait: SendWait): void {
    assert(wait instanceof VisitorWait, "who waits without a message is a visitor");
    this.grant(port, wait.visitor);
  }

  private grant(port: Port, visitor: Visitor): void {
    if (port.messageCount === 0 && port.promised === 0 && port.senderFirst === null) {
      visitor.allowed = OPEN_ALLOWANCE;
    } else {
      // It asked when its allowance was used up, and the question came behind its messages: what it may send in all is
      // what has come and its turns.
      visitor.promised += 1;
      port.promised += 1;
      visitor.allowed = (visitor.received + visitor.promised) | 0;
    }
    this.tell(port, visitor, true);
  }

  /** A granted place is not wanted any more. */
  returnArrived(port: Port, node: number, tenure: number): void {
    const visitor = visitorOf(abroadOf(port).visitors, node);
    if (visitor === null || visitor.tenure !== tenure || visitor.promised === 0) return;
    visitor.promised -= 1;
    visitor.allowed = (visitor.allowed - 1) | 0;
    port.promised -= 1;
    admitSenders(this.ipc, port);
  }

  /** Tells every visitor the new limit, and what it may send under it. */
  limitChanged(port: Port): void {
    if (port.state === PORT_PROXY || port.abroad === null) return;
    for (const visitor of abroadOf(port).visitors) {
      if (visitor.allowed !== OPEN_ALLOWANCE) this.renew(port, visitor);
      this.tell(port, visitor, false);
    }
  }

  private tell(port: Port, visitor: Visitor, granted: boolean): void {
    tellAllowance(this.notes, port, visitor, granted);
  }
}

/** Tells a visitor what it may send. `granted`: it is the answer to one NOTE_WANT. */
export const tellAllowance = (
  notes: PortNotes,
  port: Port,
  visitor: Visitor,
  granted: boolean,
): void => {
  const word = allowanceWord(visitor.tenure, port.queueLimit, granted);
  notes.send(visitor.node, NOTE_ALLOWANCE, port.identifier, visitor.allowed, word);
};

/** Places in the queue that are neither taken nor promised. */
const roomToSpare = (port: Port): number =>
  Math.max(0, port.queueLimit - port.messageCount - port.promised);

const isOpen = (flow: ProxyFlow): boolean => flow.allowed === OPEN_ALLOWANCE;

/** The home has told a count, and no more may be sent without asking. */
const isUsedUp = (flow: ProxyFlow): boolean =>
  flow.told && !isOpen(flow) && ((flow.allowed - flow.sent) | 0) <= 0;

const mayGo = (flow: ProxyFlow): boolean => {
  if (isOpen(flow)) return flow.inFlight < flow.limit;
  return ((flow.allowed - flow.sent) | 0) > 0;
};
