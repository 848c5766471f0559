// What a codec needs of a message body: items written one after the other, and read back in the same
// order. Generic in what stands for a right (a name in a task's message, a Port in the kernel's) and for
// memory out of line (a range of the task's addresses; the pages themselves).
// A reader does not throw on what the wire brings: it fails, once and for all, and its values from then
// on are fillers that whoever sees `failed` does not look at.

import type { CarriedRight, Disposition } from "../ipc/rights.ts";

export interface ItemWriter<Right, Memory = unknown> {
  integer(value: number): void;
  integers(values: ArrayLike<number>): void;
  boolean(value: boolean): void;
  float64(value: number): void;
  text(value: string): void;
  bytes(value: Uint8Array): void;
  /** What becomes of the writer's right is for `disposition` to say. */
  right(right: Right, disposition: Disposition): void;
  rights(rights: readonly Right[], disposition: Disposition): void;
  /** A name as a bare number: no right goes with it. */
  portName(name: number): void;
  /** Memory out of line. */
  region(memory: Memory): void;
}

/** Memory of a task. `deallocate`: a sender's goes with the message. */
export interface Region {
  readonly address: number;
  readonly bytes: number;
  readonly deallocate?: boolean;
}

export interface ItemReader<Right, Memory = unknown> {
  /** An item was missing, of another type or of another size than was asked for. */
  readonly failed: boolean;
  /** No item is left. */
  readonly atEnd: boolean;
  /** Says that what was read makes no sense to the caller. */
  fail(): void;
  integer(): number;
  integers(): Int32Array<ArrayBuffer>;
  boolean(): boolean;
  float64(): number;
  text(): string;
  /** A copy, which is the caller's. */
  bytes(): Uint8Array<ArrayBuffer>;
  /** The right is the caller's if the whole body turns out well, and the message's until then. */
  right(kind: CarriedRight): Right;
  rights(kind: CarriedRight): Right[];
  /** A right of whichever kind it is. */
  anyRight(): { right: Right; kind: CarriedRight; dead: boolean };
  portName(): number;
  /** Memory out of line; whose it is until the whole body turns out well is as with rights. */
  region(): Memory;
}
