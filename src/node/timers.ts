// The timers of a node: a binary heap ordered by deadline, then by order of setting, so that two
// runs of the simulator fire them alike. Cancelling marks; a marked entry is dropped when it surfaces.

import { NEVER } from "../base/clock.ts";

export interface TimerEntry {
  readonly deadlineNs: number;
  readonly order: number;
  fire: (() => void) | null;
}

export class Timers {
  private readonly heap: TimerEntry[] = [];
  private order = 0;
  private readonly next = new Float64Array([NEVER]);

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

  cancel(entry: TimerEntry): void {
    entry.fire = null;
  }

  /** Fires what is due. Returns how many fired. */
  run(nowNs: number): number {
    let fired = 0;
    while (this.heap.length > 0 && this.heap[0]!.deadlineNs <= nowNs) {
      const { fire } = this.pop();
      if (fire === null) continue;
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
