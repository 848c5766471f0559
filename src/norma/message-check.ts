// What must hold of a message from the network before its words are believed: lengths that fit together,
// rights that can travel, a body of typed items. The transport vouches for the packet; a message that fails
// here was never one.

import { MESSAGE_BODY_BYTES_MAX } from "../base/limits.ts";
import { alignUp, WORD_BYTES } from "../base/words.ts";
import {
  PACKET_BODY,
  PACKET_FRAME,
  PACKET_INLINE,
  PACKET_INLINE_BYTES_MAX,
  PACKET_PAGE,
} from "../hardware/packet-layout.ts";
import type { PhysicalMemory } from "../hardware/physical-memory.ts";
import { bodyWord, bodyWords, type KernelMessage } from "../ipc/kernel-message.ts";
import { RightWalk } from "../ipc/right-walk.ts";
import { isPortDisposition, PORT_RECEIVE, PORT_SEND, PORT_SEND_ONCE } from "../ipc/rights.ts";
import {
  checkItem,
  ITEM_GOOD,
  isInline,
  itemData,
  itemEnd,
  itemNumber,
  itemType,
} from "../ipc/typed-item.ts";
import { isRight } from "./identifier.ts";
import { WIRE_BITS, WIRE_SIZE } from "./wire-layout.ts";
import {
  WIRE_BITS_RESERVED,
  WIRE_COMPLEX,
  WIRE_MOVES,
  WIRE_OVERFLOW,
  WIRE_PAGE,
  WIRE_RIGHT_MASK,
} from "./wire-values.ts";

export class MessageCheck {
  private readonly memory: PhysicalMemory;

  constructor(memory: PhysicalMemory) {
    this.memory = memory;
  }

  /** Of a message's own packet; what follows in packets of its own is looked at when it has come. */
  isSound(at: number, source: number): boolean {
    const { memory } = this;
    const { words } = memory;
    const bits = words[at + WIRE_BITS]!;
    const size = words[at + WIRE_SIZE]! >>> 0;
    const inline = words[at + PACKET_INLINE]!;
    const page = words[at + PACKET_PAGE]!;
    if ((bits & WIRE_BITS_RESERVED) !== 0) return false;
    if ((bits & WIRE_MOVES) !== 0 && ((bits & WIRE_OVERFLOW) === 0 || source === memory.node)) {
      return false;
    }
    const remoteRight = bits & WIRE_RIGHT_MASK;
    const localRight = (bits >>> 8) & WIRE_RIGHT_MASK;
    if (remoteRight !== PORT_SEND && remoteRight !== PORT_SEND_ONCE) return false;
    if (localRight !== PORT_SEND && localRight !== PORT_SEND_ONCE) return false;
    const carried = alignUp(size, WORD_BYTES);
    if (size > memory.layout.pageBytes) {
      // The body comes with the overflow, and is looked at then.
      const follows = (bits & (WIRE_OVERFLOW | WIRE_PAGE)) === WIRE_OVERFLOW;
      return follows && size <= MESSAGE_BODY_BYTES_MAX && inline === 0 && page === 0;
    }
    const carriesData = (bits & WIRE_PAGE) !== 0;
    if (carriesData && (page === 0 || (bits & WIRE_OVERFLOW) === 0)) return false;
    const bodyInline = page === 0 || carriesData;
    if (bodyInline ? carried !== inline : inline !== 0 || carried !== page) return false;
    if (bodyInline && size > PACKET_INLINE_BYTES_MAX) return false;
    if ((bits & WIRE_COMPLEX) === 0) return (bits & WIRE_OVERFLOW) === 0;
    const start = bodyInline ? at + PACKET_BODY : memory.frameWord(words[at + PACKET_FRAME]!);
    const outOfLine = (bits & WIRE_OVERFLOW) !== 0;
    const receive = source === memory.node || (bits & WIRE_MOVES) !== 0;
    return isSoundBody(words, start, start + (size >> 2), receive, outOfLine);
  }

  /** Of a message whose overflow has come. */
  isWholeSound(message: KernelMessage, source: number): boolean {
    if (!message.complex) return true;
    // A body that came with the message has been looked at; regions of rights have not.
    if (message.overflow!.body === null && !message.rights) return true;
    const { memory } = this;
    const receive = source === memory.node || message.moves;
    const start = bodyWord(memory, message);
    const end = start + (message.size >> 2);
    if (!isSoundBody(bodyWords(memory, message), start, end, receive, true)) return false;
    return receive || !this.holdsReceiveRight(message);
  }

  private holdsReceiveRight(message: KernelMessage): boolean {
    const walk = new RightWalk(this.memory, message);
    while (walk.next()) if (walk.right === PORT_RECEIVE && isRight(walk.word)) return true;
    return false;
  }
}

/** `receive`: receive rights may be among the rights. `outOfLine`: regions with data may. */
const isSoundBody = (
  words: Int32Array,
  start: number,
  end: number,
  receive: boolean,
  outOfLine: boolean,
): boolean => {
  for (let at = start; at < end; at = itemEnd(words, at)) {
    if (checkItem(words, at, end, isPortDisposition) !== ITEM_GOOD) return false;
    if (!isInline(words, at) && words[itemData(words, at)] !== 0 && !outOfLine) return false;
    const type = itemType(words, at);
    if (!isPortDisposition(type)) continue;
    if (type > PORT_SEND_ONCE) return false;
    if (type === PORT_RECEIVE && !receive && isInline(words, at)) {
      const data = itemData(words, at);
      for (let i = itemNumber(words, at); i > 0; i--)
        if (isRight(words[data + i - 1]!)) return false;
    }
    if (!isInline(words, at) && itemNumber(words, at) > 0 && words[itemData(words, at)] === 0) {
      return false; // rights without the words that they are in
    }
  }
  return true;
};
