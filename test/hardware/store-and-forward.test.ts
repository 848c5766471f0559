// Store-and-forward: who forwards, what waits where, whose turn it is, what is counted.

import { describe, expect, test } from "@jest/globals";
import { COUNTERS } from "../../src/base/counters.ts";
import {
  CHANNEL_BLOCKED_NS,
  CHANNEL_BYTES,
  CHANNEL_PACKETS,
} from "../../src/hardware/machine-layout.ts";
import { NO_PACKET, TRANSMIT_HELD, TRANSMIT_SENT } from "../../src/hardware/network-interface.ts";
import { PACKET_CARRIED_BYTES } from "../../src/hardware/packet-layout.ts";
import { StoreAndForward } from "../../src/hardware/store-and-forward.ts";
import { describeInterconnect } from "../support/interconnect-suite.ts";
import { MEMORY_KINDS, storeAndForward, TestMachine } from "../support/machine-memory.ts";
import { explore } from "../support/preempt.ts";

describeInterconnect("store-and-forward", storeAndForward);

describe.each(MEMORY_KINDS)("store-and-forward on %s memory", (kind) => {
  const build = (dimension = 2, ringLength = 1, channelSlots = 1): TestMachine => {
    const shape = { kind, dimension, ringLength, channelSlots };
    const machine = new TestMachine(shape, storeAndForward);
    for (const node of machine.nodes) node.armAll();
    return machine;
  };
  const previous = new Map<string, TestMachine>();
  /** An armed 2-cube in the memory of the last one of its shape: for the many schedules. */
  const rebuild = (ringLength: number, channelSlots: number): TestMachine => {
    const key = `${ringLength} ${channelSlots}`;
    const shape = { kind, dimension: 2, ringLength, channelSlots };
    const machine = new TestMachine(shape, storeAndForward, previous.get(key));
    previous.set(key, machine);
    for (const node of machine.nodes) node.armAll();
    return machine;
  };
  const channelCounter = (
    { board, layout }: TestMachine,
    node: number,
    dimension: number,
    counter: number,
  ): number => {
    const at = board.regionAt[node]! + layout.channelsAt + dimension * layout.channelStride;
    return board.doubles[(at + counter) >> 1]!;
  };

  test("a packet moves one hop for each node that is stepped, and no further", () => {
    const { nodes } = build(3, 4, 2);
    expect(nodes[0]!.send({ to: 7, number: 1, inlineBytes: 9, pageBytes: 99 })).toBe(TRANSMIT_SENT);
    expect([3, 7, 0].map((node) => nodes[node]!.network.pump())).toEqual([0, 0, 0]);
    expect(nodes[1]!.network.pump()).toBe(1);
    expect(nodes[3]!.network.pump()).toBe(1);
    expect(nodes[7]!.take()).toBeNull();
    expect(nodes[7]!.network.pump()).toBe(1);
    expect(nodes[7]!.take()).toMatchObject({ from: 0, number: 1, inlineBytes: 9, pageBytes: 99 });
    expect(nodes.map((node) => node.counter(COUNTERS.forwarded))).toEqual([0, 1, 0, 1, 0, 0, 0, 0]);
  });

  test("each node that moved a packet counts its bytes, each channel that carried it as well", () => {
    const machine = build(2, 4, 2);
    machine.nodes[0]!.send({ to: 3, number: 1, inlineBytes: 100, pageBytes: 1000 });
    machine.pumpAll();
    const bytes = PACKET_CARRIED_BYTES + 1100;
    const moved = machine.nodes.map((node) => node.counter(COUNTERS.dmaBytes));
    expect(moved).toEqual([bytes, bytes, 0, bytes]);
    for (const [node, dimension, packets] of [
      [0, 0, 1],
      [0, 1, 0],
      [1, 0, 0],
      [1, 1, 1],
      [3, 0, 0],
    ] as const) {
      expect(channelCounter(machine, node, dimension, CHANNEL_PACKETS)).toBe(packets);
      expect(channelCounter(machine, node, dimension, CHANNEL_BYTES)).toBe(packets * bytes);
    }
  });

  test("with one slot per channel a route holds one packet for each channel, then the sender", () => {
    const machine = build(2, 1, 1);
    const { nodes } = machine;
    const statuses: number[] = [];
    for (let number = 0; number < 4; number++) {
      statuses.push(nodes[0]!.send({ to: 3, number, buffer: number }));
      machine.pumpAll();
    }
    // One in the ring, one in 1 to 3, one in 0 to 1, and the fourth has no room.
    const [SENT, HELD] = [TRANSMIT_SENT, TRANSMIT_HELD];
    expect(statuses).toEqual([SENT, SENT, SENT, HELD]);
    expect(nodes[0]!.counter(COUNTERS.circuitsHeld)).toBe(1);
    expect(nodes[1]!.counter(COUNTERS.circuitsHeld)).toBe(1);
    expect(nodes.map(({ network }) => network.hasWork())).toEqual([false, false, false, true]);
  });

  test("a full channel blocks who needs it, and no one else", () => {
    const machine = build(2, 1, 1);
    const { nodes } = machine;
    for (let number = 0; nodes[0]!.network.sending() === NO_PACKET; number++) {
      nodes[0]!.send({ to: 3, number });
      machine.pumpAll();
    }
    expect(nodes[1]!.send({ to: 3, number: 50 })).toBe(TRANSMIT_HELD); // 1 to 3
    expect(nodes[2]!.send({ to: 0, number: 51 })).toBe(TRANSMIT_SENT);
    expect(nodes[3]!.send({ to: 0, number: 52 })).toBe(TRANSMIT_SENT);
    machine.pumpAll();
    expect(nodes[0]!.takeAll().length).toBe(1);
  });

  test("each release wakes the worker behind, back to the sender", () => {
    const machine = build(2, 1, 1);
    const { nodes } = machine;
    for (let number = 0; nodes[0]!.network.sending() === NO_PACKET; number++) {
      nodes[0]!.send({ to: 3, number });
      machine.pumpAll();
    }
    const awake = (): number[] => nodes.filter((node) => !node.isParked()).map(({ node }) => node);
    for (const node of [0, 1]) nodes[node]!.park();
    nodes[3]!.take();
    expect(awake()).toEqual([2, 3]);
    nodes[3]!.network.pump(); // takes the packet out of 1 to 3
    expect(awake()).toEqual([1, 2, 3]);
    nodes[1]!.network.pump();
    expect(awake()).toEqual([0, 1, 2, 3]);
  });

  test("a node in the middle that parks with a packet to forward is woken, whenever room comes", () => {
    const schedules = explore(() => {
      const machine = rebuild(1, 1);
      const [from, middle, , to] = machine.nodes;
      for (let number = 0; number < 3; number++) {
        from!.send({ to: 3, number });
        machine.pumpAll();
      }
      const numbers: number[] = [];
      const forwarded = (): number => middle!.counter(COUNTERS.forwarded);
      expect(forwarded()).toBe(2);
      return {
        parties: [
          () => middle!.parkUntil(() => forwarded() === 3),
          () => {
            numbers.push(...to!.takeAll());
            to!.network.pump();
          },
        ],
        woken: [() => middle!.network.pump()],
        check: () => {
          expect(forwarded()).toBe(3);
          for (let i = 0; i < 2; i++) {
            numbers.push(...to!.takeAll());
            machine.pumpAll();
          }
          expect(numbers).toEqual([0, 1, 2]);
        },
      };
    });
    expect(schedules).toBeGreaterThan(10);
  });

  test("a node in the middle that parks just as a packet comes is woken", () => {
    const schedules = explore(() => {
      const machine = rebuild(1, 1);
      const [from, middle] = machine.nodes;
      const forwarded = (): number => middle!.counter(COUNTERS.forwarded);
      return {
        parties: [
          () => middle!.parkUntil(() => forwarded() === 1),
          () => {
            from!.send({ to: 3, number: 1 });
          },
        ],
        woken: [() => middle!.network.pump()],
        check: () => expect(forwarded()).toBe(1),
      };
    });
    expect(schedules).toBeGreaterThan(5);
  });

  test("a packet that comes as its node parks, to a channel already full, is not forgotten", () => {
    const schedules = explore(() => {
      const machine = rebuild(1, 1);
      const [from, middle, , to] = machine.nodes;
      // One in the ring, one in 1 to 3: full, and nobody has asked for more room.
      for (const number of [1, 2]) {
        middle!.send({ to: 3, number });
        machine.pumpAll();
      }
      const forwarded = (): number => middle!.counter(COUNTERS.forwarded);
      return {
        parties: [
          () => middle!.parkUntil(() => forwarded() === 1),
          () => {
            from!.send({ to: 3, number: 3 });
          },
        ],
        last: () => {
          to!.take();
          to!.network.pump();
        },
        woken: [() => middle!.network.pump()],
        check: () => expect(forwarded()).toBe(1),
      };
    });
    expect(schedules).toBeGreaterThan(5);
  });

  test("room found at the last moment leaves word behind, which hides no work later", () => {
    const schedules = explore(() => {
      const machine = rebuild(4, 2);
      const [from, middle, , to] = machine.nodes;
      for (const number of [1, 2]) middle!.send({ to: 3, number });
      from!.send({ to: 3, number: 3 });
      return {
        parties: [() => middle!.network.pump(), () => to!.network.pump()],
        check: () => {
          from!.send({ to: 3, number: 4 });
          expect(middle!.network.hasWork()).toBe(true);
        },
      };
    });
    expect(schedules).toBeGreaterThan(5);
  });

  test("own packets and forwarded ones take turns in a channel that both want", () => {
    const { nodes } = build(2, 1, 1);
    const [from, middle, , to] = nodes;
    const order: number[] = [];
    let number = 0;
    while (order.length < 40) {
      number += 1;
      if (from!.network.sending() === NO_PACKET) from!.send({ to: 3, number });
      if (middle!.network.sending() === NO_PACKET) middle!.send({ to: 3, number });
      for (const node of [from, middle, to]) node!.network.pump();
      const taken = to!.take();
      if (taken !== null) order.push(taken.from);
    }
    const turns = order.slice(4).join("");
    expect(turns).toMatch(/^0?(10)*1?$/);
  });

  test.each([1, 4])(
    "streams of own and of forwarded packets do not starve each other (%i slots)",
    (slots) => {
      const { nodes } = build(2, 1, slots);
      const [from, middle, , to] = nodes;
      const counts = [0, 0];
      for (let i = 0; i < 400; i++) {
        for (let j = 0; j < 3 && from!.network.sending() === NO_PACKET; j++) {
          from!.send({ to: 3, number: i });
        }
        to!.network.pump();
        const taken = to!.take();
        if (taken !== null) counts[taken.from]! += 1;
        middle!.network.pump();
        // As soon as anything is out the next one is offered, before the next pump.
        for (let j = 0; j < 3 && middle!.network.sending() === NO_PACKET; j++) {
          middle!.send({ to: 3, number: i });
        }
        from!.network.pump();
      }
      expect(counts[0]! + counts[1]!).toBeGreaterThan(300);
      expect(Math.abs(counts[0]! - counts[1]!)).toBeLessThanOrEqual(2 * slots + 2);
    },
  );

  test("one pump forwards no more than its budget, and the rest next time", () => {
    const shape = { kind, dimension: 1, ringLength: 64, channelSlots: 32, memoryBytes: 1 << 18 };
    const machine = new TestMachine(shape, storeAndForward);
    for (const node of machine.nodes) node.armAll();
    for (let number = 0; number < 32; number++) machine.nodes[0]!.send({ to: 1, number });
    expect(machine.nodes[1]!.network.pump()).toBe(16);
    expect(machine.nodes[1]!.network.hasWork()).toBe(true);
    expect(machine.nodes[1]!.network.pump()).toBe(16);
    expect(machine.nodes[1]!.takeAll()).toEqual(Array.from({ length: 32 }, (_, i) => i));
  });

  test("a packet's wait for room is counted as its channel's blocked time", () => {
    const machine = build(1, 1, 1);
    const { nodes, clock } = machine;
    nodes[0]!.send({ to: 1, number: 1 });
    nodes[1]!.network.pump();
    nodes[0]!.send({ to: 1, number: 2 });
    clock.set(1_000);
    expect(nodes[0]!.send({ to: 1, number: 3 })).toBe(TRANSMIT_HELD);
    clock.set(1_700);
    nodes[0]!.network.pump();
    clock.set(2_234);
    nodes[1]!.take();
    machine.pumpAll();
    expect(channelCounter(machine, 0, 0, CHANNEL_BLOCKED_NS)).toBe(1_234);
    expect(nodes[0]!.network.sending()).toBe(NO_PACKET);
    clock.set(9_000);
    nodes[1]!.take();
    machine.pumpAll();
    expect(nodes[0]!.send({ to: 1, number: 4 })).toBe(TRANSMIT_SENT); // waits for nothing
    expect(channelCounter(machine, 0, 0, CHANNEL_BLOCKED_NS)).toBe(1_234);
  });

  test("paced: each hop takes latency and bytes over bandwidth, one packet at a time", () => {
    const pacing = { latencyNs: 10_000, bytesPerSecond: 1e9 };
    const shape = { kind, dimension: 2, channelSlots: 4 };
    const machine = new TestMachine(shape, (board, memory, clock) => {
      return new StoreAndForward(board, memory, clock, pacing);
    });
    const { nodes, clock } = machine;
    for (const node of nodes) node.armAll();
    const [from, middle, , to] = nodes;
    const hopNs = 10_000 + PACKET_CARRIED_BYTES + 944;
    expect(from!.send({ to: 3, number: 1, inlineBytes: 44, pageBytes: 900 })).toBe(TRANSMIT_SENT);
    expect(from!.send({ to: 3, number: 2, inlineBytes: 44, pageBytes: 900, buffer: 1 })).toBe(
      TRANSMIT_HELD,
    );
    expect(from!.network.nextDeadlineNs()).toBe(hopNs);
    expect(from!.network.hasWork()).toBe(false);
    clock.set(hopNs - 1);
    expect(machine.pumpAll()).toBe(0);
    clock.set(hopNs);
    middle!.park();
    machine.pumpAll();
    expect(middle!.isParked()).toBe(false);
    expect(from!.network.sending()).toBe(NO_PACKET);
    expect(from!.network.nextDeadlineNs()).toBe(2 * hopNs);
    expect(middle!.network.nextDeadlineNs()).toBe(2 * hopNs);
    expect(to!.take()).toBeNull();
    clock.set(2 * hopNs);
    machine.pumpAll();
    expect(to!.takeAll()).toEqual([1]);
    clock.set(3 * hopNs);
    machine.pumpAll();
    expect(to!.takeAll()).toEqual([2]);
    expect(middle!.network.nextDeadlineNs()).toBe(Number.POSITIVE_INFINITY);
  });
});
