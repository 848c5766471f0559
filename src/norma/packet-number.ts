// PACKET_NUMBER: the word that names a packet to taps and faults, which know nothing of what it means.
//   number << 8 | attempt, and in the number 3 bits of class (packet-class.ts) and 21 bits of sequence or control number

import { CLASS_DATA, PACKET_CLASS_SHIFT } from "../hardware/packet-class.ts";

const NUMBER_MASK = 0x1fffff;

/** The name of a data packet at its first attempt. */
export const dataNumber = (sequence: number): number =>
  (CLASS_DATA << PACKET_CLASS_SHIFT) | ((sequence & NUMBER_MASK) << 8);

/** The name of a control packet of a class; each is sent once. */
export const controlNumber = (packetClass: number, number: number): number =>
  (packetClass << PACKET_CLASS_SHIFT) | ((number & NUMBER_MASK) << 8);

/** The same packet's name at its next attempt; after 255 comes 0 again. */
export const nextAttempt = (number: number): number => (number & ~0xff) | ((number + 1) & 0xff);
