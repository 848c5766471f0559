// The holes of the original protocols (MK64 and MK83, norma/ipc_net.c and ipc_unreliable.c), one test each: it fails on
// what the original did. The peers are on paper only (test/support/hand-wire.ts).

import { expect, test } from "@jest/globals";
import { HandWire } from "../support/hand-wire.ts";

const PERIOD = 10_000;

/** A node whose first packet from the peer was discarded for want of a buffer, and that has one again. */
const calledAfterStop = (node = 0): HandWire => {
  const wire = new HandWire({}, node);
  wire.refusing = true;
  wire.arrive({ sequence: 1 });
  wire.refusing = false;
  wire.transport.buffersAvailable();
  wire.transport.poll(1);
  return wire;
};

test("hole 1: a NACK that is lost is no acknowledgement of a discarded packet: SYNC is answered by NACK again", () => {
  const wire = calledAfterStop();
  expect(wire.takeSent()).toEqual(["nack 0 alone"]); // lost
  wire.arrive({ control: "sync", number: 1, last: 1 });
  // MK64 had forgotten what it owed, and acknowledged: the packet was gone for ever.
  expect(wire.takeSent()).toEqual(["nack 0 alone #1"]);
  wire.arrive({ sequence: 1, id: 42 });
  expect(wire.accepted).toEqual([42]);
});

test("hole 2: node 0 is called like the others (D15)", () => {
  const wire = calledAfterStop(3);
  // MK64 went through the nodes it owed `while first > 0`.
  expect(wire.takeSent()).toEqual(["nack 0 alone"]);
});

test("hole 3: the NACK that tells of room makes its receiver go back, without a SYNC", () => {
  const wire = new HandWire();
  for (const id of [1, 2, 3]) wire.submit(id);
  wire.arrive({ control: "ack", ack: 1 });
  wire.arrive({ control: "quench", ack: 1 });
  wire.takeSent();
  // MK83 named the last packet received, and its sender threw that away as obsolete.
  wire.arrive({ control: "nack", ack: 1 });
  expect(wire.takeSent()).toEqual(["data 2", "data 3"]);
});

test("hole 4: a stopped node does not ask for what it would discard", () => {
  const wire = new HandWire();
  wire.refusing = true;
  wire.arrive({ sequence: 1 });
  for (let number = 1; number <= 5; number++) {
    wire.pass(PERIOD / 2);
    wire.arrive({ control: "sync", number, last: 1 });
  }
  // MK83 answered every SYNC by NACK: a window sent and discarded once per timeout.
  const sent = wire.takeSent();
  expect(sent.length).toBeGreaterThan(0);
  for (const control of sent) expect(control).toMatch(/^quench 0/);
});

test("hole 5: the packet received last is never delivered twice", () => {
  const wire = new HandWire();
  wire.arrive({ sequence: 1 });
  wire.submit(1); // its acknowledgement: lost
  wire.arrive({ sequence: 1 });
  // MK64 compared with < where it should have been <=.
  expect([wire.accepted, wire.takeSent()]).toEqual([[1], ["data 1 ack 1", "ack 1"]]);
});

test("hole 6: a control that waits for the interface is not overwritten by another", () => {
  const wire = new HandWire();
  wire.holding = true;
  wire.submit(1);
  wire.pass(2 * PERIOD); // SYNC is due
  wire.arrive({ sequence: 1 });
  wire.arrive({ sequence: 3 }); // and a NACK
  wire.arrive({ sequence: 1 }); // and an ACK
  wire.takeSent();
  wire.holding = false;
  wire.finish();
  // The original had one slot for each peer. The acknowledgement has gone with the first of the two.
  expect(wire.takeSent().map((sent) => sent.split(" ")[0])).toEqual(["nack", "sync"]);
});

test("hole 7: a stopped node still sends: controls, and data of its own", () => {
  const wire = new HandWire();
  wire.refusing = true;
  wire.arrive({ sequence: 1 });
  wire.arrive({ sequence: 1, from: 2 });
  wire.submit(1);
  wire.submit(2, 2);
  wire.pass(2 * PERIOD);
  const sent = wire.takeSent();
  expect(sent).toEqual(
    expect.arrayContaining(["data 1", "data 1 to 2", "quench 0", "quench 0 to 2"]),
  );
  expect(sent.filter((control) => control.startsWith("sync"))).toHaveLength(2);
});
