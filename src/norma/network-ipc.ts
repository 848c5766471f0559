// Mach IPC over the transport: where a message for a proxy becomes a packet, and a packet becomes a message again (paper
// 2.4). Rights travel as identifiers (right-translation.ts). What comes for a port that is a proxy goes on to its home.
//
// accept() runs at "interrupt level": it demultiplexes, enqueues or hands straight to a waiting
// receiver, and never blocks.

import { COUNTERS } from "../base/counters.ts";
import { alignUp, WORD_BYTES } from "../base/words.ts";
import { FRAME_ARMED, FRAME_MESSAGE, NO_FRAME } from "../hardware/frame-table.ts";
import {
  PACKET_BODY,
  PACKET_FRAME,
  PACKET_INLINE,
  PACKET_PAGE,
  packetDestination,
} from "../hardware/packet-layout.ts";
import type { PhysicalMemory } from "../hardware/physical-memory.ts";
import type { IpcContext } from "../ipc/context.ts";
import { bodyWord, bodyWords, type KernelMessage } from "../ipc/kernel-message.ts";
import { PORT_DEAD, PORT_PROXY, type Port } from "../ipc/port.ts";
import { protectPages } from "../ipc/protect-pages.ts";
import { sendPast } from "../ipc/queueing.ts";
import { isPaged } from "../ipc/region.ts";
import { destroyMessage } from "../ipc/release.ts";
import type { RemoteDelivery } from "../ipc/remote.ts";
import { type CarriedRight, PORT_SEND, PORT_SEND_ONCE } from "../ipc/rights.ts";
import { isInline, itemData, itemEnd } from "../ipc/typed-item.ts";
import type { SendWait } from "../ipc/waits.ts";
import { copyWords } from "../ipc/word-copy.ts";
import { PageList } from "../vm/page-list.ts";
import { AcceptReports } from "./accept-reports.ts";
import { CrowdedNodes } from "./crowded-nodes.ts";
import { FlowControl } from "./flow-control.ts";
import { Forwarding } from "./forwarding.ts";
import {
  DEAD_IDENTIFIER,
  FIRST_LOCAL_ID,
  type Identifier,
  identifierLocal,
  NULL_IDENTIFIER,
} from "./identifier.ts";
import type { IdentifierTable } from "./identifier-table.ts";
import { MessageCheck } from "./message-check.ts";
import { type MessageRoutes, Migration } from "./migration.ts";
import { NoteRouter } from "./note-router.ts";
import { OverflowArrivals } from "./overflow-arrivals.ts";
import { OverflowStream } from "./overflow-stream.ts";
import { PortDeaths } from "./port-deaths.ts";
import { PortNotes } from "./port-notes.ts";
import { reject } from "./rejections.ts";
import { RightTranslation } from "./right-translation.ts";
import { SenderQueries } from "./sender-queries.ts";
import { Token, type TokenTimer } from "./token.ts";
import { REFUSED, type Transport, type TransportClient } from "./transport.ts";
import { enterNode, isAbroad, leaveNode } from "./usage-counts.ts";
import {
  WIRE_BITS,
  WIRE_ID,
  WIRE_KIND,
  WIRE_LOCAL,
  WIRE_REMOTE,
  WIRE_SIZE,
} from "./wire-layout.ts";
import {
  KIND_MESSAGE,
  WIRE_ACCEPT_MAX,
  WIRE_ACCEPT_SHIFT,
  WIRE_COMPLEX,
  WIRE_METERED,
  WIRE_MOVES,
  WIRE_OVERFLOW,
  WIRE_PAGE,
  WIRE_RIGHT_MASK,
  WIRE_TENURE_SHIFT,
} from "./wire-values.ts";

export class NetworkIpc implements RemoteDelivery, TransportClient, MessageRoutes {
  private readonly ipc: IpcContext;
  private readonly identifiers: IdentifierTable;
  private readonly node: number;
  private readonly loopback: boolean;
  private readonly check: MessageCheck;
  private readonly notes: PortNotes;
  private readonly noteRouter: NoteRouter;
  private readonly flow: FlowControl;
  private readonly crowds: CrowdedNodes;
  private readonly forwarding: Forwarding;
  private readonly migration: Migration;
  private readonly stream: OverflowStream;
  private readonly arrivals: OverflowArrivals;
  private readonly deaths: PortDeaths;
  private readonly accepts: AcceptReports;
  private readonly senders: SenderQueries;
  private readonly rights: RightTranslation;
  /** Serves TOKEN_SPECIAL_PORT. */
  readonly token: Token;

  /** `backlogMax`: packets that may be on their way to one node before ordinary senders to it wait. */
  constructor(
    ipc: IpcContext,
    transport: Transport,
    identifiers: IdentifierTable,
    backlogMax: number,
    timer: TokenTimer,
    tokenPauseNs: number,
    loopback: boolean,
  ) {
    this.ipc = ipc;
    this.identifiers = identifiers;
    this.node = ipc.memory.node;
    this.loopback = loopback;
    this.check = new MessageCheck(ipc.memory);
    this.arrivals = new OverflowArrivals(ipc, transport, this);
    this.stream = new OverflowStream(ipc, transport, this.arrivals, this);
    this.notes = new PortNotes(ipc, transport, this.stream, this);
    this.flow = new FlowControl(ipc, this.notes);
    this.crowds = new CrowdedNodes(ipc, transport, this.stream, this.flow, backlogMax);
    this.forwarding = new Forwarding(ipc, this.notes, this.flow);
    const wantToken = (): void => this.token.want();
    this.migration = new Migration(
      ipc,
      identifiers,
      this.notes,
      this.flow,
      this.forwarding,
      this,
      wantToken,
    );
    this.deaths = new PortDeaths(ipc, identifiers, this.notes, wantToken, this.migration);
    this.senders = new SenderQueries(ipc, this.node, identifiers, wantToken);
    this.rights = new RightTranslation(ipc, identifiers, this.deaths, this.senders, this.migration);
    this.token = new Token(ipc, identifiers, this.notes, timer, tokenPauseNs, [
      this.migration.moves,
      this.deaths,
      this.senders,
    ]);
    this.accepts = new AcceptReports(this.notes);
    this.noteRouter = new NoteRouter(
      ipc,
      identifiers,
      this.flow,
      this.forwarding,
      this.migration,
      this.deaths,
      this.accepts,
      this.token,
    );
    transport.register(KIND_MESSAGE, this);
  }

  // --- out ----------------------------------------------------------------------------------------

  /** With loopback, a receive right stays on its node. */
  acceptsReceiveRight(destination: Port): boolean {
    return !this.loopback || destination.state !== PORT_PROXY || destination.home === this.node;
  }

  hasRoom(proxy: Port): boolean {
    return !proxy.held && this.flow.hasRoom(proxy) && this.crowds.hasRoom(proxy);
  }

  senderWaits(proxy: Port): void {
    this.flow.senderWaits(proxy);
  }

  senderGoes(proxy: Port): void {
    this.flow.senderGoes(proxy);
  }

  queueDrained(port: Port): void {
    this.flow.queueDrained(port);
  }

  send(message: KernelMessage, always: boolean): void {
    const proxy = message.remote!;
    message.metered = !always && message.remoteRight === PORT_SEND && !isSpecial(proxy.identifier);
    if (message.metered) this.flow.countOut(proxy);
    this.transmit(message);
  }

  /** MessageRoutes. */
  forwardQueued(message: KernelMessage): void {
    message.metered = message.remoteRight === PORT_SEND;
    if (message.metered) this.flow.countOut(message.remote!);
    this.transmit(message);
  }

  /** Sends a message to the home of its port, and what is queued on ports whose receive rights it carries. */
  private transmit(message: KernelMessage): void {
    const { memory } = this.ipc;
    const { words, counters } = memory;
    const { at, size } = message;
    const proxy = message.remote!;
    const carried = message.overflow?.body == null ? alignUp(size, WORD_BYTES) : 0;
    let bits = message.remoteRight | (message.localRight << 8);
    if (message.complex) {
      bits |= WIRE_COMPLEX;
      if (message.rights && this.rights.bodyOut(message)) bits |= WIRE_MOVES;
      if (message.overflow !== null) announceRegions(memory, message);
    }
    if (message.overflow !== null) {
      bits |= WIRE_OVERFLOW;
      protectPages(this.ipc, message);
    }
    if (message.metered) bits |= WIRE_METERED;
    if (message.accept !== null) {
      bits |= this.accepts.register(message.accept, proxy.home) << WIRE_ACCEPT_SHIFT;
      message.accept = null;
    }
    words[at + WIRE_KIND] = KIND_MESSAGE | (proxy.moves << WIRE_TENURE_SHIFT);
    words[at + WIRE_BITS] = bits;
    words[at + WIRE_REMOTE] = proxy.identifier;
    words[at + WIRE_LOCAL] = this.replyOut(message);
    words[at + WIRE_ID] = message.id;
    words[at + WIRE_SIZE] = size;
    words[at + PACKET_INLINE] = message.frame === NO_FRAME ? carried : 0;
    words[at + PACKET_PAGE] = message.frame === NO_FRAME ? 0 : carried;
    words[at + PACKET_FRAME] = message.frame === NO_FRAME ? 0 : message.frame;
    leaveNode(proxy, message.remoteRight);
    if (proxy.watched && proxy.sendRights === 0) this.senders.ask(proxy);
    counters[COUNTERS.messagesRemote.index]! += 1;
    this.stream.submit(proxy.home, message);
    if ((bits & WIRE_MOVES) !== 0) this.migration.follow();
  }

  private replyOut(message: KernelMessage): Identifier {
    if (message.local === null) return message.localDead ? DEAD_IDENTIFIER : NULL_IDENTIFIER;
    return this.rights.rightOut(message.local, message.localRight, message.remote!.home);
  }

  released(packet: number): void {
    const { pool } = this.ipc;
    const message = pool.byPacket(packet);
    const proxy = message.remote!;
    const { metered } = message;
    const node = packetDestination(this.ipc.memory.words, packet);
    if (!this.stream.keeps(message)) pool.put(message);
    if (metered) this.flow.acknowledged(proxy);
    this.packetReleased(node);
  }

  /** NoteReader and OverflowSink: there is less on the way to a node. */
  packetReleased(node: number): void {
    this.crowds.packetReleased(node);
  }

  /** A batch of packets has been read: senders go on that their acknowledgements and notes have let go. */
  batchEnded(): void {
    this.flow.batchEnded();
    this.crowds.batchEnded();
  }

  /** Entries of the pages that are on their way beside those in messages' own packets: for checks. */
  pagesOnTheWay(): number[] {
    return this.stream.pagesOnTheWay();
  }

  /** A frame is free again, and somebody has been waiting for one. */
  framesFreed(): void {
    this.arrivals.framesFreed();
    this.stream.sendMore();
  }

  /** A message of the pool has come back: notes that waited for one go. */
  messageFreed(): void {
    this.notes.sendPending();
    this.token.messageFreed();
  }

  // --- in -----------------------------------------------------------------------------------------

  accept(at: number, source: number): number {
    const { memory, pool } = this.ipc;
    const { words } = memory;
    const frame = words[at + PACKET_FRAME]!;
    if (!this.check.isSound(at, source)) {
      // The transport vouches for it, so it will not get better by being sent again.
      reject(memory.counters, "rejectedMessage");
      return frame;
    }
    const overflows = (words[at + WIRE_BITS]! & WIRE_OVERFLOW) !== 0;
    if (overflows && !pool.roomToReceiveLarge) return REFUSED;
    const carriesData = (words[at + WIRE_BITS]! & WIRE_PAGE) !== 0;
    const needsFrame = words[at + PACKET_PAGE] !== 0;
    if (needsFrame && this.ipc.frames.freeCount === 0) return this.arrivals.refuseForFrames();
    const message = pool.takeToReceive(needsFrame && !carriesData);
    if (message === null) return REFUSED;
    // --- committed: the packet is stored -----------------------------------------------------------
    this.arrivals.breakOff(source);
    const armNext = carriesData
      ? this.takeInline(at, frame, message)
      : this.takeBody(at, frame, message);
    this.takeHeader(at, source, message);
    if (overflows) return this.arrivals.expect(source, message, at, armNext);
    this.deliver(source, message);
    return armNext;
  }

  /** Takes the page by taking its frame, or the inline bytes by copying. Returns the frame to arm. */
  private takeBody(at: number, frame: number, message: KernelMessage): number {
    const { memory, frames } = this.ipc;
    if (memory.words[at + PACKET_PAGE] === 0) return this.takeInline(at, frame, message);
    message.size = memory.words[at + WIRE_SIZE]!;
    frames.hand(frame, FRAME_ARMED, FRAME_MESSAGE);
    message.frame = frame;
    return frames.allocate(FRAME_ARMED);
  }

  private takeInline(at: number, frame: number, message: KernelMessage): number {
    const { words, counters } = this.ipc.memory;
    message.size = words[at + WIRE_SIZE]!;
    const count = words[at + PACKET_INLINE]! >> 2;
    copyWords(words, message.at + PACKET_BODY, words, at + PACKET_BODY, count);
    counters[COUNTERS.copiedBytes.index]! += count * 4;
    return frame;
  }

  /** The header's rights; the identifier of a destination that is gone stays behind in the message. */
  private takeHeader(at: number, source: number, message: KernelMessage): void {
    const { words } = this.ipc.memory;
    const bits = words[at + WIRE_BITS]!;
    message.id = words[at + WIRE_ID]!;
    message.complex = (bits & WIRE_COMPLEX) !== 0;
    message.rights = (bits & (WIRE_COMPLEX | WIRE_OVERFLOW)) === WIRE_COMPLEX;
    message.metered = (bits & WIRE_METERED) !== 0;
    message.moves = (bits & WIRE_MOVES) !== 0;
    message.tenure = words[at + WIRE_KIND]! >>> WIRE_TENURE_SHIFT;
    message.remoteRight = (bits & WIRE_RIGHT_MASK) as CarriedRight;
    message.localRight = ((bits >>> 8) & WIRE_RIGHT_MASK) as CarriedRight;
    const identifier = words[at + WIRE_REMOTE]!;
    message.remote = this.identifiers.destination(identifier);
    if (message.remote !== null && !isAbroad(message.remote, message.remoteRight)) {
      reject(this.ipc.memory.counters, "rejectedRight");
      message.remote = null;
    } else {
      this.countDestination(source, message, identifier);
    }
    const request = (bits >>> WIRE_ACCEPT_SHIFT) & WIRE_ACCEPT_MAX;
    if (request !== 0) message.accept = this.accepts.reportTo(source, identifier, request);
    const reply = words[at + WIRE_LOCAL]!;
    message.local = this.rights.portIn(reply, message.localRight);
    message.localDead = message.local === null && reply !== NULL_IDENTIFIER;
  }

  private countDestination(source: number, message: KernelMessage, identifier: Identifier): void {
    const { remote, remoteRight } = message;
    if (remote !== null) enterNode(remote, remoteRight, identifier);
    else this.identifiers.diedOnArrival(identifier, remoteRight === PORT_SEND_ONCE);
    if (remote !== null && remote.state !== PORT_DEAD) return;
    this.ipc.memory.counters[COUNTERS.unknownDestination.index]! += 1;
    this.deaths.messageForTheDead(source, identifier);
  }

  /** OverflowReceiver. */
  overflowArrived(source: number, message: KernelMessage): void {
    if (!this.check.isWholeSound(message, source)) {
      reject(this.ipc.memory.counters, "rejectedOverflow");
      message.complex = false; // what it holds is not rights
      destroyMessage(this.ipc, message);
      return;
    }
    this.deliver(source, message);
  }

  /** OverflowReceiver: the rights are given up, as those of any message that is destroyed. */
  overflowAbandoned(source: number, message: KernelMessage): void {
    if (!this.check.isWholeSound(message, source)) {
      reject(this.ipc.memory.counters, "rejectedOverflow");
      message.complex = false;
    } else if (message.rights) {
      this.rights.bodyIn(source, message);
    }
    destroyMessage(this.ipc, message);
  }

  private deliver(source: number, message: KernelMessage): void {
    const { ipc } = this;
    if (message.rights) this.rights.bodyIn(source, message);
    const port = message.remote;
    if (port === null) {
      destroyMessage(ipc, message);
    } else if (!port.held || !this.migration.keepArrived(port, source, message)) {
      this.route(source, message);
    }
  }

  /** MessageRoutes. */
  route(source: number, message: KernelMessage): void {
    const port = message.remote!;
    if (port.state === PORT_PROXY) {
      this.forward(source, message, port);
      return;
    }
    if (message.overflow !== null) this.listsArrived(message);
    const counts = message.metered && port.state !== PORT_DEAD;
    const { tenure } = message;
    const queuedBefore = port.messageCount;
    sendPast(this.ipc, message, true);
    if (counts) this.flow.countIn(port, source, tenure, queuedBefore);
  }

  /** The receive right was here. */
  private forward(source: number, message: KernelMessage, port: Port): void {
    if (message.metered) this.forwarding.countThrough(port, source, message.tenure);
    const turnsBack = port.moves <= message.tenure;
    if (turnsBack) reject(this.ipc.memory.counters, "rejectedRoute");
    if (message.circular || turnsBack) {
      if (message.metered) this.flow.countBack(port);
      destroyMessage(this.ipc, message);
      return;
    }
    if (message.accept !== null && !this.accepts.hasRoom) {
      const { accept } = message;
      message.accept = null;
      accept.accepted(this.ipc); // as far as can be told
    }
    this.transmit(message);
  }

  private listsArrived(message: KernelMessage): void {
    const { regions } = message.overflow!;
    const awaited = message.remote !== null && message.remote.queue.receiverFirst !== null;
    for (let i = 0; i < regions.length; i++) {
      const region = regions[i];
      if (region instanceof PageList) regions[i] = this.ipc.transfer.arrived(region, awaited);
    }
  }

  get canReport(): boolean {
    return this.accepts.hasRoom;
  }

  // --- ports --------------------------------------------------------------------------------------

  admit(port: Port, wait: SendWait): void {
    if (port.state === PORT_PROXY) this.forwarding.admit(port, wait);
    else this.flow.admit(port, wait);
  }

  hold(message: KernelMessage): void {
    this.migration.keep(message);
  }

  portDied(port: Port): void {
    this.deaths.portDied(port);
    this.migration.died(port);
  }

  askForSenders(port: Port): void {
    this.senders.ask(port);
  }

  limitChanged(port: Port): void {
    this.flow.limitChanged(port);
  }

  principalOf(proxy: Port): Port | null {
    return proxy.home === this.node ? this.identifiers.principal(proxy.identifier) : null;
  }

  loopbackProxyOf(port: Port): Port | null {
    return port.identifier === NULL_IDENTIFIER ? null : this.identifiers.proxyOf(port.identifier);
  }

  /** NoteReader. Notes about ports that are gone are late. */
  noteArrived(
    node: number,
    note: number,
    identifier: Identifier,
    first: number,
    second: number,
  ): void {
    if (!this.noteRouter.take(node, note, identifier, first, second)) {
      reject(this.ipc.memory.counters, "rejectedNote");
    }
  }
}

/** In place of a region's number its receiver gets where the data begins in its first page, and 1. */
const announceRegions = (memory: PhysicalMemory, message: KernelMessage): void => {
  const words = bodyWords(memory, message);
  const start = bodyWord(memory, message);
  const end = start + (message.size >> 2);
  for (let at = start; at < end; at = itemEnd(words, at)) {
    if (isInline(words, at)) continue;
    const data = itemData(words, at);
    if (words[data] === 0) continue;
    const region = message.overflow!.at(words[data]!);
    words[data] = isPaged(region) ? region.offset + 1 : 1;
  }
};

const isSpecial = (identifier: Identifier): boolean => identifierLocal(identifier) < FIRST_LOCAL_ID;
