// Statistics from shared memory alone: the host reads them while the nodes run. A value may be a few
// microseconds old.

import { COUNTERS, type CounterKey, type CounterValues, readCounters } from "../base/counters.ts";
import {
  CHANNEL_BLOCKED_NS,
  CHANNEL_BYTES,
  CHANNEL_HOLDER,
  CHANNEL_PACKETS,
  CHANNEL_WAITING,
  type MachineLayout,
  REG_WORKER,
} from "../hardware/machine-layout.ts";
import { PhysicalMemory } from "../hardware/physical-memory.ts";
import { readTrace, type TraceRecord } from "../hardware/trace-wrapper.ts";
import type { ChannelStats, NodeStats } from "./machine-interface.ts";

export class StatsReader {
  private readonly memories: PhysicalMemory[] = [];
  private readonly doubles: Float64Array[] = [];

  constructor(buffer: SharedArrayBuffer, layout: MachineLayout) {
    for (let node = 0; node < layout.nodes; node++) {
      const memory = new PhysicalMemory(buffer, layout, node);
      this.memories.push(memory);
      this.doubles.push(new Float64Array(buffer, memory.regionByte, layout.regionWords >> 1));
    }
  }

  readNode(node: number): NodeStats {
    const memory = this.memories[node]!;
    const { layout } = memory;
    const doubles = this.doubles[node]!;
    const channels: ChannelStats[] = [];
    for (let dimension = 0; dimension < layout.channels; dimension++) {
      const at = layout.channelsAt + dimension * layout.channelStride;
      channels.push({
        dimension,
        packets: doubles[(at + CHANNEL_PACKETS) >> 1]!,
        bytes: doubles[(at + CHANNEL_BYTES) >> 1]!,
        blockedNs: doubles[(at + CHANNEL_BLOCKED_NS) >> 1]!,
      });
    }
    return {
      node,
      worker: memory.words[REG_WORKER]!,
      counters: readCounters(memory.counters),
      channels,
    };
  }

  /** The last packets of a node, oldest first; empty without the option trace.entries. */
  readTrace(node: number): TraceRecord[] {
    const memory = this.memories[node]!;
    return memory.layout.traceEntries === 0 ? [] : readTrace(memory);
  }

  /** The channels that somebody holds or waits for. */
  describeChannels(): string[] {
    return this.memories.flatMap((memory) => {
      const { layout, node, words } = memory;
      const lines = [describeChannel(words, layout.ejectionAt, `into node ${node}`)];
      for (let dimension = 0; dimension < layout.dimension; dimension++) {
        const at = layout.channelsAt + dimension * layout.channelStride;
        lines.push(
          describeChannel(words, at, `from node ${node} to node ${node ^ (1 << dimension)}`),
        );
      }
      return lines.filter((line) => line !== "");
    });
  }

  readAll(): { nodes: NodeStats[]; total: CounterValues } {
    const nodes = this.memories.map((memory) => this.readNode(memory.node));
    const total = {} as CounterValues;
    for (const key of Object.keys(COUNTERS) as CounterKey[]) {
      total[key] = nodes.reduce((sum, stats) => sum + stats.counters[key], 0);
    }
    return { nodes, total };
  }
}

/** Empty if the channel at word `at` is free and nobody has left word. The ejection channel has the same words. */
const describeChannel = (words: Int32Array, at: number, what: string): string => {
  // Not synchronised: what was so a moment ago is good enough to explain a standstill.
  const holder = words[at + CHANNEL_HOLDER]!;
  const waiting = words[at + CHANNEL_WAITING]! !== 0;
  if (holder === 0 && !waiting) return "";
  const held = holder === 0 ? "free" : `held by node ${holder - 1}`;
  return `channel ${what}: ${held}${waiting ? ", somebody waits for it" : ""}`;
};
