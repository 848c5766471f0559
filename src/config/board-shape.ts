// From options to the shape of the board and the parameters of its nodes.

import { STREAM_PACKETS } from "../base/limits.ts";
import { alignUp, WORD_BYTES } from "../base/words.ts";
import type { BoardShape, MachineLayout } from "../hardware/machine-layout.ts";
import { FRAME_WORDS, layoutMachine } from "../hardware/machine-layout.ts";
import { hasChannels } from "../hardware/make-interconnect.ts";
import type { MachineOptions } from "./machine-options.ts";
import { OptionError } from "./option-error.ts";

/** Packets that a fault wrapper can hold back at once on one node. */
const WIRE_BUFFERS = 32;
/** Frames beyond the ring's and the wire's that a node must have to do anything at all. */
const SPARE_FRAMES_MIN = 8;

/** The layout of the machine's memory. Throws OptionError when a node's memory is too small. */
export const machineLayout = (options: MachineOptions, workers: number): MachineLayout => {
  const { memory, interconnect } = options;
  const shape: BoardShape = {
    nodes: 2 ** options.dimension,
    dimension: options.dimension,
    workers,
    pageBytes: memory.pageBytes,
    memoryBytes: memory.bytesPerNode,
    ringLength: interconnect.ringLength,
    packetBuffers: options.kernel.messages + STREAM_PACKETS,
    traceEntries: options.trace.entries,
    channels: hasChannels(interconnect.kind) ? options.dimension : 0,
    channelSlots: interconnect.kind === "store-and-forward" ? interconnect.channelSlots : 0,
    reassemblies: interconnect.kind === "ethernet" ? interconnect.reassemblies : 0,
    wireBuffers: options.faults === undefined ? 0 : WIRE_BUFFERS,
  };
  const layout = layoutMachine(shape);
  const framesMin = shape.ringLength + shape.wireBuffers + SPARE_FRAMES_MIN;
  if (layout.frameCount < framesMin) {
    const pages = framesMin + 1; // one is lost where the frames are aligned
    const words = layout.frameTableAt + framesMin * FRAME_WORDS;
    const bytes = alignUp(words * WORD_BYTES + pages * memory.pageBytes, memory.pageBytes);
    throw new OptionError(
      `option memory.bytesPerNode is ${memory.bytesPerNode}; with these options a node needs at ` +
        `least ${bytes}`,
    );
  }
  return layout;
};

/** Worker threads for a machine: as asked, or one per node up to a handful over the cores. */
export const workerCount = (options: MachineOptions, cores: number): number => {
  const nodes = 2 ** options.dimension;
  if (options.processors.workers !== undefined) return options.processors.workers;
  return nodes <= cores + 4 ? nodes : Math.min(nodes, cores);
};

/** Whether the interconnect may lose, repeat, reorder or damage packets. */
export const isUnreliable = (options: MachineOptions): boolean =>
  options.transport.unreliable ??
  (options.faults !== undefined || options.interconnect.kind === "ethernet");
