// A count of everything a node has: what must be back where it came from when all is quiet (I-11).
// Taken by the node's own thread between two steps; for leak tests, checkers and stats.

import { STREAM_PACKETS } from "../base/limits.ts";
import { FRAME_ARMED, FRAME_FREE, FRAME_MESSAGE, FRAME_WIRE } from "../hardware/frame-table.ts";
import { KERNEL_FRAMES, KERNEL_PACKETS } from "../ipc/kernel-message.ts";
import { PORT_PROXY } from "../ipc/port.ts";
import type { NodeKernel } from "./kernel.ts";

export interface NodeCensus {
  readonly node: number;
  readonly framesTotal: number;
  readonly framesFree: number;
  readonly framesArmed: number;
  readonly framesInMessages: number;
  readonly framesOnWire: number;
  /** Pages that an interface still reads. */
  readonly busyFrames: number;
  /** Messages in the pool, of messagesTotal. */
  readonly messagesFree: number;
  readonly messagesTotal: number;
  readonly ports: number;
  readonly proxies: number;
  /** Send and send-once rights on this node, names and messages together. */
  readonly sendRights: number;
  readonly sendOnceRights: number;
  readonly queuedMessages: number;
  readonly unacknowledged: number;
  readonly names: number;
  /** Identifiers of dead ports that are remembered until no right is on its way by them. */
  readonly deadIdentifiers: number;
}

export const takeCensus = (kernel: NodeKernel): NodeCensus => {
  const { frames, ipc, memory, transport, nameServer } = kernel;
  nameServer.forgetDead();
  kernel.specialSlots.forgetDead();
  let proxies = 0;
  let sendRights = 0;
  let sendOnceRights = 0;
  let queuedMessages = 0;
  for (const port of ipc.ports) {
    if (port.state === PORT_PROXY) proxies += 1;
    sendRights += port.sendRights;
    sendOnceRights += port.sendOnceRights;
    queuedMessages += port.messageCount;
  }
  return {
    node: kernel.node,
    framesTotal: memory.layout.frameCount - KERNEL_FRAMES,
    framesFree: frames.count(FRAME_FREE),
    framesArmed: frames.count(FRAME_ARMED),
    framesInMessages: frames.count(FRAME_MESSAGE) - KERNEL_FRAMES,
    framesOnWire: frames.count(FRAME_WIRE),
    busyFrames: kernel.vm.pages.busyFrames,
    messagesFree: ipc.pool.freeCount,
    messagesTotal: memory.layout.packetBuffers - KERNEL_PACKETS - STREAM_PACKETS,
    ports: ipc.ports.count - proxies,
    proxies,
    sendRights,
    sendOnceRights,
    queuedMessages,
    unacknowledged: transport.unacknowledged(),
    names: nameServer.count,
    deadIdentifiers: kernel.identifiers.deadCount,
  };
};
