// What a node says of itself when somebody wants to know why nothing moves: who waits for what, what is queued, what is
// on its way, what is left. By the node's own thread, between two steps; lines for people.

import { FRAME_ARMED, FRAME_MESSAGE, FRAME_OBJECT, FRAME_WIRE } from "../hardware/frame-table.ts";
import type { MessageQueue } from "../ipc/message-queue.ts";
import { describePort, PORT_PROXY, type Port } from "../ipc/port.ts";
import type { ReceiveWait, SendWait } from "../ipc/waits.ts";
import { describePeer } from "../norma/peer.ts";
import { abroadOf, flowOf } from "../norma/port-abroad.ts";
import { OPEN_ALLOWANCE, VisitorWait } from "../norma/visitors.ts";
import { Receiver } from "../task/receiver.ts";
import { Sender } from "../task/sender.ts";
import type { NodeKernel } from "./kernel.ts";

export const describeNode = (kernel: NodeKernel): string[] => [
  ...describeWaits(kernel),
  ...describePorts(kernel),
  ...kernel.transport.met.map(describePeer),
  kernel.describeToken(),
  describeStock(kernel),
];

/** Who waits at which port, and under which name. */
const describeWaits = (kernel: NodeKernel): string[] => {
  const lines: string[] = [];
  const seen = new Set<MessageQueue>();
  for (const port of kernel.ipc.ports) {
    const { queue } = port;
    const where = `${naming(port)}${port.set === null ? "" : ` in set ${hex(port.set.name)}`}`;
    for (let wait = queue.receiverFirst; wait !== null && !seen.has(queue); wait = wait.next) {
      lines.push(`${receiverOf(wait)} waits for a message at ${where}`);
    }
    seen.add(queue);
    for (let wait = port.senderFirst; wait !== null; wait = wait.next) {
      lines.push(`${senderOf(wait)} waits for room at ${where}`);
    }
  }
  return lines;
};

const receiverOf = ({ sink }: ReceiveWait): string =>
  sink instanceof Receiver ? `task ${sink.task.node}.${sink.task.id}` : "the kernel";

const senderOf = (wait: SendWait): string => {
  if (wait instanceof VisitorWait) return `a sender on node ${wait.visitor.node}`;
  const { sink } = wait;
  return sink instanceof Sender ? `task ${sink.task.node}.${sink.task.id}` : "the kernel";
};

const naming = (port: Port): string => {
  const id = port.identifier === 0 ? "" : ` id ${hex(port.identifier)}`;
  if (port.state === PORT_PROXY) return `proxy ${port.index}${id} of a port on node ${port.home}`;
  return `port ${port.index}${id} name ${hex(port.name)}`;
};

const hex = (value: number): string => value.toString(16);

/** Ports at which something is queued, waits, is promised or is held. */
const describePorts = (kernel: NodeKernel): string[] => {
  const lines: string[] = [];
  for (const port of kernel.ipc.ports) {
    const stirs = port.messageCount > 0 || port.senderFirst !== null || port.promised > 0;
    if (!stirs && !port.held) continue;
    const held = port.held ? "; held until what is on its way by an old way has come" : "";
    const flow = port.state === PORT_PROXY ? describeFlow(port) : describeVisitors(port);
    lines.push(`${describePort(port)}, promised ${port.promised}${held}${flow}`);
  }
  return lines;
};

/** What a proxy may send. */
const describeFlow = (proxy: Port): string => {
  const { sent, allowed, inFlight, wanted, asked } = flowOf(proxy);
  const may = allowed === OPEN_ALLOWANCE ? "as many as fit" : `${allowed} in all`;
  return (
    `; home ${proxy.home}, has sent ${sent}, may send ${may}, ${inFlight} in flight, ` +
    `wants ${wanted}${asked ? ", has asked" : ""}`
  );
};

/** What others may send to a port. */
const describeVisitors = (port: Port): string => {
  if (port.abroad === null) return "";
  return abroadOf(port)
    .visitors.map(({ node, received, allowed, promised }) => {
      const may = allowed === OPEN_ALLOWANCE ? "as many as fit" : `${allowed} in all`;
      return `; node ${node} has sent ${received}, may send ${may}, promised ${promised}`;
    })
    .join("");
};

/** Messages and frames that are left. */
const describeStock = (kernel: NodeKernel): string => {
  const { frames, ipc, memory, vm } = kernel;
  const count = (state: number) => frames.count(state as typeof FRAME_ARMED);
  return (
    `pool: ${ipc.pool.freeCount} messages free; frames: ${frames.freeCount} of ${memory.layout.frameCount} free, ` +
    `${count(FRAME_ARMED)} armed, ${count(FRAME_MESSAGE)} in messages, ${count(FRAME_WIRE)} on the wire, ` +
    `${count(FRAME_OBJECT)} of memory objects, ${vm.pages.busyFrames} busy; ` +
    `${kernel.transport.unacknowledged()} packets unacknowledged`
  );
};
