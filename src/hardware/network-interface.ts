// The network interface of a node, as its kernel's driver sees it. Interconnects implement it
// (direct-connect, store-and-forward, ...); fault and trace wrappers implement it round another.
//
// Sending: one packet at a time. The packet lies in a packet buffer of the node's own memory, with
//   its page, if any, in one of its own frames. transmit() answers
//     TRANSMIT_SENT  the interface is done with buffer and frame;
//     TRANSMIT_HELD  it keeps reading them; pump() goes on with it; sending() tells when it is done.
//   While something is held, transmit() must not be called. Nothing is lost by a reliable interface.
// Receiving: poll() gives the word of the first filled descriptor, or NO_PACKET. When software has
//   taken what it wants, arm(frame) arms that descriptor again and moves on to the next. The frame
//   may be the one that was in it (nothing was kept) or another.
// The interface knows nothing of what packets mean.

/** The interface is done with the packet buffer and its frame. */
export const TRANSMIT_SENT = 0;
/** The interface keeps the buffer and its frame until sending() says otherwise. */
export const TRANSMIT_HELD = 1;
export type TransmitStatus = typeof TRANSMIT_SENT | typeof TRANSMIT_HELD;

export const NO_PACKET = -1;

export interface NetworkInterface {
  /** Offers the packet at word `packet` of this node's memory. Route, inline and page set. */
  transmit(packet: number): TransmitStatus;
  /** The packet being held, or NO_PACKET. */
  sending(): number;
  /** Moves on what is held or delayed; cheap when there is nothing. Returns packets moved. */
  pump(): number;
  /** Word of the first filled descriptor, or NO_PACKET. */
  poll(): number;
  /** True when pump() or poll() would find something: the look that a worker takes between announcing
   *  that it parks and waiting. What is still blocked does not count: its release will ring. */
  hasWork(): boolean;
  /** Arms the descriptor that poll() gave, with `frame`, and moves to the next. */
  arm(frame: number): void;
  /** Arms the whole ring, one frame each: once, at boot. */
  armAll(frames: Int32Array): void;
  /** When pump() must be called again though nothing arrives, ns; NEVER if not. */
  nextDeadlineNs(): number;
}
