// From identifiers to ports and back, on one node. A principal (receive right here) gets an identifier
// at its first export. A proxy is made when a right to a port of another node first arrives; look-up
// comes before creation, so a port has one proxy per node however many rights arrive (merging, paper
// 2.5.1). A right that comes home finds the principal.
// A port whose receive right has moved has several identifiers for a while, which all lead to the same port here.

import { assert } from "../base/assert.ts";
import { COUNTERS } from "../base/counters.ts";
import { PORT_DEAD, PORT_PROXY, type Port, type PortTable } from "../ipc/port.ts";
import { PORT_SEND, PORT_SEND_ONCE } from "../ipc/rights.ts";
import {
  FIRST_LOCAL_ID,
  type Identifier,
  identifierLocal,
  identifierNode,
  LOCAL_ID_MAX,
  makeIdentifier,
  NULL_IDENTIFIER,
} from "./identifier.ts";
import {
  addTransits,
  type Lineage,
  type Transits,
  takeTransits,
  talliesOf,
  tallyOf,
} from "./lineage.ts";

/** What is remembered of a port that died elsewhere. */
interface Grave extends Transits {
  /** Where it died, as far as is known. */
  readonly home: number;
}

/** As many identifiers rest before the oldest of them is used again: a note about the dead port may be late. */
const FORGOTTEN_MIN = 1024;

export class IdentifierTable {
  private readonly node: number;
  private readonly nodes: number;
  private readonly ports: PortTable;
  private readonly counters: Float64Array;
  /** By the local part of this node's identifiers: principals, and ports whose receive right has gone elsewhere. */
  private readonly own: (Port | null)[] = new Array(FIRST_LOCAL_ID).fill(null);
  /** By identifiers of other nodes: proxies, and ports whose receive right has come from there. With loopback, proxies
   *  of ports of this node as well. */
  private readonly foreign = new Map<Identifier, Port>();
  /** Identifiers of ports that are known to be dead, but for principals', until no right is on its way by them. */
  private readonly dead = new Map<Identifier, Grave>();
  /** Local ids to be used again, those first that were given back first. */
  private readonly forgotten: number[] = [];
  /** The same, to look up. */
  private readonly resting = new Set<number>();
  /** Proxies for ports of this very node are made (testing). */
  private readonly loopback: boolean;

  /** `counters`: the node's, in which proxies are counted. */
  constructor(
    node: number,
    nodes: number,
    ports: PortTable,
    counters: Float64Array,
    loopback = false,
  ) {
    this.loopback = loopback;
    this.counters = counters;
    this.node = node;
    this.nodes = nodes;
    this.ports = ports;
  }

  // --- identifiers of this node -------------------------------------------------------------------

  /** The port's identifier; a local port is given one if it had none. */
  identifierOf(port: Port): Identifier {
    if (port.identifier !== NULL_IDENTIFIER) return port.identifier;
    assert(port.state !== PORT_PROXY, "a proxy is born with its identifier");
    port.identifier = this.newIdentifier(port);
    return port.identifier;
  }

  /** One more identifier of this node for a port: its receive right has come here. */
  newIdentifier(port: Port): Identifier {
    const fresh = this.own.length;
    const used = this.forgotten.length > FORGOTTEN_MIN || fresh > LOCAL_ID_MAX;
    const localId = used ? (this.forgotten.shift() ?? fresh) : fresh;
    this.resting.delete(localId);
    assert(localId <= LOCAL_ID_MAX, "local identifiers of this node are used up");
    this.own[localId] = port;
    return makeIdentifier(this.node, localId);
  }

  /** Gives a kernel-owned port its well-known local id. */
  registerSpecial(port: Port, localId: number): void {
    assert(localId > 0 && localId < FIRST_LOCAL_ID && this.own[localId] === null);
    this.own[localId] = port;
    port.identifier = makeIdentifier(this.node, localId);
  }

  /** No node remembers an identifier of this one any more: it may be used again. Not if a port goes by it, or nobody
   *  does yet: then the token has not told the truth. */
  release(identifier: Identifier): boolean {
    const localId = identifierLocal(identifier);
    const port = this.own[localId];
    if (identifierNode(identifier) !== this.node || localId < FIRST_LOCAL_ID) return false;
    if (port === undefined || this.resting.has(localId)) return false;
    if (port !== null && port.state !== PORT_DEAD && port.identifier === identifier) return false;
    this.own[localId] = null;
    this.forgotten.push(localId);
    this.resting.add(localId);
    return true;
  }

  /** False for what no port can be called. */
  canBe(identifier: Identifier): boolean {
    const local = identifierLocal(identifier);
    return (
      identifierNode(identifier) < this.nodes && local >= FIRST_LOCAL_ID && local <= LOCAL_ID_MAX
    );
  }

  /** True for a port that every node's kernel has. */
  isKernelPort(identifier: Identifier): boolean {
    const local = identifierLocal(identifier);
    return local < FIRST_LOCAL_ID && (this.own[local] ?? null) !== null;
  }

  // --- from identifier to port --------------------------------------------------------------------

  /** The port of an identifier of this node; null if there is none (any more). A dead one is found as
   *  long as rights to it are counted: a send-once right that comes home is then counted off. */
  principal(identifier: Identifier): Port | null {
    return unlessGone(this.registered(identifier));
  }

  /** The same, and a dead one until its identifier is forgotten: for its transit counts. */
  private registered(identifier: Identifier): Port | null {
    if (identifierNode(identifier) !== this.node) return null;
    return this.own[identifierLocal(identifier)] ?? null;
  }

  /** The port that a message is for which came by this identifier; null for one that is gone, or dead and not
   *  counted any more. */
  destination(identifier: Identifier): Port | null {
    if (identifierNode(identifier) === this.node) return this.principal(identifier);
    return unlessGone(this.foreign.get(identifier) ?? null);
  }

  /** What this node has under an identifier, dead or not. */
  known(identifier: Identifier): Port | null {
    return this.registered(identifier) ?? this.foreign.get(identifier) ?? null;
  }

  /** Where the port of an identifier died, if that was elsewhere. */
  graveOf(identifier: Identifier): number | null {
    return this.dead.get(identifier)?.home ?? null;
  }

  /** The principal or the proxy of an identifier; the proxy is made if need be. Null for a port that is
   *  dead or gone, as far as is known here, or of a node that does not exist. */
  portOf(identifier: Identifier): Port | null {
    const node = identifierNode(identifier);
    if (node === this.node && !this.loopback) return this.principal(identifier);
    const known = this.foreign.get(identifier);
    if (known !== undefined) return unlessGone(known);
    if (node >= this.nodes || identifierLocal(identifier) === 0) return null;
    if (this.dead.has(identifier)) return null;
    if (node === this.node && !this.isAlive(identifier)) return null;
    const proxy = this.ports.create(PORT_PROXY);
    proxy.identifier = identifier;
    proxy.home = node;
    this.foreign.set(identifier, proxy);
    this.counters[COUNTERS.proxies.index]! += 1;
    return proxy;
  }

  private isAlive(identifier: Identifier): boolean {
    const port = this.principal(identifier);
    return port !== null && port.state !== PORT_DEAD;
  }

  /** The proxy of an identifier, if this node has one. */
  proxyOf(identifier: Identifier): Port | null {
    const port = this.foreign.get(identifier) ?? this.registered(identifier);
    return port?.state === PORT_PROXY ? port : null;
  }

  /** What this node has under an identifier of another node; with loopback, the proxy of one of its own. */
  foreigner(identifier: Identifier): Port | null {
    return this.foreign.get(identifier) ?? null;
  }

  /** From now on `identifier`, of another node, leads to `port`, too. */
  alias(identifier: Identifier, port: Port): void {
    if (identifierNode(identifier) !== this.node) this.foreign.set(identifier, port);
  }

  // --- forgetting ---------------------------------------------------------------------------------

  /** The port has died at node `home`: rights that still arrive by one of its identifiers are dead on arrival. */
  bury(identifier: Identifier, home: number): void {
    if (this.dead.has(identifier)) return;
    const proxy = this.proxyOf(identifier);
    if (proxy === null) {
      this.dead.set(identifier, { transit: 0, onceTransit: 0, home });
      return;
    }
    for (const [each, { transit, onceTransit }] of talliesOf(proxy)) {
      if (identifierNode(each) === this.node && !this.loopback) {
        // What was said of the port may not be true: others keep their names.
        if (this.own[identifierLocal(each)] === proxy) this.own[identifierLocal(each)] = null;
      } else if (this.foreign.get(each) === proxy) {
        this.foreign.delete(each);
      }
      this.dead.set(each, { transit, onceTransit, home });
    }
    proxy.lineage = null;
  }

  /** Rights that are counted on this node as on their way by an identifier. */
  transitsOf(identifier: Identifier): Transits {
    const sum = { transit: 0, onceTransit: 0 };
    const principal = this.registered(identifier);
    addTo(sum, this.dead.get(identifier));
    addTo(sum, principal === null ? undefined : tallyOf(principal, identifier));
    const foreigner = this.foreign.get(identifier);
    addTo(sum, foreigner === undefined ? undefined : tallyOf(foreigner, identifier));
    return sum;
  }

  /** A right to a port that is dead or gone has come from the network. */
  diedOnArrival(identifier: Identifier, once: boolean): void {
    const port = this.known(identifier);
    const counts = this.dead.get(identifier) ?? port;
    if (counts === null) return;
    if (once) counts.onceTransit -= 1;
    else counts.transit -= 1;
    if (counts !== port || port.lineage === null) return;
    (port.lineage as Lineage).count(identifier, once ? PORT_SEND_ONCE : PORT_SEND, -1);
  }

  /** No right to a dead port is on its way anywhere, and every node knows that it is dead. */
  forget(identifier: Identifier): void {
    this.dead.delete(identifier);
  }

  /** An old identifier of a port is not used any more anywhere. What this node has given by it less what it has taken goes over
   *  to its successor; over all nodes that is nothing. Returns the port, null if it is dead. */
  retire(identifier: Identifier, successor: Identifier): Port | null {
    const port = this.known(identifier);
    const left = { transit: 0, onceTransit: 0 };
    addTo(left, this.dead.get(identifier));
    this.dead.delete(identifier);
    this.foreign.delete(identifier);
    if (port !== null && port.lineage !== null) {
      const lineage = port.lineage as Lineage;
      addTo(left, takeTransits(port, identifier));
      // A port that died before it was known by its successor still went by the old one.
      if (port.identifier === identifier) port.identifier = lineage.next(successor);
      if (lineage.tallies.size === 1) port.lineage = null;
    }
    this.inherit(successor, left);
    return port;
  }

  /** Counts go over to an identifier: of a port here; or of one that died elsewhere, or here before it was known by it. */
  private inherit(identifier: Identifier, counts: Readonly<Transits>): void {
    const port = this.known(identifier);
    const grave = this.dead.get(identifier);
    if (port !== null && tallyOf(port, identifier) !== undefined) {
      addTransits(port, identifier, counts);
    } else if (grave !== undefined) {
      addTo(grave, counts);
    }
  }

  /** A proxy that was made for nothing but a move, and that nobody has used, goes again. */
  dropUnused(proxy: Port): void {
    const used = proxy.sendRights > 0 || proxy.sendOnceRights > 0 || proxy.senderFirst !== null;
    const counted = proxy.transit !== 0 || proxy.onceTransit !== 0 || proxy.lineage !== null;
    if (used || counted || proxy.abroad !== null || proxy.state !== PORT_PROXY) return;
    this.foreign.delete(proxy.identifier);
    this.ports.forget(proxy);
    this.counters[COUNTERS.proxies.index]! -= 1;
  }

  /** Identifiers of dead ports that are remembered: of other nodes, and of this one, which are not used again yet. */
  get deadCount(): number {
    let count = this.dead.size;
    for (const port of this.own) if (port !== null && port.state === PORT_DEAD) count += 1;
    return count;
  }

  get proxyCount(): number {
    return this.foreign.size;
  }
}

const addTo = (sum: Transits, counts: Readonly<Transits> | undefined): void => {
  sum.transit += counts?.transit ?? 0;
  sum.onceTransit += counts?.onceTransit ?? 0;
};

/** A dead port is there as long as rights to it are counted. */
const unlessGone = (port: Port | null): Port | null => {
  if (port === null || port.state !== PORT_DEAD) return port;
  return port.sendRights > 0 || port.sendOnceRights > 0 ? port : null;
};
