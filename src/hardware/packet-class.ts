// What a packet is for, as far as taps and faults care, which know nothing of what it means: 3 bits of PACKET_NUMBER, set
// by the transport.

import { PACKET_NUMBER } from "./packet-layout.ts";

/** Where the class is in PACKET_NUMBER: the bits from here up. */
export const PACKET_CLASS_SHIFT = 29;

export const CLASS_DATA = 0;
export const CLASS_ACK = 1;
export const CLASS_NACK = 2;
export const CLASS_SYNC = 3;
export const CLASS_QUENCH = 4;

export const packetClass = (words: Int32Array, at: number): number =>
  words[at + PACKET_NUMBER]! >>> PACKET_CLASS_SHIFT;
