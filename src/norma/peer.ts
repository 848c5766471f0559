// What one node's transport knows of one other node. Created at first contact.
//
// Sending: packets that were submitted and are not acknowledged form one list in sequence order,
// linked through PACKET_LINK of their buffers:
//
//     first            cursor                last
//       v                v                    v
//      [sent ... sent]  [not sent ... not sent]         sent - acked <= window
//
//   A go-back moves the cursor to `first`. An acknowledgement takes packets off the front.
// Receiving: `received` is the last packet stored in order; it is what every packet to that node
//   acknowledges (I-4: it moves only when the packet is safe).

import { NO_PACKET } from "../hardware/network-interface.ts";
import { CONTROL_NONE } from "./wire-values.ts";

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
  /** All up to here are stored over there. */
  acked = 0;
  /** Sequence number whose round trip is being timed; 0 = none (Karn: never a retransmission). */
  timed = 0;
  /** Doublings of the timeout since the last progress. */
  backoff = 0;

  // --- receiving --------------------------------------------------------------------------------
  received = 0;
  /** Packets stored that no packet of ours has acknowledged yet. */
  ackOwed = 0;
  /** `received` when the acknowledgement timer looked last. */
  receivedAtTick = 0;
  /** A packet was discarded for want of a buffer: a NACK is due when there is one again. */
  nackOwed = false;
  /** `received` when a gap was last answered with a NACK; one NACK per gap. */
  gapNackedAt = -1;

  // --- membership of the transport's lists ---------------------------------------------------------
  /** Control to send: CONTROL_NONE, CONTROL_ACK or CONTROL_NACK (which outranks it). */
  control = CONTROL_NONE;
  controlNumber = 0;
  inReady = false;
  inOwing = false;
  inUrgent = false;
  inStopped = false;

  constructor(node: number) {
    this.node = node;
  }
}

export const describePeer = (peer: Peer): string =>
  `peer ${peer.node}: sent ${peer.sent} acked ${peer.acked} of ${peer.submitted}; ` +
  `received ${peer.received}, owes ${peer.ackOwed} acks${peer.nackOwed ? " and a nack" : ""}`;
