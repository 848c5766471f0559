// From identifiers to ports and back, on one node. A principal (receive right here) gets an identifier
// at its first export. A proxy is made when a right to a port of another node first arrives; look-up
// comes before creation, so a port has one proxy per node however many rights arrive (merging, paper
// 2.5.1). A right that comes home finds the principal.

import { assert } from "../base/assert.ts";
import { COUNTERS } from "../base/counters.ts";
import { PORT_DEAD, PORT_PROXY, type Port, type PortTable } from "../ipc/port.ts";
import {
  FIRST_LOCAL_ID,
  type Identifier,
  identifierLocal,
  identifierNode,
  LOCAL_ID_MAX,
  makeIdentifier,
  NULL_IDENTIFIER,
} from "./identifier.ts";

/** Rights to one port that one node has given to the network less those that it has taken from it. */
export interface Transits {
  transit: number;
  onceTransit: number;
}

const NO_TRANSITS: Readonly<Transits> = { transit: 0, onceTransit: 0 };

/** As many identifiers rest before the oldest of them is used again: a note about the dead port may be late. */
const FORGOTTEN_MIN = 1024;

export class IdentifierTable {
  private readonly node: number;
  private readonly nodes: number;
  private readonly ports: PortTable;
  private readonly counters: Float64Array;
  private readonly principals: (Port | null)[] = new Array(FIRST_LOCAL_ID).fill(null);
  private readonly proxies = new Map<Identifier, Port>();
  /** Identifiers of other nodes' ports that are known to be dead, until no right to them is on its way. */
  private readonly dead = new Map<Identifier, Transits>();
  /** Local ids to be used again, those first that were given back first. */
  private readonly forgotten: number[] = [];
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

  /** The port's identifier; a local port is given one if it had none. */
  identifierOf(port: Port): Identifier {
    if (port.identifier !== NULL_IDENTIFIER) return port.identifier;
    assert(port.state !== PORT_PROXY, "a proxy is born with its identifier");
    const fresh = this.principals.length;
    const used = this.forgotten.length > FORGOTTEN_MIN || fresh > LOCAL_ID_MAX;
    const localId = used ? (this.forgotten.shift() ?? fresh) : fresh;
    assert(localId <= LOCAL_ID_MAX, "local identifiers of this node are used up");
    this.principals[localId] = port;
    port.identifier = makeIdentifier(this.node, localId);
    return port.identifier;
  }

  /** Gives a kernel-owned port its well-known local id. */
  registerSpecial(port: Port, localId: number): void {
    assert(localId > 0 && localId < FIRST_LOCAL_ID && this.principals[localId] === null);
    this.principals[localId] = port;
    port.identifier = makeIdentifier(this.node, localId);
  }

  /** The port of an identifier of this node; null if there is none (any more). A dead one is found as
   *  long as rights to it are counted: a send-once right that comes home is then counted off. */
  principal(identifier: Identifier): Port | null {
    const port = this.registered(identifier);
    if (port === null || port.state !== PORT_DEAD) return port;
    return port.sendRights > 0 || port.sendOnceRights > 0 ? port : null;
  }

  /** The same, and a dead one until its identifier is forgotten: for its transit counts. */
  private registered(identifier: Identifier): Port | null {
    if (identifierNode(identifier) !== this.node) return null;
    return this.principals[identifierLocal(identifier)] ?? null;
  }

  /** The principal or the proxy of an identifier; the proxy is made if need be. Null for a port that is
   *  dead or gone, as far as is known here, or of a node that does not exist. */
  portOf(identifier: Identifier): Port | null {
    const node = identifierNode(identifier);
    if (node === this.node && !this.loopback) return this.principal(identifier);
    const known = this.proxies.get(identifier);
    if (known !== undefined) return known;
    if (node >= this.nodes || identifierLocal(identifier) === 0) return null;
    if (this.dead.has(identifier)) return null;
    if (node === this.node && !this.isAlive(identifier)) return null;
    const proxy = this.ports.create(PORT_PROXY);
    proxy.identifier = identifier;
    proxy.home = node;
    this.proxies.set(identifier, proxy);
    this.counters[COUNTERS.proxies.index]! += 1;
    return proxy;
  }

  private isAlive(identifier: Identifier): boolean {
    const port = this.principal(identifier);
    return port !== null && port.state !== PORT_DEAD;
  }

  /** The proxy of an identifier, if this node has one. */
  proxyOf(identifier: Identifier): Port | null {
    return this.proxies.get(identifier) ?? null;
  }

  /** The port of another node, or behind a loopback proxy, is dead: rights that still arrive are dead on arrival. */
  bury(identifier: Identifier): void {
    if (this.dead.has(identifier)) return;
    const { transit = 0, onceTransit = 0 } = this.proxies.get(identifier) ?? {};
    this.proxies.delete(identifier);
    this.dead.set(identifier, { transit, onceTransit });
  }

  /** What is counted on this node of rights to a dead port that are on their way. */
  transitsOfDead(identifier: Identifier): Transits {
    const home = this.registered(identifier) ?? NO_TRANSITS;
    const away = this.dead.get(identifier) ?? NO_TRANSITS;
    return {
      transit: home.transit + away.transit,
      onceTransit: home.onceTransit + away.onceTransit,
    };
  }

  /** A right to a port that is dead or gone has come from the network. */
  diedOnArrival(identifier: Identifier, once: boolean): void {
    const counts = this.dead.get(identifier) ?? this.registered(identifier);
    if (counts === null) return;
    if (once) counts.onceTransit -= 1;
    else counts.transit -= 1;
  }

  /** No right to a dead port is on its way anywhere, and every node knows that it is dead. */
  forget(identifier: Identifier): void {
    this.dead.delete(identifier);
  }

  /** No node remembers the identifier of a dead port of this one any more: it may be used again. */
  release(identifier: Identifier): void {
    const localId = identifierLocal(identifier);
    assert(this.principals[localId]?.state === PORT_DEAD, "only the dead lose their identifier");
    this.principals[localId] = null;
    this.forgotten.push(localId);
  }

  /** Identifiers of dead ports that are remembered. */
  get deadCount(): number {
    return this.dead.size;
  }

  get proxyCount(): number {
    return this.proxies.size;
  }
}
