// The receiving half of the protocol, each state and event by name (paper 2.6): what a peer, which is on paper only, is
// told of its packets. Periods are 10 us here, acknowledgements wait 1 us; every second one is explicit at once.

import { describe, expect, test } from "@jest/globals";
import { NEVER } from "../../src/base/clock.ts";
import { COUNTERS } from "../../src/base/counters.ts";
import { HandWire } from "../support/hand-wire.ts";

const PERIOD = 10_000;
const ACK_DELAY = 1000;

describe("open", () => {
  test("open: what is next in order is delivered, and acknowledged when nothing has taken the ACK along", () => {
    const wire = new HandWire();
    wire.arrive({ sequence: 1, id: 11 });
    expect([wire.accepted, wire.takeSent()]).toEqual([[11], []]);
    wire.pass(ACK_DELAY);
    expect(wire.takeSent()).toEqual(["ack 1"]);
    expect(wire.transport.nextDeadlineNs()).toBe(NEVER);
  });

  test("open: an acknowledgement rides on a packet that goes there anyway", () => {
    const wire = new HandWire();
    wire.arrive({ sequence: 1 });
    wire.submit(5);
    expect(wire.takeSent()).toEqual(["data 1 ack 1"]);
    wire.pass(ACK_DELAY);
    expect(wire.takeSent()).toEqual([]);
  });

  test("open: half a window is acknowledged at once", () => {
    const wire = new HandWire();
    wire.arrive({ sequence: 1 });
    wire.arrive({ sequence: 2 });
    expect(wire.takeSent()).toEqual(["ack 2"]);
  });

  test("open: a duplicate is acknowledged again and never delivered", () => {
    const wire = new HandWire();
    wire.arrive({ sequence: 1 });
    wire.pass(ACK_DELAY);
    wire.takeSent();
    wire.arrive({ sequence: 1 });
    expect([wire.accepted, wire.takeSent()]).toEqual([[1], ["ack 1"]]);
    expect(wire.counter(COUNTERS.duplicates)).toBe(1);
  });

  test("open: a gap is answered by one NACK, however much comes after it", () => {
    const wire = new HandWire();
    for (const sequence of [1, 3, 4]) wire.arrive({ sequence });
    expect([wire.accepted, wire.takeSent()]).toEqual([[1], ["nack 1"]]);
    expect(wire.counter(COUNTERS.outOfOrder)).toBe(2);
    for (const sequence of [2, 3, 5]) wire.arrive({ sequence });
    expect([wire.accepted, wire.takeSent()]).toEqual([
      [1, 2, 3],
      ["ack 3", "nack 3"],
    ]);
  });

  test("open: a damaged packet is as if it had not come", () => {
    const wire = new HandWire();
    wire.arrive({ sequence: 1, damaged: true });
    wire.pass(PERIOD);
    expect([wire.accepted, wire.takeSent()]).toEqual([[], []]);
    expect(wire.counter(COUNTERS.damaged)).toBe(1);
    wire.arrive({ sequence: 1 });
    expect(wire.accepted).toEqual([1]);
  });

  test("open: SYNC of what is here is answered by ACK with its number: a lost ACK is made good (D9)", () => {
    const wire = new HandWire();
    wire.arrive({ sequence: 1 });
    wire.pass(ACK_DELAY);
    wire.takeSent();
    wire.arrive({ control: "sync", number: 5, last: 1 });
    expect([wire.accepted, wire.takeSent()]).toEqual([[1], ["ack 1 #5"]]);
  });

  test("open: SYNC of what is missing is answered by NACK: a lost packet is made good (D8)", () => {
    const wire = new HandWire();
    wire.arrive({ sequence: 1 });
    wire.arrive({ control: "sync", number: 6, last: 3 });
    expect(wire.takeSent()).toEqual(["nack 1 #6"]);
    wire.arrive({ control: "sync", number: 7, last: 3 });
    expect(wire.takeSent()).toEqual(["nack 1 #7"]);
  });
});

describe("stopped", () => {
  const stopped = (unreliable = true): HandWire => {
    const wire = new HandWire({ unreliable, windowPackets: 8 });
    wire.refusing = true;
    wire.arrive({ sequence: 1, id: 11 });
    return wire;
  };

  test("stopped: a refused packet is neither delivered nor acknowledged, and nothing is said at once", () => {
    const wire = stopped();
    wire.pass(ACK_DELAY);
    expect([wire.accepted, wire.takeSent(), wire.transport.isStopped]).toEqual([[], [], true]);
    expect(wire.counter(COUNTERS.noBuffer)).toBe(1);
  });

  test("stopped: QUENCH after one period, once (D12)", () => {
    const wire = stopped();
    wire.pass(PERIOD - 1);
    expect(wire.takeSent()).toEqual([]);
    wire.pass(1);
    expect(wire.takeSent()).toEqual(["quench 0"]);
    wire.pass(100 * PERIOD);
    expect(wire.takeSent()).toEqual([]);
    expect(wire.counter(COUNTERS.quenchesSent)).toBe(1);
  });

  test("stopped: on a reliable network there is no QUENCH", () => {
    const wire = stopped(false);
    wire.pass(100 * PERIOD);
    expect(wire.takeSent()).toEqual([]);
    expect(wire.transport.nextDeadlineNs()).toBe(NEVER);
  });

  test("stopped: SYNC for a discarded packet is not acknowledged, nor asked for: QUENCH", () => {
    const wire = stopped();
    wire.arrive({ control: "sync", number: 3, last: 1 });
    expect(wire.takeSent()).toEqual(["quench 0 #3"]);
    wire.pass(PERIOD);
    expect(wire.takeSent()).toEqual([]); // it has been told
  });

  test("stopped: a QUENCH that was lost is sent again when the peer asks (D14), or sends", () => {
    const wire = stopped();
    wire.pass(PERIOD);
    wire.takeSent();
    wire.arrive({ control: "sync", number: 4, last: 1 });
    expect(wire.takeSent()).toEqual(["quench 0 #4"]);
    wire.arrive({ sequence: 1 });
    wire.pass(PERIOD);
    expect(wire.takeSent()).toEqual(["quench 0"]);
  });

  test("stopped: what follows the refused packet is discarded without a word", () => {
    const wire = stopped();
    wire.arrive({ sequence: 2 });
    wire.arrive({ sequence: 3 });
    expect([wire.accepted, wire.takeSent()]).toEqual([[], []]);
  });

  test("stopped: controls are processed, and data goes out all the same", () => {
    const wire = stopped();
    wire.submit(1);
    expect(wire.takeSent()).toEqual(["data 1"]);
    wire.arrive({ control: "nack" });
    expect(wire.takeSent()).toEqual(["data 1"]);
    wire.arrive({ control: "ack", ack: 1 });
    expect(wire.returned).toEqual([1]);
  });

  test("stopped: a buffer too late is as good: what comes again before the NACK is taken, and none is sent", () => {
    const wire = stopped();
    wire.refusing = false;
    wire.arrive({ sequence: 1 });
    wire.transport.buffersAvailable();
    wire.pass(ACK_DELAY);
    expect([wire.accepted, wire.takeSent()]).toEqual([[1], ["ack 1"]]);
    wire.pass(100 * PERIOD);
    expect(wire.takeSent()).toEqual([]);
  });
});

describe("called", () => {
  const called = (unreliable = true): HandWire => {
    const wire = new HandWire({ unreliable, windowPackets: 8 });
    wire.refusing = true;
    wire.arrive({ sequence: 1, id: 11 });
    wire.refusing = false;
    wire.transport.buffersAvailable();
    wire.transport.poll(1);
    return wire;
  };

  test("called: every peer that was refused is called when there is room (D16)", () => {
    const wire = new HandWire();
    wire.refusing = true;
    for (const from of [3, 1, 2]) wire.arrive({ sequence: 1, from });
    wire.transport.buffersAvailable();
    wire.transport.poll(1);
    expect(wire.takeSent()).toEqual(["nack 0 alone to 3", "nack 0 alone", "nack 0 alone to 2"]);
    expect(wire.transport.isStopped).toBe(false);
  });

  test("called: the buffer of a refused packet delivers nothing: its content comes again (D17)", () => {
    const wire = called();
    expect([wire.accepted, wire.takeSent()]).toEqual([[], ["nack 0 alone"]]);
    wire.arrive({ sequence: 1, id: 12 });
    expect(wire.accepted).toEqual([12]);
  });

  test("called: the NACK is repeated, ever more rarely, until the packet is here (D13)", () => {
    const wire = called();
    wire.takeSent();
    const times: number[] = [];
    for (let period = 1; period <= 14; period++) {
      wire.pass(PERIOD);
      for (const sent of wire.takeSent()) {
        expect(sent).toBe("nack 0 alone");
        times.push(period);
      }
    }
    expect(times).toEqual([2, 6, 14]);
    wire.arrive({ sequence: 1 });
    expect(wire.takeSent()).toEqual(["ack 1"]); // at once: the next may come
    wire.pass(100 * PERIOD);
    expect(wire.takeSent()).toEqual([]);
  });

  test("called: a NACK that still waits for the interface when the packet comes is not sent", () => {
    const wire = new HandWire();
    wire.holding = true;
    wire.submit(1, 2);
    wire.refusing = true;
    wire.arrive({ sequence: 1 });
    wire.refusing = false;
    wire.transport.buffersAvailable();
    wire.arrive({ sequence: 1 });
    wire.holding = false;
    wire.finish();
    wire.pass(ACK_DELAY);
    expect([wire.accepted, wire.takeSent()]).toEqual([[1], ["data 1 to 2", "ack 1"]]);
  });

  test("called: on a reliable network one NACK is enough", () => {
    const wire = called(false);
    expect(wire.takeSent()).toEqual(["nack 0 alone"]);
    wire.pass(100 * PERIOD);
    expect(wire.takeSent()).toEqual([]);
  });

  test("called: SYNC is answered by NACK", () => {
    const wire = called();
    wire.takeSent();
    wire.arrive({ control: "sync", number: 2, last: 1 });
    expect(wire.takeSent()).toEqual(["nack 0 alone #2"]);
  });

  test("called: refused once more, it is stopped once more: QUENCH, and a NACK when there is room", () => {
    const wire = called();
    wire.takeSent();
    wire.refusing = true;
    wire.arrive({ sequence: 1 });
    wire.pass(PERIOD);
    expect(wire.takeSent()).toEqual(["quench 0"]);
    wire.refusing = false;
    wire.transport.buffersAvailable();
    wire.transport.poll(1);
    expect(wire.takeSent()).toEqual(["nack 0 alone"]);
  });

  test("called: what comes then is acknowledged at once, later ones by two and four again", () => {
    const wire = called();
    wire.takeSent();
    const acknowledged: number[] = [];
    for (let sequence = 1; sequence <= 16; sequence++) {
      wire.arrive({ sequence });
      for (const sent of wire.takeSent()) {
        expect(sent).toBe(`ack ${sequence}`);
        acknowledged.push(sequence);
      }
    }
    expect(acknowledged).toEqual([1, 3, 7, 11, 15]);
  });
});
