// The transport between two nodes stepped by hand.

import { expect, test } from "@jest/globals";
import { PACKET_FRAME, PACKET_INLINE, PACKET_PAGE } from "../../src/hardware/packet-layout.ts";
import type { NodeKernel } from "../../src/node/kernel.ts";
import type { TransportClient } from "../../src/norma/transport.ts";
import { WIRE_ID, WIRE_KIND } from "../../src/norma/wire-layout.ts";
import { KINDS_MAX } from "../../src/norma/wire-values.ts";
import { HandWire } from "../support/hand-wire.ts";
import { LoneNodes } from "../support/lone-node.ts";

const KIND = KINDS_MAX - 1;

/** Keeps the number in WIRE_ID of what it accepted, and counts what came back. */
class Recorder implements TransportClient {
  readonly accepted: number[] = [];
  returned = 0;
  private readonly kernel: NodeKernel;

  constructor(kernel: NodeKernel) {
    this.kernel = kernel;
    kernel.transport.register(KIND, this);
  }

  accept(at: number): number {
    const { words } = this.kernel.memory;
    this.accepted.push(words[at + WIRE_ID]!);
    return words[at + PACKET_FRAME]!;
  }

  released(packet: number): void {
    this.returned += 1;
    this.kernel.ipc.pool.put(this.kernel.ipc.pool.byPacket(packet));
  }

  submit(id: number): void {
    const { ipc, memory, transport } = this.kernel;
    const message = ipc.pool.takeToSend(0);
    if (message === null) throw new Error("no message");
    const { words } = memory;
    words[message.at + WIRE_KIND] = KIND;
    words[message.at + WIRE_ID] = id;
    words[message.at + PACKET_INLINE] = 0;
    words[message.at + PACKET_PAGE] = 0;
    transport.submit(1, message.at);
  }
}

test("transport: packets of a kind that nobody handles yet wait until somebody does", async () => {
  const nodes = new LoneNodes({ dimension: 1 });
  const [from, to] = nodes.kernels as [NodeKernel, NodeKernel];
  const sender = new Recorder(from);
  sender.submit(0xc0ffee);
  sender.submit(0xc0ffef);
  await nodes.quiet();
  expect(from.transport.unacknowledged()).toBe(2);
  const receiver = new Recorder(to);
  await nodes.quiet();
  expect(receiver.accepted).toEqual([0xc0ffee, 0xc0ffef]);
  expect(sender.returned).toBe(2);
  expect(from.transport.unacknowledged()).toBe(0);
});

test("transport: packets come back in order, also when the first was being sent again as it was acknowledged", () => {
  const wire = new HandWire();
  for (const id of [1, 2, 3]) wire.submit(id);
  wire.holding = true;
  wire.arrive({ control: "nack" });
  wire.takeSent();
  wire.arrive({ control: "ack", ack: 3 });
  // The interface still reads the first: it cannot come back, and so the others must not either.
  expect(wire.returned).toEqual([]);
  expect(wire.transport.unacknowledged()).toBe(0);
  wire.finish();
  expect(wire.returned).toEqual([1, 2, 3]);
  wire.submit(4);
  expect(wire.takeSent()).toEqual(["data 4"]);
});
