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

export class IdentifierTable {
  private readonly node: number;
  private readonly nodes: number;
  private readonly ports: PortTable;
  private readonly counters: Float64Array;
  private readonly principals: (Port | null)[] = new Array(FIRST_LOCAL_ID).fill(null);
  private readonly proxies = new Map<Identifier, Port>();
  /** Identifiers whose port is known to be dead. */
  private readonly dead = new Set<Identifier>();
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
    const localId = this.principals.length;
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
    if (identifierNode(identifier) !== this.node) return null;
    const localId = identifierLocal(identifier);
    const port = this.principals[localId] ?? null;
    if (port === null || port.state !== PORT_DEAD) return port;
    if (port.sendRights > 0 || port.sendOnceRights > 0) return port;
    this.principals[localId] = null;
    return null;
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

  /** The port behind a proxy is dead: rights that still arrive are dead on arrival. */
  forget(proxy: Port): void {
    this.proxies.delete(proxy.identifier);
    this.dead.add(proxy.identifier);
  }

  get proxyCount(): number {
    return this.proxies.size;
  }
}
