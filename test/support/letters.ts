// Short ways to write messages in tests: an integer as the whole body, sent to a name.

import { Message } from "../../src/ipc/message.ts";
import {
  COPY_SEND,
  type Disposition,
  MACH_PORT_NULL,
  type PortName,
} from "../../src/ipc/rights.ts";

/** A message without body, with `id`. */
export const letter = (
  to: PortName,
  disposition: Disposition,
  id = 1,
  reply: PortName = MACH_PORT_NULL,
  replyDisposition: Disposition = 0,
): Message => {
  const message = new Message();
  message.remote = to;
  message.remoteDisposition = disposition;
  message.local = reply;
  message.localDisposition = replyDisposition;
  message.id = id;
  return message;
};

/** A message that carries one right. */
export const parcel = (
  to: PortName,
  disposition: Disposition,
  right: PortName,
  rightDisposition: Disposition,
  id = 1,
): Message => letter(to, disposition, id).addRight(right, rightDisposition);

/** A plain message of `bytes` bytes whose contents follow from `seed`. */
export const patterned = (to: PortName, bytes: number, seed: number): Message => {
  const message = new Message(bytes);
  message.remote = to;
  message.remoteDisposition = COPY_SEND;
  message.id = seed;
  message.size = bytes;
  fillPattern(message.bytes, bytes, seed);
  return message;
};

export const patternByte = (i: number, seed: number): number => (i * 7 + seed * 31 + 0xc0) & 0xff;

const fillPattern = (bytes: Uint8Array, length: number, seed: number): void => {
  for (let i = 0; i < length; i++) bytes[i] = patternByte(i, seed);
};

/** The index of the first byte of a patterned message that is wrong, or -1. */
export const firstWrongByte = (message: Message, seed: number): number => {
  for (let i = 0; i < message.size; i++) if (message.bytes[i] !== patternByte(i, seed)) return i;
  return -1;
};
