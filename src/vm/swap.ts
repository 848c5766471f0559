// Where pages are while there is no room for them: a device of page-sized slots, and which of them are free.

import { assert } from "../base/assert.ts";

/** A file, or memory in tests. `page` is as long as a page. False = the device failed. */
export interface SwapDevice {
  readonly slots: number;
  read(slot: number, page: Uint8Array): boolean;
  write(slot: number, page: Uint8Array): boolean;
}

/** The device is full. */
export const NO_SWAP_SLOT = -1;

export class SwapSlots {
  readonly device: SwapDevice | null;
  private readonly freed: number[] = [];
  /** Slots from here on have never been used. */
  private fresh = 0;

  constructor(device: SwapDevice | null) {
    this.device = device;
  }

  /** Slots in use. */
  get used(): number {
    return this.fresh - this.freed.length;
  }

  allocate(): number {
    const { device, freed } = this;
    if (freed.length > 0) return freed.pop()!;
    return device !== null && this.fresh < device.slots ? this.fresh++ : NO_SWAP_SLOT;
  }

  release(slot: number): void {
    assert(slot >= 0 && slot < this.fresh, "the slot is in use");
    this.freed.push(slot);
  }
}
