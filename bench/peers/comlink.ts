// A comlink call between two workers over a MessageChannel: the convenient way to do RPC between
// threads. The payload is the argument and the result, both by structured clone.

import { PeerPair } from "./peer-pair.ts";

export function comlinkPeer(): PeerPair {
  return new PeerPair("comlink", new URL("./comlink-worker.js", import.meta.url));
}
