// Migration: a receive right goes to another node in a message (paper 2.5.6).
//   departed   the port is a proxy from now on. When the message is out, those that were queued follow it, in order; so
//              does whatever comes later from nodes that do not know better. Senders that wait go on waiting, here.
//   arrived    the proxy, if there was one, is the port from now on: what the node's tasks have of it stays what
//              it was. What this node sent to the old home must not be overtaken (holds.ts).
// Queue limit and notification requests move along; make-send count and sequence number begin again at 0, as in any message
// that carries a receive right. The new identifier is the token's business (moves.ts).
//
// Circles. Receive rights go to the node of the queue that they wait in, so ports that hold each other end up on one node,
// where that is seen as it always is. Two that chase each other never arrive: the one whose right has moved too often without
// having been received is destroyed.

import { PORT_QUEUE_LIMIT_MAX } from "../base/limits.ts";
import type { IpcContext } from "../ipc/context.ts";
import type { KernelMessage } from "../ipc/kernel-message.ts";
import { takeMessage } from "../ipc/message-queue.ts";
import {
  enterPortState,
  isCircular,
  PORT_DEAD,
  PORT_IN_TRANSIT,
  PORT_PROXY,
  type Port,
} from "../ipc/port.ts";
import { admitSenders, sendToPort } from "../ipc/queueing.ts";
import { type CarriedRight, PORT_SEND_ONCE } from "../ipc/rights.ts";
import type { FlowControl } from "./flow-control.ts";
import type { Forwarding } from "./forwarding.ts";
import { type Flush, Holds, type Kept, OWN_TENURE } from "./holds.ts";
import { FIRST_LOCAL_ID, type Identifier, identifierLocal, NULL_IDENTIFIER } from "./identifier.ts";
import type { IdentifierTable } from "./identifier-table.ts";
import { lineageOf } from "./lineage.ts";
import {
  MOVED_DESTROYED,
  MOVED_LIMIT,
  MOVED_MOVES,
  MOVED_NEWEST,
  MOVED_NEWEST_MOVES,
  MOVED_NO_SENDERS,
  MOVED_ONCES,
  MOVED_UNRECEIVED,
} from "./moved-right-layout.ts";
import { Moves } from "./moves.ts";
import type { PortNotes } from "./port-notes.ts";
import { reject } from "./rejections.ts";
import { flushWord, NOTE_FLUSH, NOTE_FLUSHED, TENURE_MAX } from "./wire-values.ts";

/** A receive right that has moved so often without being received chases one that chases it. */
const UNRECEIVED_MAX = 64;

/** Rights between this node's counts and the wire (right-translation.ts). */
export interface WireRights {
  rightOut(port: Port, right: CarriedRight, node: number): Identifier;
  portIn(identifier: Identifier, right: CarriedRight): Port | null;
}

/** Where messages for a port that is, or was, elsewhere go. */
export interface MessageRoutes {
  /** Sends on a message that was queued here. */
  forwardQueued(message: KernelMessage): void;
  /** Delivers, or sends on, a message of another node. */
  route(source: number, message: KernelMessage): void;
  askForSenders(port: Port): void;
}

export class Migration {
  readonly moves: Moves;
  private readonly ipc: IpcContext;
  private readonly node: number;
  private readonly identifiers: IdentifierTable;
  private readonly notes: PortNotes;
  private readonly flow: FlowControl;
  private readonly forwarding: Forwarding;
  private readonly routes: MessageRoutes;
  private readonly holds: Holds;
  /** Ports that have left in messages which are not out yet. */
  private readonly leaving: Port[] = [];
  private following = false;

  constructor(
    ipc: IpcContext,
    identifiers: IdentifierTable,
    notes: PortNotes,
    flow: FlowControl,
    forwarding: Forwarding,
    routes: MessageRoutes,
    wantToken: () => void,
  ) {
    this.ipc = ipc;
    this.node = ipc.memory.node;
    this.identifiers = identifiers;
    this.notes = notes;
    this.flow = flow;
    this.forwarding = forwarding;
    this.routes = routes;
    this.holds = new Holds(ipc, notes);
    const rejectRecord = (): void => reject(ipc.memory.counters, "rejectedToken");
    this.moves = new Moves(
      this.node,
      identifiers,
      this.holds,
      flow,
      notes,
      wantToken,
      rejectRecord,
    );
  }

  // --- from here ----------------------------------------------------------------------------------

  /** The receive right of `port` goes to `node`; writes what goes with it into `details`. Returns what stands for it on
   *  the wire. */
  departed(port: Port, node: number, details: Int32Array, rights: WireRights): Identifier {
    const identifier = this.identifiers.identifierOf(port);
    const lineage = lineageOf(port);
    this.moves.departed(lineage);
    port.moves += 1;
    details[MOVED_LIMIT] = port.queueLimit;
    details[MOVED_ONCES] = port.sendOnceRights;
    details[MOVED_NO_SENDERS] = noticeOut(port.noSendersNotify, node, rights);
    details[MOVED_DESTROYED] = noticeOut(port.portDestroyedNotify, node, rights);
    details[MOVED_NEWEST] = lineage.newest;
    details[MOVED_NEWEST_MOVES] = lineage.tallies.get(lineage.newest)?.moves ?? 0;
    details[MOVED_MOVES] = port.moves;
    details[MOVED_UNRECEIVED] = lineage.unreceived + 1;
    lineage.unreceived = 0;
    port.noSendersNotify = null;
    port.portDestroyedNotify = null;
    port.sendOnceRights -= port.oncesAbroad;
    port.oncesAbroad = 0;
    port.transitTo = null;
    port.home = node;
    port.sendsAbroad = false;
    enterPortState(port, PORT_PROXY);
    this.leaving.push(port);
    return identifier;
  }

  /** Messages that carry receive rights are out: what was queued on their ports follows. That may be such messages. */
  follow(): void {
    if (this.following) return;
    this.following = true;
    for (let port = this.leaving.shift(); port !== undefined; port = this.leaving.shift()) {
      this.forwarding.departed(port);
      port.messageCount = 0;
      for (let next = takeMessage(port.queue); next !== null; next = takeMessage(port.queue)) {
        this.routes.forwardQueued(next);
      }
      if (!port.held) this.flow.letGo(port);
    }
    this.following = false;
  }

  // --- to here ------------------------------------------------------------------------------------

  /** A receive right has come from node `source` in `message`. Null: it is not what it says. */
  arrived(
    identifier: Identifier,
    source: number,
    message: KernelMessage,
    details: Int32Array,
    rights: WireRights,
  ): Port | null {
    const port = this.identifiers.known(identifier) ?? this.identifiers.portOf(identifier);
    if (port === null || port.state !== PORT_PROXY || !this.isSoundMove(port, details)) {
      reject(this.ipc.memory.counters, "rejectedRight");
      return null;
    }
    const lineage = lineageOf(port);
    lineage.newest = details[MOVED_NEWEST]!;
    lineage.add(lineage.newest, details[MOVED_NEWEST_MOVES]!);
    this.identifiers.alias(lineage.newest, port);
    const { home: way, moves: wayTenure } = port;
    port.moves = details[MOVED_MOVES]!;
    const hasSent = port.abroad !== null;
    enterPortState(port, PORT_IN_TRANSIT);
    port.makeSendCount = 0;
    port.sequence = 0;
    port.watched = false;
    port.sendsAbroad = true;
    // The old home may have made send rights since it was counted, and they may still be there.
    port.exported = true;
    port.queueLimit = details[MOVED_LIMIT]!;
    port.oncesAbroad = details[MOVED_ONCES]! - port.sendOnceRights;
    port.sendOnceRights = details[MOVED_ONCES]!;
    port.noSendersNotify = rights.portIn(details[MOVED_NO_SENDERS]!, PORT_SEND_ONCE);
    port.portDestroyedNotify = rights.portIn(details[MOVED_DESTROYED]!, PORT_SEND_ONCE);
    this.forwarding.arrived(port, source);
    this.moves.arrived(port);
    if (hasSent) this.holds.flush(port, way, wayTenure);
    if (port.noSendersNotify !== null && port.sendRights === 0) this.routes.askForSenders(port);
    this.settle(port, message, details[MOVED_UNRECEIVED]!);
    return port;
  }

  /** False if what goes with a receive right cannot be. */
  private isSoundMove(port: Port, details: Int32Array): boolean {
    const newest = details[MOVED_NEWEST]!;
    if (identifierLocal(port.identifier) < FIRST_LOCAL_ID || !this.identifiers.canBe(newest)) {
      return false;
    }
    const known = this.identifiers.known(newest);
    if (known !== null && known !== port) return false;
    const limit = details[MOVED_LIMIT]! >>> 0;
    const onces = details[MOVED_ONCES]!;
    const moves = details[MOVED_MOVES]!;
    if (limit > PORT_QUEUE_LIMIT_MAX || onces < port.sendOnceRights) return false;
    return moves > 0 && moves <= TENURE_MAX && details[MOVED_NEWEST_MOVES]! >>> 0 <= TENURE_MAX;
  }

  /** The port's receive right is in `message` now; both may never be received. */
  private settle(port: Port, message: KernelMessage, unreceived: number): void {
    const destination = message.remote;
    if (destination === null || destination.state === PORT_DEAD) return;
    if (destination.state === PORT_PROXY) {
      lineageOf(port).unreceived = unreceived;
      if (unreceived > UNRECEIVED_MAX) message.circular = true;
    } else if (isCircular(port, destination)) {
      message.circular = true;
    } else {
      port.transitTo = destination;
    }
  }

  // --- order --------------------------------------------------------------------------------------

  /** A message of this node for a port that is held. */
  keep(message: KernelMessage): void {
    this.holds.keep(message.remote!, { message, source: this.node, tenure: OWN_TENURE });
  }

  /** A message of another node; false if the port does not hold it back. */
  keepArrived(port: Port, source: number, message: KernelMessage): boolean {
    if (this.holds.passes(port, message.tenure)) return false;
    this.holds.keep(port, { message, source, tenure: message.tenure });
    return true;
  }

  /** A node sends to the port another way from now on; what it sent by way of this one is here, or kept here. */
  flushArrived(flush: Flush): void {
    const port = this.identifiers.destination(flush.identifier);
    if (port === null || port.state === PORT_DEAD) this.flushEnds(flush);
    else if (port.held && !this.holds.passes(port, flush.tenure)) this.holds.keep(port, flush);
    else this.flushOn(port, flush);
  }

  private flushOn(port: Port, flush: Flush): void {
    if (port.state === PORT_DEAD) {
      this.flushEnds(flush);
      return;
    }
    if (!flush.sentOn) this.forwarding.visitorLeaves(port, flush.origin, flush.tenure);
    if (port.state !== PORT_PROXY) {
      this.flushEnds(flush);
    } else if (port.moves <= flush.tenure) {
      reject(this.ipc.memory.counters, "rejectedRoute");
      this.flushEnds(flush);
    } else {
      const word = flushWord(flush.origin, flush.number, true);
      this.notes.sendBehind(port.home, NOTE_FLUSH, port.identifier, word, port.moves);
    }
  }

  private flushEnds({ identifier, origin, number }: Flush): void {
    if (origin === this.node) this.flushed(identifier, number);
    else this.notes.send(origin, NOTE_FLUSHED, identifier, number);
  }

  /** What this node sent by an old way has come to where the port is. */
  flushed(identifier: Identifier, number: number): void {
    const port = this.identifiers.known(identifier);
    if (port === null) return; // it has died meanwhile
    this.letGo(port, this.holds.flushed(port, number));
  }

  isAnnounced(identifier: Identifier): boolean {
    return this.moves.isAnnounced(identifier);
  }

  /** The port is dead: nothing is held back for it. */
  died(port: Port): void {
    if (port.held) this.letGo(port, this.holds.end(port));
  }

  private letGo(port: Port, items: readonly (Flush | Kept)[]): void {
    for (const item of items) {
      if (item.message === null) this.flushOn(port, item);
      else if (item.source === this.node) sendToPort(this.ipc, item.message, true);
      else this.routes.route(item.source, item.message);
    }
    if (port.held) return;
    if (port.state === PORT_PROXY) this.flow.letGo(port);
    else if (port.state !== PORT_DEAD) admitSenders(this.ipc, port);
  }
}

const noticeOut = (notify: Port | null, node: number, rights: WireRights): Identifier =>
  notify === null ? NULL_IDENTIFIER : rights.rightOut(notify, PORT_SEND_ONCE, node);
