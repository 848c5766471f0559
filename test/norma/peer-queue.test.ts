// The queue of peers with something to send.

import { expect, test } from "@jest/globals";
import { Peer } from "../../src/norma/peer.ts";
import { PeerQueue } from "../../src/norma/peer-queue.ts";

test("peer queue: first in, first out, through many rounds and a growth in the middle", () => {
  const queue = new PeerQueue();
  const peers = Array.from({ length: 100 }, (_, node) => new Peer(node, 8, 4));
  for (const size of [1, 3, 4, 5, 100, 2]) {
    for (let round = 0; round < 7; round++) {
      for (const peer of peers.slice(0, size)) queue.push(peer);
      expect(peers.slice(0, size).every((peer) => peer.inReady)).toBe(true);
      const order = peers.slice(0, size).map(() => queue.shift().node);
      expect(order).toEqual(peers.slice(0, size).map((peer) => peer.node));
      expect(queue.isEmpty).toBe(true);
    }
  }
});

test("peer queue: it grows when its items lie across its end", () => {
  const queue = new PeerQueue();
  const peers = Array.from({ length: 9 }, (_, node) => new Peer(node, 8, 4));
  for (const peer of peers.slice(0, 3)) queue.push(peer);
  for (let i = 0; i < 3; i++) queue.shift();
  for (const peer of peers) queue.push(peer);
  expect(peers.map(() => queue.shift().node)).toEqual(peers.map((peer) => peer.node));
});

test("peer queue: a peer is in it once", () => {
  const queue = new PeerQueue();
  const peer = new Peer(0, 8, 4);
  queue.push(peer);
  expect(() => queue.push(peer)).toThrow();
  queue.shift();
  queue.push(peer);
});
