// The retransmission timeout of each peer, from measured round trips (Jacobson 1988, RFC 6298), in
// nanoseconds. Doubles in one typed array, four per node, so that no update allocates.
// The paper (2.6.2) asks for timeouts far below hundreds of milliseconds: here they follow the machine,
// between bounds that are options (transport.timeout*).

import { NEVER } from "../base/clock.ts";

const SMOOTHED = 0;
const VARIATION = 1;
const DEADLINE = 2;
const SENT_AT = 3;
const FIELDS = 4;

const BACKOFF_MAX = 8;

export interface TimeoutBounds {
  /** Before anything is measured, ns. */
  readonly initialNs: number;
  /** Never below this, ns: the clock is read once a step, not once a packet. */
  readonly minNs: number;
  readonly maxNs: number;
}

export class RoundTrips {
  private readonly bounds: TimeoutBounds;
  private readonly values: Float64Array;

  constructor(nodes: number, bounds: TimeoutBounds) {
    this.bounds = bounds;
    this.values = new Float64Array(nodes * FIELDS);
    for (let node = 0; node < nodes; node++) this.values[node * FIELDS + DEADLINE] = NEVER;
  }

  deadline(node: number): number {
    return this.values[node * FIELDS + DEADLINE]!;
  }

  clearDeadline(node: number): void {
    this.values[node * FIELDS + DEADLINE] = NEVER;
  }

  /** Sets the deadline one timeout, doubled `backoff` times, from now. Returns it. */
  setDeadline(node: number, nowNs: number, backoff: number): number {
    const deadline = nowNs + this.timeoutNs(node, backoff);
    this.values[node * FIELDS + DEADLINE] = deadline;
    return deadline;
  }

  /** The present timeout of a node, ns. */
  timeoutNs(node: number, backoff: number): number {
    const { initialNs, minNs, maxNs } = this.bounds;
    const at = node * FIELDS;
    const smoothed = this.values[at + SMOOTHED]!;
    const base = smoothed === 0 ? initialNs : smoothed + 4 * this.values[at + VARIATION]!;
    return Math.min(maxNs, Math.max(minNs, base) * 2 ** Math.min(backoff, BACKOFF_MAX));
  }

  startTiming(node: number, nowNs: number): void {
    this.values[node * FIELDS + SENT_AT] = nowNs;
  }

  stopTiming(node: number, nowNs: number): void {
    const at = node * FIELDS;
    const sample = Math.max(1, nowNs - this.values[at + SENT_AT]!);
    const smoothed = this.values[at + SMOOTHED]!;
    if (smoothed === 0) {
      this.values[at + SMOOTHED] = sample;
      this.values[at + VARIATION] = sample / 2;
      return;
    }
    const error = sample - smoothed;
    this.values[at + SMOOTHED] = smoothed + error / 8;
    this.values[at + VARIATION]! += (Math.abs(error) - this.values[at + VARIATION]!) / 4;
  }
}
