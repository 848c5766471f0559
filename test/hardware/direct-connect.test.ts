// Direct-connect: circuits, what they block, who is woken, what is counted.

import { describe, expect, test } from "@jest/globals";
import { COUNTERS } from "../../src/base/counters.ts";
import { DirectConnect } from "../../src/hardware/direct-connect.ts";
import { routeNodes } from "../../src/hardware/ecube-route.ts";
import {
  CHANNEL_BLOCKED_NS,
  CHANNEL_BYTES,
  CHANNEL_HOLDER,
  CHANNEL_PACKETS,
  EJECT_ARMED,
  EJECT_ARMED_SEEN,
  EJECT_HOLDER,
} from "../../src/hardware/machine-layout.ts";
import { NO_PACKET, TRANSMIT_HELD, TRANSMIT_SENT } from "../../src/hardware/network-interface.ts";
import { PACKET_CARRIED_BYTES } from "../../src/hardware/packet-layout.ts";
import { describeInterconnect } from "../support/interconnect-suite.ts";
import { directConnect, MEMORY_KINDS, TestMachine } from "../support/machine-memory.ts";
import { explore } from "../support/preempt.ts";

describeInterconnect("direct-connect", directConnect);

/** Channels of a circuit, its ejection last. */
const channelsOf = (from: number, to: number): string[] => {
  const nodes = routeNodes(from, to);
  const hops = nodes.slice(1).map((node, i) => `${nodes[i]} to ${node}`);
  return [...hops, `into ${to}`];
};

describe.each(MEMORY_KINDS)("direct-connect on %s memory", (kind) => {
  let previous: TestMachine | undefined;
  /** An armed 3-cube whose rings hold one packet, as the iPSC/2's. */
  const build = (): TestMachine => {
    const machine = new TestMachine({ kind, dimension: 3, ringLength: 1 }, directConnect, previous);
    previous = machine;
    for (const node of machine.nodes) node.armAll();
    return machine;
  };
  const channelWord = (machine: TestMachine, node: number, dimension: number): number => {
    const { channelsAt, channelStride } = machine.layout;
    return machine.board.regionAt[node]! + channelsAt + dimension * channelStride;
  };
  const channelCounter = (
    machine: TestMachine,
    node: number,
    dimension: number,
    counter: number,
  ): number => machine.board.doubles[(channelWord(machine, node, dimension) + counter) >> 1]!;

  test("a held circuit blocks who needs one of its channels, and no one else", () => {
    const held = channelsOf(0, 7);
    for (let from = 1; from < 8; from++) {
      for (let to = 0; to < 8; to++) {
        const machine = build();
        const { nodes } = machine;
        nodes[7]!.send({ to: 7, number: 1 });
        expect(nodes[0]!.send({ to: 7, number: 2 })).toBe(TRANSMIT_HELD);
        const shares = channelsOf(from, to).some((channel) => held.includes(channel));
        const expected = shares ? TRANSMIT_HELD : TRANSMIT_SENT;
        expect({ from, to, status: nodes[from]!.send({ to, number: 3 }) }).toEqual({
          from,
          to,
          status: expected,
        });
      }
    }
  });

  test("after a circuit is done all its channels are free", () => {
    const machine = build();
    const { nodes, board, layout } = machine;
    nodes[0]!.send({ to: 7, number: 1 });
    expect(nodes[0]!.send({ to: 7, number: 2 })).toBe(TRANSMIT_HELD);
    const holders = (): number[] => [
      ...[0, 1, 3].map((node, d) => board.words[channelWord(machine, node, d) + CHANNEL_HOLDER]!),
      board.words[board.regionAt[7]! + layout.ejectionAt + EJECT_HOLDER]!,
    ];
    expect(holders()).toEqual([1, 1, 1, 1]);
    nodes[7]!.take();
    expect(nodes[0]!.network.pump()).toBe(1);
    expect(holders()).toEqual([0, 0, 0, 0]);
  });

  test("the release of a circuit wakes who waits for its channels, and who waits for the ring", () => {
    const { nodes } = build();
    nodes[7]!.send({ to: 7, number: 1 });
    nodes[3]!.send({ to: 7, number: 2 }); // starving: holds 3 to 7 and the ejection
    nodes[0]!.send({ to: 7, number: 3 }); // waits for 3 to 7
    nodes[5]!.send({ to: 7, number: 4 }); // waits for the ejection
    for (const node of nodes) node.park();
    nodes[7]!.take();
    const awake = (): number[] => nodes.filter((node) => !node.isParked()).map(({ node }) => node);
    expect(awake()).toEqual([3]);
    nodes[3]!.network.pump();
    expect(awake()).toEqual([0, 3, 5, 7]);
  });

  // B holds, C and A wait behind it. B's release finds A's worker awake and C takes the channel first:
  // A's word is gone, though the channel is taken again. It must leave it anew before it sleeps.
  test.each([
    { what: "a channel", b: 3, c: 1, a: 2 },
    { what: "an ejection", b: 3, c: 6, a: 5 },
  ])("a worker that parks behind $what that changes hands is woken in the end", ({ b, c, a }) => {
    const schedules = explore(() => {
      const { nodes } = build();
      const [A, B, C, to] = [nodes[a]!, nodes[b]!, nodes[c]!, nodes[7]!];
      nodes[7]!.send({ to: 7, number: 1 });
      for (const [i, node] of [B, C, A].entries()) {
        expect(node.send({ to: 7, number: 2 + i })).toBe(TRANSMIT_HELD);
      }
      const numbers: number[] = [];
      return {
        parties: [
          () => A.parkUntilSent(),
          () => {
            numbers.push(...to.takeAll());
            B.network.pump();
            C.network.pump();
          },
        ],
        last: () => {
          for (let i = 0; i < 3; i++) {
            numbers.push(...to.takeAll());
            C.network.pump();
          }
        },
        woken: [() => A.network.pump()],
        check: () => {
          numbers.push(...to.takeAll());
          expect(A.network.sending()).toBe(NO_PACKET);
          expect(numbers.sort()).toEqual([1, 2, 3, 4]);
        },
      };
    });
    expect(schedules).toBeGreaterThan(10);
  });

  test("a packet is counted once by its sender and once by every channel that it crosses", () => {
    const machine = build();
    const { nodes } = machine;
    nodes[0]!.send({ to: 5, number: 1, inlineBytes: 100, pageBytes: 1000 });
    const bytes = PACKET_CARRIED_BYTES + 1100;
    expect(nodes.map((node) => node.counter(COUNTERS.dmaBytes))).toEqual([
      bytes,
      ...new Array(7).fill(0),
    ]);
    const crossed: string[] = [];
    for (let node = 0; node < 8; node++) {
      for (let dimension = 0; dimension < 3; dimension++) {
        const packets = channelCounter(machine, node, dimension, CHANNEL_PACKETS);
        const carried = channelCounter(machine, node, dimension, CHANNEL_BYTES);
        expect(carried).toBe(packets * bytes);
        if (packets > 0) crossed.push(`${node} ${dimension} ${packets}`);
      }
    }
    expect(crossed).toEqual(["0 0 1", "1 2 1"]);
    expect(nodes[0]!.counter(COUNTERS.circuitsHeld)).toBe(0);
  });

  test("the time that a circuit waits for a channel is that channel's, to the nanosecond", () => {
    const machine = build();
    const { nodes, clock } = machine;
    nodes[7]!.send({ to: 7, number: 1 });
    nodes[3]!.send({ to: 7, number: 2 });
    clock.set(1_000);
    expect(nodes[2]!.send({ to: 7, number: 3 })).toBe(TRANSMIT_HELD); // waits for 3 to 7
    clock.set(1_800);
    nodes[2]!.network.pump(); // still taken
    clock.set(2_234);
    nodes[7]!.take();
    nodes[3]!.network.pump();
    nodes[2]!.network.pump();
    expect(channelCounter(machine, 3, 2, CHANNEL_BLOCKED_NS)).toBe(1_234);
    expect(channelCounter(machine, 2, 0, CHANNEL_BLOCKED_NS)).toBe(0);
    expect(nodes[2]!.counter(COUNTERS.circuitsHeld)).toBe(1);
  });

  test("the time that a circuit waits for an ejection channel is nobody's", () => {
    const { nodes, clock, board, layout } = build();
    nodes[7]!.send({ to: 7, number: 1 });
    nodes[3]!.send({ to: 7, number: 2 });
    expect(nodes[5]!.send({ to: 7, number: 3 })).toBe(TRANSMIT_HELD); // waits for the ejection
    const ejectAt = board.regionAt[7]! + layout.ejectionAt;
    const before = board.words.slice(ejectAt + EJECT_ARMED_SEEN + 1, ejectAt + EJECT_ARMED);
    clock.set(1_234);
    nodes[7]!.take();
    nodes[3]!.network.pump();
    nodes[7]!.take();
    expect(nodes[5]!.network.pump()).toBe(1);
    const after = board.words.slice(ejectAt + EJECT_ARMED_SEEN + 1, ejectAt + EJECT_ARMED);
    expect(after).toEqual(before);
  });

  test("paced: a packet is held until the modelled wire is done, for latency and bytes", () => {
    const pacing = { latencyNs: 10_000, bytesPerSecond: 1e9 };
    const machine = new TestMachine({ kind, dimension: 2 }, (board, memory, clock) => {
      return new DirectConnect(board, memory, clock, pacing);
    });
    const { nodes, clock } = machine;
    for (const node of nodes) node.armAll();
    const [from, , , to] = nodes;
    clock.set(5_000);
    expect(from!.send({ to: 3, number: 1, inlineBytes: 44, pageBytes: 900 })).toBe(TRANSMIT_HELD);
    const dueNs = 5_000 + 10_000 + PACKET_CARRIED_BYTES + 944;
    expect(from!.network.nextDeadlineNs()).toBe(dueNs);
    expect(from!.network.hasWork()).toBe(false);
    clock.set(dueNs - 1);
    expect(from!.network.pump()).toBe(0);
    expect(to!.take()).toBeNull();
    // The circuit is held for as long: who needs its first channel waits.
    expect(nodes[1]!.send({ to: 3, number: 2 })).toBe(TRANSMIT_HELD);
    clock.set(dueNs);
    expect(from!.network.pump()).toBe(1);
    expect(to!.take()).toMatchObject({ number: 1 });
    expect(from!.network.nextDeadlineNs()).toBe(Number.POSITIVE_INFINITY);
  });
});
