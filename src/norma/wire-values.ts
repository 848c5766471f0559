// The values that the words of a packet's software header take (wire-layout.ts).

export const KIND_CONTROL = 1;
export const KIND_MESSAGE = 2;
export const KIND_NX = 3;
/** More of the message whose own packet came last from that node and said WIRE_OVERFLOW: words of its body, if
 *  that is longer than a page, and of its regions of rights. */
export const KIND_OVERFLOW = 4;
/** What nodes tell each other of a port (port-notes.ts). */
export const KIND_NOTE = 5;
/** The same: one page of a region of data. */
export const KIND_PAGE = 6;
/** Kinds are below this. */
export const KINDS_MAX = 8;
/** Where they are in WIRE_KIND. Above, in a message: how often the receive right had moved when it came to the node that the
 *  message goes to, as far as its sender knows. */
export const WIRE_KIND_MASK = 0xff;
export const WIRE_TENURE_SHIFT = 8;
export const TENURE_MAX = 0xffffff;

export const CONTROL_NONE = 0;
/** Explicit acknowledgement: there was no packet for it to ride on. */
export const CONTROL_ACK = 1;
/** WIRE_ACK was the last that could be stored: send again from the next on. */
export const CONTROL_NACK = 2;
/** The paper's acknowledgement request (2.6.2): WIRE_LAST was sent last; have you got it? */
export const CONTROL_SYNC = 3;
/** There was no buffer for what comes after WIRE_ACK, and there is still none: do not ask, a NACK will come. */
export const CONTROL_QUENCH = 4;

/** What of what is asked for a NACK may be answered with at first, in WIRE_LAST: a window, since something was lost; or one
 *  packet, since it was refused for want of a buffer and there is room for one at least. */
export const NACK_WINDOW = 0;
export const NACK_ALONE = 1;

/** Flags in WIRE_BITS. The body is typed items with identifiers in place of rights. */
export const WIRE_COMPLEX = 1 << 31;
/** The message has more than its own packet's inline bytes or body page: KIND_OVERFLOW and KIND_PAGE follow. */
export const WIRE_OVERFLOW = 1 << 30;
/** The packet's page is not the body but the first page of the first region, which is data. */
export const WIRE_PAGE = 1 << 28;
/** Also in KIND_PAGE: the sender's pages are busy until this is acknowledged. */
export const WIRE_BUSY = 1 << 27;
/** In KIND_OVERFLOW: the sender cannot read the rest of the message's data; only its rights still come, to be given up. */
export const WIRE_ABANDONED = 1 << 26;
/** It counts against the queue limit of its destination. */
export const WIRE_METERED = 1 << 29;
/** Its last region tells what goes with the receive rights in its body (moved-right-layout.ts). */
export const WIRE_MOVES = 1 << 15;
/** Where rights are in WIRE_BITS, shifted right by 0 and by 8. */
export const WIRE_RIGHT_MASK = 0x7f;
/** Its sender wants to hear when it is taken: the number of the request, 0 for none. */
export const WIRE_ACCEPT_SHIFT = 16;
export const WIRE_ACCEPT_MAX = 0x3ff;
/** Bits of WIRE_BITS that must be zero; what is no right there is no right either. */
export const WIRE_BITS_RESERVED = ~(
  WIRE_COMPLEX |
  WIRE_OVERFLOW |
  WIRE_METERED |
  WIRE_PAGE |
  WIRE_BUSY |
  (WIRE_ACCEPT_MAX << WIRE_ACCEPT_SHIFT) |
  0xffff
);

/** What a note says, in WIRE_BITS; WIRE_REMOTE is the port's identifier. */
/** Home to proxy: WIRE_LOCAL messages may be sent in all (OPEN_ALLOWANCE: any), WIRE_ID says of what and under which limit:
 *  1 if it answers a NOTE_WANT, queue limit << 1, tenure that the messages were sent to << 6. */
export const NOTE_ALLOWANCE = 1;
const ALLOWANCE_GRANTED = 1;
const ALLOWANCE_LIMIT_SHIFT = 1;
const ALLOWANCE_LIMIT_MASK = 0x1f;
const ALLOWANCE_TENURE_SHIFT = 6;

export const allowanceWord = (tenure: number, limit: number, granted: boolean): number =>
  (tenure << ALLOWANCE_TENURE_SHIFT) |
  (limit << ALLOWANCE_LIMIT_SHIFT) |
  (granted ? ALLOWANCE_GRANTED : 0);
export const allowanceTenure = (word: number): number => word >>> ALLOWANCE_TENURE_SHIFT;
export const allowanceLimit = (word: number): number =>
  (word >>> ALLOWANCE_LIMIT_SHIFT) & ALLOWANCE_LIMIT_MASK;
export const isAllowanceGranted = (word: number): boolean => (word & ALLOWANCE_GRANTED) !== 0;
/** Proxy to home: a sender waits. In this and the next two WIRE_LOCAL is the tenure, as in messages. */
export const NOTE_WANT = 2;
/** Proxy to home: the sender that one message was granted to does not wait any more. */
export const NOTE_RETURN = 3;
/** Home to proxy: the port is dead. */
export const NOTE_DEAD = 4;
/** Proxy to home: WIRE_LOCAL send-once rights to the dead port have gone with the proxy. WIRE_ID: how many nodes have sent
 *  it on. */
export const NOTE_ONCE_GONE = 5;
/** Proxy to home: a sender would have sent, but does not wait for its turn; what may be sent now? */
export const NOTE_ASK = 8;
/** To node 0, about no port: there is something for the token. */
export const NOTE_TOKEN = 9;
/** Home to proxy: the message of request WIRE_LOCAL has been taken; or was destroyed. */
export const NOTE_ACCEPTED = 6;
export const NOTE_DESTROYED = 7;
/** To where messages for the port went so far, behind them, and on from there: the node in WIRE_LOCAL goes another way now.
 *  WIRE_ID is the tenure, as in messages. */
export const NOTE_FLUSH = 10;
/** WIRE_LOCAL of a flush: the node that began it, 1 << 16 if it does not come from there but is sent on, and its number
 *  there, from bit 17. */
const FLUSH_ORIGIN_MASK = 0xffff;
const FLUSH_SENT_ON = 1 << 16;
const FLUSH_NUMBER_SHIFT = 17;
export const FLUSH_NUMBER_MAX = 0x3fff;

export const flushWord = (origin: number, number: number, sentOn: boolean): number =>
  origin | (sentOn ? FLUSH_SENT_ON : 0) | (number << FLUSH_NUMBER_SHIFT);
export const flushOrigin = (word: number): number => word & FLUSH_ORIGIN_MASK;
export const flushNumber = (word: number): number => word >>> FLUSH_NUMBER_SHIFT;
export const isFlushSentOn = (word: number): boolean => (word & FLUSH_SENT_ON) !== 0;
/** To the node that began it: flush number WIRE_LOCAL has come to where the receive right is. */
export const NOTE_FLUSHED = 11;
