// From port indexes to small numbers, without a heap object per entry: open addressing with linear probing.
// An entry that is deleted is closed up at once (backward shift), so that a right that comes and goes
// in a large space costs the same for ever: a Map of the language keeps what was deleted in its chains until
// it is rebuilt, and walks over it.

import { assert } from "../base/assert.ts";

const CAPACITY_MIN = 8;
/** No key: port indexes begin at 1. */
const EMPTY = 0;
/** 2^32 over the golden ratio: consecutive indexes spread (Knuth, 6.4). */
const SPREAD = 0x9e3779b1;

export class IndexMap {
  /** Key and value of each slot, side by side. */
  private slots = new Int32Array(2 * CAPACITY_MIN);
  private mask = CAPACITY_MIN - 1;
  private shift = 32 - Math.log2(CAPACITY_MIN);
  private used = 0;

  get size(): number {
    return this.used;
  }

  /** The value of a key; `missing` if it has none. */
  get(key: number, missing: number): number {
    const { slots, mask } = this;
    for (let at = this.home(key); ; at = (at + 1) & mask) {
      const found = slots[2 * at]!;
      if (found === key) return slots[2 * at + 1]!;
      if (found === EMPTY) return missing;
    }
  }

  set(key: number, value: number): void {
    assert(key > EMPTY);
    if (2 * (this.used + 1) > this.mask) this.grow();
    const { slots, mask } = this;
    let at = this.home(key);
    while (slots[2 * at] !== EMPTY && slots[2 * at] !== key) at = (at + 1) & mask;
    if (slots[2 * at] === EMPTY) this.used += 1;
    slots[2 * at] = key;
    slots[2 * at + 1] = value;
  }

  /** Does nothing for a key that is not there. */
  delete(key: number): void {
    const { slots, mask } = this;
    let at = this.home(key);
    while (slots[2 * at] !== key) {
      if (slots[2 * at] === EMPTY) return;
      at = (at + 1) & mask;
    }
    this.used -= 1;
    // Entries behind the gap move up unless that would be before their home.
    let gap = at;
    for (at = (at + 1) & mask; slots[2 * at] !== EMPTY; at = (at + 1) & mask) {
      const home = this.home(slots[2 * at]!);
      if (((at - home) & mask) < ((at - gap) & mask)) continue;
      slots[2 * gap] = slots[2 * at]!;
      slots[2 * gap + 1] = slots[2 * at + 1]!;
      gap = at;
    }
    slots[2 * gap] = EMPTY;
  }

  private home(key: number): number {
    return Math.imul(key, SPREAD) >>> this.shift;
  }

  private grow(): void {
    const old = this.slots;
    this.slots = new Int32Array(2 * old.length);
    this.mask = old.length - 1;
    this.shift -= 1;
    this.used = 0;
    for (let at = 0; at < old.length; at += 2) {
      if (old[at] !== EMPTY) this.set(old[at]!, old[at + 1]!);
    }
  }
}
