// Descriptions of faults that have a name.

import type { FaultOptionsInput } from "./fault-options.ts";

export const FAULT_PRESETS: Readonly<Record<string, FaultOptionsInput>> = {
  /** The Ethernet cards of the paper (2.6.2). */
  lossy: { drop: 0.05 },
  harsh: { drop: 0.2, duplicate: 0.05, reorder: 0.1, flip: 0.01 },
  /** Nodes cut off and at a standstill, again and again. */
  partition: {
    cuts: [{ node: 0, atNs: 1e6, forNs: 2e6, everyNs: 10e6, chance: 0.5 }],
    pauses: [{ forNs: 1e6, everyNs: 20e6, chance: 0.5 }],
  },
  /** Arrivals find no buffer. */
  starving: { drop: 0.01, starve: [{ forNs: 100e3, everyNs: 500e3, chance: 0.5 }] },
};
