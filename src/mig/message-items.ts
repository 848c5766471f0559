// Items of a task's message, whose rights are names. Both objects are kept and used again and again:
//   writer.begin()         ... items ...  writer.finish() is the message, its header still to be set
//   reader.begin(message)  ... items ...  then reader.failed and reader.atEnd tell how it went

import { alignUp } from "../base/words.ts";
import { Message } from "../ipc/message.ts";
import {
  type CarriedRight,
  type Disposition,
  MACH_PORT_DEAD,
  MACH_PORT_NULL,
  type PortName,
} from "../ipc/rights.ts";
import { BodyReader, BodyWriter, NO_ROOM } from "./body-items.ts";
import type { Region } from "./items.ts";

export class MessageWriter extends BodyWriter<PortName, Region> {
  private message: Message;

  constructor(capacity?: number) {
    const message = new Message(capacity);
    super(message.words, message.bytes);
    this.message = message;
  }

  begin(): void {
    this.at = 0;
    this.end = this.words.length;
    this.complex = false;
  }

  /** The message with its body. It is the writer's still, and changes with the next begin(). */
  finish(): Message {
    const { message } = this;
    message.clear();
    message.size = this.at * 4;
    message.complex = this.complex;
    return message;
  }

  /** RangeError for what is no range of addresses. */
  override region({ address, bytes, deallocate }: Region): void {
    if (address !== address >>> 0 || bytes !== bytes >>> 0) {
      throw new RangeError(`${bytes} bytes at ${address} are no region`);
    }
    const data = this.regionItem(bytes, deallocate === true);
    if (data !== NO_ROOM) this.words[data] = address;
  }

  protected override wordOf(name: PortName): number {
    return name;
  }

  protected override typeOf(disposition: Disposition): number {
    return disposition;
  }

  protected override refuse(): void {
    // It never comes to that: a message that cannot grow throws, and the names are still the task's.
  }

  /** Goes on in a larger message; RangeError where a Message ends. */
  protected override grow(words: number): boolean {
    const needed = (this.end + words) * 4;
    let larger: Message;
    try {
      larger = new Message(Math.max(needed, this.message.capacity * 2));
    } catch {
      larger = new Message(alignUp(needed, 4));
    }
    larger.words.set(this.words.subarray(0, this.at));
    this.message = larger;
    this.words = larger.words;
    this.byteView = larger.bytes;
    this.end = larger.words.length;
    return true;
  }
}

export class MessageReader extends BodyReader<PortName, Region> {
  protected override isDead(word: number): boolean {
    return word >>> 0 === MACH_PORT_DEAD;
  }

  protected override readonly noRight = MACH_PORT_NULL;
  private complex = false;

  constructor() {
    super(NOTHING.words, NOTHING.bytes);
  }

  begin(message: Message): void {
    this.words = message.words;
    this.byteView = message.bytes;
    this.at = 0;
    this.end = message.size >> 2;
    this.failed = (message.size & 3) !== 0;
    this.complex = message.complex;
  }

  /** In a body that is not complex, what looks like rights or regions is only numbers. */
  override right(kind: CarriedRight): PortName {
    if (!this.complex) this.failed = true;
    return super.right(kind);
  }

  override rights(kind: CarriedRight): PortName[] {
    if (!this.complex) this.failed = true;
    return super.rights(kind);
  }

  override region(): Region {
    if (!this.complex) this.failed = true;
    const data = this.regionItem();
    if (this.failed) return { address: 0, bytes: 0 };
    return { address: this.words[data]! >>> 0, bytes: this.dataBytes };
  }

  protected override rightOf(word: number): PortName {
    return word >>> 0;
  }
}

const NOTHING = new Message(0);
