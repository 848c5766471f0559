// Nodes to which so much is on its way that ordinary senders wait, at their proxies, until there is less. A node that takes
// nothing would else fill this one's message pool, and stop all its other traffic. They are let go one of each proxy in
// turn, when a batch of packets has been read.

import type { IpcContext } from "../ipc/context.ts";
import { PORT_PROXY, type Port } from "../ipc/port.ts";
import { admitSender } from "../ipc/queueing.ts";
import type { FlowControl } from "./flow-control.ts";
import type { OverflowStream } from "./overflow-stream.ts";
import type { Transport } from "./transport.ts";

export class CrowdedNodes {
  private readonly ipc: IpcContext;
  private readonly transport: Transport;
  private readonly stream: OverflowStream;
  private readonly flow: FlowControl;
  private readonly backlogMax: number;
  /** Proxies of each node at which senders wait for room on the way there, in turn. */
  private readonly crowded = new Map<number, Port[]>();
  /** Nodes among them to which there is less on the way now. */
  private readonly toRelieve: number[] = [];

  /** `backlogMax`: packets that may be on their way to one node before ordinary senders to it wait. */
  constructor(
    ipc: IpcContext,
    transport: Transport,
    stream: OverflowStream,
    flow: FlowControl,
    backlogMax: number,
  ) {
    this.ipc = ipc;
    this.transport = transport;
    this.stream = stream;
    this.flow = flow;
    this.backlogMax = backlogMax;
  }

  /** False when too much is on its way to the proxy's home; then a sender there will be let go. */
  hasRoom(proxy: Port): boolean {
    if (this.onTheWay(proxy.home) < this.backlogMax) return true;
    const waiting = this.crowded.get(proxy.home);
    if (waiting === undefined) this.crowded.set(proxy.home, [proxy]);
    else if (!waiting.includes(proxy)) waiting.push(proxy);
    return false;
  }

  /** Packets that a node has not acknowledged, and messages that wait behind a large one to it. */
  private onTheWay(node: number): number {
    return this.transport.backlog(node) + this.stream.backlog(node);
  }

  /** There is less on the way to a node. */
  packetReleased(node: number): void {
    if (this.crowded.size > 0 && this.crowded.has(node)) this.toRelieve.push(node);
  }

  /** A batch of packets has been read. */
  batchEnded(): void {
    while (this.toRelieve.length > 0) {
      const node = this.toRelieve.shift()!;
      if (this.crowded.has(node)) this.relieve(node);
    }
  }

  /** Lets senders to a node go on as far as there is room, one of each proxy in turn. */
  private relieve(node: number): void {
    const waiting = this.crowded.get(node)!;
    while (waiting.length > 0 && this.onTheWay(node) < this.backlogMax) {
      const proxy = waiting.shift()!;
      if (proxy.senderFirst === null || proxy.home !== node || !this.isOpen(proxy)) continue;
      admitSender(this.ipc, proxy);
      if (proxy.senderFirst !== null) waiting.push(proxy);
    }
    if (waiting.length === 0) this.crowded.delete(node);
  }

  /** A sender at a proxy may go on, as far as the port's queue goes. */
  private isOpen(proxy: Port): boolean {
    return proxy.state === PORT_PROXY && !proxy.held && this.flow.hasRoom(proxy);
  }
}
