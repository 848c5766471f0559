// A message inside the kernel, and the pool that all of them come from.
// Each has one packet buffer of its node's memory: the inline body lies there, ready to be sent.
// A body that does not fit (more than 192 bytes) lies in a page frame. Rights are held by the message:
// header rights as Port references, body rights as port indexes written over the names.
//
// Life: pool -> copyin -> (queue of a port | transport until acknowledged) -> copyout or destroy -> pool.

import { assert } from "../base/assert.ts";
import type { FrameTable } from "../hardware/frame-table.ts";
import { FRAME_MESSAGE, NO_FRAME } from "../hardware/frame-table.ts";
import { PACKET_WORDS } from "../hardware/machine-layout.ts";
import { PACKET_BODY, PACKET_INLINE_BYTES_MAX } from "../hardware/packet-layout.ts";
import type { PhysicalMemory } from "../hardware/physical-memory.ts";
import type { Port } from "./port.ts";
import { type CarriedRight, PORT_SEND } from "./rights.ts";

export class KernelMessage {
  readonly index: number;
  /** First word of its packet buffer. */
  readonly at: number;
  next: KernelMessage | null = null;
  free = true;

  /** Destination; null only while the message is free. */
  remote: Port | null = null;
  remoteRight: CarriedRight = PORT_SEND;
  /** Reply port; null for none. */
  local: Port | null = null;
  localRight: CarriedRight = PORT_SEND;
  /** The reply name was, or has become, a dead name: received as MACH_PORT_DEAD. */
  localDead = false;
  complex = false;
  id = 0;
  /** Bytes of the body. */
  size = 0;
  /** Frame that holds the body, or NO_FRAME when it is inline. */
  frame = NO_FRAME;

  constructor(index: number, at: number) {
    this.index = index;
    this.at = at;
  }
}

/** Word of a message's body in its node's memory. */
export const bodyWord = (memory: PhysicalMemory, message: KernelMessage): number =>
  message.frame === NO_FRAME ? message.at + PACKET_BODY : memory.frameWord(message.frame);

/** Told when a message returns to the pool: somebody may have been waiting for one. */
export interface PoolSink {
  messageFreed(): void;
}

export class MessagePool {
  private readonly memory: PhysicalMemory;
  private readonly frames: FrameTable;
  private readonly messages: KernelMessage[] = [];
  private freeFirst: KernelMessage | null = null;
  private free = 0;
  private readonly receiveReserve: number;
  private readonly frameReserve: number;
  private sink: PoolSink | null = null;

  /** `receiveReserve`: messages that only arrivals may take, so that senders who fill the pool
   *  cannot keep the node from accepting what would let them go on. Of the frames, a quarter or as
   *  many, for the same reason: two nodes whose frames all wait to be sent to each other are stuck. */
  constructor(memory: PhysicalMemory, frames: FrameTable, receiveReserve: number) {
    this.memory = memory;
    this.frames = frames;
    this.receiveReserve = receiveReserve;
    const { packetBuffers, packetsAt, frameCount, ringLength } = memory.layout;
    this.frameReserve = Math.min(receiveReserve, (frameCount - ringLength) >> 2);
    assert(receiveReserve < packetBuffers, "the reserve leaves room for senders");
    for (let i = packetBuffers - 1; i >= 0; i--) {
      const message = new KernelMessage(i, packetsAt + i * PACKET_WORDS);
      this.messages[i] = message;
      message.next = this.freeFirst;
      this.freeFirst = message;
    }
    this.free = packetBuffers;
  }

  /** Who is told of every message that returns. */
  setSink(sink: PoolSink): void {
    this.sink = sink;
  }

  get freeCount(): number {
    return this.free;
  }

  /** True when a sender of `bytes` may take one, and `ahead` others before it. */
  roomToSend(bytes: number, ahead = 0): boolean {
    if (this.free <= this.receiveReserve + ahead) return false;
    return bytes <= PACKET_INLINE_BYTES_MAX || this.frames.freeCount > this.frameReserve + ahead;
  }

  /** A message for a sender of `bytes`, with a frame if they need one; or null. */
  takeToSend(bytes: number): KernelMessage | null {
    if (!this.roomToSend(bytes)) return null;
    const message = this.take();
    if (message !== null && bytes > PACKET_INLINE_BYTES_MAX) {
      message.frame = this.frames.allocate(FRAME_MESSAGE);
    }
    return message;
  }

  /** A message for an arrival, or null. */
  takeToReceive(): KernelMessage | null {
    return this.take();
  }

  private take(): KernelMessage | null {
    const message = this.freeFirst;
    if (message === null) return null;
    this.freeFirst = message.next;
    this.free -= 1;
    message.next = null;
    message.free = false;
    message.local = null;
    message.localDead = false;
    message.complex = false;
    message.frame = NO_FRAME;
    return message;
  }

  /** Takes a message back, with its frame. Its rights have been copied out or released before. */
  put(message: KernelMessage): void {
    assert(!message.free, "a message is freed once");
    if (message.frame !== NO_FRAME) this.frames.free(message.frame, FRAME_MESSAGE);
    message.free = true;
    message.remote = null;
    message.local = null;
    message.frame = NO_FRAME;
    message.next = this.freeFirst;
    this.freeFirst = message;
    this.free += 1;
    if (this.sink !== null) this.sink.messageFreed();
  }

  /** The message whose packet buffer starts at word `at`. */
  byPacket(at: number): KernelMessage {
    return this.messages[(at - this.memory.layout.packetsAt) / PACKET_WORDS]!;
  }
}

export const describeMessage = (message: KernelMessage): string =>
  `message ${message.index} id ${message.id} size ${message.size}` +
  `${message.complex ? " complex" : ""} to port ${message.remote?.index ?? "-"}`;
