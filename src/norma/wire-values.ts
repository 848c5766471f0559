// The values that the words of a packet's software header take (wire-layout.ts).

export const KIND_CONTROL = 1;
export const KIND_MESSAGE = 2;
export const KIND_NX = 3;
/** Kinds are below this. */
export const KINDS_MAX = 8;

export const CONTROL_NONE = 0;
/** Explicit acknowledgement: there was no packet for it to ride on. */
export const CONTROL_ACK = 1;
/** WIRE_ACK was the last that could be stored: send again from the next on. */
export const CONTROL_NACK = 2;

/** Flag in WIRE_BITS: the body is typed items with identifiers in place of rights. */
export const WIRE_COMPLEX = 1 << 31;
/** Bits of WIRE_BITS that must be zero. */
export const WIRE_BITS_RESERVED = ~(WIRE_COMPLEX | 0xffff);
