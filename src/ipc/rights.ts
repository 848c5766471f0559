// Rights, dispositions and type bits with Mach 3.0's numbers (mach/port.h, mach/message.h).

/** A task's name for a right: index << 8 | generation, 32 bits unsigned. */
export type PortName = number;

export const MACH_PORT_NULL: PortName = 0;
export const MACH_PORT_DEAD: PortName = 0xffffffff;

export const RIGHT_SEND = 0;
export const RIGHT_RECEIVE = 1;
export const RIGHT_SEND_ONCE = 2;
export const RIGHT_PORT_SET = 3;
export const RIGHT_DEAD_NAME = 4;
export type Right =
  | typeof RIGHT_SEND
  | typeof RIGHT_RECEIVE
  | typeof RIGHT_SEND_ONCE
  | typeof RIGHT_PORT_SET
  | typeof RIGHT_DEAD_NAME;

/** Type bits of a name: 1 << (16 + right). */
export const TYPE_NONE = 0;
export const TYPE_SEND = 0x10000;
export const TYPE_RECEIVE = 0x20000;
export const TYPE_SEND_ONCE = 0x40000;
export const TYPE_PORT_SET = 0x80000;
export const TYPE_DEAD_NAME = 0x100000;
/** Told with the type: a msg-accepted, a dead-name notification is outstanding for the name. */
export const TYPE_MAREQUEST = 0x40000000;
export const TYPE_DNREQUEST = 0x80000000;

/** What to do with the caller's right, and, in a received message, which right arrived. */
export const MOVE_RECEIVE = 16;
export const MOVE_SEND = 17;
export const MOVE_SEND_ONCE = 18;
export const COPY_SEND = 19;
export const MAKE_SEND = 20;
export const MAKE_SEND_ONCE = 21;
export type Disposition = 0 | 16 | 17 | 18 | 19 | 20 | 21;

/** Names of what arrived; the same numbers as the MOVE_ dispositions, so a right can be sent on. */
export const PORT_RECEIVE = MOVE_RECEIVE;
export const PORT_SEND = MOVE_SEND;
export const PORT_SEND_ONCE = MOVE_SEND_ONCE;
export type CarriedRight = typeof PORT_RECEIVE | typeof PORT_SEND | typeof PORT_SEND_ONCE;

export const isPortDisposition = (value: number): boolean =>
  value >= MOVE_RECEIVE && value <= MAKE_SEND_ONCE;

/** The right that a message carries for a disposition of the sender. */
export const carriedRight = (disposition: number): CarriedRight => {
  if (disposition === MOVE_RECEIVE) return PORT_RECEIVE;
  if (disposition === MOVE_SEND_ONCE || disposition === MAKE_SEND_ONCE) return PORT_SEND_ONCE;
  return PORT_SEND;
};

/** Numbers of notifications (mach/notify.h). */
export const NOTIFY_PORT_DELETED = 65;
export const NOTIFY_MSG_ACCEPTED = 66;
export const NOTIFY_PORT_DESTROYED = 69;
export const NOTIFY_NO_SENDERS = 70;
export const NOTIFY_SEND_ONCE = 71;
export const NOTIFY_DEAD_NAME = 72;
