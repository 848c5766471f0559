// Notes between nodes when there is no packet buffer for them: they wait, in order, and none is lost.

import { expect, test } from "@jest/globals";
import { PACKET_ROUTE } from "../../src/hardware/packet-layout.ts";
import type { KernelMessage } from "../../src/ipc/kernel-message.ts";
import { PortNotes } from "../../src/norma/port-notes.ts";
import type { Transport } from "../../src/norma/transport.ts";
import { WIRE_LOCAL } from "../../src/norma/wire-layout.ts";
import { NOTE_WANT } from "../../src/norma/wire-values.ts";
import { LoneNodes } from "../support/lone-node.ts";

const bench = () => {
  const { ipc } = new LoneNodes().kernels[0]!;
  const { words } = ipc.memory;
  const packets: number[] = [];
  const sent: number[][] = [];
  const transport = {
    register: () => {},
    submit: (node: number, at: number) => {
      packets.push(at);
      words[at + PACKET_ROUTE] = node;
      sent.push([node, words[at + WIRE_LOCAL]!]);
    },
  } as unknown as Transport;
  const relieved: number[] = [];
  const reader = {
    noteArrived: () => {},
    packetReleased: (node: number) => void relieved.push(node),
  };
  const notes = new PortNotes(
    ipc,
    transport,
    { submit: (node, message) => transport.submit(node, message.at) },
    reader,
  );
  const taken: KernelMessage[] = [];
  for (let one = ipc.pool.takeForKernel(); one !== null; one = ipc.pool.takeForKernel())
    taken.push(one);
  return { ipc, notes, packets, sent, relieved, taken };
};

test("port notes: without a packet buffer they wait, and go in order as buffers come back", () => {
  const { ipc, notes, sent, taken } = bench();
  for (const first of [1, 2, 3]) notes.send(first, NOTE_WANT, 0x28, first);
  notes.sendPending();
  expect(sent).toEqual([]);
  ipc.pool.put(taken.pop()!);
  notes.sendPending();
  expect(sent).toEqual([[1, 1]]);
  ipc.pool.put(taken.pop()!);
  ipc.pool.put(taken.pop()!);
  ipc.pool.put(taken.pop()!);
  notes.sendPending();
  expect(sent).toEqual([1, 2, 3].map((note) => [note, note]));
  expect(ipc.pool.freeCount).toBe(1);
});

test("port notes: one that is new does not overtake those that wait", () => {
  const { ipc, notes, sent, taken } = bench();
  notes.send(1, NOTE_WANT, 0x28, 1);
  ipc.pool.put(taken.pop()!);
  ipc.pool.put(taken.pop()!);
  notes.send(1, NOTE_WANT, 0x28, 2);
  notes.sendPending();
  expect(sent).toEqual([
    [1, 1],
    [1, 2],
  ]);
});

test("port notes: an acknowledged note gives its buffer back, and says which node has one less to take", () => {
  const { ipc, notes, packets, relieved, taken } = bench();
  ipc.pool.put(taken.pop()!);
  notes.send(5, NOTE_WANT, 0x28);
  expect(ipc.pool.freeCount).toBe(0);
  notes.released(packets[0]!);
  expect(ipc.pool.freeCount).toBe(1);
  expect(relieved).toEqual([5]);
});
