// The table of counters that every node keeps in shared memory, where the host reads them live.
// One entry = index, key, unit and a sentence; stats(), the command line and the docs come from it.
// Each is a double that its node alone writes with plain stores: the host may read a value that is
// a few microseconds old, never a torn one (aligned 8-byte stores do not tear on 64-bit hosts).

interface CounterEntry {
  readonly index: number;
  readonly unit: "packets" | "pages" | "bytes" | "messages" | "ns" | "times";
  readonly sentence: string;
}

export const COUNTERS = {
  packetsSent: { index: 0, unit: "packets", sentence: "packets handed to the interface" },
  packetsReceived: { index: 1, unit: "packets", sentence: "packets taken off the receive ring" },
  dmaBytes: { index: 2, unit: "bytes", sentence: "bytes moved by the DMA engine for this sender" },
  copiedBytes: {
    index: 3,
    unit: "bytes",
    sentence: "bytes of bodies and rights copied by this node's CPU",
  },
  circuitsHeld: {
    index: 4,
    unit: "times",
    sentence: "packets that the interface could not deliver at once",
  },
  acksSent: { index: 5, unit: "packets", sentence: "explicit acknowledgements sent" },
  nacksSent: { index: 6, unit: "packets", sentence: "negative acknowledgements sent" },
  syncsSent: { index: 36, unit: "packets", sentence: "acknowledgement requests sent" },
  quenchesSent: { index: 37, unit: "packets", sentence: "quench requests sent" },
  retransmitted: { index: 7, unit: "packets", sentence: "packets sent again" },
  duplicates: { index: 8, unit: "packets", sentence: "packets received twice and suppressed" },
  outOfOrder: { index: 9, unit: "packets", sentence: "packets discarded: not the next in order" },
  noBuffer: { index: 10, unit: "packets", sentence: "packets discarded: no message buffer free" },
  damaged: {
    index: 11,
    unit: "packets",
    sentence: "packets, and rights in them, that were not believed: the sum of all rejected…",
  },
  messagesSent: { index: 12, unit: "messages", sentence: "messages accepted from tasks" },
  messagesReceived: { index: 13, unit: "messages", sentence: "messages copied out to tasks" },
  messagesRemote: { index: 14, unit: "messages", sentence: "messages handed to network IPC" },
  messagesDestroyed: { index: 15, unit: "messages", sentence: "messages destroyed undelivered" },
  proxies: { index: 16, unit: "times", sentence: "proxy ports created" },
  spins: { index: 17, unit: "times", sentence: "waits that ended while spinning in the kernel" },
  suspends: { index: 18, unit: "times", sentence: "waits that suspended the task" },
  forwarded: {
    index: 19,
    unit: "packets",
    sentence: "packets forwarded for others (store-and-forward)",
  },
  faultsDropped: { index: 20, unit: "packets", sentence: "packets dropped by the fault wrapper" },
  faultsDuplicated: {
    index: 21,
    unit: "packets",
    sentence: "packets duplicated by the fault wrapper",
  },
  faultsDelayed: { index: 22, unit: "packets", sentence: "packets held back by the fault wrapper" },
  faultsFlipped: {
    index: 23,
    unit: "packets",
    sentence: "packets with a bit flipped by the fault wrapper",
  },
  faultsReordered: {
    index: 38,
    unit: "packets",
    sentence: "packets held back until a later one of their link had passed",
  },
  faultsCut: { index: 39, unit: "packets", sentence: "packets lost where a link was cut" },
  faultsPaused: { index: 40, unit: "times", sentence: "pauses of the node's interface" },
  faultsStarved: {
    index: 41,
    unit: "times",
    sentence: "times that arrivals got no buffer on purpose",
  },
  faultsSpared: {
    index: 42,
    unit: "packets",
    sentence: "packets that passed undisturbed: no wire buffer was free",
  },
  faults: {
    index: 24,
    unit: "times",
    sentence: "page faults of tasks, and of the kernel for them",
  },
  zeroFills: { index: 25, unit: "pages", sentence: "pages made and filled with zeros on demand" },
  cowCopies: {
    index: 26,
    unit: "pages",
    sentence: "pages copied because a shared one was written",
  },
  pageIns: { index: 27, unit: "pages", sentence: "pages read back from swap" },
  pageOuts: { index: 28, unit: "pages", sentence: "pages written to swap" },
  busyWaits: { index: 29, unit: "times", sentence: "stores that found their page busy" },
  pagesStolen: { index: 30, unit: "pages", sentence: "pages that left their task with a message" },
  dataCopiedBytes: {
    index: 32,
    unit: "bytes",
    sentence: "bytes of out-of-line data copied by this node's CPU to send or receive them",
  },
  tokenPeriods: { index: 33, unit: "times", sentence: "periods of the token begun (node 0)" },
  tokenMessages: {
    index: 34,
    unit: "messages",
    sentence: "messages in which the token was sent on",
  },
  tokenBytes: { index: 35, unit: "bytes", sentence: "bytes of those messages' bodies" },
  rejectedAddress: { index: 48, unit: "packets", sentence: "rejected: for another node" },
  rejectedSource: { index: 49, unit: "packets", sentence: "rejected: from no node that there is" },
  rejectedLength: { index: 50, unit: "packets", sentence: "rejected: lengths that cannot be" },
  rejectedChecksum: { index: 51, unit: "packets", sentence: "rejected: wrong checksum" },
  rejectedKind: { index: 52, unit: "packets", sentence: "rejected: of no kind that there is" },
  rejectedAck: {
    index: 53,
    unit: "packets",
    sentence: "rejected: acknowledges what was never sent",
  },
  rejectedMessage: { index: 54, unit: "packets", sentence: "rejected: a malformed message" },
  rejectedOverflow: {
    index: 55,
    unit: "packets",
    sentence: "rejected: what follows a message is malformed, or follows none",
  },
  rejectedNote: { index: 56, unit: "packets", sentence: "rejected: a malformed note" },
  rejectedToken: { index: 57, unit: "packets", sentence: "rejected: a malformed token" },
  rejectedRight: {
    index: 58,
    unit: "times",
    sentence: "rejected: a right in a message that its sender cannot have had",
  },
  rejectedRoute: { index: 59, unit: "messages", sentence: "rejected: it would go in circles" },
  unknownDestination: {
    index: 60,
    unit: "messages",
    sentence: "messages from other nodes for ports that are dead or were never here",
  },
  pagesBorrowed: { index: 31, unit: "pages", sentence: "pages sent from where the task has them" },
  framesSent: { index: 43, unit: "packets", sentence: "frames sent (ethernet)" },
  collisions: {
    index: 44,
    unit: "times",
    sentence: "times that a frame collided with another (ethernet)",
  },
  collisionsGivenUp: {
    index: 45,
    unit: "packets",
    sentence: "packets lost because a frame of theirs collided too often (ethernet)",
  },
  noDescriptor: {
    index: 46,
    unit: "packets",
    sentence: "packets of this sender lost: no descriptor was armed (ethernet)",
  },
  noReassembly: {
    index: 47,
    unit: "packets",
    sentence: "packets of this sender lost: no room to put fragments together (ethernet)",
  },
  reassembliesGivenUp: {
    index: 61,
    unit: "packets",
    sentence: "packets given up before all fragments had come, as this sender found (ethernet)",
  },
  strayFragments: {
    index: 62,
    unit: "packets",
    sentence: "fragments of this sender that belonged to no packet under way (ethernet)",
  },
  ringReturns: {
    index: 63,
    unit: "times",
    sentence: "times that a packet came back: no descriptor was armed (token ring)",
  },
} as const satisfies Record<string, CounterEntry>;

export type CounterKey = keyof typeof COUNTERS;

/** Room for counters in a node's region, in doubles. */
export const COUNTERS_MAX = 64;

/** The counters of one node by name, read once. */
export type CounterValues = Record<CounterKey, number>;

export const readCounters = (counters: Float64Array): CounterValues => {
  const values = {} as CounterValues;
  for (const key of Object.keys(COUNTERS) as CounterKey[]) {
    values[key] = counters[COUNTERS[key].index] ?? 0;
  }
  return values;
};
