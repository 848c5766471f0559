// Notes by their kind, to whom they are for. What no node would have sent is refused here.

import { PORT_QUEUE_LIMIT_MAX } from "../base/limits.ts";
import type { IpcContext } from "../ipc/context.ts";
import { PORT_DEAD, PORT_PROXY } from "../ipc/port.ts";
import type { AcceptReports } from "./accept-reports.ts";
import type { FlowControl } from "./flow-control.ts";
import type { Forwarding } from "./forwarding.ts";
import type { Identifier } from "./identifier.ts";
import type { IdentifierTable } from "./identifier-table.ts";
import type { Migration } from "./migration.ts";
import type { PortDeaths } from "./port-deaths.ts";
import type { Token } from "./token.ts";
import {
  allowanceLimit,
  allowanceTenure,
  flushNumber,
  flushOrigin,
  isAllowanceGranted,
  isFlushSentOn,
  NOTE_ACCEPTED,
  NOTE_ALLOWANCE,
  NOTE_ASK,
  NOTE_DEAD,
  NOTE_DESTROYED,
  NOTE_FLUSH,
  NOTE_FLUSHED,
  NOTE_ONCE_GONE,
  NOTE_RETURN,
  NOTE_TOKEN,
  NOTE_WANT,
  TENURE_MAX,
} from "./wire-values.ts";

export class NoteRouter {
  private readonly ipc: IpcContext;
  private readonly node: number;
  private readonly identifiers: IdentifierTable;
  private readonly flow: FlowControl;
  private readonly forwarding: Forwarding;
  private readonly migration: Migration;
  private readonly deaths: PortDeaths;
  private readonly accepts: AcceptReports;
  private readonly token: Token;

  constructor(
    ipc: IpcContext,
    identifiers: IdentifierTable,
    flow: FlowControl,
    forwarding: Forwarding,
    migration: Migration,
    deaths: PortDeaths,
    accepts: AcceptReports,
    token: Token,
  ) {
    this.ipc = ipc;
    this.node = ipc.memory.node;
    this.identifiers = identifiers;
    this.flow = flow;
    this.forwarding = forwarding;
    this.migration = migration;
    this.deaths = deaths;
    this.accepts = accepts;
    this.token = token;
  }

  /** False for a note that no node would have sent. */
  take(node: number, note: number, identifier: Identifier, first: number, second: number): boolean {
    switch (note) {
      case NOTE_ALLOWANCE: {
        const limit = allowanceLimit(second);
        const tenure = allowanceTenure(second);
        if (limit > PORT_QUEUE_LIMIT_MAX || tenure > TENURE_MAX) return false;
        const proxy = this.identifiers.proxyOf(identifier);
        // One of another tenure is about what was sent by another way, which may have led there, too.
        if (proxy !== null && proxy.home === node && proxy.moves === tenure) {
          this.flow.allowanceArrived(proxy, first, limit, isAllowanceGranted(second));
        }
        return true;
      }
      case NOTE_DEAD:
        if (this.identifiers.isKernelPort(identifier)) return false;
        this.deaths.deathArrived(identifier);
        return true;
      case NOTE_ONCE_GONE:
        if (first < 0 || second < 0) return false;
        this.deaths.onceGone(identifier, first, second);
        return true;
      case NOTE_FLUSH:
        return this.takeFlush(node, identifier, first, second);
      case NOTE_FLUSHED:
        this.migration.flushed(identifier, first);
        return true;
      case NOTE_TOKEN:
        if (this.node === 0) this.token.wake();
        return this.node === 0;
      case NOTE_ACCEPTED:
        return this.accepts.accepted(this.ipc, first, node);
      case NOTE_DESTROYED:
        return this.accepts.destroyed(this.ipc, first, node);
      case NOTE_WANT:
      case NOTE_RETURN:
      case NOTE_ASK:
        if (first >>> 0 > TENURE_MAX) return false;
        this.senderNote(node, note, identifier, first);
        return true;
    }
    return false;
  }

  private takeFlush(node: number, identifier: Identifier, word: number, tenure: number): boolean {
    const flush = {
      identifier,
      origin: flushOrigin(word),
      number: flushNumber(word),
      sentOn: isFlushSentOn(word),
      tenure,
      message: null,
    };
    if (flush.origin >= this.ipc.memory.layout.nodes || word < 0 || tenure < 0) return false;
    if (!flush.sentOn && flush.origin !== node) return false;
    this.migration.flushArrived(flush);
    return true;
  }

  private senderNote(node: number, note: number, identifier: Identifier, tenure: number): void {
    const port = this.identifiers.destination(identifier);
    if (port === null || port.state === PORT_DEAD) return;
    const queue = port.state === PORT_PROXY ? this.forwarding : this.flow;
    if (note === NOTE_WANT) queue.wantArrived(port, node, tenure);
    else if (note === NOTE_RETURN) queue.returnArrived(port, node, tenure);
    else queue.askArrived(port, node, tenure);
  }
}
