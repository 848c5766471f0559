// What one node's transport knows of one other node. Created at first contact.
//
// Sending (packet-sender.ts): packets that were submitted and are not acknowledged form one list in sequence order,
// linked through PACKET_LINK of their buffers:
//
//     first            cursor                last
//       v                v                    v
//      [sent ... sent]  [not sent ... not sent]         sent - acked <= window
//
//   A go-back moves the cursor to `first`. An acknowledgement takes packets off the front.
//
// Receiving (packet-receiver.ts): `received` is the last packet stored in order; it is what every packet to that
//   node acknowledges (I-4: it moves only when the packet is safe). States of a sender over there:
//     PEER_OPEN     its next packet is stored if there is room
//     PEER_STOPPED  a packet was discarded for want of a buffer, and there is still none: it is owed a NACK
//     PEER_CALLED   there is room, and it was told so by a NACK, which is repeated until its next packet is stored

import { NO_PACKET } from "../hardware/network-interface.ts";

export const PEER_OPEN = 0;
export const PEER_STOPPED = 1;
export const PEER_CALLED = 2;
export type PeerState = typeof PEER_OPEN | typeof PEER_STOPPED | typeof PEER_CALLED;

/** Control packets to be sent to a peer, each in a slot of its own: none that matters takes the place of another. */
export const ORDER_ACK = 1;
/** Never together with ORDER_QUENCH: the later of the two is what is true. */
export const ORDER_NACK = 2;
export const ORDER_QUENCH = 4;
export const ORDER_SYNC = 8;

export class Peer {
  readonly node: number;

  // --- sending ----------------------------------------------------------------------------------
  first = NO_PACKET;
  cursor = NO_PACKET;
  last = NO_PACKET;
  /** Sequence number given out last. */
  submitted = 0;
  /** Sequence number sent last since the last go-back. */
  sent = 0;
  /** Highest sequence number ever sent: what lies at or below it is a retransmission. */
  highest = 0;
  /** Packets that may be on their way, sent and not acknowledged: fewer than the option says for a while after it refused one. */
  window: number;
  /** All up to here are stored over there. */
  acked = 0;
  /** Sequence number whose round trip is being timed; 0 = none (Karn: never a retransmission). */
  timed = 0;
  /** SYNCs since the last sign of life: doublings of the timeout. */
  backoff = 0;
  /** Number of the SYNC sent last whose answer times a round trip; 0 = none. */
  syncTimed = 0;
  /** It said QUENCH: it has no buffer, and will say when it has. Nothing is sent but, after a long time, a SYNC. */
  quenched = false;

  // --- receiving --------------------------------------------------------------------------------
  received = 0;
  state: PeerState = PEER_OPEN;
  /** Packets stored that no packet of ours has acknowledged yet. */
  ackOwed = 0;
  /** So many of them are acknowledged at once: half of what it may send, as far as is known here. */
  ackEvery: number;
  /** `received` when the acknowledgement timer looked last. */
  receivedAtTick = 0;
  /** `received` when a gap was last answered with a NACK; one NACK per gap. */
  gapNackedAt = -1;
  /** NACKs repeated since it was called. */
  repeats = 0;
  /** Number of its SYNC that the next control answers; 0 = none. */
  echo = 0;

  // --- control packets, and membership of the transport's lists --------------------------------------
  /** ORDER_ACK, ... */
  orders = 0;
  controlNumber = 0;
  inReady = false;
  inOwing = false;
  inUrgent = false;
  inStopped = false;

  constructor(node: number, window: number, ackEvery: number) {
    this.node = node;
    this.window = window;
    this.ackEvery = ackEvery;
  }
}

const STATES = ["", "; it was refused and is owed a nack", "; it was refused and called again"];

export const describePeer = (peer: Peer): string =>
  `peer ${peer.node}: sent ${peer.sent} acked ${peer.acked} of ${peer.submitted}` +
  `${peer.quenched ? ", quenched" : ""}${peer.backoff > 0 ? `, asked ${peer.backoff} times` : ""}; ` +
  `received ${peer.received}, owes ${peer.ackOwed} acks${STATES[peer.state]}`;
