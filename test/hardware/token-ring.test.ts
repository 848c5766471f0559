// The token ring: whose turn it is, what comes back, who is told of it, and what it costs in time.

import { describe, expect, test } from "@jest/globals";
import { COUNTERS } from "../../src/base/counters.ts";
import { tryHold } from "../../src/hardware/channel.ts";
import { MEDIUM_HOLDER } from "../../src/hardware/machine-layout.ts";
import { NO_PACKET, TRANSMIT_HELD, TRANSMIT_SENT } from "../../src/hardware/network-interface.ts";
import { PACKET_CARRIED_BYTES } from "../../src/hardware/packet-layout.ts";
import { TokenRing } from "../../src/hardware/token-ring.ts";
import { describeInterconnect } from "../support/interconnect-suite.ts";
import { MEMORY_KINDS, TestMachine, tokenRing } from "../support/machine-memory.ts";
import { explore } from "../support/preempt.ts";

describeInterconnect("token-ring", tokenRing);

describe.each(MEMORY_KINDS)("token-ring on %s memory", (kind) => {
  let previous: TestMachine | undefined;
  /** A 3-cube's nodes on a ring, armed with so many descriptors each. */
  const build = (ringLength = 4, dimension = 3): TestMachine => {
    const shape = { kind, dimension, ringLength };
    const reuse = previous?.layout.ringLength === ringLength ? previous : undefined;
    const machine = new TestMachine(shape, tokenRing, reuse);
    previous = machine;
    for (const node of machine.nodes) node.armAll();
    return machine;
  };
  const ringWord = (machine: TestMachine): number => machine.layout.mediumAt;
  /** As if node 0 were carrying a packet. */
  const hold = (machine: TestMachine): void => {
    expect(tryHold(machine.board.words, ringWord(machine), 0)).toBe(true);
  };
  const free = (machine: TestMachine): void => {
    Atomics.store(machine.board.words, ringWord(machine) + MEDIUM_HOLDER, 0);
  };

  test("the permission goes to the next node round the ring that wants it", () => {
    const machine = build(8);
    const { nodes } = machine;
    nodes[4]!.send({ to: 0, number: 4 });
    nodes[0]!.take();
    hold(machine);
    for (const from of [2, 7, 5, 0, 4, 1]) {
      expect(nodes[from]!.send({ to: 0, number: from })).toBe(TRANSMIT_HELD);
    }
    free(machine);
    expect(nodes[1]!.network.hasWork()).toBe(true); // nobody drives the ring
    expect(nodes[1]!.network.pump()).toBeGreaterThan(0); // it drives it for all
    expect(nodes[0]!.takeAll()).toEqual([5, 7, 0, 1, 2, 4]);
    for (const node of nodes) {
      node.network.pump();
      expect(node.network.sending()).toBe(NO_PACKET);
    }
  });

  test("a sender gets one packet in a round, however many it has", () => {
    const machine = build(1);
    const { nodes } = machine;
    const senders = nodes.slice(1);
    const counts = senders.map(() => 0);
    for (let round = 0; round < 700; round++) {
      // The first offers again at once; the others are slow to look.
      for (const [i, node] of senders.entries()) {
        node.network.pump();
        if (i > 0 && round % 7 !== i) continue;
        if (node.network.sending() === NO_PACKET) node.send({ to: 0, number: node.node });
      }
      const taken = nodes[0]!.take();
      if (taken !== null) counts[taken.from - 1]! += 1;
    }
    expect(counts.reduce((sum, count) => sum + count)).toBe(700);
    for (const count of counts.slice(1)) expect(count).toBeGreaterThanOrEqual(98);
  });

  test("a packet that finds nothing armed comes back and keeps nobody from sending", () => {
    const machine = build(1);
    const { nodes } = machine;
    nodes[1]!.send({ to: 3, number: 1 });
    for (const from of [1, 2, 4]) {
      expect(nodes[from]!.send({ to: 3, number: 10 + from })).toBe(TRANSMIT_HELD);
      expect(nodes[from]!.network.hasWork()).toBe(false);
    }
    expect(nodes[5]!.send({ to: 6, number: 7 })).toBe(TRANSMIT_SENT);
    expect(nodes[3]!.send({ to: 1, number: 8 })).toBe(TRANSMIT_SENT);
    expect(nodes[6]!.takeAll()).toEqual([7]);
    expect(nodes[1]!.takeAll()).toEqual([8]);
    // Whoever arms lets them in, one each time; no sender has to be stepped for it.
    expect([0, 1, 2, 3].map(() => nodes[3]!.take()?.number)).toEqual([1, 14, 11, 12]);
    for (const from of [1, 2, 4]) {
      expect(nodes[from]!.network.hasWork()).toBe(true);
      nodes[from]!.network.pump();
      expect(nodes[from]!.network.sending()).toBe(NO_PACKET);
    }
    const returns = nodes.map((node) => node.counter(COUNTERS.ringReturns));
    expect(returns).toEqual([0, 1, 1, 0, 1, 0, 0, 0]); // each once
  });

  test("a sender that has parked is woken when its packet was carried by another", () => {
    const machine = build(1, 3);
    const { nodes } = machine;
    nodes[1]!.send({ to: 3, number: 1 });
    expect(nodes[1]!.send({ to: 3, number: 2 })).toBe(TRANSMIT_HELD);
    nodes[1]!.park();
    expect(nodes[3]!.take()).toMatchObject({ number: 1 });
    expect(nodes[1]!.isParked()).toBe(false);
    expect(nodes[3]!.take()).toMatchObject({ number: 2 });
  });

  test("who frees the ring sees who has come to want it meanwhile", () => {
    let reuse: TestMachine | undefined;
    const schedules = explore(() => {
      const machine = new TestMachine({ kind, dimension: 1, ringLength: 4 }, tokenRing, reuse);
      reuse = machine;
      const [a, b] = machine.nodes;
      for (const node of machine.nodes) node.armAll();
      const numbers: number[] = [];
      const go = (node: typeof a): boolean => {
        node!.network.pump();
        numbers.push(...node!.takeAll());
        return node!.network.sending() === NO_PACKET;
      };
      const send = (node: typeof a, to: number) => () => {
        node!.send({ to, number: to, inlineBytes: 64 });
        node!.parkUntil(() => go(node));
      };
      return {
        parties: [send(a, 1), send(b, 0)],
        woken: [() => go(a), () => go(b)],
        check: () => {
          expect([go(a), go(b)]).toEqual([true, true]);
          expect(numbers.sort()).toEqual([0, 1]);
        },
      };
    });
    expect(schedules).toBeGreaterThan(10);
  });

  test("a descriptor that is armed while a packet comes back is found, or lets it in again", () => {
    let reuse: TestMachine | undefined;
    const schedules = explore(() => {
      const machine = new TestMachine({ kind, dimension: 1, ringLength: 1 }, tokenRing, reuse);
      reuse = machine;
      const [to, from] = machine.nodes;
      for (const node of machine.nodes) node.armAll();
      from!.send({ to: 0, number: 1 });
      const numbers: number[] = [];
      const send = (): void => {
        from!.send({ to: 0, number: 2 });
        from!.parkUntilSent();
      };
      return {
        parties: [send, () => numbers.push(...to!.takeAll())],
        woken: [() => from!.network.pump()],
        check: () => {
          expect(from!.network.sending()).toBe(NO_PACKET);
          numbers.push(...to!.takeAll());
          expect(numbers).toEqual([1, 2]);
        },
      };
    });
    expect(schedules).toBeGreaterThan(10);
  });

  test("packets for a node that has not been armed yet wait for it, more than it has descriptors", () => {
    const machine = new TestMachine({ kind, dimension: 3, ringLength: 2 }, tokenRing);
    const { nodes } = machine;
    for (const node of nodes.slice(1)) {
      expect(node.send({ to: 0, number: node.node })).toBe(TRANSMIT_HELD);
    }
    nodes[0]!.armAll();
    expect(nodes[0]!.takeAll()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    for (const node of nodes.slice(1)) expect(node.network.pump()).toBe(1);
  });

  test("paced: a packet takes latency and bytes over bandwidth, and the ring carries one at a time", () => {
    const pacing = { latencyNs: 10_000, bytesPerSecond: 1e9 };
    const machine = new TestMachine(
      { kind, dimension: 2, ringLength: 1 },
      (board, memory, clock) => {
        return new TokenRing(board, memory, clock, pacing);
      },
    );
    const { nodes, clock } = machine;
    for (const node of nodes) node.armAll();
    const wireNs = 10_000 + PACKET_CARRIED_BYTES + 900;
    const send = (from: number, to: number, number: number) =>
      nodes[from]!.send({ to, number, inlineBytes: 44, pageBytes: 856 });
    expect(send(1, 3, 1)).toBe(TRANSMIT_HELD);
    expect(send(2, 3, 2)).toBe(TRANSMIT_HELD);
    expect(send(0, 2, 3)).toBe(TRANSMIT_HELD);
    // Node 1 has the ring: it alone knows when to look again.
    const deadlines = () => nodes.map(({ network }) => network.nextDeadlineNs());
    const never = Number.POSITIVE_INFINITY;
    expect(deadlines()).toEqual([never, wireNs, never, never]);
    expect(nodes[2]!.network.hasWork()).toBe(false);
    clock.set(wireNs - 1);
    expect(machine.pumpAll()).toBe(0);
    clock.set(wireNs);
    machine.pumpAll();
    expect(deadlines()).toEqual([never, 2 * wireNs, never, never]);
    clock.set(2 * wireNs); // packet 2 comes back: node 3 has taken nothing
    machine.pumpAll();
    expect(nodes[2]!.network.sending()).not.toBe(NO_PACKET);
    clock.set(3 * wireNs);
    machine.pumpAll();
    expect(nodes[2]!.takeAll()).toEqual([3]);
    expect(deadlines()).toEqual([never, never, never, never]);
    expect(nodes[3]!.take()).toMatchObject({ number: 1 }); // and starts packet 2 again
    expect(nodes[3]!.network.nextDeadlineNs()).toBe(4 * wireNs);
    clock.set(4 * wireNs);
    machine.pumpAll();
    expect(nodes[3]!.takeAll()).toEqual([2]);
    expect(nodes.every(({ network }) => network.sending() === NO_PACKET)).toBe(true);
  });

  test("with 64 nodes the round passes from one word of the set to the next, and begins again", () => {
    const shape = { kind, dimension: 6, ringLength: 8, memoryBytes: 32_768 };
    const machine = new TestMachine(shape, tokenRing);
    const { nodes } = machine;
    for (const node of nodes) node.armAll();
    hold(machine);
    for (const from of [63, 31, 0, 33, 32]) nodes[from]!.send({ to: 5, number: from });
    free(machine);
    nodes[33]!.network.pump();
    nodes[40]!.send({ to: 5, number: 40 });
    expect(nodes[5]!.takeAll()).toEqual([31, 32, 33, 63, 0, 40]);
  });
});

test("token-ring: two senders to a node with one descriptor: neither is forgotten, whoever drives when", () => {
  let reuse: TestMachine | undefined;
  const schedules = explore(() => {
    const machine = new TestMachine(
      { kind: "shared-array-buffer" as const, dimension: 2, ringLength: 1, memoryBytes: 16_384 },
      tokenRing,
      reuse,
    );
    reuse = machine;
    const [to, a, b] = machine.nodes;
    for (const node of machine.nodes) node.armAll();
    a!.send({ to: 0, number: 0 });
    a!.send({ to: 0, number: 1 });
    const numbers: number[] = [];
    const sendSecond = (): void => {
      b!.send({ to: 0, number: 2 });
      b!.parkUntilSent();
    };
    return {
      parties: [() => a!.parkUntilSent(), sendSecond, () => numbers.push(...to!.takeAll())],
      woken: [() => a!.network.pump(), () => b!.network.pump()],
      last: () => {
        for (let i = 0; i < 3; i++) numbers.push(...to!.takeAll());
      },
      check: () => {
        expect(numbers.sort()).toEqual([0, 1, 2]);
        for (const node of [a, b]) expect(node!.network.sending()).toBe(NO_PACKET);
      },
    };
  });
  expect(schedules).toBeGreaterThan(100);
});

test("token-ring: three who want the ring at once: whoever has it sees both others", () => {
  let reuse: TestMachine | undefined;
  const schedules = explore(() => {
    const shape = { kind: "shared-array-buffer" as const, dimension: 2, memoryBytes: 16_384 };
    const machine = new TestMachine(shape, tokenRing, reuse);
    reuse = machine;
    const { nodes } = machine;
    for (const node of nodes) node.armAll();
    const senders = nodes.slice(0, 3);
    return {
      parties: senders.map((node) => () => {
        node.send({ to: 3, number: node.node });
        node.parkUntilSent();
      }),
      woken: senders.map((node) => () => node.network.pump()),
      check: () => {
        expect(nodes[3]!.takeAll().sort()).toEqual([0, 1, 2]);
        for (const node of senders) expect(node.network.sending()).toBe(NO_PACKET);
      },
    };
  });
  expect(schedules).toBeGreaterThan(100);
});
