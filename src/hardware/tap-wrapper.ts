// A tap on a network interface: a wrapper that shows each packet to somebody on its way out of the
// node's software and on its way in, and changes nothing.

import { type NetworkInterface, NO_PACKET, type TransmitStatus } from "./network-interface.ts";

/** Sees packets; `words` are the node's, `packet` the word of the buffer or descriptor. */
export interface PacketTap {
  sent(words: Int32Array, packet: number): void;
  received(words: Int32Array, packet: number): void;
}

export class TapWrapper implements NetworkInterface {
  private readonly inner: NetworkInterface;
  private readonly words: Int32Array;
  private readonly tap: PacketTap;
  /** The descriptor that poll() gave and the tap has seen. */
  private shown = NO_PACKET;

  constructor(inner: NetworkInterface, words: Int32Array, tap: PacketTap) {
    this.inner = inner;
    this.words = words;
    this.tap = tap;
  }

  transmit(packet: number): TransmitStatus {
    this.tap.sent(this.words, packet);
    return this.inner.transmit(packet);
  }

  sending(): number {
    return this.inner.sending();
  }

  pump(): number {
    return this.inner.pump();
  }

  poll(): number {
    const packet = this.inner.poll();
    if (packet !== NO_PACKET && packet !== this.shown) {
      this.shown = packet;
      this.tap.received(this.words, packet);
    }
    return packet;
  }

  hasWork(): boolean {
    return this.inner.hasWork();
  }

  arm(frame: number): void {
    this.shown = NO_PACKET;
    this.inner.arm(frame);
  }

  armAll(frames: Int32Array): void {
    this.inner.armAll(frames);
  }

  nextDeadlineNs(): number {
    return this.inner.nextDeadlineNs();
  }
}
