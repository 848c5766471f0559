// A message inside the kernel, and the pool that all of them come from.
// Each has one packet buffer of its node's memory: the inline body lies there, ready to be sent.
// A body that does not fit (more than 192 bytes) lies in a page frame, and one that is longer than a page
// in an Overflow, where out-of-line data is too. Rights are held by the message: header rights as Port
// references, body rights as port indexes written over the names.
//
// Life: pool -> copyin -> (queue of a port | transport until acknowledged) -> copyout or destroy -> pool.

import { assert } from "../base/assert.ts";
import { LARGE_BYTES_MAX, STREAM_PACKETS } from "../base/limits.ts";
import type { FrameTable } from "../hardware/frame-table.ts";
import { FRAME_MESSAGE, NO_FRAME } from "../hardware/frame-table.ts";
import { PACKET_WORDS } from "../hardware/machine-layout.ts";
import { PACKET_BODY, PACKET_INLINE_BYTES_MAX } from "../hardware/packet-layout.ts";
import type { PhysicalMemory } from "../hardware/physical-memory.ts";
import type { AcceptRequest } from "./accept-request.ts";
import { Overflow } from "./overflow.ts";
import type { Port } from "./port.ts";
import { isPaged } from "./region.ts";
import { type CarriedRight, PORT_SEND } from "./rights.ts";
import type { Transfer } from "./transfer.ts";

/** The frame that bodies beyond a page and regions of rights travel in (norma/overflow-stream.ts). */
export const KERNEL_FRAMES = 1;
/** Packet buffers of the kernel's own: the transport's for acknowledgements, and the one for that frame. */
export const KERNEL_PACKETS = 2;

/** Overflows kept for the next messages. */
const SPARE_OVERFLOWS_MAX = 32;

/** What a message of the pool is in use for. */
const USE_KERNEL = 0;
const USE_SENT = 1;
const USE_ARRIVED = 2;
const USE_NONE = 3;
type MessageUse = typeof USE_KERNEL | typeof USE_SENT | typeof USE_ARRIVED;

export class KernelMessage {
  readonly index: number;
  /** First word of its packet buffer. */
  readonly at: number;
  next: KernelMessage | null = null;
  /** Whom the pool gave it to; USE_NONE while it is free. */
  use: MessageUse | typeof USE_NONE = USE_NONE;
  /** It was taken together with the right to a frame. */
  paged = false;

  /** Destination; null only while the message is free. */
  remote: Port | null = null;
  remoteRight: CarriedRight = PORT_SEND;
  /** Reply port; null for none. */
  local: Port | null = null;
  localRight: CarriedRight = PORT_SEND;
  /** The reply name was, or has become, a dead name: received as MACH_PORT_DEAD. */
  localDead = false;
  complex = false;
  /** There are rights in its body or in its regions. */
  rights = false;
  /** From another node: how often the receive right of its port had moved when it came here, as its sender knew. */
  tenure = 0;
  /** From another node: its last region tells what goes with the receive rights that it carries. */
  moves = false;
  /** It holds the receive right of the port it would be queued on: nobody could ever take it. */
  circular = false;
  id = 0;
  /** It counts against the queue limit of a port of another node (norma/flow-control.ts). */
  metered = false;
  /** Bytes of the body. */
  size = 0;
  /** Frame that holds the body, or NO_FRAME when it is inline or in the overflow. */
  frame = NO_FRAME;
  /** What does not fit a frame; null for most messages. */
  overflow: Overflow | null = null;
  /** Told when the message is taken: it was forced into a full queue (MACH_SEND_NOTIFY). */
  accept: AcceptRequest | null = null;
  /** Packets of it beside its own are still to be acknowledged (norma/overflow-stream.ts). */
  streaming = false;
  /** The page of data that its own packet carries, as vm.pageDone() wants it; 0 for none. */
  page = 0;
  /** Its sender waits for its pages, which are not busy (protection "hold"). */
  hold: PagesHeld | null = null;

  constructor(index: number, at: number) {
    this.index = index;
    this.at = at;
  }
}

/** The words that a message's body lies in, from bodyWord() on. */
export const bodyWords = (memory: PhysicalMemory, message: KernelMessage): Int32Array =>
  message.overflow?.body ?? memory.words;

/** First word of a message's body in bodyWords(). */
export const bodyWord = (memory: PhysicalMemory, message: KernelMessage): number => {
  if (message.frame !== NO_FRAME) return memory.frameWord(message.frame);
  return message.overflow?.body == null ? message.at + PACKET_BODY : 0;
};

/** Told when a message returns to the pool: somebody may have been waiting for one. */
export interface PoolSink {
  messageFreed(): void;
}

/** Told when a message, and with it the interface, is done with the sender's pages. */
export interface PagesHeld {
  pagesReleased(): void;
}

export class MessagePool {
  /** On purpose arrivals get no message and no frame (node/node-faults.ts). */
  starved = false;
  private readonly memory: PhysicalMemory;
  private readonly frames: FrameTable;
  private readonly transfer: Transfer;
  private readonly messages: KernelMessage[] = [];
  private freeFirst: KernelMessage | null = null;
  private free = 0;
  /** Most messages, and most frames, that senders may hold together; arrivals likewise. */
  private readonly messagesMax: number;
  private readonly framesMax: number;
  /** What each of the uses holds now. */
  private readonly inUse = [0, 0, 0];
  private readonly framesInUse = [0, 0, 0];
  private readonly largeInUse = [0, 0, 0];
  private readonly spareOverflows: Overflow[] = [];
  private sink: PoolSink | null = null;

  /** `reserve`: messages that senders leave to arrivals, and arrivals to senders. Without the first, two
   *  nodes that fill each other's pools could accept nothing that lets them go on; without the
   *  second, a server whose pool is full of requests could not send the reply that empties it. Of
   *  the frames as many, at most a quarter, for the same reason. */
  constructor(memory: PhysicalMemory, frames: FrameTable, transfer: Transfer, reserve: number) {
    this.memory = memory;
    this.frames = frames;
    this.transfer = transfer;
    const { packetBuffers, packetsAt, frameCount, ringLength, wireBuffers } = memory.layout;
    assert(reserve + STREAM_PACKETS < packetBuffers, "the reserve leaves room for senders");
    const framesSpare = frameCount - ringLength - wireBuffers - KERNEL_FRAMES;
    this.messagesMax = packetBuffers - STREAM_PACKETS - reserve;
    this.framesMax = framesSpare - Math.min(reserve, framesSpare >> 2);
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

  /** A quarter of what senders may hold together. */
  get quarter(): number {
    return Math.max(1, this.messagesMax >> 2);
  }

  /** True when a sender of `bytes` may take one. */
  roomToSend(bytes: number): boolean {
    if (bytes > this.memory.layout.pageBytes) {
      return this.hasRoom(USE_SENT, false) && this.hasLargeRoom(USE_SENT);
    }
    return this.hasRoom(USE_SENT, bytes > PACKET_INLINE_BYTES_MAX);
  }

  /** True when an arrival may take one, if it needs no frame. */
  get roomToReceive(): boolean {
    return !this.starved && this.hasRoom(USE_ARRIVED, false);
  }

  /** A message for a sender of `bytes`, with a frame or an overflow if they need one; or null. */
  takeToSend(bytes: number): KernelMessage | null {
    if (bytes > this.memory.layout.pageBytes) return this.takeLarge(bytes);
    const paged = bytes > PACKET_INLINE_BYTES_MAX;
    if (!this.hasRoom(USE_SENT, paged)) return null;
    const message = this.take(USE_SENT, paged);
    if (paged) message.frame = this.frames.allocate(FRAME_MESSAGE);
    return message;
  }

  private takeLarge(bytes: number): KernelMessage | null {
    if (!this.hasRoom(USE_SENT, false) || !this.hasLargeRoom(USE_SENT)) return null;
    const message = this.take(USE_SENT, false);
    this.overflowOf(message).addBody(bytes);
    this.chargeLarge(message, bytes);
    return message;
  }

  /** The message's overflow, an empty one if it had none. */
  overflowOf(message: KernelMessage): Overflow {
    message.overflow ??= this.spareOverflows.pop() ?? new Overflow();
    return message.overflow;
  }

  /** Counts bytes of a message's overflow; put() counts them off. */
  chargeLarge(message: KernelMessage, bytes: number): void {
    message.overflow!.bytes += bytes;
    this.largeInUse[message.use as MessageUse]! += bytes;
  }

  /** Gives up the message's overflow, with whatever data is still in it. */
  dropOverflow(message: KernelMessage): void {
    const overflow = message.overflow!;
    const { regions } = overflow;
    for (let i = 0; i < regions.length; i++) {
      const region = regions[i]!;
      if (region !== null && isPaged(region)) this.transfer.discard(region);
    }
    this.largeInUse[message.use as MessageUse]! -= overflow.bytes;
    message.overflow = null;
    if (this.spareOverflows.length < SPARE_OVERFLOWS_MAX)
      this.spareOverflows.push(overflow.clear());
  }

  /** False when overflows of that kind have used up what they may. One that is begun is finished. */
  private hasLargeRoom(use: MessageUse): boolean {
    return this.largeInUse[use]! < LARGE_BYTES_MAX;
  }

  /** True when a message to send may have more out-of-line data. */
  get roomForRegions(): boolean {
    return this.hasLargeRoom(USE_SENT);
  }

  /** True when an arrival with an overflow may begin. */
  get roomToReceiveLarge(): boolean {
    return this.hasLargeRoom(USE_ARRIVED);
  }

  /** A message for an arrival, or null. `paged`: it will keep the frame that it arrived in; there is
   *  another then to arm the descriptor with. */
  takeToReceive(paged: boolean): KernelMessage | null {
    if (this.starved || !this.hasRoom(USE_ARRIVED, paged)) return null;
    return this.take(USE_ARRIVED, paged);
  }

  /** A message for the kernel itself, or null. */
  takeForKernel(): KernelMessage | null {
    return this.free === 0 ? null : this.take(USE_KERNEL, false);
  }

  private hasRoom(use: MessageUse, paged: boolean): boolean {
    if (this.free === 0 || this.inUse[use]! >= this.messagesMax) return false;
    return !paged || (this.frames.freeCount > 0 && this.framesInUse[use]! < this.framesMax);
  }

  private take(use: MessageUse, paged: boolean): KernelMessage {
    const message = this.freeFirst!;
    this.freeFirst = message.next;
    this.free -= 1;
    this.inUse[use]! += 1;
    if (paged) this.framesInUse[use]! += 1;
    message.next = null;
    message.use = use;
    message.paged = paged;
    message.local = null;
    message.localDead = false;
    message.complex = false;
    message.rights = false;
    message.moves = false;
    message.circular = false;
    message.metered = false;
    message.frame = NO_FRAME;
    return message;
  }

  /** Takes a message back, with its frame. Its rights have been copied out or released before. */
  put(message: KernelMessage): void {
    const { use } = message;
    assert(use !== USE_NONE, "a message is freed once");
    if (message.frame !== NO_FRAME) this.frames.free(message.frame, FRAME_MESSAGE);
    this.inUse[use]! -= 1;
    if (message.paged) this.framesInUse[use]! -= 1;
    if (message.overflow !== null) this.dropOverflow(message);
    assert(message.accept === null, "whoever asked has been told");
    if (message.hold !== null) {
      message.hold.pagesReleased();
      message.hold = null;
    }
    message.use = USE_NONE;
    message.remote = null;
    message.local = null;
    message.frame = NO_FRAME;
    message.next = this.freeFirst;
    this.freeFirst = message;
    this.free += 1;
    if (this.sink !== null) this.sink.messageFreed();
  }

  /** Messages that are in use: for checks. */
  held(): KernelMessage[] {
    return this.messages.filter(({ use }) => use !== USE_NONE);
  }

  /** The message whose packet buffer starts at word `at`. */
  byPacket(at: number): KernelMessage {
    return this.messages[(at - this.memory.layout.packetsAt) / PACKET_WORDS]!;
  }
}

export const describeMessage = (message: KernelMessage): string =>
  `message ${message.index} id ${message.id} size ${message.size}` +
  `${message.complex ? " complex" : ""} to port ${message.remote?.index ?? "-"}`;
