// A message as a task holds it: a header and a body of its own memory. Reusable: the same object can
// be sent, received into and sent again, which is how the small-message path allocates nothing.
//   plain body     write message.bytes (or words) and set message.size
//   rights, items  message.clear(), then add...() in order; the receiver takes them in that order
//   a reply        reply.answer(request) addresses it

import { assert } from "../base/assert.ts";
import { alignUp } from "../base/words.ts";
import {
  type CarriedRight,
  COPY_SEND,
  type Disposition,
  isPortDisposition,
  MACH_PORT_NULL,
  type PortName,
} from "./rights.ts";
import {
  itemBytes,
  itemData,
  itemEnd,
  itemNumber,
  itemType,
  SHORT_NUMBER_MAX,
  TYPE_BYTE,
  TYPE_INTEGER_32,
  TYPE_STRING,
  writeItem,
} from "./typed-item.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class Message {
  /** Destination when sent; when received, the right to answer to (or MACH_PORT_NULL). */
  remote: PortName = MACH_PORT_NULL;
  remoteDisposition: Disposition = COPY_SEND;
  /** Reply port when sent (or MACH_PORT_NULL); when received, the port that it came to. */
  local: PortName = MACH_PORT_NULL;
  localDisposition: Disposition = 0;
  /** The operation, by convention; a reply's is the request's + 100. */
  id = 0;
  /** Set on receipt: how many messages the port had given out before this one. */
  sequence = 0;
  /** Bytes of the body, 0 to capacity. */
  size = 0;
  /** The body is a sequence of typed items, whose rights the kernel translates. */
  complex = false;
  /** The body's memory, byte by byte and word by word. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly words: Int32Array<ArrayBuffer>;
  private cursor = 0;

  /** `capacity`: most bytes that the body can have; rounded up to words. */
  constructor(capacity = 192) {
    if (!Number.isInteger(capacity) || capacity < 0 || capacity > 65536) {
      throw new RangeError(`Message capacity is ${capacity}; it must be 0 to 65536 bytes`);
    }
    const buffer = new ArrayBuffer(alignUp(capacity, 4));
    this.bytes = new Uint8Array(buffer);
    this.words = new Int32Array(buffer);
  }

  get capacity(): number {
    return this.bytes.length;
  }

  /** Empties the body. */
  clear(): this {
    this.size = 0;
    this.complex = false;
    this.cursor = 0;
    return this;
  }

  /** Addresses this message as the answer to `request`: to its reply right, id + 100. */
  answer(request: Message): this {
    this.remote = request.remote;
    this.remoteDisposition = request.remoteDisposition;
    this.local = MACH_PORT_NULL;
    this.localDisposition = 0;
    this.id = request.id + 100;
    return this;
  }

  /** Appends a right that the caller has under `name`; the disposition says what becomes of it. */
  addRight(name: PortName, disposition: Disposition): this {
    const data = this.addItem(disposition, 32, 1, 4);
    this.words[data] = name;
    return this;
  }

  addInteger(value: number): this {
    const data = this.addItem(TYPE_INTEGER_32, 32, 1, 4);
    this.words[data] = value;
    return this;
  }

  addBytes(bytes: Uint8Array): this {
    const data = this.addItem(TYPE_BYTE, 8, bytes.length, bytes.length);
    this.bytes.set(bytes, data * 4);
    return this;
  }

  addText(text: string): this {
    const bytes = encoder.encode(text);
    const data = this.addItem(TYPE_STRING, 8, bytes.length, bytes.length);
    this.bytes.set(bytes, data * 4);
    return this;
  }

  /** The next item, which must be a right: its name in this task and which right it is. */
  takeRight(): { name: PortName; right: CarriedRight } {
    const data = this.takeItem("a right", isPortDisposition);
    return { name: this.words[data]! >>> 0, right: this.takenType as CarriedRight };
  }

  takeInteger(): number {
    return this.words[this.takeItem("an integer", (type) => type === TYPE_INTEGER_32)]!;
  }

  takeBytes(): Uint8Array {
    const data = this.takeItem("bytes", (type) => type === TYPE_BYTE) * 4;
    return this.bytes.subarray(data, data + this.takenBytes);
  }

  takeText(): string {
    const data = this.takeItem("text", (type) => type === TYPE_STRING) * 4;
    return decoder.decode(this.bytes.subarray(data, data + this.takenBytes));
  }

  /** Back to the first item. */
  rewind(): this {
    this.cursor = 0;
    return this;
  }

  private takenType = 0;
  private takenBytes = 0;

  private addItem(type: number, elementBits: number, number: number, bytes: number): number {
    if (!this.complex) this.clear();
    const descriptor = number <= SHORT_NUMBER_MAX ? 4 : 12;
    if (this.size + descriptor + alignUp(bytes, 4) > this.capacity) {
      throw new RangeError(
        `this item of ${bytes} bytes does not fit: the message holds ${this.capacity} bytes ` +
          `and has ${this.size} already`,
      );
    }
    this.complex = true;
    const data = writeItem(this.words, this.size / 4, type, elementBits, number);
    this.size = data * 4 + alignUp(bytes, 4);
    return data;
  }

  private takeItem(wanted: string, isWanted: (type: number) => boolean): number {
    const at = this.cursor;
    if (!this.complex || at * 4 >= this.size) {
      throw new RangeError(`the message has no further item; ${wanted} was expected`);
    }
    const type = itemType(this.words, at);
    if (!isWanted(type)) {
      throw new TypeError(`the next item has type ${type}; ${wanted} was expected`);
    }
    assert(itemNumber(this.words, at) >= 0);
    this.takenType = type;
    this.takenBytes = itemBytes(this.words, at);
    this.cursor = itemEnd(this.words, at);
    return itemData(this.words, at);
  }
}
