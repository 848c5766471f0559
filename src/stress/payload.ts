// Payloads that say what they are: who sent them, to whom, on which channel, the how-manieth they are, and how long; each
// word that follows is a hash of all that and of its place. So a payload that is lost, doubled, out of order, gone to
// the wrong place or changed in one bit is known for what it is.
//   channel: whatever a workload keeps an order of its own for, such as one port of several

import { hashWords } from "../base/random.ts";

/** Called per word: a name of the module's own is found faster than a global one. */
const { imul } = Math;

/** Words before the content. */
const MAGIC = 0x0c0ffee0;
const AT_MAGIC = 0;
const AT_FROM = 1;
const AT_TO = 2;
const AT_CHANNEL = 3;
const AT_NUMBER = 4;
const AT_BYTES = 5;
const HEADER_WORDS = 6;

/** Bytes of the shortest payload. */
export const PAYLOAD_BYTES_MIN = HEADER_WORDS * 4;

/** Bytes that a payload lies in, seen in both ways; as a Message has them. */
export interface Carrier {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
}

export const carrierOf = (bytes: number): Carrier => {
  const buffer = new ArrayBuffer((bytes + 3) & ~3);
  return { words: new Int32Array(buffer), bytes: new Uint8Array(buffer, 0, bytes) };
};

/** The same over bytes that begin at a word. */
export const carrierOver = (bytes: Uint8Array): Carrier => ({
  bytes,
  words: new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2),
});

const contentKey = (words: Int32Array): number =>
  hashWords(
    words[AT_FROM]!,
    words[AT_TO]!,
    words[AT_CHANNEL]!,
    words[AT_NUMBER]!,
    words[AT_BYTES]!,
  );

/** The word at `index` of a content; a bijection of the index, so no two neighbours are alike. */
const contentWord = (key: number, index: number): number => {
  const h = imul(key ^ imul(index, 0x9e3779b1), 0x85ebca6b);
  return h ^ (h >>> 15);
};

/** Writes a payload of `bytes` bytes at the start of a carrier. */
export const writePayload = (
  { words, bytes }: Carrier,
  byteCount: number,
  from: number,
  to: number,
  channel: number,
  number: number,
): void => {
  words[AT_MAGIC] = MAGIC;
  words[AT_FROM] = from;
  words[AT_TO] = to;
  words[AT_CHANNEL] = channel;
  words[AT_NUMBER] = number;
  words[AT_BYTES] = byteCount;
  const key = contentKey(words);
  const whole = byteCount >> 2;
  for (let i = HEADER_WORDS; i < whole; i++) words[i] = contentWord(key, i);
  for (let at = whole * 4; at < byteCount; at++) bytes[at] = tailByte(key, at);
};

const tailByte = (key: number, at: number): number =>
  (contentWord(key, at >> 2) >>> ((at & 3) * 8)) & 0xff;

export const payloadSender = ({ words }: Carrier): number => words[AT_FROM]!;

/** Keeps account of what one place has sent or received: per other place and channel the number that is next. */
export class Ledger {
  private readonly place: number;
  private readonly numbers = new Map<string, number>();

  constructor(place: number) {
    this.place = place;
  }

  /** Writes the next payload for a place. */
  write(carrier: Carrier, byteCount: number, to: number, channel: number): void {
    const key = `${to} ${channel}`;
    const number = this.numbers.get(key) ?? 0;
    this.numbers.set(key, number + 1);
    writePayload(carrier, byteCount, this.place, to, channel, number);
  }

  /** An account that was begun elsewhere: so many have been accepted. */
  begin(place: number, channel: number, count: number): void {
    this.numbers.set(`${place} ${channel}`, count);
  }

  /** Payloads written for, or accepted from, a place. */
  count(place: number, channel: number): number {
    return this.numbers.get(`${place} ${channel}`) ?? 0;
  }

  /** Checks a payload that has come to this place; it must be the next one of its sender. Returns the sender.
   *  Throws an Error that says what is wrong. */
  accept(carrier: Carrier, byteCount: number, channel: number): number {
    const from = checkPayload(carrier, byteCount, this.place, channel);
    const key = `${from} ${channel}`;
    const next = this.numbers.get(key) ?? 0;
    const number = carrier.words[AT_NUMBER]!;
    if (number !== next) {
      const what = number < next ? "came again or too late" : `came where ${next} was due`;
      throw new Error(`${naming(carrier)}: ${what}`);
    }
    this.numbers.set(key, next + 1);
    return from;
  }

  /** The sender says that it is done: all that it has sent must be here. */
  closed(from: number, channel: number, sent: number): void {
    const count = this.count(from, channel);
    if (count === sent) return;
    throw new Error(
      `place ${this.place}, channel ${channel}: of ${sent} payloads of place ${from} ${count} have come`,
    );
  }
}

/** Checks everything about a payload but its turn. Returns its sender. */
export const checkPayload = (
  carrier: Carrier,
  byteCount: number,
  to: number,
  channel: number,
): number => {
  const { words, bytes } = carrier;
  if (byteCount < PAYLOAD_BYTES_MIN || words[AT_MAGIC] !== MAGIC) {
    const magic = (words[AT_MAGIC]! >>> 0).toString(16);
    throw new Error(
      `place ${to}: what came is no payload: ${byteCount} bytes, begins with ${magic}`,
    );
  }
  if (words[AT_BYTES] !== byteCount) {
    throw new Error(`${naming(carrier)}: ${byteCount} bytes have come`);
  }
  if (words[AT_TO] !== to || words[AT_CHANNEL] !== channel) {
    throw new Error(`${naming(carrier)}: came to place ${to}, channel ${channel}`);
  }
  const key = contentKey(words);
  const whole = byteCount >> 2;
  for (let i = HEADER_WORDS; i < whole; i++) {
    if (words[i] !== contentWord(key, i))
      throw damaged(carrier, i * 4, words[i]!, contentWord(key, i));
  }
  for (let at = whole * 4; at < byteCount; at++) {
    if (bytes[at] !== tailByte(key, at)) throw damaged(carrier, at, bytes[at]!, tailByte(key, at));
  }
  return words[AT_FROM]!;
};

const naming = ({ words }: Carrier): string =>
  `payload ${words[AT_NUMBER]} of ${words[AT_BYTES]} bytes from place ${words[AT_FROM]} ` +
  `to place ${words[AT_TO]}, channel ${words[AT_CHANNEL]}`;

const damaged = (carrier: Carrier, at: number, is: number, due: number): Error =>
  new Error(
    `${naming(carrier)}: damaged at byte ${at}: ${(is >>> 0).toString(16)}, must be ${(due >>> 0).toString(16)}`,
  );
