// The interconnects that a machine can be built with, by name.

import type { StepClock } from "../base/clock.ts";
import type { Board } from "./board.ts";
import { DirectConnect, type Pacing } from "./direct-connect.ts";
import { Ethernet } from "./ethernet.ts";
import type { NetworkInterface } from "./network-interface.ts";
import type { PhysicalMemory } from "./physical-memory.ts";
import { StoreAndForward } from "./store-and-forward.ts";
import { TokenRing } from "./token-ring.ts";

export const INTERCONNECT_KINDS = [
  "direct-connect",
  "store-and-forward",
  "ethernet",
  "token-ring",
] as const;
export type InterconnectKind = (typeof INTERCONNECT_KINDS)[number];

/** False where all nodes share one medium. */
export const hasChannels = (kind: InterconnectKind): boolean =>
  kind === "direct-connect" || kind === "store-and-forward";

/** Makes a node's interface. `seed`: from which an ethernet draws its backoffs. */
export const makeInterconnect = (
  kind: InterconnectKind,
  board: Board,
  memory: PhysicalMemory,
  clock: StepClock,
  pacing: Pacing,
  seed: number,
): NetworkInterface => {
  switch (kind) {
    case "direct-connect":
      return new DirectConnect(board, memory, clock, pacing);
    case "store-and-forward":
      return new StoreAndForward(board, memory, clock, pacing);
    case "ethernet":
      return new Ethernet(board, memory, clock, pacing, seed);
    case "token-ring":
      return new TokenRing(board, memory, clock, pacing);
  }
};
