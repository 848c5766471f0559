// The death of a port (paper 2.5.5). Its home tells those at once whom it knows: the nodes that it has given rights to,
// and any node that still sends to it. The token tells everybody. From then on no node exports a right to it, so that
// rights on their way only become fewer; when a count of them comes to nothing, the identifier is forgotten everywhere,
// and used again once the token has come round with that.
// A proxy of a dead port dies: its names become dead names and dead-name requests fire, as at home. Send-once
// rights that go with it are counted off at home.

import type { IpcContext } from "../ipc/context.ts";
import { PORT_DEAD, PORT_PROXY, type Port } from "../ipc/port.ts";
import { destroyPort } from "../ipc/release.ts";
import { type CarriedRight, PORT_SEND, PORT_SEND_ONCE } from "../ipc/rights.ts";
import { Backlog } from "./backlog.ts";
import { FIRST_LOCAL_ID, type Identifier, identifierLocal, identifierNode } from "./identifier.ts";
import type { IdentifierTable } from "./identifier-table.ts";
import type { Lineage } from "./lineage.ts";
import { abroadOf } from "./port-abroad.ts";
import type { PortNotes } from "./port-notes.ts";
import { reject } from "./rejections.ts";
import { RECORD_DEATH, RECORD_FORGET, type TokenRecords } from "./token-records.ts";
import { NOTE_DEAD, NOTE_ONCE_GONE } from "./wire-values.ts";

/** Sums of a death: rights on their way. */
const TRANSIT = 0;
const ONCE_TRANSIT = 1;

interface DyingPort {
  readonly identifier: Identifier;
  readonly type: typeof RECORD_DEATH | typeof RECORD_FORGET;
}

/** Ports looked at in one pass. */
const LOOKS_MAX = 1024;

/** Ports whose receive right has moved (migration.ts). */
export interface MovedPorts {
  /** A proxy has died. */
  died(port: Port): void;
  /** False while nobody knows an identifier that a port got when its receive right came here. */
  isAnnounced(identifier: Identifier): boolean;
}

export class PortDeaths {
  private readonly ipc: IpcContext;
  private readonly identifiers: IdentifierTable;
  private readonly notes: PortNotes;
  private readonly wantToken: () => void;
  private readonly moved: MovedPorts;
  private readonly node: number;
  /** Dead ports of this node whose identifier is still in use, and what is to be put on the token of each; those that
   *  are on it are not here. */
  private readonly dying = new Backlog<DyingPort>();

  constructor(
    ipc: IpcContext,
    identifiers: IdentifierTable,
    notes: PortNotes,
    wantToken: () => void,
    moved: MovedPorts,
  ) {
    this.ipc = ipc;
    this.moved = moved;
    this.node = ipc.memory.node;
    this.wantToken = wantToken;
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
    const { identifier, lineage } = port;
    if (identifierLocal(identifier) >= FIRST_LOCAL_ID) {
      const own = lineage === null ? identifier : (lineage as Lineage).own;
      this.dying.add({ identifier: own, type: RECORD_DEATH });
      this.wantToken();
    }
    if (port.abroad === null) return;
    const { visitors, sendNodes, onceNodes } = abroadOf(port);
    const nodes = new Set(sendNodes);
    for (const { node } of visitors) nodes.add(node);
    // Without a send-once right anywhere nobody need hear of it who had none but those.
    if (port.sendOnceRights > 0) for (const node of onceNodes) nodes.add(node);
    port.abroad = null;
    for (const node of nodes) this.notes.send(node, NOTE_DEAD, identifier);
  }

  /** A message came for a port that is dead or gone. */
  messageForTheDead(source: number, identifier: Identifier): void {
    this.notes.send(source, NOTE_DEAD, identifier);
  }

  /** Send-once rights to a dead port are gone, on another node. */
  onceGone(identifier: Identifier, count: number, hops: number): void {
    const { identifiers } = this;
    const port = identifiers.known(identifier);
    if (port?.state === PORT_DEAD) {
      const gone = Math.min(port.sendOnceRights, port.oncesAbroad, count);
      port.sendOnceRights -= gone;
      port.oncesAbroad -= gone;
      this.ipc.ports.collectIfGone(port);
      return;
    }
    // The receive right was here, and died elsewhere.
    const moved = port !== null && port.state === PORT_PROXY;
    const home = moved ? port.home : identifiers.graveOf(identifier);
    if (home === null || home === this.node) return;
    if (hops < this.ipc.memory.layout.nodes) {
      this.notes.send(home, NOTE_ONCE_GONE, identifier, count, hops + 1);
    } else {
      reject(this.ipc.memory.counters, "rejectedRoute");
    }
  }

  // --- at the proxy -------------------------------------------------------------------------------

  /** A note tells of the death. */
  deathArrived(identifier: Identifier): void {
    const proxy = this.identifiers.proxyOf(identifier);
    if (proxy === null) return;
    this.identifiers.bury(identifier, proxy.home);
    if (proxy.sendOnceRights > 0) {
      this.notes.send(proxy.home, NOTE_ONCE_GONE, identifier, proxy.sendOnceRights);
    }
    destroyPort(this.ipc, proxy);
    this.moved.died(proxy);
    this.ipc.ports.collectIfGone(proxy);
  }

  /** A right came to this node whose port is known to be dead. */
  deadOnArrival(identifier: Identifier, right: CarriedRight): void {
    this.identifiers.diedOnArrival(identifier, right === PORT_SEND_ONCE);
    if (right !== PORT_SEND_ONCE) return;
    const home = this.identifiers.graveOf(identifier) ?? identifierNode(identifier);
    if (home < this.ipc.memory.layout.nodes) this.notes.send(home, NOTE_ONCE_GONE, identifier, 1);
  }

  describeWaiting(): string {
    return `${this.dying.size} deaths`;
  }

  // --- the token's passes -------------------------------------------------------------------------

  write(records: TokenRecords): void {
    records.takeOut((record) => {
      const identifier = records.identifier(record);
      if (!records.isFor(record, this.node)) return false;
      if (records.type(record) === RECORD_DEATH) {
        const onTheWay =
          records.sum(record, TRANSIT) !== 0 || records.sum(record, ONCE_TRANSIT) !== 0;
        this.dying.add({ identifier, type: onTheWay ? RECORD_DEATH : RECORD_FORGET });
        return true;
      }
      if (records.type(record) !== RECORD_FORGET) return false;
      this.identifiers.release(identifier);
      return true;
    });
    for (let looks = Math.min(this.dying.size, LOOKS_MAX); looks > 0 && records.hasRoom; looks--) {
      const dying = this.dying.take()!;
      if (this.moved.isAnnounced(dying.identifier)) {
        records.add(dying.type, this.node, dying.identifier);
      } else {
        this.dying.add(dying);
      }
    }
    if (this.dying.size > 0) this.wantToken();
  }

  read(records: TokenRecords, record: number): void {
    const identifier = records.identifier(record);
    switch (records.type(record)) {
      case RECORD_DEATH:
        this.deathArrived(identifier);
        // Whoever had no proxy knows now that it shall not make one.
        if (records.owner(record) !== this.node) {
          this.identifiers.bury(identifier, records.owner(record));
        }
        return;
      case RECORD_FORGET:
        this.identifiers.forget(identifier);
        return;
    }
  }

  confirm(records: TokenRecords, record: number): void {
    if (records.type(record) !== RECORD_DEATH) return;
    const { transit, onceTransit } = this.identifiers.transitsOf(records.identifier(record));
    records.addTo(record, TRANSIT, transit);
    records.addTo(record, ONCE_TRANSIT, onceTransit);
  }
}
