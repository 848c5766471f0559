// Builds a node: its physical memory, its network interface with the wrappers that the options ask
// for, its kernel. Both drivers call this; neither is known here.

import { assert } from "../base/assert.ts";
import { NEVER, type StepClock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import { RatedClock } from "../base/rated-clock.ts";
import { activeFaults, faultRules } from "../config/active-faults.ts";
import { isUnreliable } from "../config/board-shape.ts";
import type { FaultOptions } from "../config/fault-options.ts";
import type { MachineOptions } from "../config/machine-options.ts";
import type { Board } from "../hardware/board.ts";
import { nodeSchedule } from "../hardware/fault-schedule.ts";
import { FaultWrapper } from "../hardware/fault-wrapper.ts";
import { FRAME_WIRE, FrameTable, NO_FRAME } from "../hardware/frame-table.ts";
import type { MachineLayout } from "../hardware/machine-layout.ts";
import { makeInterconnect } from "../hardware/make-interconnect.ts";
import type { NetworkInterface } from "../hardware/network-interface.ts";
import { PhysicalMemory } from "../hardware/physical-memory.ts";
import { type PacketTap, TapWrapper } from "../hardware/tap-wrapper.ts";
import { TraceWrapper } from "../hardware/trace-wrapper.ts";
import type { SwapDevice } from "../vm/swap.ts";
import type { VirtualMemoryOptions } from "../vm/virtual-memory.ts";
import { NodeKernel } from "./kernel.ts";
import type { NodeFiles } from "./machine-files.ts";
import type { NodeDriver } from "./node-driver.ts";
import { NodeFaults } from "./node-faults.ts";

/** What a driver decides about its nodes. */
export interface NodePlacement extends NodeFiles {
  /** The node has its worker thread to itself. */
  readonly exclusive: boolean;
  /** How long a waiting task steps the kernel before it suspends, ns. */
  readonly spinNs: number;
  /** Who sees every packet of the node; null for nobody. */
  readonly taps: TapSource | null;
  /** Where cold pages go; null: they stay. */
  readonly swap: SwapDevice | null;
}

/** Makes the tap of one node. */
export interface TapSource {
  tapOf(memory: PhysicalMemory, clock: StepClock): PacketTap;
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
  const memory = new PhysicalMemory(buffer, board.layout, node, board.dma);
  const frames = new FrameTable(memory, options.memory.poison);
  const wire = buildWire(board, memory, driver.clock, options);
  const wrapper = wrapInFaults(wire, memory, frames, driver.clock, options);
  // The trace shows what software handed over and got, faults included; a driver's tap sees all that.
  const seen = wrapper ?? wire;
  const traced = options.trace.entries === 0 ? seen : new TraceWrapper(seen, memory, driver.clock);
  const network =
    placement.taps === null
      ? traced
      : new TapWrapper(traced, memory.words, placement.taps.tapOf(memory, driver.clock));
  const { transport, kernel, faults } = options;
  return new NodeKernel(
    memory,
    network,
    frames,
    driver,
    random,
    {
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
      vm: pagingLimits(options, memory.layout),
      transfer: kernel.transfer,
      protection: kernel.protection,
      receiveReserve: kernel.receiveReserve ?? kernel.messages >> 2,
      namesPerTask: kernel.namesPerTask,
      loopback: kernel.loopback,
      tokenPauseNs: kernel.tokenPauseNs === "manual" ? NEVER : kernel.tokenPauseNs,
      spinNs: placement.spinNs,
      exclusive: placement.exclusive,
      disks: placement.disks,
      faults:
        wrapper === null || faults === undefined
          ? null
          : nodeFaults(wrapper, memory, driver.clock, faults, faults.seed ?? options.seed),
    },
    placement.swap,
  );
};

/** When pages go to the swap file, in frames that are free: what the network keeps, when to begin, when enough is
 *  free again. */
const pagingLimits = (options: MachineOptions, layout: MachineLayout): VirtualMemoryOptions => {
  const { frameCount, ringLength } = layout;
  const { memory } = options;
  const reserveFrames = memory.reserveFrames ?? Math.min(ringLength, frameCount >> 3);
  const lowFrames = memory.pageoutLowFrames ?? reserveFrames + (frameCount >> 5);
  const highFrames = memory.pageoutHighFrames ?? lowFrames + (frameCount >> 5);
  return { reserveFrames, lowFrames, highFrames };
};

const buildWire = (
  board: Board,
  memory: PhysicalMemory,
  clock: StepClock,
  options: MachineOptions,
): NetworkInterface => {
  const { kind, latencyNs, bytesPerSecond } = options.interconnect;
  const pacing = { latencyNs, bytesPerSecond };
  return makeInterconnect(kind, board, memory, clock, pacing, options.seed);
};

const wrapInFaults = (
  wire: NetworkInterface,
  memory: PhysicalMemory,
  frames: FrameTable,
  clock: StepClock,
  { faults, seed }: MachineOptions,
): FaultWrapper | null => {
  if (faults === undefined) return null;
  const rules = faultRules(faults, seed);
  return new FaultWrapper(wire, memory, clock, rules, wireFrames(memory, frames));
};

/** Salt of the windows in which arrivals starve (fault-wrapper.ts has those of cuts and pauses). */
const SALT_STARVE = 3 << 24;

const nodeFaults = (
  wrapper: FaultWrapper,
  memory: PhysicalMemory,
  clock: StepClock,
  faults: FaultOptions,
  seed: number,
): NodeFaults => {
  const active = activeFaults(faults, seed);
  const hunger = nodeSchedule(active.starve, SALT_STARVE, memory.node, seed, clock);
  const off = active.clocks?.find(({ node }) => node === memory.node);
  const rated = off === undefined ? null : new RatedClock(clock, off.rate);
  return new NodeFaults(memory, wrapper, hunger, rated);
};

/** The frames that hold the pages of packets held back. */
const wireFrames = (memory: PhysicalMemory, frames: FrameTable): Int32Array => {
  const taken = new Int32Array(memory.layout.wireBuffers);
  for (let i = 0; i < taken.length; i++) {
    taken[i] = frames.allocate(FRAME_WIRE);
    assert(taken[i] !== NO_FRAME, "the layout has frames for the wire");
  }
  return taken;
};
