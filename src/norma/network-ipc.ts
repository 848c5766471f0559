// Mach IPC over the transport: where a message for a proxy becomes a packet, and a packet becomes a
// message again (paper 2.4, the translation stage). Rights travel as identifiers.
//
// What happens to the counts (paper 2.5.2: a node's ordinary counts are its usage counts):
//   out   a send right leaves this node's count; a send-once right leaves a proxy's count, but the
//         principal goes on counting those that are outstanding anywhere
//   in    a send right enters the count; a send-once right enters a proxy's count, and is already in
//         the principal's
//
// accept() runs at "interrupt level": it demultiplexes, enqueues or hands straight to a waiting
// receiver, and never blocks.

import { COUNTERS } from "../base/counters.ts";
import { MACH_MSG_SUCCESS } from "../base/status.ts";
import { alignUp, WORD_BYTES } from "../base/words.ts";
import { FRAME_ARMED, FRAME_MESSAGE, NO_FRAME } from "../hardware/frame-table.ts";
import {
  PACKET_BODY,
  PACKET_FRAME,
  PACKET_INLINE,
  PACKET_INLINE_BYTES_MAX,
  PACKET_PAGE,
  packetDestination,
} from "../hardware/packet-layout.ts";
import type { IpcContext } from "../ipc/context.ts";
import { BODY_DEAD } from "../ipc/copyin.ts";
import { bodyWord, type KernelMessage } from "../ipc/kernel-message.ts";
import { PORT_DEAD, PORT_PROXY, type Port } from "../ipc/port.ts";
import { admitSender, sendToPort } from "../ipc/queueing.ts";
import { destroyMessage, releaseRight } from "../ipc/release.ts";
import type { RemoteDelivery } from "../ipc/remote.ts";
import {
  type CarriedRight,
  isPortDisposition,
  PORT_RECEIVE,
  PORT_SEND,
  PORT_SEND_ONCE,
} from "../ipc/rights.ts";
import {
  checkItem,
  ITEM_GOOD,
  itemData,
  itemEnd,
  itemNumber,
  itemType,
} from "../ipc/typed-item.ts";
import { copyWords } from "../ipc/word-copy.ts";
import { DEAD_IDENTIFIER, type Identifier, NULL_IDENTIFIER } from "./identifier.ts";
import type { IdentifierTable } from "./identifier-table.ts";
import { REFUSED, type Transport, type TransportClient } from "./transport.ts";
import {
  WIRE_BITS,
  WIRE_ID,
  WIRE_KIND,
  WIRE_LOCAL,
  WIRE_REMOTE,
  WIRE_SIZE,
} from "./wire-layout.ts";
import { KIND_MESSAGE, WIRE_BITS_RESERVED, WIRE_COMPLEX } from "./wire-values.ts";

export class NetworkIpc implements RemoteDelivery, TransportClient {
  readonly acceptsReceiveRights = false;
  private readonly ipc: IpcContext;
  private readonly transport: Transport;
  private readonly identifiers: IdentifierTable;
  private readonly backlogMax: number;
  /** Proxies of each node at which senders wait for room, in turn. */
  private readonly crowded = new Map<number, Port[]>();

  /** `backlogMax`: packets that may be on their way to one node before ordinary senders to it wait. A
   *  node that takes nothing would else fill this one's message pool, and stop all its other traffic. */
  constructor(
    ipc: IpcContext,
    transport: Transport,
    identifiers: IdentifierTable,
    backlogMax: number,
  ) {
    this.ipc = ipc;
    this.transport = transport;
    this.identifiers = identifiers;
    this.backlogMax = backlogMax;
    transport.register(KIND_MESSAGE, this);
  }

  // --- out ----------------------------------------------------------------------------------------

  hasRoom(proxy: Port): boolean {
    if (this.transport.backlog(proxy.home) < this.backlogMax) return true;
    const waiting = this.crowded.get(proxy.home);
    if (waiting === undefined) this.crowded.set(proxy.home, [proxy]);
    else if (!waiting.includes(proxy)) waiting.push(proxy);
    return false;
  }

  /** Lets senders to a node go on as far as there is room, one of each proxy in turn. */
  private admit(node: number): void {
    const waiting = this.crowded.get(node)!;
    while (waiting.length > 0 && this.transport.backlog(node) < this.backlogMax) {
      const proxy = waiting.shift()!;
      if (proxy.senderFirst === null) continue; // interrupted meanwhile
      admitSender(this.ipc, proxy);
      if (proxy.senderFirst !== null) waiting.push(proxy);
    }
    if (waiting.length === 0) this.crowded.delete(node);
  }

  send(message: KernelMessage): number {
    const { memory } = this.ipc;
    const { words, counters } = memory;
    const { at, size } = message;
    const proxy = message.remote!;
    const carried = alignUp(size, WORD_BYTES);
    if (message.complex) this.translateBodyOut(message);
    words[at + WIRE_KIND] = KIND_MESSAGE;
    words[at + WIRE_BITS] =
      message.remoteRight | (message.localRight << 8) | (message.complex ? WIRE_COMPLEX : 0);
    words[at + WIRE_REMOTE] = proxy.identifier;
    words[at + WIRE_LOCAL] = this.replyOut(message);
    words[at + WIRE_ID] = message.id;
    words[at + WIRE_SIZE] = size;
    words[at + PACKET_INLINE] = message.frame === NO_FRAME ? carried : 0;
    words[at + PACKET_PAGE] = message.frame === NO_FRAME ? 0 : carried;
    words[at + PACKET_FRAME] = message.frame === NO_FRAME ? 0 : message.frame;
    leaveNode(proxy, message.remoteRight);
    counters[COUNTERS.messagesRemote.index]! += 1;
    this.transport.submit(proxy.home, at);
    return MACH_MSG_SUCCESS;
  }

  private replyOut(message: KernelMessage): Identifier {
    if (message.local === null) return message.localDead ? DEAD_IDENTIFIER : NULL_IDENTIFIER;
    return this.rightOut(message.local, message.localRight);
  }

  /** Takes a right off this node's counts and gives what stands for it on the wire. */
  private rightOut(port: Port, right: CarriedRight): Identifier {
    if (port.state === PORT_DEAD) {
      releaseRight(this.ipc, port, right);
      return DEAD_IDENTIFIER;
    }
    const identifier = this.identifiers.identifierOf(port);
    leaveNode(port, right);
    return identifier;
  }

  /** Port indexes to identifiers, in place. */
  private translateBodyOut(message: KernelMessage): void {
    const { memory, ports } = this.ipc;
    const { words } = memory;
    const start = bodyWord(memory, message);
    const end = start + (message.size >> 2);
    for (let at = start; at < end; at = itemEnd(words, at)) {
      const right = itemType(words, at);
      if (!isPortDisposition(right)) continue;
      const data = itemData(words, at);
      const count = itemNumber(words, at);
      for (let i = 0; i < count; i++) {
        const index = words[data + i]!;
        if (index <= 0) continue; // null and dead are the same on the wire
        words[data + i] = this.rightOut(ports.byIndex(index), right as CarriedRight);
      }
    }
  }

  released(packet: number): void {
    const node = packetDestination(this.ipc.memory.words, packet);
    this.ipc.pool.put(this.ipc.pool.byPacket(packet));
    if (this.crowded.size > 0 && this.crowded.has(node)) this.admit(node);
  }

  // --- in -----------------------------------------------------------------------------------------

  accept(at: number, _source: number): number {
    const { memory, pool } = this.ipc;
    const { words } = memory;
    const frame = words[at + PACKET_FRAME]!;
    if (!this.isSound(at)) {
      // The transport vouches for it, so it will not get better by being sent again.
      memory.counters[COUNTERS.damaged.index]! += 1;
      return frame;
    }
    const message = pool.takeToReceive(words[at + PACKET_PAGE] !== 0);
    if (message === null) return REFUSED;
    // --- committed: the packet is stored -----------------------------------------------------------
    const armNext = this.takeBody(at, frame, message);
    this.translateIn(at, message);
    if (message.remote === null) destroyMessage(this.ipc, message);
    else sendToPort(this.ipc, message, true);
    return armNext;
  }

  /** Takes the page by taking its frame, or the inline bytes by copying. Returns the frame to arm. */
  private takeBody(at: number, frame: number, message: KernelMessage): number {
    const { memory, frames } = this.ipc;
    const { words } = memory;
    message.size = words[at + WIRE_SIZE]!;
    if (words[at + PACKET_PAGE] === 0) {
      const count = words[at + PACKET_INLINE]! >> 2;
      copyWords(words, message.at + PACKET_BODY, words, at + PACKET_BODY, count);
      memory.counters[COUNTERS.copiedBytes.index]! += message.size;
      return frame;
    }
    frames.hand(frame, FRAME_ARMED, FRAME_MESSAGE);
    message.frame = frame;
    return frames.allocate(FRAME_ARMED);
  }

  private translateIn(at: number, message: KernelMessage): void {
    const { words } = this.ipc.memory;
    const bits = words[at + WIRE_BITS]!;
    message.id = words[at + WIRE_ID]!;
    message.complex = (bits & WIRE_COMPLEX) !== 0;
    message.remoteRight = (bits & 0xff) as CarriedRight;
    message.localRight = ((bits >>> 8) & 0xff) as CarriedRight;
    message.remote = this.identifiers.principal(words[at + WIRE_REMOTE]!);
    if (message.remote !== null) enterNode(message.remote, message.remoteRight);
    const reply = words[at + WIRE_LOCAL]!;
    message.local = this.portIn(reply, message.localRight);
    message.localDead = message.local === null && reply !== NULL_IDENTIFIER;
    if (message.complex) this.translateBodyIn(message);
  }

  /** Identifiers to port indexes, in place. */
  private translateBodyIn(message: KernelMessage): void {
    const { memory } = this.ipc;
    const { words } = memory;
    const start = bodyWord(memory, message);
    const end = start + (message.size >> 2);
    for (let at = start; at < end; at = itemEnd(words, at)) {
      const right = itemType(words, at);
      if (!isPortDisposition(right)) continue;
      const data = itemData(words, at);
      const count = itemNumber(words, at);
      for (let i = 0; i < count; i++) {
        const identifier = words[data + i]!;
        if (identifier === NULL_IDENTIFIER) continue;
        const port = this.portIn(identifier, right as CarriedRight);
        words[data + i] = port === null ? BODY_DEAD : port.index;
      }
    }
  }

  /** The port of a right that arrived, counted; null if it is dead. */
  private portIn(identifier: Identifier, right: CarriedRight): Port | null {
    if (identifier === NULL_IDENTIFIER || identifier === DEAD_IDENTIFIER) return null;
    const port = this.identifiers.portOf(identifier);
    if (port !== null) enterNode(port, right);
    return port;
  }

  /** All that must hold before the message's words are believed. */
  private isSound(at: number): boolean {
    const { memory } = this.ipc;
    const { words } = memory;
    const bits = words[at + WIRE_BITS]!;
    const size = words[at + WIRE_SIZE]! >>> 0;
    const inline = words[at + PACKET_INLINE]!;
    const page = words[at + PACKET_PAGE]!;
    if ((bits & WIRE_BITS_RESERVED) !== 0) return false;
    const remoteRight = bits & 0xff;
    const localRight = (bits >>> 8) & 0xff;
    if (remoteRight !== PORT_SEND && remoteRight !== PORT_SEND_ONCE) return false;
    if (localRight !== PORT_SEND && localRight !== PORT_SEND_ONCE) return false;
    const carried = alignUp(size, WORD_BYTES);
    if (page === 0 ? carried !== inline : inline !== 0 || carried !== page) return false;
    if (page === 0 && size > PACKET_INLINE_BYTES_MAX) return false;
    if ((bits & WIRE_COMPLEX) === 0) return true;
    const start = page === 0 ? at + PACKET_BODY : memory.frameWord(words[at + PACKET_FRAME]!);
    return isSoundBody(words, start, start + (size >> 2));
  }
}

const isSoundBody = (words: Int32Array, start: number, end: number): boolean => {
  for (let at = start; at < end; at = itemEnd(words, at)) {
    if (checkItem(words, at, end, isPortDisposition) !== ITEM_GOOD) return false;
    const type = itemType(words, at);
    if (!isPortDisposition(type)) continue;
    if (type === PORT_RECEIVE || type > PORT_SEND_ONCE) return false;
  }
  return true;
};

/** A right that a message held leaves this node's counts for the wire. */
const leaveNode = (port: Port, right: CarriedRight): void => {
  if (right === PORT_SEND) port.sendRights -= 1;
  else if (port.state === PORT_PROXY) port.sendOnceRights -= 1;
};

/** A right arrived from the wire and is held by a message here. */
const enterNode = (port: Port, right: CarriedRight): void => {
  if (right === PORT_SEND) port.sendRights += 1;
  else if (port.state === PORT_PROXY) port.sendOnceRights += 1;
};
