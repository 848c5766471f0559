// Where a conformance case happens: three peers and how they are placed. There are four ways, and a case
// has the same outcome in all of them:
//   one-node     all on one node, in simulation
//   simulation   each on a node of its own, in simulation
//   threads      each on a node of its own, in worker threads
//   loopback     all on one node, in simulation, but their rights lead through the network
// Afterwards everything must be back where it came from, on every node.

import { expect } from "@jest/globals";
import { type Machine, type MachineOptionsInput, Machine as Machines } from "../../src/index.ts";
import {
  COPY_SEND,
  type Disposition,
  MACH_PORT_NULL,
  type PortName,
} from "../../src/ipc/rights.ts";
import type { NodeCensus } from "../../src/node/census.ts";
import type { MachineTask, Simulation } from "../../src/node/machine-interface.ts";
import type { PuppetArgs } from "../conformance/programs/puppet.ts";
import type { Door } from "./doors.ts";
import { eventually, within } from "./machines.ts";
import { right } from "./peer-letter.ts";
import {
  ChannelStrings,
  DirectStrings,
  makePeer,
  type Peer,
  type PeerError,
  type Strings,
} from "./peers.ts";

export const WAYS = ["one-node", "simulation", "threads", "loopback"] as const;
export type Way = (typeof WAYS)[number];

export interface World {
  readonly way: Way;
  readonly client: Peer;
  readonly server: Peer;
  readonly third: Peer;
  /** A port of `to` for which `from` has a send right. */
  door(from: Peer, to: Peer): Promise<Door>;
  /** Gives `to` a right made from what `from` calls `name`; resolves with its name there. */
  give(from: Peer, name: PortName, disposition: Disposition, to: Peer): Promise<PortName>;
  /** Resolves when nothing is under way: every order has begun, every packet is acknowledged. In the
   *  simulated ways it waits for calls with a timeout as well. */
  settled(): Promise<void>;
  /** Settles; then expects that there is no message at a port. */
  expectNoMessage(peer: Peer, name: PortName): Promise<void>;
  /** Another task on the node of a peer. */
  another(beside: Peer): Promise<Peer>;
  /** Ends a peer's task. */
  end(peer: Peer): Promise<void>;
}

/** Seed of the simulated ways; a failure prints it. */
export const SEED = Number(process.env.CONFORMANCE_SEED ?? 1);

const PUPPET = new URL("../conformance/programs/puppet.js", import.meta.url);
const EXIT_MS = 10_000;

/** Nodes of client, server and third. With four nodes packets between the first two take two hops. */
const APART = [0, 3, 1] as const;
const TOGETHER = [0, 0, 0] as const;

/** Few enough for a case to use them up. */
export const NAMES_PER_TASK = 2048;
/** The token's business is part of the cases, and they should not wait long for it. */
const kernel = { namesPerTask: NAMES_PER_TASK, tokenPauseNs: 1e6 };

const OPTIONS: Readonly<Record<Way, MachineOptionsInput>> = {
  "one-node": { dimension: 0, kernel },
  simulation: { dimension: 2, kernel },
  threads: { dimension: 2, kernel, processors: { workers: 4 } },
  loopback: { dimension: 0, kernel: { ...kernel, loopback: true } },
};

let puppetCount = 0;

interface Placed {
  readonly peer: Peer;
  readonly strings: Strings;
  readonly task: MachineTask;
}

/** A machine on which worlds are made, one after another. */
export class Ground {
  readonly way: Way;
  private readonly machine: Machine;
  private census: NodeCensus[] = [];
  /** In simulation: keeps virtual time going while others are waited for. */
  private caretaker: Placed | null = null;

  static async make(way: Way): Promise<Ground> {
    const memory = { kind: "shared-array-buffer" as const, bytesPerNode: 1 << 21 };
    const options = { ...OPTIONS[way], memory, seed: SEED, log: () => {} };
    const machine =
      way === "threads" ? await Machines.boot(options) : await Machines.simulate(options);
    const ground = new Ground(way, machine);
    if (way !== "threads") ground.caretaker = await ground.place("caretaker", 0);
    ground.census = await ground.takeCensus();
    return ground;
  }

  private constructor(way: Way, machine: Machine) {
    this.way = way;
    this.machine = machine;
  }

  halt(): Promise<void> {
    return within(30_000, "halt", this.machine.halt());
  }

  /** Lets a case happen, and checks that nothing is left of it. */
  async host(body: (world: World) => Promise<void>): Promise<void> {
    const nodes = this.way === "simulation" || this.way === "threads" ? APART : TOGETHER;
    const placed: Placed[] = [];
    try {
      for (const [i, role] of ["client", "server", "third"].entries()) {
        placed.push(await this.place(role, nodes[i]!));
      }
      await body(this.worldOf(placed));
      for (const one of placed) await this.remove(one);
    } finally {
      for (const { strings } of placed) strings.close();
    }
    await this.expectAsBefore();
  }

  private worldOf(placed: Placed[]): World {
    const [client, server, third] = placed.map(({ peer }) => peer) as [Peer, Peer, Peer];
    const settled = (): Promise<void> => this.settled(placed);
    return {
      way: this.way,
      client,
      server,
      third,
      door: openDoor,
      give,
      settled,
      expectNoMessage: async (peer, name) => {
        await settled();
        await fails(peer.receive(name, { timeoutNs: 0 }), "MACH_RCV_TIMED_OUT");
      },
      another: async (beside) => {
        const one = await this.place(`another ${beside.role}`, beside.node);
        placed.push(one);
        return one.peer;
      },
      end: async (peer) => {
        const at = placed.findIndex((one) => one.peer === peer);
        const [one] = placed.splice(at, 1);
        await this.remove(one!);
        one!.strings.close();
      },
    };
  }

  private async place(role: string, node: number): Promise<Placed> {
    const name = `puppet ${process.pid}.${puppetCount++}`;
    const sameThread = this.way !== "threads";
    const strings = sameThread ? new DirectStrings(name) : new ChannelStrings(name);
    const args: PuppetArgs = { name, sameThread };
    const task = await this.machine.spawn(node, PUPPET, { args });
    return { peer: makePeer(role, node, strings), strings, task };
  }

  private async remove({ peer, strings, task }: Placed): Promise<void> {
    strings.end();
    await within(EXIT_MS, `end of ${peer.role}`, task.exited);
  }

  // --- rest ---------------------------------------------------------------------------------------

  private async settled(placed: readonly Placed[]): Promise<void> {
    await Promise.all(placed.map(({ peer }) => peer.ping()));
    if (this.caretaker === null) return this.threadsSettled(placed);
    // A machine at rest does not notice at once that there is something to do; a sleep it does.
    await this.caretaker.peer.sleep(1);
    await within(EXIT_MS, "rest", (this.machine as Simulation).drained());
  }

  /** Rest is when two looks at everything, one after the other, see the same and nothing under way. */
  private async threadsSettled(placed: readonly Placed[]): Promise<void> {
    let before = "";
    await eventually("rest", async () => {
      const census = await this.takeCensus();
      await Promise.all(placed.map(({ peer }) => peer.ping()));
      const { packetsSent, packetsReceived, messagesSent, messagesReceived } =
        this.machine.stats().total;
      const counts = { packetsSent, packetsReceived, messagesSent, messagesReceived };
      const now = JSON.stringify([census, counts]);
      const still = now === before && packetsSent === packetsReceived;
      before = now;
      return still && census.every(({ unacknowledged }) => unacknowledged === 0);
    });
  }

  private takeCensus(): Promise<NodeCensus[]> {
    const nodes = Array.from({ length: this.machine.nodes }, (_, node) => node);
    return Promise.all(nodes.map((node) => this.machine.census(node)));
  }

  /** Every frame, message, port and right is back (I-11). Proxies stay: a later protocol collects them. */
  private async expectAsBefore(): Promise<void> {
    await this.settled([]);
    const left = await this.takeCensus();
    expect(left.map(withoutProxies)).toEqual(this.census.map(withoutProxies));
  }
}

const withoutProxies = ({ proxies, ...rest }: NodeCensus): Omit<NodeCensus, "proxies"> => rest;

let doors = 0;

const openDoor = async (from: Peer, to: Peer): Promise<Door> => {
  const label = `door ${doors++}`;
  const receive = await to.ports.allocate();
  await to.names.checkIn(label, receive);
  const send = await from.names.lookUp(label, { host: to.node });
  await to.names.checkOut(label);
  return { send, receive };
};

const give = async (
  from: Peer,
  name: PortName,
  disposition: Disposition,
  to: Peer,
): Promise<PortName> => {
  const door = await openDoor(from, to);
  await from.send({
    remote: door.send,
    remoteDisposition: COPY_SEND,
    items: [right(name, disposition)],
  });
  const { items } = await to.receive(door.receive);
  await from.ports.deallocate(door.send);
  await to.ports.destroy(door.receive);
  const [item] = items;
  return item?.kind === "rights" ? item.names[0]! : MACH_PORT_NULL;
};

/** What a call was rejected with, which must be Mach's `code`. */
export const fails = async (call: Promise<unknown>, code: string): Promise<PeerError> => {
  const outcome = await call.then(
    (value) => ({ value }),
    (error: PeerError) => ({ error }),
  );
  if (!("error" in outcome)) {
    throw new Error(`the call answered ${JSON.stringify(outcome.value)}; ${code} was expected`);
  }
  if (outcome.error.code !== code) {
    throw new Error(`${code} was expected: ${outcome.error.name} ${outcome.error.message}`);
  }
  return outcome.error;
};
