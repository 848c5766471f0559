// Four nodes, of which the last begins to lie. Before that every kind of traffic has gone between them and been recorded;
// what the liar says are mutations of that. Meanwhile the three others go on with streams of messages on ports that
// the liar never names: each message must come once, in order, as it was sent. Exposed ports, which it may name, are
// read by whoever has them and what comes is thrown away. In the end every frame and every message is accounted for.

import { expect } from "@jest/globals";
import { COUNTERS } from "../../src/base/counters.ts";
import { STREAM_PACKETS } from "../../src/base/limits.ts";
import { Random } from "../../src/base/random.ts";
import { KERNEL_PACKETS } from "../../src/ipc/kernel-message.ts";
import type { Message } from "../../src/ipc/message.ts";
import {
  COPY_SEND,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MOVE_RECEIVE,
  MOVE_SEND_ONCE,
  NOTIFY_NO_SENDERS,
  type PortName,
} from "../../src/ipc/rights.ts";
import { isInline, itemBytes, itemData, itemEnd } from "../../src/ipc/typed-item.ts";
import { takeCensus } from "../../src/node/census.ts";
import { MachError } from "../../src/task/mach-error.ts";
import type { Task } from "../../src/task/task.ts";
import { give, openDoor } from "./doors.ts";
import { ForgedPeer, tapSent } from "./forged-peer.ts";
import { firstWrongByte, letter, parcel, patterned } from "./letters.ts";
import { LoneNodes } from "./lone-node.ts";
import { PacketMutations } from "./packet-mutations.ts";

const NODES = 4;
const PAGE = 4096;
/** Lies between two looks at the others. */
const BURST = 32;
/** Lengths of honest messages: in a packet, in a page, in several. */
const LENGTHS = [4, 64, 192, 700, 4096, 9000];

interface Stream {
  readonly from: Task;
  readonly to: Task;
  readonly send: PortName;
  readonly receive: PortName;
  sent: number;
  received: number;
}

export class GarbageWorld {
  readonly nodes: LoneNodes;
  readonly random: Random;
  readonly lies: PacketMutations;
  peer!: ForgedPeer;
  private readonly streams: Stream[] = [];
  private readonly failures: unknown[] = [];
  private readonly keep = new Map<Task, Set<PortName>>();
  /** Names by which a task sends to exposed ports. */
  private readonly ways = new Map<Task, PortName[]>();

  constructor(seed: number, unreliable = false) {
    this.random = new Random(seed);
    this.nodes = new LoneNodes({
      dimension: 2,
      seed,
      memory: { bytesPerNode: 1 << 21 },
      kernel: { messages: 256 },
      transport: { unreliable },
    });
    this.lies = new PacketMutations(this.random, NODES);
    for (const kernel of this.nodes.kernels) tapSent(kernel, (packet) => this.lies.learn(packet));
  }

  // --- before ---------------------------------------------------------------------------------------

  /** Honest traffic of all kinds; then the last node turns. */
  async begin(unreliable = false): Promise<void> {
    const { nodes } = this;
    const tasks = nodes.kernels.map(({ node }) => nodes.task(node));
    for (const from of tasks) for (const to of tasks) await this.mingle(from, to);
    await nodes.run(nodes.kernels[0]!.runTokenPeriods(3));
    for (const from of tasks) for (const to of tasks) await this.expose(from, to);
    nodes.end(tasks[NODES - 1]!);
    await nodes.run(nodes.kernels[0]!.runTokenPeriods(2));
    for (let node = 0; node < NODES - 1; node++) {
      await this.openStream(nodes.task(node), nodes.task((node + 1) % (NODES - 1)));
    }
    await nodes.pass(1e9);
    this.peer = new ForgedPeer(nodes, unreliable);
  }

  /** Two tasks tell each other everything that there is to tell. */
  private async mingle(from: Task, to: Task): Promise<void> {
    const { nodes } = this;
    const door = await openDoor(nodes, from, to);
    const take = async (): Promise<Message> => nodes.run(to.receive(door.receive));
    const tell = async (message: Message): Promise<Message> => {
      await nodes.run(from.send(message));
      return take();
    };
    for (const bytes of [0, 100, 1000, 9000]) await tell(patterned(door.send, bytes, bytes));
    // Rights of all kinds, and a port that moves with what is queued on it.
    const port = from.ports.allocate();
    const given = (await tell(parcel(door.send, COPY_SEND, port, MAKE_SEND))).takeRight().name;
    const once = (await tell(parcel(door.send, COPY_SEND, port, MAKE_SEND_ONCE))).takeRight().name;
    await nodes.run(to.send(letter(once, MOVE_SEND_ONCE)));
    for (let i = 0; i < 3; i++) await nodes.run(to.send(letter(given, COPY_SEND, i)));
    from.ports.requestNotification(port, NOTIFY_NO_SENDERS, 0, from.ports.allocate());
    const moved = (await tell(parcel(door.send, COPY_SEND, port, MOVE_RECEIVE))).takeRight().name;
    await nodes.quiet();
    for (let i = 0; i < 4; i++) await nodes.run(to.receive(moved));
    to.ports.destroy(moved);
    // Regions of data and of rights.
    const address = from.vm.allocate(3 * PAGE);
    from.memory.fill(address, 3 * PAGE, 1);
    for (const bytes of [100, 3 * PAGE]) {
      await tell(letter(door.send, COPY_SEND).addRegion(address, bytes));
    }
    const ports = [from.ports.allocate(), from.ports.allocate(), from.ports.allocate()];
    for (const [i, name] of ports.entries()) from.memory.store32(address + 4 * i, name);
    for (const right of [MAKE_SEND, MOVE_RECEIVE] as const) {
      await tell(letter(door.send, COPY_SEND).addRightsRegion(address, 3, right));
    }
    // A full queue: turns are asked for; a message is forced.
    to.ports.setQlimit(door.receive, 1);
    const waiting = [1, 2, 3].map((id) => from.send(letter(door.send, COPY_SEND, id)));
    await nodes.quiet();
    const notify = from.ports.allocate();
    const forced = letter(door.send, COPY_SEND, 4);
    const options = { timeoutNs: 0, willNotify: notify };
    await nodes.run(from.send(forced, options).catch(toleratingCodes("MACH_SEND")));
    await nodes.quiet();
    for (let i = 0; i < 3; i++) await take();
    await nodes.run(Promise.all(waiting));
    to.ports.destroy(door.receive);
    await nodes.quiet();
  }

  /** A port of `to` that the liar may name; what comes to it is thrown away. */
  private async expose(from: Task, to: Task): Promise<void> {
    const port = to.ports.allocate();
    this.kept(to).add(port);
    if (from !== to) {
      const way = await give(this.nodes, to, port, MAKE_SEND, from);
      this.kept(from).add(way);
      this.ways.set(from, [...(this.ways.get(from) ?? []), way]);
      const space = this.nodes.spaceOf(to);
      this.lies.ports.push(space.portAt(space.find(port))!.identifier);
    }
    if (to.node < NODES - 1) void this.throwAway(to, port);
  }

  private kept(task: Task): Set<PortName> {
    const kept = this.keep.get(task) ?? new Set([...task.ports.names()]);
    this.keep.set(task, kept);
    return kept;
  }

  private async throwAway(task: Task, port: PortName): Promise<void> {
    for (;;) {
      try {
        const message = await task.receive(port);
        discardRegions(task, message);
      } catch (error) {
        if (!(error instanceof MachError)) {
          this.failures.push(error);
          return;
        }
        if (error.code === "MACH_RCV_PORT_DIED" || error.code === "MACH_RCV_INVALID_NAME") return;
      }
    }
  }

  private async openStream(from: Task, to: Task): Promise<void> {
    const receive = to.ports.allocate();
    const send = await give(this.nodes, to, receive, MAKE_SEND, from);
    for (const task of [from, to]) {
      const space = this.nodes.spaceOf(task);
      for (const name of task.ports.names()) {
        const port = space.portAt(space.find(name));
        if (port !== null && port.identifier !== 0) this.lies.taboo.add(port.identifier);
      }
    }
    const stream: Stream = { from, to, send, receive, sent: 0, received: 0 };
    this.streams.push(stream);
    void this.read(stream);
  }

  private async read(stream: Stream): Promise<void> {
    try {
      for (;;) {
        const message = await stream.to.receive(stream.receive);
        stream.received += 1;
        if (message.id !== stream.received) throw new Error(`${message.id} for ${stream.received}`);
        if (message.size !== lengthOf(message.id)) throw new Error(`${message.size} bytes came`);
        const wrong = firstWrongByte(message, message.id);
        if (wrong >= 0) throw new Error(`byte ${wrong} of message ${message.id} is wrong`);
      }
    } catch (error) {
      if (!(error instanceof MachError && error.code === "MACH_RCV_PORT_DIED")) {
        this.failures.push(error);
      }
    }
  }

  // --- lies -------------------------------------------------------------------------------------------

  /** The liar tells `count` lies while the others go on. */
  lie(count: number): Promise<void> {
    return this.beset(count, BURST, (to) => this.peer.send(to, this.lies.next(to)));
  }

  /** `count` packets come by `send`, in bursts, while the others go on. */
  async beset(count: number, burst: number, send: (to: number) => void): Promise<void> {
    let told = 0;
    while (told < count) {
      for (const stream of this.streams) if (this.random.below(4) === 0) this.write(stream);
      for (const [task, ways] of this.ways) {
        if (task.node < NODES - 1 && this.random.below(3) === 0) this.act(task, ways);
      }
      const end = Math.min(count, told + burst);
      for (; told < end; told++) send(this.random.below(NODES - 1));
      await this.look();
    }
  }

  /** A task does something with ports that the liar may name: whatever comes of it, the kernels must bear it. */
  private act(task: Task, ways: readonly PortName[]): void {
    const { random } = this;
    const way = ways[random.below(ways.length)]!;
    const port = task.ports.allocate();
    const message = letter(way, COPY_SEND, random.below(1000));
    switch (random.below(6)) {
      case 0:
        message.addRight(port, MAKE_SEND);
        break;
      case 1:
        message.addRight(port, MAKE_SEND_ONCE);
        break;
      case 2:
        task.ports.requestNotification(port, NOTIFY_NO_SENDERS, 0, port);
        message.addRight(port, MAKE_SEND).addRight(port, MOVE_RECEIVE);
        break;
      case 3: {
        const address = task.vm.allocate(2 * PAGE);
        task.memory.fill(address, 2 * PAGE, 7);
        message.addRegion(address, 1 + random.below(2 * PAGE), true);
        break;
      }
      case 4:
        message.addIntegers(new Int32Array(random.below(40)));
        break;
      default:
        message.local = port;
        message.localDisposition = MAKE_SEND_ONCE;
    }
    const forced = random.below(4) === 0 ? { willNotify: port } : {};
    const sent = task.send(message, { timeoutNs: 0, ...forced });
    sent.catch((error: unknown) => {
      if (!(error instanceof MachError)) this.failures.push(error);
    });
  }

  /** Everybody comes to rest; what was exposed is tidied up. */
  private async look(): Promise<void> {
    // Timers of the token and of acknowledgements.
    if (this.random.below(8) === 0) await this.nodes.pass(this.random.below(3) * 1e9);
    await this.peer.settle(this.nodes);
    for (const packet of this.peer.heard) this.lies.learn(packet);
    this.peer.heard.length = 0;
    for (const [task, kept] of this.keep) {
      if (task.node === NODES - 1) continue;
      for (const name of task.ports.names()) if (!kept.has(name)) task.ports.destroy(name);
    }
    if (this.failures.length > 0) throw this.failures[0];
  }

  private write(stream: Stream): void {
    stream.sent += 1;
    const message = patterned(stream.send, lengthOf(stream.sent), stream.sent);
    stream.from.send(message).catch((error: unknown) => this.failures.push(error));
  }

  /** Times `name` was counted, on all honest nodes. */
  count(name: keyof typeof COUNTERS): number {
    const { index } = COUNTERS[name];
    return this.nodes.kernels.reduce((sum, { memory }) => sum + memory.counters[index]!, 0);
  }

  // --- after ------------------------------------------------------------------------------------------

  async end(): Promise<void> {
    const { nodes, peer } = this;
    await this.look();
    await peer.finish(nodes);
    for (const { sent, received } of this.streams) expect(received).toBe(sent);
    for (const task of [...this.keep.keys()]) if (task.node < NODES - 1) nodes.end(task);
    for (const { from, to } of this.streams) {
      nodes.end(from);
      nodes.end(to);
    }
    await peer.settle(nodes);
    peer.close();
    for (const kernel of nodes.kernels) {
      const census = takeCensus(kernel);
      const { ringLength, wireBuffers, packetBuffers } = kernel.memory.layout;
      expect(census).toMatchObject({
        framesFree: census.framesTotal - ringLength - wireBuffers,
        framesArmed: ringLength,
        framesInMessages: 0,
        messagesFree: census.messagesTotal,
        queuedMessages: 0,
        unacknowledged: 0,
      });
      expect(kernel.ipc.pool.freeCount).toBe(packetBuffers - KERNEL_PACKETS - STREAM_PACKETS);
      expect(kernel.vm.pages.busyFrames).toBe(0);
    }
    const reasons = (Object.keys(COUNTERS) as (keyof typeof COUNTERS)[]).filter((name) =>
      name.startsWith("rejected"),
    );
    expect(reasons.reduce((sum, name) => sum + this.count(name), 0)).toBe(this.count("damaged"));
  }
}

const lengthOf = (number: number): number => LENGTHS[number % LENGTHS.length]!;

const toleratingCodes = (prefix: string) => (error: unknown) => {
  if (!(error instanceof MachError && error.code.startsWith(prefix))) throw error;
};

/** Gives back the memory that came with a message. */
const discardRegions = (task: Task, message: Message): void => {
  if (!message.complex) return;
  const { words } = message;
  const end = message.size >> 2;
  for (let at = 0; at < end; at = itemEnd(words, at)) {
    if (isInline(words, at)) continue;
    const [address, bytes] = [words[itemData(words, at)]! >>> 0, itemBytes(words, at)];
    if (address !== 0 && bytes > 0) task.vm.deallocate(address, bytes);
  }
};
