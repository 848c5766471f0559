// Notes: small packets in which nodes tell each other something about one port. They are delivered like
// messages, once and in order, and need nothing at the other end: a note is never refused. When the message
// pool has no packet buffer left they wait here until one comes back.

import {
  PACKET_FRAME,
  PACKET_INLINE,
  PACKET_PAGE,
  packetDestination,
} from "../hardware/packet-layout.ts";
import type { IpcContext } from "../ipc/context.ts";
import type { KernelMessage } from "../ipc/kernel-message.ts";
import type { Identifier } from "./identifier.ts";
import type { Transport, TransportClient } from "./transport.ts";
import {
  WIRE_BITS,
  WIRE_ID,
  WIRE_KIND,
  WIRE_LOCAL,
  WIRE_REMOTE,
  WIRE_SIZE,
} from "./wire-layout.ts";
import { KIND_NOTE } from "./wire-values.ts";

/** Takes packets behind the messages to a node that wait for their turn. */
export interface MessageStream {
  submit(node: number, message: KernelMessage): void;
}

/** Who understands notes. */
export interface NoteReader {
  /** `first` and `second` are what the kind of note says they are (wire-values.ts). */
  noteArrived(
    node: number,
    note: number,
    identifier: Identifier,
    first: number,
    second: number,
  ): void;
  /** A note to `node` is acknowledged. */
  packetReleased(node: number): void;
}

interface PendingNote {
  readonly node: number;
  readonly note: number;
  readonly identifier: Identifier;
  readonly first: number;
  readonly second: number;
  /** It goes behind the messages to that node. */
  readonly behind: boolean;
}

export class PortNotes implements TransportClient {
  private readonly ipc: IpcContext;
  private readonly transport: Transport;
  private readonly stream: MessageStream;
  private readonly reader: NoteReader;
  private readonly pending: PendingNote[] = [];
  /** Notes on their way, by the identifier that they name: until they are there it must not be forgotten. */
  private readonly onTheWay = new Map<Identifier, number>();

  constructor(ipc: IpcContext, transport: Transport, stream: MessageStream, reader: NoteReader) {
    this.ipc = ipc;
    this.stream = stream;
    this.transport = transport;
    this.reader = reader;
    transport.register(KIND_NOTE, this);
  }

  send(node: number, note: number, identifier: Identifier, first = 0, second = 0): void {
    this.submit({ node, note, identifier, first, second, behind: false });
  }

  /** Sends a note that comes after all messages that have been sent to the node. */
  sendBehind(node: number, note: number, identifier: Identifier, first = 0, second = 0): void {
    this.submit({ node, note, identifier, first, second, behind: true });
  }

  /** True while a note that names the identifier has not been delivered. */
  names(identifier: Identifier): boolean {
    return this.onTheWay.has(identifier);
  }

  private submit(note: PendingNote): void {
    this.onTheWay.set(note.identifier, (this.onTheWay.get(note.identifier) ?? 0) + 1);
    const message = this.pending.length > 0 ? null : this.ipc.pool.takeForKernel();
    if (message === null) this.pending.push(note);
    else this.write(message, note);
  }

  /** Sends what waited, as far as there are packet buffers. */
  sendPending(): void {
    while (this.pending.length > 0) {
      const message = this.ipc.pool.takeForKernel();
      if (message === null) return;
      this.write(message, this.pending.shift()!);
    }
  }

  private write(
    message: KernelMessage,
    { node, note, identifier, first, second, behind }: PendingNote,
  ): void {
    const { words } = this.ipc.memory;
    const { at } = message;
    words[at + WIRE_KIND] = KIND_NOTE;
    words[at + WIRE_BITS] = note;
    words[at + WIRE_REMOTE] = identifier;
    words[at + WIRE_LOCAL] = first;
    words[at + WIRE_ID] = second;
    words[at + WIRE_SIZE] = 0;
    words[at + PACKET_INLINE] = 0;
    words[at + PACKET_PAGE] = 0;
    words[at + PACKET_FRAME] = 0;
    if (behind) this.stream.submit(node, message);
    else this.transport.submit(node, at);
  }

  accept(at: number, source: number): number {
    const { words } = this.ipc.memory;
    const note = words[at + WIRE_BITS]!;
    const identifier = words[at + WIRE_REMOTE]!;
    this.reader.noteArrived(
      source,
      note,
      identifier,
      words[at + WIRE_LOCAL]!,
      words[at + WIRE_ID]!,
    );
    return words[at + PACKET_FRAME]!;
  }

  released(packet: number): void {
    const { words } = this.ipc.memory;
    const node = packetDestination(words, packet);
    this.arrived(words[packet + WIRE_REMOTE]!);
    this.ipc.pool.put(this.ipc.pool.byPacket(packet));
    this.reader.packetReleased(node);
  }

  private arrived(identifier: Identifier): void {
    const others = this.onTheWay.get(identifier)! - 1;
    if (others === 0) this.onTheWay.delete(identifier);
    else this.onTheWay.set(identifier, others);
  }
}
