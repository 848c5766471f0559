// Items of a body that lies in words, wherever these are: what the reader and the writer of a task's
// message and those of a kernel's have in common. Types and sizes are MIG's (mach/message.h).

import {
  type CarriedRight,
  type Disposition,
  isPortDisposition,
  PORT_SEND,
} from "../ipc/rights.ts";
import {
  checkItem,
  ITEM_GOOD,
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
} from "../ipc/typed-item.ts";
import type { ItemReader, ItemWriter } from "./items.ts";

const TYPE_BOOLEAN = 0;
const TYPE_REAL = 10;

/** Words of the longest descriptor. */
const DESCRIPTOR_WORDS_MAX = 3;
export const NO_ROOM = -1;
export const NOT_THERE = -1;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const double = new Float64Array(1);
const doubleWords = new Int32Array(double.buffer);

export abstract class BodyWriter<Right, Memory> implements ItemWriter<Right, Memory> {
  /** The body's memory, and the same byte by byte. */
  protected words: Int32Array;
  protected byteView: Uint8Array;
  /** Word of the next item, and the word after the last there is. */
  protected at = 0;
  protected end = 0;
  /** Rights have been written. */
  protected complex = false;

  constructor(words: Int32Array, byteView: Uint8Array) {
    this.words = words;
    this.byteView = byteView;
  }

  /** Makes room for `words` more words than there is; false if that cannot be. */
  protected abstract grow(words: number): boolean;
  /** What stands for a right in the body. */
  protected abstract wordOf(right: Right): number;
  /** The type of a right's item. */
  protected abstract typeOf(disposition: Disposition): number;
  /** A right found no room; only where grow() may fail. */
  protected abstract refuse(right: Right, disposition: Disposition): void;
  abstract region(memory: Memory): void;

  integer(value: number): void {
    const data = this.item(TYPE_INTEGER_32, 32, 1, 1);
    if (data !== NO_ROOM) this.words[data] = value;
  }

  integers(values: ArrayLike<number>): void {
    const data = this.item(TYPE_INTEGER_32, 32, values.length, values.length);
    if (data !== NO_ROOM) this.words.set(values, data);
  }

  boolean(value: boolean): void {
    const data = this.item(TYPE_BOOLEAN, 32, 1, 1);
    if (data !== NO_ROOM) this.words[data] = value ? 1 : 0;
  }

  float64(value: number): void {
    const data = this.item(TYPE_REAL, 64, 1, 2);
    if (data === NO_ROOM) return;
    double[0] = value;
    this.words[data] = doubleWords[0]!;
    this.words[data + 1] = doubleWords[1]!;
  }

  text(value: string): void {
    this.octets(TYPE_STRING, encoder.encode(value));
  }

  bytes(value: Uint8Array): void {
    this.octets(TYPE_BYTE, value);
  }

  right(right: Right, disposition: Disposition): void {
    const data = this.item(this.typeOf(disposition), 32, 1, 1);
    if (data === NO_ROOM) {
      this.refuse(right, disposition);
      return;
    }
    this.words[data] = this.wordOf(right);
    this.complex = true;
  }

  rights(rights: readonly Right[], disposition: Disposition): void {
    const data = this.item(this.typeOf(disposition), 32, rights.length, rights.length);
    if (data === NO_ROOM) {
      for (const right of rights) this.refuse(right, disposition);
      return;
    }
    for (let i = 0; i < rights.length; i++) this.words[data + i] = this.wordOf(rights[i]!);
    this.complex = true;
  }

  portName(name: number): void {
    const data = this.item(TYPE_PORT_NAME, 32, 1, 1);
    if (data !== NO_ROOM) this.words[data] = name;
  }

  /** An item of bytes out of line: the word for what stands for its memory, or NO_ROOM. */
  protected regionItem(bytes: number, deallocate: boolean): number {
    const most = DESCRIPTOR_WORDS_MAX + 1;
    if (this.at + most > this.end && !this.grow(this.at + most - this.end)) return NO_ROOM;
    const data = writeRegionItem(this.words, this.at, TYPE_BYTE, 8, bytes, deallocate);
    this.at = data + 1;
    this.complex = true;
    return data;
  }

  private octets(type: number, value: Uint8Array): void {
    const words = (value.length + 3) >> 2;
    const data = this.item(type, 8, value.length, words);
    if (data === NO_ROOM) return;
    if (words > 0) this.words[data + words - 1] = 0; // the padding tells nothing of what was here
    this.byteView.set(value, data * 4);
  }

  /** Word of the new item's data, or NO_ROOM. */
  private item(type: number, elementBits: number, number: number, dataWords: number): number {
    const most = (number <= SHORT_NUMBER_MAX ? 1 : DESCRIPTOR_WORDS_MAX) + dataWords;
    if (this.at + most > this.end && !this.grow(this.at + most - this.end)) return NO_ROOM;
    const data = writeItem(this.words, this.at, type, elementBits, number);
    this.at = data + dataWords;
    return data;
  }
}

export abstract class BodyReader<Right, Memory> implements ItemReader<Right, Memory> {
  failed = false;
  protected words: Int32Array;
  protected byteView: Uint8Array;
  /** Word of the next item, and the word after the last. */
  protected at = 0;
  protected end = 0;
  /** Of the item taken last. */
  protected dataBytes = 0;
  private count = 0;

  constructor(words: Int32Array, byteView: Uint8Array) {
    this.words = words;
    this.byteView = byteView;
  }

  /** The right that a word of the body stands for. */
  protected abstract rightOf(word: number): Right;
  /** Whether such a word stands for a dead right. */
  protected abstract isDead(word: number): boolean;
  /** What fillers of rights are. */
  protected abstract readonly noRight: Right;
  abstract region(): Memory;

  get atEnd(): boolean {
    return this.at === this.end;
  }

  fail(): void {
    this.failed = true;
  }

  integer(): number {
    return this.oneWord(TYPE_INTEGER_32);
  }

  integers(): Int32Array<ArrayBuffer> {
    const data = this.wordsOf(TYPE_INTEGER_32);
    return Int32Array.from(this.words.subarray(data, data + this.count));
  }

  boolean(): boolean {
    return this.oneWord(TYPE_BOOLEAN) !== 0;
  }

  float64(): number {
    const data = this.take(TYPE_REAL);
    if (data === NOT_THERE || this.count !== 1 || this.dataBytes !== 8) {
      this.failed = true;
      return 0;
    }
    doubleWords[0] = this.words[data]!;
    doubleWords[1] = this.words[data + 1]!;
    return double[0]!;
  }

  text(): string {
    return decoder.decode(this.octets(TYPE_STRING));
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.octets(TYPE_BYTE);
  }

  right(kind: CarriedRight): Right {
    const word = this.oneWord(kind);
    return this.failed ? this.noRight : this.rightOf(word);
  }

  rights(kind: CarriedRight): Right[] {
    const data = this.wordsOf(kind);
    const rights: Right[] = [];
    for (let i = 0; i < this.count; i++) rights.push(this.rightOf(this.words[data + i]!));
    return rights;
  }

  anyRight(): { right: Right; kind: CarriedRight; dead: boolean } {
    const good =
      !this.failed &&
      checkItem(this.words, this.at, this.end, isPortDisposition) === ITEM_GOOD &&
      isPortDisposition(itemType(this.words, this.at));
    if (!good) {
      this.failed = true;
      return { right: this.noRight, kind: PORT_SEND, dead: false };
    }
    const kind = itemType(this.words, this.at) as CarriedRight;
    const word = this.words[itemData(this.words, this.at)]!;
    return { right: this.right(kind), kind, dead: this.isDead(word) };
  }

  portName(): number {
    return this.oneWord(TYPE_PORT_NAME) >>> 0;
  }

  /** An item of bytes out of line: the word of what stands for its memory, or NOT_THERE. */
  protected regionItem(): number {
    return this.take(TYPE_BYTE, false);
  }

  private octets(type: number): Uint8Array<ArrayBuffer> {
    const data = this.take(type);
    if (data === NOT_THERE || this.dataBytes !== this.count) {
      this.failed = true;
      return new Uint8Array(0);
    }
    // A copy: the body's memory is used again, and decoders refuse shared memory.
    const copy = new Uint8Array(this.dataBytes);
    copy.set(this.byteView.subarray(data * 4, data * 4 + this.dataBytes));
    return copy;
  }

  private oneWord(type: number): number {
    const data = this.wordsOf(type);
    if (this.count !== 1) this.failed = true;
    return this.failed ? 0 : this.words[data]!;
  }

  /** Word of an item of `count` elements of 32 bits; after a failure count is 0. */
  private wordsOf(type: number): number {
    const data = this.take(type);
    if (data !== NOT_THERE && this.dataBytes === 4 * this.count) return data;
    this.failed = true;
    this.count = 0;
    return 0;
  }

  private take(type: number, inline = true): number {
    const { at, end, words } = this;
    const good =
      !this.failed &&
      checkItem(words, at, end, isPortDisposition) === ITEM_GOOD &&
      isInline(words, at) === inline &&
      itemType(words, at) === type;
    if (!good) {
      this.failed = true;
      return NOT_THERE;
    }
    this.count = itemNumber(words, at);
    this.dataBytes = itemBytes(words, at);
    this.at = itemEnd(words, at);
    return itemData(words, at);
  }
}
