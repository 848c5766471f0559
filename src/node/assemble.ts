// Builds a node: its physical memory, its network interface with the wrappers that the options ask
// for, its kernel. Both drivers call this; neither is known here.

import type { Random } from "../base/random.ts";
import { isUnreliable } from "../config/board-shape.ts";
import type { MachineOptions } from "../config/machine-options.ts";
import type { Board } from "../hardware/board.ts";
import { DirectConnect } from "../hardware/direct-connect.ts";
import { FrameTable } from "../hardware/frame-table.ts";
import type { NetworkInterface } from "../hardware/network-interface.ts";
import { PhysicalMemory } from "../hardware/physical-memory.ts";
import { type PacketTap, TapWrapper } from "../hardware/tap-wrapper.ts";
import { type NodeDriver, NodeKernel } from "./kernel.ts";

/** What a driver decides about its nodes. */
export interface NodePlacement {
  /** The node has its worker thread to itself. */
  readonly exclusive: boolean;
  /** How long a waiting task steps the kernel before it suspends, ns. */
  readonly spinNs: number;
  /** Who sees every packet of the node; null for nobody. */
  readonly taps: TapSource | null;
}

/** Makes the tap of one node. */
export interface TapSource {
  tapOf(memory: PhysicalMemory): PacketTap;
}

export const assembleNode = (
  board: Board,
  buffer: SharedArrayBuffer,
  node: number,
  options: MachineOptions,
  driver: NodeDriver,
  placement: NodePlacement,
  random: Random,
): NodeKernel => {
  const memory = new PhysicalMemory(buffer, board.layout, node);
  const frames = new FrameTable(memory, options.memory.poison);
  const wire = buildInterface(board, memory, options);
  const network =
    placement.taps === null
      ? wire
      : new TapWrapper(wire, memory.words, placement.taps.tapOf(memory));
  const { transport, kernel } = options;
  return new NodeKernel(memory, network, frames, driver, random, {
    transport: {
      windowPackets: transport.windowPackets,
      unreliable: isUnreliable(options),
      ackDelayNs: transport.ackDelayNs,
      timeouts: {
        initialNs: transport.timeoutInitialNs,
        minNs: transport.timeoutMinNs,
        maxNs: transport.timeoutMaxNs,
      },
    },
    receiveReserve: kernel.receiveReserve ?? kernel.messages >> 2,
    namesPerTask: kernel.namesPerTask,
    spinNs: placement.spinNs,
    exclusive: placement.exclusive,
  });
};

const buildInterface = (
  board: Board,
  memory: PhysicalMemory,
  options: MachineOptions,
): NetworkInterface => {
  const { latencyNs, bytesPerSecond } = options.interconnect;
  return new DirectConnect(board, memory, { latencyNs, bytesPerSecond });
};
