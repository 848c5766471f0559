// MessagePort between two workers, without a library: what Node.js itself offers. The payload
// goes and comes back by structured clone, which for small payloads is cheaper than a transfer.
// Handlers call each other directly, no promise per trip: the best case.

import { PeerPair } from "./peer-pair.ts";

export function messagePortPeer(): PeerPair {
  return new PeerPair("messageport", new URL("./messageport-worker.js", import.meta.url));
}
