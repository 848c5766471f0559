// PACKET_NUMBER: the word that names a packet to taps and faults, which know nothing of what it means.
//   23 .. 0 of the number: 1 bit control, 23 bits of the sequence or control number; then 8 bits of attempts

const NUMBER_MASK = 0x7fffff;
const CONTROL_NUMBER = 0x800000;

/** The name of a data packet at its first attempt. */
export const dataNumber = (sequence: number): number => (sequence & NUMBER_MASK) << 8;

/** The name of a control packet; each is sent once. */
export const controlNumber = (number: number): number =>
  (CONTROL_NUMBER | (number & NUMBER_MASK)) << 8;

/** The same packet's name at its next attempt; after 255 comes 0 again. */
export const nextAttempt = (number: number): number => (number & ~0xff) | ((number + 1) & 0xff);
