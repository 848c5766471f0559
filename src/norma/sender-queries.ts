// No-senders across nodes (paper 2.5.4). Every node counts, of every port: send rights here, and send rights given
// to the network less those taken from it (Port.transit, negative on a node that has taken more than it gave).
// Only the sum over all nodes means something. The home of a port whose receiver has asked for no-senders and has no
// senders of its own puts a query on the token; the nodes add their counts when they read it (first count) and once more
// when they confirm (second count), and say then whether they have exported a send right between the two.
//
// A query is asked once. If it finds senders, their nodes watch: the one whose last right goes asks again, so that the
// token rests while nothing changes. If it finds none but rights on their way, the home asks again.
//
// Why two equal counts of nothing prove that there is nothing: the intervals between the two counts of all nodes have an
// instant in common. Nobody exported in its interval, so transit counts could only go down in it; their sums are
// both zero, so none did: nobody accepted a right either. With no rights at any node's first count and none accepted
// since, there is none at that instant; and with a sum of transit counts of zero none is on its way.
// Only the home can make rights from nothing. It looks at its own when it concludes; if it is another home than the one that
// was counted, the receive right has come since, and that counts as an export (migration.ts).

import type { IpcContext } from "../ipc/context.ts";
import { PORT_DEAD, PORT_PROXY, type Port } from "../ipc/port.ts";
import { lastSenderGone } from "../ipc/release.ts";
import { Backlog } from "./backlog.ts";
import { FIRST_LOCAL_ID, identifierLocal } from "./identifier.ts";
import type { IdentifierTable } from "./identifier-table.ts";
import { RECORD_SENDERS, type TokenRecords } from "./token-records.ts";

/** Sums of a query. */
const FIRST_SENDS = 0;
const FIRST_TRANSIT = 1;
const SECOND_SENDS = 2;
const SECOND_TRANSIT = 3;
/** Nodes that exported a send right between their two counts. */
const EXPORTS = 4;
const ALL_SUMS = [FIRST_SENDS, FIRST_TRANSIT, SECOND_SENDS, SECOND_TRANSIT, EXPORTS] as const;

/** Ports looked at in one pass. */
const LOOKS_MAX = 1024;

export class SenderQueries {
  private readonly ipc: IpcContext;
  private readonly node: number;
  private readonly identifiers: IdentifierTable;
  private readonly wantToken: () => void;
  /** Ports to ask about: of this node, whose receiver wants to know; and proxies that were watched. */
  private readonly open = new Backlog<Port>();

  constructor(ipc: IpcContext, node: number, identifiers: IdentifierTable, wantToken: () => void) {
    this.ipc = ipc;
    this.node = node;
    this.identifiers = identifiers;
    this.wantToken = wantToken;
  }

  /** The last send right here is gone: there may be no senders any more. */
  ask(port: Port): void {
    if (!isInQuestion(port)) return;
    this.query(port);
    this.wantToken();
  }

  private query(port: Port): void {
    if (port.queried) return;
    port.queried = true;
    this.open.add(port);
  }

  describeWaiting(): string {
    return `${this.open.size} questions for senders`;
  }

  // --- the token's passes -------------------------------------------------------------------------

  write(records: TokenRecords): void {
    records.takeOut((record) => {
      if (records.type(record) !== RECORD_SENDERS || !records.isFor(record, this.node))
        return false;
      return this.conclude(records, record);
    });
    for (let looks = 0; records.hasRoom && looks < LOOKS_MAX; looks++) {
      const port = this.open.take();
      if (port === undefined) break;
      port.queried = false;
      // One that has senders here again is asked about when the last of them goes.
      if (port.sendRights > 0 || !isInQuestion(port)) continue;
      port.watched = false;
      const owner = port.state === PORT_PROXY ? port.home : this.node;
      records.add(RECORD_SENDERS, owner, port.identifier);
    }
    if (this.open.size > 0) this.wantToken();
  }

  read(records: TokenRecords, record: number): void {
    if (records.type(record) !== RECORD_SENDERS) return;
    const identifier = records.identifier(record);
    countFirst(records, record, this.identifiers.principal(identifier));
    countFirst(records, record, this.identifiers.foreigner(identifier));
  }

  confirm(records: TokenRecords, record: number): void {
    if (records.type(record) !== RECORD_SENDERS) return;
    const identifier = records.identifier(record);
    countSecond(records, record, this.identifiers.principal(identifier));
    countSecond(records, record, this.identifiers.foreigner(identifier));
  }

  /** True if the query is answered. */
  private conclude(records: TokenRecords, record: number): boolean {
    const port = this.identifiers.destination(records.identifier(record));
    if (port?.state === PORT_PROXY) {
      records.passOn(record, port.home); // the receive right has gone on since the query was written
      return false;
    }
    if (port !== null && port.sendRights === 0 && isInQuestion(port)) {
      this.answer(records, record, port);
    }
    return true;
  }

  private answer(records: TokenRecords, record: number, port: Port): void {
    if (records.sum(record, SECOND_SENDS) > 0) return; // their nodes watch
    const nothing = ALL_SUMS.every((sum) => records.sum(record, sum) === 0);
    if (nothing && !port.exported) {
      port.sendsAbroad = false;
      lastSenderGone(this.ipc, port);
    } else {
      this.query(port);
    }
  }
}

/** What this node has of a port is one Port; with a loopback proxy two. */
const countFirst = (records: TokenRecords, record: number, port: Port | null): void => {
  if (port === null) return;
  records.addTo(record, FIRST_SENDS, port.sendRights);
  records.addTo(record, FIRST_TRANSIT, port.transit);
  port.exported = false;
  watch(port);
};

const countSecond = (records: TokenRecords, record: number, port: Port | null): void => {
  if (port === null) return;
  records.addTo(record, SECOND_SENDS, port.sendRights);
  records.addTo(record, SECOND_TRANSIT, port.transit);
  if (port.exported) records.addTo(record, EXPORTS, 1);
  watch(port);
};

const watch = (port: Port): void => {
  if (port.state === PORT_PROXY && port.sendRights > 0) port.watched = true;
};

/** True if other nodes may have senders of a port, and somebody wants to know. */
const isInQuestion = (port: Port): boolean => {
  if (port.state === PORT_PROXY) return port.watched;
  if (port.state === PORT_DEAD || identifierLocal(port.identifier) < FIRST_LOCAL_ID) return false;
  return port.noSendersNotify !== null && port.sendsAbroad;
};
