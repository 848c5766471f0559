// A node that lies: it speaks the transport correctly, and says in its packets what it likes. Its kernel is not stepped any
// more; packets are put before the other nodes' kernels as their interfaces would, in a descriptor of their own, with the
// sequence number that is next, a plausible acknowledgement and the right checksum. What the others send to it is
// taken off its ring, and acknowledged with the next packet.

import { FRAME_ARMED } from "../../src/hardware/frame-table.ts";
import { PACKET_WORDS } from "../../src/hardware/machine-layout.ts";
import { type NetworkInterface, NO_PACKET } from "../../src/hardware/network-interface.ts";
import {
  PACKET_FRAME,
  PACKET_INLINE,
  PACKET_PAGE,
  PACKET_ROUTE,
  setPacketRoute,
} from "../../src/hardware/packet-layout.ts";
import type { PhysicalMemory } from "../../src/hardware/physical-memory.ts";
import type { KernelMessage } from "../../src/ipc/kernel-message.ts";
import type { NodeKernel } from "../../src/node/kernel.ts";
import { makeIdentifier } from "../../src/norma/identifier.ts";
import { PacketCheck } from "../../src/norma/packet-check.ts";
import {
  WIRE_ACK,
  WIRE_BITS,
  WIRE_CHECKSUM,
  WIRE_CONTROL,
  WIRE_KIND,
  WIRE_LOCAL,
  WIRE_REMOTE,
  WIRE_SEQUENCE,
  WIRE_SIZE,
} from "../../src/norma/wire-layout.ts";
import {
  CONTROL_ACK,
  CONTROL_NONE,
  flushNumber,
  flushOrigin,
  KIND_CONTROL,
  KIND_MESSAGE,
  KIND_NOTE,
  NOTE_FLUSH,
  NOTE_FLUSHED,
} from "../../src/norma/wire-values.ts";
import type { LoneNodes } from "./lone-node.ts";

/** A packet apart from any memory: the words of its buffer, and of its page. */
export interface LoosePacket {
  readonly words: Int32Array;
  readonly page: Int32Array;
}

const SEND_ONLY = 17 | (17 << 8);
/** No kernel has such a special port. */
const NO_SPECIAL_PORT = 9;

/** The packet at word `at` of a node's memory. */
export const loosePacket = (memory: PhysicalMemory, at: number): LoosePacket => {
  const words = memory.words.slice(at, at + PACKET_WORDS);
  const pageWords = (words[PACKET_PAGE]! + 3) >> 2;
  const start = pageWords === 0 ? 0 : memory.frameWord(words[PACKET_FRAME]!);
  return { words, page: memory.words.slice(start, start + pageWords) };
};

/** Calls `seen` for every packet that a node sends. */
export const tapSent = (
  { network, memory }: NodeKernel,
  seen: (packet: LoosePacket) => void,
): void => {
  const transmit = network.transmit.bind(network);
  network.transmit = (at) => {
    seen(loosePacket(memory, at));
    return transmit(at);
  };
};

/** A descriptor beside the ring of a node, in which packets arrive that nobody has sent. */
class Door {
  readonly kernel: NodeKernel;
  readonly at: number;
  private readonly message: KernelMessage;
  private readonly check: PacketCheck;
  private pending = false;
  private shown = false;

  constructor(kernel: NodeKernel, checksums: boolean) {
    this.kernel = kernel;
    this.check = new PacketCheck(kernel.memory, checksums);
    this.message = kernel.ipc.pool.takeForKernel()!;
    this.at = this.message.at;
    kernel.memory.words[this.at + PACKET_FRAME] = kernel.frames.allocate(FRAME_ARMED);
    this.stand(kernel.network);
  }

  /** Between the node and its interface. */
  private stand(network: NetworkInterface): void {
    const { poll, arm, hasWork } = network;
    network.poll = () => {
      this.shown = this.pending;
      return this.pending ? this.at : poll.call(network);
    };
    network.arm = (frame) => {
      if (!this.shown) {
        arm.call(network, frame);
        return;
      }
      this.pending = false;
      this.shown = false;
      this.kernel.memory.words[this.at + PACKET_FRAME] = frame;
    };
    network.hasWork = () => this.pending || hasWork.call(network);
  }

  /** Writes all but the frame. */
  write({ words, page }: LoosePacket): void {
    const { memory } = this.kernel;
    memory.words.set(words.subarray(PACKET_ROUTE), this.at + PACKET_ROUTE);
    const start = memory.frameWord(memory.words[this.at + PACKET_FRAME]!);
    memory.words.set(page.subarray(0, memory.pageWords), start);
  }

  seal(): void {
    this.kernel.memory.words[this.at + WIRE_CHECKSUM] = this.check.checksum(this.at);
  }

  /** It arrives, and is dealt with. */
  open(): void {
    this.pending = true;
    this.kernel.step();
  }

  /** Gives back what it was made of. */
  close(): void {
    const { kernel } = this;
    kernel.frames.free(kernel.memory.words[this.at + PACKET_FRAME]!, FRAME_ARMED);
    kernel.ipc.pool.put(this.message);
  }
}

export class ForgedPeer {
  readonly node: number;
  /** What came for it. */
  readonly heard: LoosePacket[] = [];
  private readonly flushes: LoosePacket[] = [];
  private readonly own: NodeKernel;
  private readonly doors: Door[];

  /** The last of the nodes begins to lie. `checksums`: the network is unreliable. */
  constructor(nodes: LoneNodes, checksums = false) {
    this.own = nodes.kernels.pop()!;
    this.node = this.own.node;
    this.doors = nodes.kernels.map((kernel) => new Door(kernel, checksums));
  }

  /** Sends what it likes to a node. The node may refuse it, for want of room. */
  send(to: number, packet: LoosePacket): void {
    const { words } = packet;
    const peer = this.peerAt(to);
    setPacketRoute(words, 0, this.node, to);
    words[WIRE_SEQUENCE] = ((peer?.received ?? 0) + 1) | 0;
    words[WIRE_ACK] = peer?.highest ?? 0;
    words[WIRE_CONTROL] = CONTROL_NONE;
    this.deliver(to, packet);
  }

  /** The same, with whatever transport words it has. `sealed`: the checksum is right. */
  sendRaw(to: number, packet: LoosePacket, sealed: boolean): void {
    const door = this.doors[to]!;
    door.write(packet);
    if (sealed) door.seal();
    door.open();
  }

  private deliver(to: number, packet: LoosePacket): void {
    const door = this.doors[to]!;
    door.write(packet);
    const { words } = door.kernel.memory;
    const { pageBytes } = door.kernel.memory.layout;
    const fits = words[door.at + PACKET_PAGE]! >>> 0 <= pageBytes;
    if (fits && words[door.at + PACKET_INLINE]! >>> 0 <= 192) door.seal();
    door.open();
  }

  private peerAt(to: number) {
    return this.doors[to]!.kernel.transport.met.find(({ node }) => node === this.node);
  }

  /** Takes what has come, and acknowledges it. Returns how much that was. */
  listen(): number {
    const { network, memory } = this.own;
    let taken = network.pump();
    for (let at = network.poll(); at !== NO_PACKET; at = network.poll()) {
      const packet = loosePacket(memory, at);
      this.heard.push(packet);
      const { words } = packet;
      if (words[WIRE_KIND] === KIND_NOTE && words[WIRE_BITS] === NOTE_FLUSH)
        this.flushes.push(packet);
      network.arm(memory.words[at + PACKET_FRAME]!);
      taken += 1;
    }
    if (taken > 0) for (const { kernel } of this.doors) this.acknowledge(kernel.node);
    return taken;
  }

  private acknowledge(to: number): void {
    const packet = emptyPacket();
    const { words } = packet;
    setPacketRoute(words, 0, this.node, to);
    words[WIRE_KIND] = KIND_CONTROL;
    words[WIRE_ACK] = this.peerAt(to)?.highest ?? 0;
    words[WIRE_CONTROL] = CONTROL_ACK;
    this.deliver(to, packet);
  }

  /** Ends whatever messages it has begun, and answers every flush that it has heard of. */
  async finish(nodes: LoneNodes): Promise<void> {
    for (const { kernel } of this.doors) {
      const packet = emptyPacket();
      packet.words[WIRE_KIND] = KIND_MESSAGE;
      packet.words[WIRE_BITS] = SEND_ONLY;
      packet.words[WIRE_REMOTE] = makeIdentifier(kernel.node, NO_SPECIAL_PORT);
      packet.words[WIRE_SIZE] = 0;
      this.send(kernel.node, packet);
    }
    await this.settle(nodes);
    // What was kept for one flush may bring on the next.
    while (this.flushes.length > 0) {
      for (const { words } of this.flushes.splice(0)) this.answerFlush(words);
      await this.settle(nodes);
    }
  }

  private answerFlush(flush: Int32Array): void {
    const origin = flushOrigin(flush[WIRE_LOCAL]!);
    if (origin >= this.node) return; // its own, and of nodes that there are not
    const packet = emptyPacket();
    const { words } = packet;
    words[WIRE_KIND] = KIND_NOTE;
    words[WIRE_BITS] = NOTE_FLUSHED;
    words[WIRE_REMOTE] = flush[WIRE_REMOTE]!;
    words[WIRE_LOCAL] = flushNumber(flush[WIRE_LOCAL]!);
    this.send(origin, packet);
  }

  /** Gives back what its lies were told in. */
  close(): void {
    for (const door of this.doors) door.close();
  }

  /** The others come to rest. */
  async settle(nodes: LoneNodes): Promise<void> {
    do await nodes.quiet();
    while (this.listen() > 0);
  }
}

export const emptyPacket = (): LoosePacket => ({
  words: new Int32Array(PACKET_WORDS),
  page: new Int32Array(0),
});
