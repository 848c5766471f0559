// Peers that have something to send, first in first out; a peer is in it at most once.
// A ring that grows by doubling and is never shrunk, so that steady use allocates nothing.

import { assert } from "../base/assert.ts";
import type { Peer } from "./peer.ts";

export class PeerQueue {
  private items: (Peer | null)[] = [null, null, null, null];
  private head = 0;
  private count = 0;

  get isEmpty(): boolean {
    return this.count === 0;
  }

  push(peer: Peer): void {
    assert(!peer.inReady);
    peer.inReady = true;
    if (this.count === this.items.length) this.grow();
    this.items[(this.head + this.count) & (this.items.length - 1)] = peer;
    this.count += 1;
  }

  shift(): Peer {
    const peer = this.items[this.head]!;
    this.items[this.head] = null;
    this.head = (this.head + 1) & (this.items.length - 1);
    this.count -= 1;
    peer.inReady = false;
    return peer;
  }

  private grow(): void {
    const old = this.items;
    this.items = new Array(old.length * 2).fill(null);
    for (let i = 0; i < this.count; i++) this.items[i] = old[(this.head + i) & (old.length - 1)]!;
    this.head = 0;
  }
}
