// Message passing as Intel's NX had it, on the very same transport: csend and crecv of typed byte
// strings between nodes, without ports, rights, names or queues per port. What the paper compares its
// RPC time with (section 4: 0.9 ms for Mach, 0.7 ms for NX, on one iPSC/2).
//   csend(type, buffer, bytes, node)   returns when the buffer may be used again
//   crecv(type, buffer)                blocks until a message of that type has come
// Both spin the kernel and need a node with a worker thread to itself. Up to 192 bytes travel in the
// header slot, more (to one page) in a frame.

import { assert } from "../base/assert.ts";
import { NEVER } from "../base/clock.ts";
import { alignUp, WORD_BYTES } from "../base/words.ts";
import { FRAME_ARMED, FRAME_MESSAGE, NO_FRAME } from "../hardware/frame-table.ts";
import {
  PACKET_BODY,
  PACKET_FRAME,
  PACKET_INLINE,
  PACKET_PAGE,
} from "../hardware/packet-layout.ts";
import { bodyWord, type KernelMessage } from "../ipc/kernel-message.ts";
import { copyWords } from "../ipc/word-copy.ts";
import { NodeKernel } from "../node/kernel.ts";
import { REFUSED, type TransportClient } from "../norma/transport.ts";
import { WIRE_ID, WIRE_KIND, WIRE_SIZE } from "../norma/wire-layout.ts";
import { KIND_NX } from "../norma/wire-values.ts";
import { Task } from "../task/task.ts";

/** A receive that is posted: at most one per node, as csend/crecv programs are single-threaded. */
class PostedReceive {
  waiting = false;
  type = 0;
  into: Int32Array = new Int32Array(0);
  bytes = 0;
}

export class Nx implements TransportClient {
  private readonly kernel: NodeKernel;
  private readonly posted = new PostedReceive();
  private readonly room: { readonly waiting: boolean };
  /** Messages that came before anybody asked for them, oldest first. */
  private first: KernelMessage | null = null;
  private last: KernelMessage | null = null;

  /** One per node. Throws if the task's node shares its worker thread. */
  constructor(task: Task) {
    const kernel = Task.kernelOf(task);
    assert(kernel instanceof NodeKernel);
    if (!kernel.exclusive) throw new Error(`nx spins: node ${task.node} shares its worker thread`);
    this.kernel = kernel;
    const { pool } = kernel.ipc;
    this.room = {
      get waiting() {
        return !pool.roomToSend(kernel.memory.layout.pageBytes);
      },
    };
    kernel.transport.register(KIND_NX, this);
  }

  csend(type: number, buffer: Int32Array, bytes: number, node: number): void {
    const { ipc, transport } = this.kernel;
    const { words } = ipc.memory;
    if (this.room.waiting) this.kernel.spinUntil(this.room, NEVER);
    assert(bytes <= ipc.memory.layout.pageBytes);
    const message = ipc.pool.takeToSend(bytes);
    assert(message !== null);
    const inline = message.frame === NO_FRAME;
    const { at } = message;
    const carried = alignUp(bytes, WORD_BYTES);
    copyWords(words, bodyWord(ipc.memory, message), buffer, 0, carried >> 2);
    words[at + WIRE_KIND] = KIND_NX;
    words[at + WIRE_ID] = type;
    words[at + WIRE_SIZE] = bytes;
    words[at + PACKET_INLINE] = inline ? carried : 0;
    words[at + PACKET_PAGE] = inline ? 0 : carried;
    words[at + PACKET_FRAME] = inline ? 0 : message.frame;
    transport.submit(node, at);
  }

  /** Receives a message of `type` into `into`; returns its bytes. Messages too long are cut. */
  crecv(type: number, into: Int32Array): number {
    const kept = this.takeKept(type);
    if (kept !== null) return this.deliverKept(kept, into);
    const { posted } = this;
    posted.type = type;
    posted.into = into;
    posted.waiting = true;
    this.kernel.spinUntil(posted, NEVER);
    return posted.bytes;
  }

  accept(at: number, _source: number): number {
    const { ipc } = this.kernel;
    const { words } = ipc.memory;
    const frame = words[at + PACKET_FRAME]!;
    const bytes = words[at + WIRE_SIZE]!;
    const { posted } = this;
    if (posted.waiting && posted.type === words[at + WIRE_ID]) {
      const inline = words[at + PACKET_PAGE] === 0;
      const body = inline ? at + PACKET_BODY : ipc.memory.frameWord(frame);
      copyWords(posted.into, 0, words, body, wordsThatFit(bytes, posted.into));
      posted.bytes = bytes;
      posted.waiting = false;
      return frame;
    }
    return this.keep(at, frame, bytes);
  }

  released(packet: number): void {
    const { pool } = this.kernel.ipc;
    pool.put(pool.byPacket(packet));
  }

  private keep(at: number, frame: number, bytes: number): number {
    const { ipc } = this.kernel;
    const { words } = ipc.memory;
    const paged = words[at + PACKET_PAGE] !== 0;
    const message = ipc.pool.takeToReceive(paged);
    if (message === null) return REFUSED;
    message.id = words[at + WIRE_ID]!;
    message.size = bytes;
    if (this.last === null) this.first = message;
    else this.last.next = message;
    this.last = message;
    if (!paged) {
      const count = words[at + PACKET_INLINE]! >> 2;
      copyWords(words, message.at + PACKET_BODY, words, at + PACKET_BODY, count);
      return frame;
    }
    ipc.frames.hand(frame, FRAME_ARMED, FRAME_MESSAGE);
    message.frame = frame;
    return ipc.frames.allocate(FRAME_ARMED);
  }

  private takeKept(type: number): KernelMessage | null {
    let before: KernelMessage | null = null;
    for (let message = this.first; message !== null; before = message, message = message.next) {
      if (message.id !== type) continue;
      if (before === null) this.first = message.next;
      else before.next = message.next;
      if (this.last === message) this.last = before;
      message.next = null;
      return message;
    }
    return null;
  }

  private deliverKept(message: KernelMessage, into: Int32Array): number {
    const { ipc } = this.kernel;
    const { size } = message;
    const body = bodyWord(ipc.memory, message);
    copyWords(into, 0, ipc.memory.words, body, wordsThatFit(size, into));
    ipc.pool.put(message);
    return size;
  }
}

const wordsThatFit = (bytes: number, into: Int32Array): number =>
  Math.min((bytes + 3) >> 2, into.length);
