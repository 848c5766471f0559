// The timers of a node: a binary heap ordered by deadline, then by order of setting, so that two
// runs of the simulator fire them alike. Cancelling marks; a marked entry is dropped when it surfaces,
// or when more than half of all are marked: most timeouts are long and are cancelled soon.

import { NEVER, type StepClock } from "../base/clock.ts";

/** Fewer cancelled entries than this are not worth the sweep. */
const CANCELLED_MIN = 64;

export interface TimerEntry {
  readonly deadlineNs: number;
  readonly order: number;
  fire: (() => void) | null;
}

export class Timers {
  private readonly heap: TimerEntry[] = [];
  private order = 0;
  private cancelled = 0;
  private readonly next = new Float64Array([NEVER]);
  private readonly clock: StepClock;

  constructor(clock: StepClock) {
    this.clock = clock;
  }

  /** True when run() has something to do. */
  isDue(): boolean {
    return this.clock.now() >= this.next[0]!;
  }

  /** When the earliest timer is due, ns; NEVER if there is none. */
  nextDeadlineNs(): number {
    return this.next[0]!;
  }

  /** Calls `fire` once at or after the deadline. */
  set(deadlineNs: number, fire: () => void): TimerEntry {
    const entry: TimerEntry = { deadlineNs, order: this.order++, fire };
    this.heap.push(entry);
    this.siftUp(this.heap.length - 1);
    this.next[0] = this.heap[0]!.deadlineNs;
    return entry;
  }

  /** Does nothing if it has fired. */
  cancel(entry: TimerEntry): void {
    if (entry.fire === null) return;
    entry.fire = null;
    this.cancelled += 1;
    if (this.cancelled > CANCELLED_MIN && this.cancelled * 2 > this.heap.length) this.compact();
  }

  /** Entries held, those included that were cancelled and not yet dropped. */
  get count(): number {
    return this.heap.length;
  }

  /** Fires what is due. Returns how many fired. */
  run(): number {
    const nowNs = this.clock.now();
    let fired = 0;
    while (this.heap.length > 0 && this.heap[0]!.deadlineNs <= nowNs) {
      const entry = this.pop();
      const { fire } = entry;
      if (fire === null) {
        this.cancelled -= 1;
        continue;
      }
      entry.fire = null;
      fired += 1;
      fire();
    }
    this.next[0] = this.heap.length === 0 ? NEVER : this.heap[0]!.deadlineNs;
    return fired;
  }

  private pop(): TimerEntry {
    const { heap } = this;
    const top = heap[0]!;
    const last = heap.pop()!;
    if (heap.length > 0) {
      heap[0] = last;
      this.siftDown(0);
    }
    return top;
  }

  /** Drops what was cancelled. The order of the others is that of deadlines and numbers, whatever the
   *  shape of the heap. */
  private compact(): void {
    const { heap } = this;
    let kept = 0;
    for (const entry of heap) if (entry.fire !== null) heap[kept++] = entry;
    heap.length = kept;
    for (let at = (kept >> 1) - 1; at >= 0; at--) this.siftDown(at);
    this.cancelled = 0;
    this.next[0] = kept === 0 ? NEVER : heap[0]!.deadlineNs;
  }

  private siftUp(start: number): void {
    const { heap } = this;
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(heap[at]!, heap[parent]!)) return;
      swap(heap, at, parent);
      at = parent;
    }
  }

  private siftDown(start: number): void {
    const { heap } = this;
    let at = start;
    for (;;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && before(heap[child]!, heap[least]!)) least = child;
      }
      if (least === at) return;
      swap(heap, at, least);
      at = least;
    }
  }
}

const before = (a: TimerEntry, b: TimerEntry): boolean =>
  a.deadlineNs !== b.deadlineNs ? a.deadlineNs < b.deadlineNs : a.order < b.order;

const swap = (heap: TimerEntry[], a: number, b: number): void => {
  const held = heap[a]!;
  heap[a] = heap[b]!;
  heap[b] = held;
};
