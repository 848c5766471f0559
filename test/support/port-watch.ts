// The checker of what nodes know of each other's ports, over the whole machine: it sees every kernel at once, and
// knows from the program (wandering-ports.ts) where every right is. Between two steps of any node:
//   counts     send rights of all nodes and those on their way are as many as there are; what a port's identifiers
//              count is what the port counts
//   I-8        a no-senders request is used up only when there are none
//   merging    a port is one Port on each node, under all its identifiers; a task has one name for it
//   I-9        an identifier leads to the same port on all nodes

import { NO_ENTRY } from "../../src/ipc/name-table.ts";
import { describePort, PORT_DEAD, PORT_PROXY, type Port } from "../../src/ipc/port.ts";
import type { NodeKernel } from "../../src/node/kernel.ts";
import type { Identifier } from "../../src/norma/identifier.ts";
import { talliesOf } from "../../src/norma/lineage.ts";
import type { Tramp, Wanderer, WanderingPorts } from "./wandering-ports.ts";

export class PortWatch {
  private readonly world: WanderingPorts;
  /** What each node has of each wanderer, once it has been seen there. */
  private readonly seen = new Map<string, Port>();

  constructor(world: WanderingPorts) {
    this.world = world;
  }

  check(): void {
    const owners = new Map<Identifier, Wanderer>();
    for (const wanderer of this.world.ports) if (wanderer.alive) this.checkPort(wanderer, owners);
  }

  private checkPort(wanderer: Wanderer, owners: Map<Identifier, Wanderer>): void {
    const what = `port ${wanderer.number}`;
    const ports = this.portsOf(wanderer);
    for (const identifier of identifiersOf(ports.values())) {
      const owner = owners.get(identifier);
      if (owner !== undefined) {
        throw new Error(`${what} and port ${owner.number} share ${identifier.toString(16)}`);
      }
      owners.set(identifier, wanderer);
    }
    let [rights, asked, homes] = [0, false, 0];
    for (const [kernel, port] of ports) {
      if (port.state === PORT_DEAD) throw new Error(`${what} is dead on node ${kernel.node}`);
      rights += port.sendRights + port.transit;
      if (port.state !== PORT_PROXY) homes += 1;
      if (port.noSendersNotify !== null) asked = true;
      checkTallies(what, port);
    }
    const known = this.world.rightsOf(wanderer);
    if (rights !== known) {
      const nodes = [...ports].map(([kernel, port]) => describe(kernel, port)).join("; ");
      throw new Error(`${what}: ${rights} send rights of ${known} are counted: ${nodes}`);
    }
    if (homes > 1) throw new Error(`${what} is on ${homes} nodes`);
    if (!wanderer.asked || homes === 0 || asked) return;
    wanderer.asked = false;
    if (known > 0) throw new Error(`${what}: no-senders fired with ${known} send rights`);
  }

  /** What every node has of the wanderer: under a task's name for it, and under each of its identifiers. */
  private portsOf(wanderer: Wanderer): Map<NodeKernel, Port> {
    const found = new Map<NodeKernel, Port>();
    for (const tramp of this.world.tramps) {
      const name = tramp.names[wanderer.number]!;
      if (name !== 0) this.note(found, wanderer, this.kernelOf(tramp), this.portOf(tramp, name));
    }
    for (const kernel of this.world.nodes.kernels) {
      const port = this.seen.get(`${wanderer.number} ${kernel.node}`);
      if (port !== undefined && isKnown(kernel, port)) this.note(found, wanderer, kernel, port);
    }
    for (let before = 0; before < found.size; ) {
      before = found.size;
      for (const identifier of identifiersOf(found.values())) {
        for (const kernel of this.world.nodes.kernels) {
          const port = kernel.identifiers.known(identifier);
          if (port !== null) this.note(found, wanderer, kernel, port);
        }
      }
    }
    return found;
  }

  private note(
    found: Map<NodeKernel, Port>,
    wanderer: Wanderer,
    kernel: NodeKernel,
    port: Port,
  ): void {
    const other = found.get(kernel);
    if (other !== undefined && other !== port) {
      throw new Error(`port ${wanderer.number} is two ports on node ${kernel.node}`);
    }
    found.set(kernel, port);
    this.seen.set(`${wanderer.number} ${kernel.node}`, port);
  }

  private kernelOf(tramp: Tramp): NodeKernel {
    return this.world.nodes.kernels[tramp.node]!;
  }

  private portOf(tramp: Tramp, name: number): Port {
    const space = this.world.nodes.spaceOf(tramp.task);
    const index = space.find(name);
    const port = index === NO_ENTRY ? null : space.portAt(index);
    if (port === null) throw new Error(`task ${tramp.number} has lost name ${name}`);
    return port;
  }

  /** When all is done, every port has one identifier again and nothing is kept back. */
  checkRest(): void {
    for (const { ipc, identifiers, node } of this.world.nodes.kernels) {
      if (identifiers.deadCount > 0) throw new Error(`node ${node} remembers the dead`);
      for (const port of ipc.ports) {
        if (port.lineage !== null) throw new Error(`node ${node}: a port has several identifiers`);
        if (port.held) throw new Error(`node ${node}: a port is held`);
      }
    }
  }
}

const identifiersOf = (ports: Iterable<Port>): Set<Identifier> => {
  const identifiers = new Set<Identifier>();
  for (const port of ports) {
    for (const [identifier] of talliesOf(port)) if (identifier !== 0) identifiers.add(identifier);
  }
  return identifiers;
};

/** False for a proxy that has been dropped since it was seen. */
const isKnown = ({ ipc }: NodeKernel, port: Port): boolean =>
  port.state !== PORT_DEAD && ipc.ports.holds(port);

const checkTallies = (what: string, port: Port): void => {
  let [transit, onceTransit] = [0, 0];
  for (const [, tally] of talliesOf(port)) {
    transit += tally.transit;
    onceTransit += tally.onceTransit;
  }
  if (transit !== port.transit || onceTransit !== port.onceTransit) {
    throw new Error(`${what}: its identifiers count ${transit} of ${port.transit}`);
  }
};

const describe = ({ node }: NodeKernel, port: Port): string => {
  const tallies = Array.from(
    talliesOf(port),
    ([id, { transit }]) => `${id.toString(16)} ${transit}`,
  );
  return `node ${node}: ${describePort(port)}, on their way ${port.transit} (${tallies.join(", ")})`;
};
