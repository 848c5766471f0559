// The times that the transport keeps of each peer: its timeout period, and two deadlines:
//   expected   when an acknowledgement of what was sent to it is overdue
//   owed       when it must hear from us (again) about a packet of its that was refused
// In nanoseconds; doubles in typed arrays, and read from the clock here, so that nothing allocates.
// The paper (2.6.2) asks for timeouts far below hundreds of milliseconds: here they follow the machine,
// between bounds that are options (transport.timeout*). A period is the smoothed round trip and its mean deviation (Jacobson
// 1988), not four times that (RFC 6298): two periods pass before anything is sent, and then it is a SYNC, not a window.

import { NEVER, type StepClock } from "../base/clock.ts";

const SMOOTHED = 0;
const VARIATION = 1;
const PACKET_AT = 2;
const SYNC_AT = 3;
const EXPECTED = 4;
const OWED = 5;
const PERIOD = 6;
const FIELDS = 7;

const BACKOFF_MAX = 8;

export interface TimeoutBounds {
  /** Before anything is measured, ns. */
  readonly initialNs: number;
  /** Never below this, ns: the clock is read once a step, not once a packet. */
  readonly minNs: number;
  readonly maxNs: number;
}

export class PeerTimes {
  private readonly bounds: TimeoutBounds;
  private readonly clock: StepClock;
  private readonly values: Float64Array;
  /** Not later than the earliest deadline of any peer: expected, owed. */
  private readonly earliest = new Float64Array([NEVER, NEVER]);

  constructor(nodes: number, bounds: TimeoutBounds, clock: StepClock) {
    this.bounds = bounds;
    this.clock = clock;
    this.values = new Float64Array(nodes * FIELDS);
    for (let node = 0; node < nodes; node++) {
      this.values[node * FIELDS + EXPECTED] = NEVER;
      this.values[node * FIELDS + OWED] = NEVER;
      this.setPeriod(node, bounds.initialNs);
    }
  }

  /** The present timeout period of a node, doubled `backoff` times, ns. */
  periodNs(node: number, backoff: number): number {
    const doubled = this.values[node * FIELDS + PERIOD]! * (1 << Math.min(backoff, BACKOFF_MAX));
    return Math.min(this.bounds.maxNs, doubled);
  }

  private setPeriod(node: number, ns: number): void {
    const { minNs, maxNs } = this.bounds;
    this.values[node * FIELDS + PERIOD] = Math.min(maxNs, Math.max(minNs, ns));
  }

  // --- samples ----------------------------------------------------------------------------------

  /** A packet that is timed leaves. */
  packetLeaves(node: number): void {
    this.values[node * FIELDS + PACKET_AT] = this.clock.now();
  }

  /** It is acknowledged. What took longer than a period may have waited for a peer that mended a loss of its own, and
   *  tells nothing: periods that grew with such samples would grow each other. Whether the way has become longer
   *  the answers of SYNCs tell. */
  packetReturns(node: number): void {
    const took = this.clock.now() - this.values[node * FIELDS + PACKET_AT]!;
    if (took <= this.periodNs(node, 0)) this.sample(node, PACKET_AT);
  }

  /** A SYNC leaves; its answer is here. */
  syncLeaves(node: number): void {
    this.values[node * FIELDS + SYNC_AT] = this.clock.now();
  }

  syncReturns(node: number): void {
    this.sample(node, SYNC_AT);
  }

  private sample(node: number, leftAt: number): void {
    const { values } = this;
    const at = node * FIELDS;
    const sample = Math.max(1, this.clock.now() - values[at + leftAt]!);
    const smoothed = values[at + SMOOTHED]!;
    if (smoothed === 0) {
      values[at + SMOOTHED] = sample;
      values[at + VARIATION] = sample / 2;
    } else {
      const error = sample - smoothed;
      values[at + SMOOTHED] = smoothed + error / 8;
      values[at + VARIATION]! += (Math.abs(error) - values[at + VARIATION]!) / 4;
    }
    this.setPeriod(node, values[at + SMOOTHED]! + values[at + VARIATION]!);
  }

  // --- what is expected -----------------------------------------------------------------------------

  isExpecting(node: number): boolean {
    return this.values[node * FIELDS + EXPECTED] !== NEVER;
  }

  isOverdue(node: number): boolean {
    return this.clock.now() >= this.values[node * FIELDS + EXPECTED]!;
  }

  /** An acknowledgement is expected within so many periods. */
  expect(node: number, periods: number): void {
    this.values[node * FIELDS + EXPECTED] = this.clock.now() + periods * this.periodNs(node, 0);
    this.watchExpected(node);
  }

  /** Within one period, doubled `backoff` times. */
  expectAgain(node: number, backoff: number): void {
    this.values[node * FIELDS + EXPECTED] = this.clock.now() + this.periodNs(node, backoff);
    this.watchExpected(node);
  }

  /** Within so many of the longest period: the node has said that it will take its time. */
  expectLate(node: number, periods: number): void {
    this.values[node * FIELDS + EXPECTED] = this.clock.now() + periods * this.bounds.maxNs;
    this.watchExpected(node);
  }

  clearExpected(node: number): void {
    this.values[node * FIELDS + EXPECTED] = NEVER;
  }

  /** True if something may be overdue; then every peer is looked at, and watched again. */
  isAnyOverdue(): boolean {
    return this.clock.now() >= this.earliest[0]!;
  }

  expectedSweepBegins(): void {
    this.earliest[0] = NEVER;
  }

  watchExpected(node: number): void {
    const deadline = this.values[node * FIELDS + EXPECTED]!;
    if (deadline < this.earliest[0]!) this.earliest[0] = deadline;
  }

  // --- what is owed ---------------------------------------------------------------------------------

  isOwing(node: number): boolean {
    return this.values[node * FIELDS + OWED] !== NEVER;
  }

  isOwedDue(node: number): boolean {
    return this.clock.now() >= this.values[node * FIELDS + OWED]!;
  }

  /** The node must hear from us within one period, doubled `backoff` times. */
  owe(node: number, backoff: number): void {
    this.values[node * FIELDS + OWED] = this.clock.now() + this.periodNs(node, backoff);
    this.watchOwed(node);
  }

  clearOwed(node: number): void {
    this.values[node * FIELDS + OWED] = NEVER;
  }

  isAnyOwedDue(): boolean {
    return this.clock.now() >= this.earliest[1]!;
  }

  owedSweepBegins(): void {
    this.earliest[1] = NEVER;
  }

  watchOwed(node: number): void {
    const deadline = this.values[node * FIELDS + OWED]!;
    if (deadline < this.earliest[1]!) this.earliest[1] = deadline;
  }

  /** When somebody must be looked at, ns. */
  nextDeadlineNs(): number {
    return Math.min(this.earliest[0]!, this.earliest[1]!);
  }
}
