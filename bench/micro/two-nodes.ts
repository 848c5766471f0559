// Two nodes in the benchmark's own thread, with a port on node 1 that node 0 has a send right for, and
// a reply port on node 0: what the kernel's micro-benchmarks work on. Stepped by hand; time stands still.

import { StepClock } from "../../src/base/clock.ts";
import { Random } from "../../src/base/random.ts";
import { MACH_MSG_SUCCESS } from "../../src/base/status.ts";
import { machineLayout } from "../../src/config/board-shape.ts";
import { parseMachineOptions } from "../../src/config/machine-options.ts";
import { Board } from "../../src/hardware/board.ts";
import { copyin } from "../../src/ipc/copyin.ts";
import type { KernelMessage } from "../../src/ipc/kernel-message.ts";
import { Message } from "../../src/ipc/message.ts";
import { PORT_IN_SPACE, type Port } from "../../src/ipc/port.ts";
import { receiveFromPort, sendToPort } from "../../src/ipc/queueing.ts";
import { COPY_SEND, MACH_PORT_NULL, MAKE_SEND_ONCE, type PortName } from "../../src/ipc/rights.ts";
import type { Space } from "../../src/ipc/space.ts";
import { type ReceiveSink, ReceiveWait } from "../../src/ipc/waits.ts";
import { assembleNode } from "../../src/node/assemble.ts";
import type { NodeKernel } from "../../src/node/kernel.ts";
import { createMachineMemory, prepareMachineMemory } from "../../src/node/machine-memory.ts";
import type { NodeDriver } from "../../src/node/node-driver.ts";

const BODY_BYTES = 64;

const driver: NodeDriver = {
  clock: new StepClock(),
  tick: () => {},
  wake: () => {},
  attention: () => false,
  halting: () => false,
  waitBegins: () => {},
  stepNodes: () => false,
  patienceOver: () => false,
  park: () => {},
  log: () => {},
};

const nobody: ReceiveSink = { receiveCompleted: () => {} };

export class TwoNodes {
  readonly board: Board;
  readonly client: NodeKernel;
  readonly server: NodeKernel;
  readonly clientSpace: Space;
  readonly serverSpace: Space;
  /** The server's port: its name there, and the name of the client's send right. */
  readonly serverName: PortName;
  readonly destination: PortName;
  readonly proxy: Port;
  readonly replyName: PortName;
  readonly request = new Message(BODY_BYTES);
  readonly reply = new Message(BODY_BYTES);
  private readonly received = new Message(BODY_BYTES);
  private readonly answer = new Message(BODY_BYTES);
  private readonly clientWait = new ReceiveWait(nobody);
  private readonly serverWait = new ReceiveWait(nobody);

  constructor(seed: number) {
    const options = parseMachineOptions({ dimension: 1, seed }, "threads");
    const layout = machineLayout(options, 1);
    const memory = createMachineMemory(layout.totalBytes, options.memory.kind);
    prepareMachineMemory(memory, layout, () => 0);
    this.board = new Board(memory, layout);
    const placement = { exclusive: true, spinNs: 0, taps: null, swap: null, disks: [] };
    const random = new Random(seed);
    const node = (number: number): NodeKernel =>
      assembleNode(this.board, memory.buffer, number, options, driver, placement, random);
    this.client = node(0);
    this.server = node(1);
    this.clientSpace = this.client.newSpace();
    this.serverSpace = this.server.newSpace();

    const port = this.server.ipc.ports.create(PORT_IN_SPACE);
    this.serverName = this.serverSpace.insertReceive(port);
    const identifier = this.server.identifiers.identifierOf(port);
    this.proxy = must(this.client.identifiers.portOf(identifier));
    this.proxy.sendRights += 1; // the right that goes under a name next
    this.destination = this.clientSpace.insertSend(this.proxy);
    this.replyName = this.clientSpace.insertReceive(this.client.ipc.ports.create(PORT_IN_SPACE));

    const { request } = this;
    request.remote = this.destination;
    request.remoteDisposition = COPY_SEND;
    request.local = this.replyName;
    request.localDisposition = MAKE_SEND_ONCE;
    request.size = BODY_BYTES;
    this.answer.size = BODY_BYTES;
    this.clientWait.into = this.reply;
    this.serverWait.into = this.received;
  }

  /** Copyin of the request alone; the caller gives the message back with undo(). */
  copyinRequest(): KernelMessage {
    return this.copyin(this.client, this.clientSpace, this.request);
  }

  /** Takes back what copyinRequest() did. */
  undo(message: KernelMessage): void {
    must(message.remote).sendRights -= 1;
    must(message.local).sendOnceRights -= 1;
    this.client.ipc.pool.put(message);
  }

  /** A whole RPC, both nodes' work in this one thread. Returns the reply's first word. */
  rpc(word: number): number {
    const { client, server, request, answer, received } = this;
    request.words[0] = word;
    receiveFromPort(server.ipc, this.serverSpace, this.serverName, this.serverWait);
    this.send(client, this.clientSpace, request);
    receiveFromPort(client.ipc, this.clientSpace, this.replyName, this.clientWait);
    server.step();
    answer.answer(received);
    answer.words[0] = received.words[0]! + 1;
    this.send(server, this.serverSpace, answer);
    client.step();
    if (this.clientWait.waiting) throw new Error("no reply");
    return this.reply.words[0]!;
  }

  private send(kernel: NodeKernel, space: Space, message: Message): void {
    const status = sendToPort(kernel.ipc, this.copyin(kernel, space, message), false);
    if (status !== MACH_MSG_SUCCESS) throw new Error(`send status ${status}`);
  }

  private copyin(kernel: NodeKernel, space: Space, message: Message): KernelMessage {
    const taken = must(kernel.ipc.pool.takeToSend(message.size));
    const status = copyin(kernel.ipc, space, message, taken, MACH_PORT_NULL);
    if (status !== MACH_MSG_SUCCESS) throw new Error(`copyin status ${status}`);
    return taken;
  }
}

const must = <T>(value: T | null): T => {
  if (value === null) throw new Error("missing");
  return value;
};
