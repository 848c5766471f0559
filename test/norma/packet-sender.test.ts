// The sending half of the protocol, each state and event by name (paper 2.6): what goes out to a peer that is on paper
// only. Periods are 10 us here; an acknowledgement is expected within two.

import { describe, expect, test } from "@jest/globals";
import { NEVER } from "../../src/base/clock.ts";
import { COUNTERS } from "../../src/base/counters.ts";
import { NACK_ALONE } from "../../src/norma/wire-values.ts";
import { HandWire } from "../support/hand-wire.ts";

const PERIOD = 10_000;
const LONGEST = 1_000_000;

/** What packets with these numbers are called on the wire. */
const data = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, i) => `data ${first + i}`);

describe("flowing", () => {
  test("flowing: the window bounds what is out, and an acknowledgement lets as many more go", () => {
    const wire = new HandWire();
    for (let id = 1; id <= 7; id++) wire.submit(id);
    expect(wire.takeSent()).toEqual(["data 1", "data 2", "data 3", "data 4"]);
    wire.arrive({ control: "ack", ack: 2 });
    expect(wire.takeSent()).toEqual(["data 5", "data 6"]);
    expect(wire.returned).toEqual([1, 2]);
  });

  test("flowing: window 1 is stop and wait (the paper's)", () => {
    const wire = new HandWire({ windowPackets: 1 });
    for (const id of [1, 2]) wire.submit(id);
    expect(wire.takeSent()).toEqual(["data 1"]);
    wire.arrive({ control: "ack", ack: 1 });
    expect(wire.takeSent()).toEqual(["data 2"]);
  });

  test("flowing: SYNC after two periods without an acknowledgement, not before", () => {
    const wire = new HandWire();
    wire.submit(1);
    wire.submit(2);
    wire.takeSent();
    wire.pass(2 * PERIOD - 1);
    expect(wire.takeSent()).toEqual([]);
    wire.pass(1);
    expect(wire.takeSent()).toEqual(["sync 2 #1"]);
    expect(wire.counter(COUNTERS.syncsSent)).toBe(1);
    expect(wire.counter(COUNTERS.retransmitted)).toBe(0);
  });

  test("flowing: progress begins the two periods anew; all acknowledged, none run", () => {
    const wire = new HandWire();
    wire.submit(1);
    wire.submit(2);
    wire.pass(2 * PERIOD - 1);
    wire.arrive({ control: "ack", ack: 1 });
    wire.takeSent();
    wire.pass(2 * PERIOD - 1);
    expect(wire.takeSent()).toEqual([]);
    wire.arrive({ control: "ack", ack: 2 });
    wire.pass(LONGEST);
    expect([wire.takeSent(), wire.transport.nextDeadlineNs()]).toEqual([[], NEVER]);
  });

  test("flowing: on a reliable network no time is too long", () => {
    const wire = new HandWire({ unreliable: false });
    wire.submit(1);
    wire.takeSent();
    expect(wire.transport.nextDeadlineNs()).toBe(NEVER);
    wire.pass(1e9);
    expect(wire.takeSent()).toEqual([]);
  });

  test("flowing: an acknowledgement of what was never sent is no acknowledgement", () => {
    const wire = new HandWire();
    wire.submit(1);
    wire.arrive({ control: "ack", ack: 2 });
    expect(wire.returned).toEqual([]);
    expect(wire.counter(COUNTERS.damaged)).toBe(1);
  });

  test("flowing: peers are apart: the silence of one is nothing to the other", () => {
    const wire = new HandWire();
    wire.submit(1, 1);
    wire.submit(2, 2);
    wire.arrive({ control: "ack", ack: 1, from: 2 });
    wire.takeSent();
    wire.pass(2 * PERIOD);
    expect(wire.takeSent()).toEqual(["sync 1 #1"]);
  });
});

describe("asking", () => {
  const asking = (): HandWire => {
    const wire = new HandWire();
    for (const id of [1, 2, 3]) wire.submit(id);
    wire.pass(2 * PERIOD);
    wire.takeSent();
    return wire;
  };

  test("asking: SYNC again after one period, two, four, up to the longest", () => {
    const wire = asking();
    const times: number[] = [];
    const asked: string[] = [];
    let since = 0;
    while (times.length < 9) {
      wire.pass(PERIOD);
      since += PERIOD;
      for (const sent of wire.takeSent()) {
        asked.push(sent);
        times.push(since / PERIOD);
        since = 0;
      }
    }
    const longest = LONGEST / PERIOD;
    expect(times).toEqual([1, 2, 4, 8, 16, 32, 64, longest, longest]);
    expect(asked).toEqual([
      ...["sync 3 #2", "sync 3 #3", "sync 3 #4"],
      ...["data 1", "sync 1 #5", "data 1", "sync 1 #6", "data 1", "sync 1 #7"],
    ]);
  });

  test("asking: who has asked four times in vain sends the packet itself, alone, in turn with SYNC", () => {
    const wire = asking();
    for (let periods = 1; periods <= 8; periods *= 2) wire.pass(periods * PERIOD);
    expect(wire.takeSent()).toEqual(["sync 3 #2", "sync 3 #3", "sync 3 #4", "data 1"]);
    wire.arrive({ control: "ack", ack: 1 });
    expect(wire.takeSent()).toEqual(["data 2", "data 3"]);
  });

  test("asking: an ACK of everything ends it", () => {
    const wire = asking();
    wire.arrive({ control: "ack", ack: 3, number: 1 });
    wire.pass(LONGEST);
    expect([wire.returned, wire.takeSent()]).toEqual([[1, 2, 3], []]);
  });

  test("asking: a NACK goes back; then two periods, and not more, until it asks again", () => {
    const wire = asking();
    wire.pass(PERIOD); // the second SYNC
    wire.takeSent();
    wire.arrive({ control: "nack", ack: 1, number: 2 });
    expect(wire.takeSent()).toEqual(["data 2", "data 3"]);
    expect(wire.counter(COUNTERS.retransmitted)).toBe(2);
    wire.pass(2 * PERIOD - 1);
    expect(wire.takeSent()).toEqual([]);
    wire.pass(1);
    expect(wire.takeSent()).toEqual(["sync 3 #3"]);
  });

  test("asking: the answer of a SYNC times a round trip, an older answer does not", () => {
    const wire = asking();
    wire.pass(PERIOD);
    wire.arrive({ control: "nack", number: 1 });
    wire.takeSent();
    wire.pass(2 * PERIOD);
    expect(wire.takeSent()).toEqual(["sync 3 #3"]);
    wire.clock.pass(50_000);
    wire.arrive({ control: "nack", number: 3 });
    wire.takeSent();
    // 50 us and the half of it, twice.
    wire.pass(2 * 75_000 - 1);
    expect(wire.takeSent()).toEqual([]);
    wire.pass(1);
    expect(wire.takeSent()).toEqual(["sync 3 #4"]);
  });

  test("asking: the acknowledgement of a packet that was asked for or sent again times nothing (Karn)", () => {
    const wire = asking();
    wire.clock.pass(300_000);
    wire.arrive({ control: "ack", ack: 3 });
    wire.submit(4);
    wire.takeSent();
    wire.pass(2 * PERIOD);
    expect(wire.takeSent()).toEqual(["sync 4 #2"]);
  });
});

describe("going back", () => {
  test("going back: a NACK that is older than the last acknowledgement is obsolete", () => {
    const wire = new HandWire();
    for (const id of [1, 2, 3]) wire.submit(id);
    wire.arrive({ control: "ack", ack: 2 });
    wire.takeSent();
    wire.arrive({ control: "nack", ack: 1 });
    expect(wire.takeSent()).toEqual([]);
  });

  test("going back: a NACK where nothing is out is none", () => {
    const wire = new HandWire();
    wire.arrive({ control: "nack", ack: 0 });
    expect(wire.takeSent()).toEqual([]);
    expect(wire.transport.nextDeadlineNs()).toBe(NEVER);
  });

  test("going back: what is sent again keeps its number, and its attempts are counted", () => {
    const wire = new HandWire();
    wire.submit(9);
    for (let i = 0; i < 3; i++) wire.arrive({ control: "nack" });
    expect(wire.takeSent()).toEqual(["data 1", "data 1", "data 1", "data 1"]);
    wire.arrive({ control: "ack", ack: 1 });
    expect(wire.returned).toEqual([9]);
  });

  test("going back: an acknowledgement in the middle of it skips what is stored", () => {
    const wire = new HandWire();
    for (const id of [1, 2, 3, 4]) wire.submit(id);
    wire.holding = true;
    wire.arrive({ control: "nack" });
    wire.takeSent();
    wire.arrive({ control: "ack", ack: 3 });
    wire.finish();
    expect(wire.takeSent()).toEqual(["data 4"]);
    expect(wire.returned).toEqual([1, 2, 3]);
  });

  test("going back: what had been refused goes alone, and the window opens as packets are stored", () => {
    const wire = new HandWire({ windowPackets: 4, unreliable: false });
    for (let id = 1; id <= 12; id++) wire.submit(id);
    expect(wire.takeSent()).toEqual(data(1, 4));
    wire.arrive({ control: "nack", last: NACK_ALONE });
    expect(wire.takeSent()).toEqual(data(1, 1));
    wire.arrive({ control: "ack", ack: 1 });
    expect(wire.takeSent()).toEqual(data(2, 3));
    wire.arrive({ control: "ack", ack: 2 });
    expect(wire.takeSent()).toEqual(data(4, 5));
    wire.arrive({ control: "ack", ack: 5 }); // as wide as it was
    expect(wire.takeSent()).toEqual(data(6, 9));
  });

  test("going back: after a loss the whole window is sent again", () => {
    const wire = new HandWire({ windowPackets: 4 });
    for (let id = 1; id <= 12; id++) wire.submit(id);
    wire.takeSent();
    wire.arrive({ control: "nack" });
    expect(wire.takeSent()).toEqual(data(1, 4));
  });
});

describe("quenched", () => {
  const quenched = (): HandWire => {
    const wire = new HandWire();
    for (const id of [1, 2]) wire.submit(id);
    wire.takeSent();
    wire.arrive({ control: "quench" });
    return wire;
  };

  test("quenched: nothing is asked, and nothing new is sent", () => {
    const wire = quenched();
    wire.submit(3);
    wire.pass(50 * PERIOD);
    expect(wire.takeSent()).toEqual([]);
  });

  test("quenched: a NACK ends it, and everything goes", () => {
    const wire = quenched();
    wire.submit(3);
    wire.arrive({ control: "nack" });
    expect(wire.takeSent()).toEqual(["data 1", "data 2", "data 3"]);
    wire.pass(2 * PERIOD);
    expect(wire.takeSent()).toEqual(["sync 3 #1"]);
  });

  test("quenched: progress ends it", () => {
    const wire = quenched();
    wire.submit(3);
    wire.arrive({ control: "ack", ack: 1 });
    expect(wire.takeSent()).toEqual(["data 3"]);
    wire.pass(2 * PERIOD);
    expect(wire.takeSent()).toEqual(["sync 3 #1"]);
  });

  test("quenched: a QUENCH that was overtaken by progress is obsolete", () => {
    const wire = new HandWire();
    for (const id of [1, 2]) wire.submit(id);
    wire.arrive({ control: "ack", ack: 1 });
    wire.takeSent();
    wire.arrive({ control: "quench", ack: 0 });
    wire.submit(3);
    expect(wire.takeSent()).toEqual(["data 3"]);
  });

  test("quenched: who is silent for very long is asked all the same, and may say QUENCH again", () => {
    const wire = quenched();
    wire.pass(4 * LONGEST);
    expect(wire.takeSent()).toEqual(["sync 2 #1"]);
    wire.arrive({ control: "quench", number: 1 });
    wire.pass(4 * LONGEST - 1);
    expect(wire.takeSent()).toEqual([]);
    wire.pass(1);
    expect(wire.takeSent()).toEqual(["sync 2 #2"]);
  });

  test("quenched: other peers are not", () => {
    const wire = quenched();
    wire.submit(5, 2);
    expect(wire.takeSent()).toEqual(["data 1 to 2"]);
  });
});

describe("slots", () => {
  test("slots: NACK, SYNC and an acknowledgement that are due at once all go, each once", () => {
    const wire = new HandWire();
    wire.holding = true;
    wire.submit(1);
    wire.submit(2, 2);
    wire.arrive({ sequence: 1 });
    wire.arrive({ sequence: 3 }); // a gap: NACK
    wire.pass(2 * PERIOD); // SYNC to both; the acknowledgement of 1 is long due
    expect(wire.takeSent()).toEqual(["data 1"]);
    wire.holding = false;
    wire.finish();
    expect(wire.takeSent().sort()).toEqual(["data 1 to 2", "nack 1", "sync 1 #2"]);
  });

  test("slots: of QUENCH and NACK the later one is true", () => {
    const wire = new HandWire();
    wire.holding = true;
    wire.submit(1, 2);
    wire.refusing = true;
    wire.arrive({ sequence: 1 });
    wire.pass(PERIOD); // QUENCH is due, and waits for the interface
    wire.transport.buffersAvailable();
    wire.holding = false;
    wire.finish();
    expect(wire.takeSent()).toEqual(["data 1 to 2", "nack 0 alone"]);
  });
});
