// The token's part in migration (paper 2.5.6). A port whose receive right has come to a node gets a new identifier there,
// which leads to it. The new one is announced; the old one is used until every node knows that every node knows;
// when nothing travels by it any more, it is forgotten.
//
// States of a move at the node that announces it, each entered in the first pass of a period:
//   MOVE_FRESH      not on the token yet; MOVE_CANCELLED if the receive right goes on before
//   RECORD_MOVED    read: the new identifier leads to the same port as the old one
//                   confirm: the new one is used from now on, and the way that it shows
//   RECORD_SETTLE   confirm: rights on their way by the old one are counted; again, until there are none
//   RECORD_RETIRE   read: the old one is forgotten; confirm: its node may use it again

import { PORT_DEAD, PORT_PROXY, type Port } from "../ipc/port.ts";
import { Backlog } from "./backlog.ts";
import type { FlowControl } from "./flow-control.ts";
import type { Holds } from "./holds.ts";
import { type Identifier, identifierNode } from "./identifier.ts";
import type { IdentifierTable } from "./identifier-table.ts";
import { type Lineage, lineageOf } from "./lineage.ts";
import type { PortNotes } from "./port-notes.ts";
import { RECORD_MOVED, RECORD_RETIRE, RECORD_SETTLE, type TokenRecords } from "./token-records.ts";

const MOVE_FRESH = 0;
const MOVE_CANCELLED = -1;

/** Words of RECORD_MOVED and RECORD_RETIRE in place of sums: the new identifier, how often the receive right had moved. */
const SUCCESSOR = 0;
const MOVES = 1;
/** Sums of RECORD_SETTLE. */
const TRANSIT = 0;
const ONCE_TRANSIT = 1;
/** Nodes whose flush went by the old identifier and is not back, or where one that did is kept; nodes whose notes on their way name
 *  it; and nodes where it has a predecessor, which is forgotten first. */
const OTHER_USES = 2;

/** Moves looked at in one pass. */
const LOOKS_MAX = 1024;

/** Where a port has died nobody knows which of its identifiers are older. A question in vain is let be for a period, after the second
 *  time for two, and so on up to so many; or until the one before it is forgotten. */
const PAUSE_MAX = 16;

/** An identifier is asked about when so many of the same port are older: its answer is there when the last of them is forgotten. */
const OLDER_ASKED = 1;

interface Move {
  readonly old: Identifier;
  readonly successor: Identifier;
  readonly port: Port;
  readonly moves: number;
  state: MoveState;
  /** Questions in vain; periods that it is still let be. */
  vain: number;
  pause: number;
}

type MoveState =
  | typeof MOVE_FRESH
  | typeof MOVE_CANCELLED
  | typeof RECORD_MOVED
  | typeof RECORD_SETTLE
  | typeof RECORD_RETIRE;

export class Moves {
  private readonly node: number;
  private readonly identifiers: IdentifierTable;
  private readonly holds: Holds;
  private readonly flow: FlowControl;
  private readonly notes: PortNotes;
  private readonly wantToken: () => void;
  private readonly rejectRecord: () => void;
  /** Moves that are announced from here, by the old identifier. */
  private readonly moves = new Map<Identifier, Move>();
  /** Those among them that are not on the token. */
  private readonly waiting = new Backlog<Move>();
  /** New identifiers that are not announced yet. */
  private readonly fresh = new Set<Identifier>();

  constructor(
    node: number,
    identifiers: IdentifierTable,
    holds: Holds,
    flow: FlowControl,
    notes: PortNotes,
    wantToken: () => void,
    rejectRecord: () => void,
  ) {
    this.rejectRecord = rejectRecord;
    this.node = node;
    this.identifiers = identifiers;
    this.holds = holds;
    this.flow = flow;
    this.notes = notes;
    this.wantToken = wantToken;
  }

  /** The receive right of a port has come here. */
  arrived(port: Port): void {
    const lineage = lineageOf(port);
    lineage.own = this.identifiers.newIdentifier(port);
    lineage.add(lineage.own, port.moves);
    const { own: successor, newest: old } = lineage;
    const { moves } = port;
    const move: Move = { old, successor, port, moves, state: MOVE_FRESH, vain: 0, pause: 0 };
    this.moves.set(old, move);
    this.waiting.add(move);
    this.fresh.add(successor);
    this.wantToken();
  }

  /** The receive right goes on. What nobody has heard of need not be announced. */
  departed(lineage: Lineage): void {
    const move = this.moves.get(lineage.newest);
    if (move === undefined || move.state !== MOVE_FRESH) return;
    move.state = MOVE_CANCELLED;
    this.moves.delete(move.old);
    this.fresh.delete(move.successor);
    lineage.tallies.delete(move.successor);
    this.identifiers.release(move.successor);
  }

  /** False while nobody knows an identifier of this node. */
  isAnnounced(identifier: Identifier): boolean {
    return !this.fresh.has(identifier);
  }

  describeWaiting(): string {
    return `${this.moves.size} identifiers of ports that have moved`;
  }

  // --- the token's passes -------------------------------------------------------------------------

  write(records: TokenRecords): void {
    records.takeOut((record) => {
      const type = records.type(record);
      const isMove = type === RECORD_MOVED || type === RECORD_SETTLE || type === RECORD_RETIRE;
      if (!isMove || !records.isFor(record, this.node)) return false;
      this.cameBack(records, record);
      return true;
    });
    for (
      let looks = Math.min(this.waiting.size, LOOKS_MAX);
      looks > 0 && records.hasRoom;
      looks--
    ) {
      const move = this.waiting.take()!;
      if (move.state === MOVE_CANCELLED) continue;
      if (isPausing(move) || isTooEarly(move)) this.waiting.add(move);
      else this.put(records, move);
    }
    if (this.waiting.size > 0) this.wantToken();
  }

  private cameBack(records: TokenRecords, record: number): void {
    const move = this.moves.get(records.identifier(record));
    if (move === undefined || move.state !== records.type(record)) return;
    if (move.state === RECORD_RETIRE) {
      this.moves.delete(move.old);
      return;
    }
    if (move.state === RECORD_MOVED) {
      move.state = RECORD_SETTLE;
    } else {
      const isUsed = [TRANSIT, ONCE_TRANSIT, OTHER_USES].some(
        (sum) => records.sum(record, sum) !== 0,
      );
      if (!isUsed) move.state = RECORD_RETIRE;
      else if (move.port.state === PORT_DEAD) {
        move.vain = Math.min(move.vain + 1, PAUSE_MAX);
        move.pause = move.vain;
      }
    }
    this.waiting.add(move);
  }

  private put(records: TokenRecords, move: Move): void {
    if (move.state === MOVE_FRESH) {
      move.state = RECORD_MOVED;
      this.fresh.delete(move.successor);
      const { lineage } = move.port;
      if (lineage !== null) (lineage as Lineage).newest = move.successor;
    }
    const record = records.count;
    records.add(move.state, this.node, move.old);
    if (move.state === RECORD_SETTLE) return;
    records.addTo(record, SUCCESSOR, move.successor);
    records.addTo(record, MOVES, move.moves);
  }

  read(records: TokenRecords, record: number): void {
    const old = records.identifier(record);
    const successor = records.sum(record, SUCCESSOR);
    if (records.type(record) === RECORD_MOVED) {
      this.learn(old, successor, records.sum(record, MOVES));
    } else if (records.type(record) === RECORD_RETIRE) {
      this.forget(old, successor);
    }
  }

  /** Both identifiers lead to the same port from now on. */
  private learn(old: Identifier, successor: Identifier, moves: number): void {
    const home = identifierNode(successor);
    if (home === this.node) return;
    const port = this.identifiers.portOf(old);
    if (port === null || port.state === PORT_DEAD) {
      this.identifiers.bury(successor, home);
      return;
    }
    const known = this.identifiers.known(successor);
    if (known !== null && known !== port) {
      this.rejectRecord(); // a new identifier is nobody else's
      return;
    }
    lineageOf(port).add(successor, moves);
    this.identifiers.alias(successor, port);
  }

  private forget(old: Identifier, successor: Identifier): void {
    const next = this.moves.get(successor);
    if (next !== undefined) {
      next.vain = 0;
      next.pause = 0;
    }
    const known = this.identifiers.known(old);
    const lives = known !== null && known.state !== PORT_DEAD;
    if (lives && (known.identifier === old || this.identifiers.known(successor) !== known)) {
      this.rejectRecord(); // it is still used, or was never succeeded
      return;
    }
    const port = this.identifiers.retire(old, successor);
    if (port !== null && port.state === PORT_PROXY) this.identifiers.dropUnused(port);
  }

  confirm(records: TokenRecords, record: number): void {
    const old = records.identifier(record);
    switch (records.type(record)) {
      case RECORD_MOVED:
        this.use(old, records.sum(record, SUCCESSOR), records.sum(record, MOVES));
        return;
      case RECORD_SETTLE: {
        const { transit, onceTransit } = this.identifiers.transitsOf(old);
        records.addTo(record, TRANSIT, transit);
        records.addTo(record, ONCE_TRANSIT, onceTransit);
        if (this.notes.names(old)) records.addTo(record, OTHER_USES, 1);
        const port = this.identifiers.known(old);
        if (port === null) return;
        const hasOlder = port.lineage !== null && (port.lineage as Lineage).countOlder(old, 1) > 0;
        if (hasOlder || this.holds.names(port, old)) records.addTo(record, OTHER_USES, 1);
        return;
      }
      case RECORD_RETIRE:
        if (identifierNode(old) === this.node) this.identifiers.release(old);
        return;
    }
  }

  /** Every node knows the new identifier. */
  private use(old: Identifier, successor: Identifier, moves: number): void {
    const port = this.identifiers.destination(successor);
    if (port === null || port.state === PORT_DEAD) return;
    if (port.identifier === old) port.identifier = successor;
    if (port.state !== PORT_PROXY || port.moves >= moves) return;
    const { home: way, moves: wayTenure } = port;
    port.moves = moves;
    port.home = identifierNode(successor);
    if (port.abroad === null) return; // nobody has sent from here
    // Also if it is back where it was: what was sent there before may still follow it on its way round.
    this.holds.flush(port, way, wayTenure);
    this.flow.wayChanges(port);
  }
}

const isPausing = (move: Move): boolean => {
  if (move.pause === 0) return false;
  move.pause -= 1;
  return true;
};

/** Identifiers of a port are forgotten oldest first, one in a period. To ask about them all would fill the token with
 *  questions that are answered already, more of them the more there are. */
const isTooEarly = ({ state, port, old }: Move): boolean => {
  if (state !== RECORD_SETTLE || port.lineage === null) return false;
  return (port.lineage as Lineage).countOlder(old, OLDER_ASKED + 1) > OLDER_ASKED;
};
