// A message as a task holds it: a header and a body of its own memory. Reusable: the same object can
// be sent, received into and sent again, which is how the small-message path allocates nothing.
//   plain body     write message.bytes (or words) and set message.size
//   rights, items  message.clear(), then add...() in order; the receiver takes them in that order
//   regions        out-of-line data: bytes or rights that lie in the task's memory (task.memory)
//   a reply        reply.answer(request) addresses it

import { assert } from "../base/assert.ts";
import { MESSAGE_BODY_BYTES_MAX } from "../base/limits.ts";
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
  checkItem,
  ITEM_GOOD,
  isClearedRegion,
  isInline,
  itemBytes,
  itemData,
  itemEnd,
  itemNumber,
  itemType,
  SHORT_NUMBER_MAX,
  TYPE_BYTE,
  TYPE_INTEGER_32,
  TYPE_PORT_NAME,
  TYPE_STRING,
  writeItem,
  writeRegionItem,
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
  /** The body is a sequence of typed items among which are rights or regions: the kernel reads it. */
  complex = false;
  /** The body's memory, byte by byte and word by word. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly words: Int32Array<ArrayBuffer>;
  private cursor = 0;
  /** Items have been added since clear(). */
  private typed = false;

  /** `capacity`: most bytes that the body can have; rounded up to words. */
  constructor(capacity = 192) {
    if (!Number.isInteger(capacity) || capacity < 0 || capacity > MESSAGE_BODY_BYTES_MAX) {
      const range = `0 to ${MESSAGE_BODY_BYTES_MAX}`;
      throw new RangeError(`Message capacity is ${capacity}; it must be ${range} bytes`);
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
    this.typed = false;
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
    this.complex = true;
    return this;
  }

  /** Several rights of one kind as one item. */
  addRights(names: readonly PortName[], disposition: Disposition): this {
    const data = this.addItem(disposition, 32, names.length, names.length * 4);
    for (const [i, name] of names.entries()) this.words[data + i] = name;
    this.complex = true;
    return this;
  }

  addInteger(value: number): this {
    const data = this.addItem(TYPE_INTEGER_32, 32, 1, 4);
    this.words[data] = value;
    return this;
  }

  addIntegers(values: ArrayLike<number>): this {
    const data = this.addItem(TYPE_INTEGER_32, 32, values.length, values.length * 4);
    this.words.set(values, data);
    return this;
  }

  /** A name as a bare number: no right goes with it. */
  addPortName(name: PortName): this {
    const data = this.addItem(TYPE_PORT_NAME, 32, 1, 4);
    this.words[data] = name;
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

  /** `bytes` bytes of the task's memory, sent out of line: the receiver gets a copy in new memory of its
   *  own. `deallocate`: the sender's pages are given up. */
  addRegion(address: number, bytes: number, deallocate = false): this {
    return this.addRegionItem(TYPE_BYTE, 8, address, bytes, deallocate);
  }

  /** `count` names that lie as words in the task's memory: rights, sent out of line. */
  addRightsRegion(
    address: number,
    count: number,
    disposition: Disposition,
    deallocate = false,
  ): this {
    return this.addRegionItem(disposition, 32, address, count, deallocate);
  }

  /** Type of the next item, -1 at the end. */
  takeType(): number {
    return this.cursor * 4 < this.size ? itemType(this.words, this.cursor) : -1;
  }

  /** The next item, which must be a right: its name in this task and which right it is. */
  takeRight(): { name: PortName; right: CarriedRight } {
    const data = this.takeItem("a right", isPortDisposition, true);
    return { name: this.words[data]! >>> 0, right: this.takenType as CarriedRight };
  }

  /** The next item, which must be rights: their names in this task and which rights they are. */
  takeRights(): { names: PortName[]; right: CarriedRight } {
    const data = this.takeItem("rights", isPortDisposition, true);
    const names = Array.from(this.words.subarray(data, data + this.takenBytes / 4), toName);
    return { names, right: this.takenType as CarriedRight };
  }

  takeInteger(): number {
    return this.words[this.takeItem("an integer", (type) => type === TYPE_INTEGER_32, true)]!;
  }

  takeIntegers(): Int32Array {
    const data = this.takeItem("integers", (type) => type === TYPE_INTEGER_32, true);
    return this.words.subarray(data, data + this.takenBytes / 4);
  }

  takePortName(): PortName {
    return this.words[this.takeItem("a name", (type) => type === TYPE_PORT_NAME, true)]! >>> 0;
  }

  takeBytes(): Uint8Array {
    const data = this.takeItem("bytes", (type) => type === TYPE_BYTE, true) * 4;
    return this.bytes.subarray(data, data + this.takenBytes);
  }

  takeText(): string {
    const data = this.takeItem("text", (type) => type === TYPE_STRING, true) * 4;
    return decoder.decode(this.bytes.subarray(data, data + this.takenBytes));
  }

  /** The next item, which must be memory out of line: where it lies in this task's memory now. Address 0
   *  if it was empty, or found no room (MACH_RCV_BODY_ERROR). */
  takeRegion(): { address: number; bytes: number } {
    const data = this.takeItem("a region", (type) => !isPortDisposition(type), false);
    return { address: this.words[data]! >>> 0, bytes: this.takenBytes };
  }

  /** The same of rights: `count` names lie as words at the address. */
  takeRightsRegion(): { address: number; count: number; right: CarriedRight } {
    const data = this.takeItem("a region of rights", isPortDisposition, false);
    const right = this.takenType as CarriedRight;
    return { address: this.words[data]! >>> 0, count: this.takenBytes / 4, right };
  }

  /** Back to the first item. */
  rewind(): this {
    this.cursor = 0;
    return this;
  }

  /** The kernel has written header and body: items are taken from the first on. */
  arrive(): void {
    this.cursor = 0;
    this.typed = false;
  }

  private takenType = 0;
  private takenBytes = 0;

  private addItem(type: number, elementBits: number, number: number, bytes: number): number {
    this.makeRoom(number, bytes);
    const data = writeItem(this.words, this.size / 4, type, elementBits, number);
    this.size = data * 4 + alignUp(bytes, 4);
    return data;
  }

  private addRegionItem(
    type: number,
    elementBits: number,
    address: number,
    number: number,
    deallocate: boolean,
  ): this {
    this.makeRoom(number, 4);
    const at = this.size / 4;
    const data = writeRegionItem(this.words, at, type, elementBits, number, deallocate);
    this.words[data] = address;
    this.size = (data + 1) * 4;
    this.complex = true;
    return this;
  }

  private makeRoom(number: number, bytes: number): void {
    if (!this.typed) this.clear();
    this.typed = true;
    const descriptor = number <= SHORT_NUMBER_MAX ? 4 : 12;
    if (this.size + descriptor + alignUp(bytes, 4) <= this.capacity) return;
    throw new RangeError(
      `this item of ${bytes} bytes does not fit: the message holds ${this.capacity} bytes ` +
        `and has ${this.size} already`,
    );
  }

  private takeItem(wanted: string, isWanted: (type: number) => boolean, inline: boolean): number {
    const at = this.cursor;
    if (at * 4 >= this.size) {
      throw new RangeError(`the message has no further item; ${wanted} was expected`);
    }
    const sound =
      checkItem(this.words, at, this.size >> 2, isPortDisposition) === ITEM_GOOD ||
      isClearedRegion(this.words, at);
    if (!sound) {
      throw new TypeError(`the body is not typed items; ${wanted} was expected`);
    }
    const type = itemType(this.words, at);
    if (!isWanted(type) || isInline(this.words, at) !== inline) {
      const where = isInline(this.words, at) ? "" : " (out of line)";
      throw new TypeError(`the next item has type ${type}${where}; ${wanted} was expected`);
    }
    assert(itemNumber(this.words, at) >= 0);
    this.takenType = type;
    this.takenBytes = itemBytes(this.words, at);
    this.cursor = itemEnd(this.words, at);
    return itemData(this.words, at);
  }
}

const toName = (word: number): PortName => word >>> 0;
