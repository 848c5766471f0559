// Packets that carry one page each, straight from its frame. A few packet buffers are kept for them, so that a
// large message never wants for one that small messages hold.

import { assert } from "../base/assert.ts";
import { STREAM_PACKETS } from "../base/limits.ts";
import { KERN_RESOURCE_SHORTAGE, KERN_SUCCESS } from "../base/status.ts";
import { alignUp, WORD_BYTES } from "../base/words.ts";
import { PACKET_FRAME, PACKET_INLINE, PACKET_PAGE } from "../hardware/packet-layout.ts";
import type { IpcContext } from "../ipc/context.ts";
import type { KernelMessage } from "../ipc/kernel-message.ts";
import { regionPages } from "../ipc/region.ts";
import type { MapCopy } from "../vm/map-copy.ts";
import { ABSENT, frameOf, isBorrowed, PageList } from "../vm/page-list.ts";
import type { Transport } from "./transport.ts";
import { WIRE_BITS, WIRE_KIND, WIRE_SIZE } from "./wire-layout.ts";
import { KIND_PAGE, WIRE_BUSY } from "./wire-values.ts";

/** A packet buffer, and the page that it carries while it is out. */
class PagePacket {
  readonly packet: KernelMessage;
  next: PagePacket | null = null;
  node = 0;
  /** What vm.pageDone() is to be told. */
  entry = 0;
  message: KernelMessage | null = null;
  /** Nothing of the message follows. */
  last = false;

  constructor(packet: KernelMessage) {
    this.packet = packet;
  }
}

/** Hears of pages that are stored over there. */
export interface PageSink {
  pageReleased(node: number, message: KernelMessage, last: boolean): void;
}

/** The page cannot be had at the moment: frames are short. */
export const PAGE_LATER = 0;

export class PageSender {
  private readonly ipc: IpcContext;
  private readonly transport: Transport;
  private readonly sink: PageSink;
  private readonly carriers: PagePacket[] = [];
  private readonly byMessage: PagePacket[] = [];
  private free: PagePacket | null = null;
  /** Packets out to each node, and how many that may be: one node does not get all. */
  private readonly out: Int32Array;
  private readonly outMax: number;

  constructor(ipc: IpcContext, transport: Transport, sink: PageSink) {
    this.ipc = ipc;
    this.transport = transport;
    this.sink = sink;
    this.out = new Int32Array(ipc.memory.layout.nodes);
    this.outMax = STREAM_PACKETS - (STREAM_PACKETS >> 2);
    for (let i = 0; i < STREAM_PACKETS; i++) {
      const packet = ipc.pool.takeForKernel();
      assert(packet !== null, "the kernel's own packets are taken first");
      const page = new PagePacket(packet);
      page.next = this.free;
      this.free = page;
      this.carriers.push(page);
      this.byMessage[packet.index] = page;
    }
  }

  /** Entries of the pages that are on their way: for checks. */
  onTheWay(): number[] {
    return this.carriers.filter(({ message }) => message !== null).map(({ entry }) => entry);
  }

  /** True if a page can go to `node`. */
  roomFor(node: number): boolean {
    return this.free !== null && this.out[node]! < this.outMax;
  }

  /** The entry of a region's page, to be sent and then given to vm.pageDone(). PAGE_LATER: frames are short;
   *  negative: it cannot be read, -KERN_MEMORY_ERROR. */
  entryOf(region: PageList | MapCopy, page: number): number {
    const { vm } = this.ipc;
    if (!(region instanceof PageList)) {
      const borrowed = vm.pageOfCopy(region, page);
      return borrowed === -KERN_RESOURCE_SHORTAGE ? PAGE_LATER : borrowed;
    }
    const status = vm.bringIn(region, page);
    if (status !== KERN_SUCCESS) return status === KERN_RESOURCE_SHORTAGE ? PAGE_LATER : -status;
    const entry = region.entries[page]!;
    region.entries[page] = ABSENT; // it is the packet's now
    return entry;
  }

  /** Bytes of a region's page that count, from the frame's start. */
  bytesOf(region: PageList | MapCopy, page: number): number {
    const { pageBytes } = this.ipc.memory.layout;
    return alignUp(
      Math.min(pageBytes, region.offset + region.bytes - page * pageBytes),
      WORD_BYTES,
    );
  }

  isLast(region: PageList | MapCopy, page: number): boolean {
    return page + 1 === regionPages(region.offset, region.bytes, this.ipc.memory.layout.pageBytes);
  }

  /** Sends a page whose entry is at hand. */
  send(
    node: number,
    message: KernelMessage,
    region: PageList | MapCopy,
    page: number,
    entry: number,
    last: boolean,
  ): void {
    const carrier = this.free!;
    this.free = carrier.next;
    carrier.node = node;
    carrier.entry = entry;
    carrier.message = message;
    carrier.last = last;
    this.out[node]! += 1;
    const { words } = this.ipc.memory;
    const { at } = carrier.packet;
    const bytes = this.bytesOf(region, page);
    words[at + WIRE_KIND] = KIND_PAGE;
    words[at + WIRE_BITS] = last && isBorrowed(entry) && message.hold === null ? WIRE_BUSY : 0;
    words[at + WIRE_SIZE] = bytes;
    words[at + PACKET_INLINE] = 0;
    words[at + PACKET_PAGE] = bytes;
    words[at + PACKET_FRAME] = frameOf(entry);
    this.transport.submit(node, at);
  }

  /** A page is stored over there. */
  released(packet: number): void {
    const { pool, vm } = this.ipc;
    const carrier = this.byMessage[pool.byPacket(packet).index]!;
    const { node, message, last } = carrier;
    vm.pageDone(carrier.entry);
    this.out[node]! -= 1;
    carrier.message = null;
    carrier.next = this.free;
    this.free = carrier;
    this.sink.pageReleased(node, message!, last);
  }
}
