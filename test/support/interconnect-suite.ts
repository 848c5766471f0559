// What every interconnect must do, on both kinds of memory; each has further tests of its own.
//   describeInterconnect   for one that loses nothing
//   describeCarrying       for one that may lose what finds no descriptor

import { describe, expect, test } from "@jest/globals";
import { Random } from "../../src/base/random.ts";
import type { BoardShape } from "../../src/hardware/machine-layout.ts";
import { NO_PACKET, TRANSMIT_HELD, TRANSMIT_SENT } from "../../src/hardware/network-interface.ts";
import { PACKET_INLINE_BYTES_MAX } from "../../src/hardware/packet-layout.ts";
import { type InterfaceMaker, MEMORY_KINDS, TestMachine } from "./machine-memory.ts";
import { explore } from "./preempt.ts";
import { expectSame } from "./same.ts";

const PAGE_BYTES = 1024;
const PAGE_SIZES = [0, 1, 3, 4, 512, 1021, PAGE_BYTES];

export const describeCarrying = (
  name: string,
  makeInterface: InterfaceMaker,
  board: Partial<BoardShape> = {},
): void => {
  describe.each(MEMORY_KINDS)(`${name} on %s memory`, (kind) => {
    const build = (dimension: number): TestMachine =>
      armed(new TestMachine({ kind, dimension, ringLength: 4, ...board }, makeInterface));

    test.each([3, 4])(
      "between every two nodes of a %i-cube packets and pages arrive intact",
      (dimension) => {
        const { nodes, pumpAll } = bind(build(dimension));
        let number = 0;
        for (const from of nodes) {
          for (const to of nodes) {
            number += 1;
            const inlineBytes = number % (PACKET_INLINE_BYTES_MAX + 1);
            const pageBytes = PAGE_SIZES[number % PAGE_SIZES.length]!;
            const packet = { to: to.node, number, inlineBytes, pageBytes };
            expect(from.send(packet)).toBe(TRANSMIT_SENT);
            pumpAll();
            expect(to.take()).toEqual({
              from: from.node,
              number,
              attempt: 0,
              inlineBytes,
              pageBytes,
            });
            expect(nodes.every((node) => node.take() === null)).toBe(true);
          }
        }
      },
    );

    test("every number of inline bytes from 0 to 192 arrives, with and without a page", () => {
      const { nodes, pumpAll } = bind(build(2));
      for (let inlineBytes = 0; inlineBytes <= PACKET_INLINE_BYTES_MAX; inlineBytes++) {
        for (const pageBytes of [0, PAGE_BYTES - inlineBytes]) {
          nodes[1]!.send({ to: 2, number: inlineBytes, inlineBytes, pageBytes });
          pumpAll();
          expect(nodes[2]!.take()).toMatchObject({ from: 1, inlineBytes, pageBytes });
        }
      }
    });

    test("once sent, the sender's buffer and page may be overwritten", () => {
      const { nodes, pumpAll } = bind(build(3));
      expect(nodes[0]!.send({ to: 7, number: 1, inlineBytes: 192, pageBytes: 1024 })).toBe(
        TRANSMIT_SENT,
      );
      nodes[0]!.compose({ to: 7, number: 2, inlineBytes: 192, pageBytes: 1024 });
      pumpAll();
      expect(nodes[7]!.take()).toMatchObject({ number: 1 });
      expect(nodes[7]!.take()).toBeNull();
    });

    test("a packet that arrives counts as work, and rings the worker that has parked", () => {
      const { nodes } = bind(build(1));
      expect(nodes[1]!.network.hasWork()).toBe(false);
      nodes[1]!.park();
      nodes[0]!.send({ to: 1, number: 1 });
      expect(nodes[1]!.isParked()).toBe(false);
      expect(nodes[1]!.network.hasWork()).toBe(true);
    });
  });
};

export const describeInterconnect = (name: string, makeInterface: InterfaceMaker): void => {
  describeCarrying(name, makeInterface);
  describe.each(MEMORY_KINDS)(`${name}, which loses nothing, on %s memory`, (kind) => {
    const build = (dimension: number, ringLength = 4): TestMachine =>
      armed(new TestMachine({ kind, dimension, ringLength }, makeInterface));

    test("a node sends to itself, in order, and is held when its own ring is full", () => {
      const { nodes, pumpAll } = bind(build(1, 2));
      const [node] = nodes;
      expect(node!.send({ to: 0, number: 1 })).toBe(TRANSMIT_SENT);
      expect(node!.send({ to: 0, number: 2, pageBytes: 64 })).toBe(TRANSMIT_SENT);
      expect(node!.send({ to: 0, number: 3 })).toBe(TRANSMIT_HELD);
      expect(node!.take()).toMatchObject({ number: 1 });
      pumpAll();
      expect(node!.takeAll()).toEqual([2, 3]);
    });

    test("nothing armed: packets are held, nothing is lost, and arming lets them through", () => {
      const { nodes, pumpAll } = bind(build(2, 1));
      const [from, , , to] = nodes;
      let number = 0;
      let status = TRANSMIT_SENT as number;
      while (status === TRANSMIT_SENT) {
        status = from!.send({ to: 3, number, inlineBytes: 8, pageBytes: 100, buffer: number & 3 });
        number += 1;
        expect(number).toBeLessThan(100);
        pumpAll();
      }
      expect(status).toBe(TRANSMIT_HELD);
      expect(from!.network.sending()).toBe(from!.buffer((number - 1) & 3));
      expect(from!.network.pump()).toBe(0);
      const numbers: number[] = [];
      for (let i = 0; i < number; i++) {
        numbers.push(...to!.takeAll());
        pumpAll();
      }
      expect(numbers).toEqual(Array.from({ length: number }, (_, i) => i));
      expect(from!.network.sending()).toBe(NO_PACKET);
    });

    test("while a packet is held another one must not be offered", () => {
      const { nodes, pumpAll } = bind(build(1, 1));
      for (let number = 0; nodes[0]!.network.sending() === NO_PACKET; number++) {
        nodes[0]!.send({ to: 1, number });
        pumpAll();
      }
      expect(() => nodes[0]!.send({ to: 1, number: 99, buffer: 1 })).toThrow("at a time");
    });

    test.each([1, 4])(
      "under random load each pair's packets arrive once, in order, intact (ring length %i)",
      (ringLength) => {
        const machine = build(3, ringLength);
        const random = new Random(7).fork(`load ${ringLength}`);
        const sent = new Map<string, number>();
        const received = new Map<string, number>();
        const packets = 3000;
        let submitted = 0;
        let taken = 0;
        for (let steps = 0; taken < packets; steps++) {
          expectSame(steps < 1_000_000, true);
          const node = machine.nodes[random.below(8)]!;
          node.network.pump();
          if (random.chance(0.4)) {
            const packet = node.take();
            if (packet !== null) {
              const pair = `${packet.from} to ${node.node}`;
              expectSame(packet.number, (received.get(pair) ?? 0) + 1);
              received.set(pair, packet.number);
              taken += 1;
            }
          }
          if (submitted < packets && node.network.sending() === NO_PACKET) {
            const to = random.below(8);
            const pair = `${node.node} to ${to}`;
            const number = (sent.get(pair) ?? 0) + 1;
            sent.set(pair, number);
            submitted += 1;
            node.send({
              to,
              number,
              inlineBytes: random.below(193),
              pageBytes: random.chance(0.3) ? random.below(PAGE_BYTES + 1) : 0,
            });
          }
        }
        expect(received).toEqual(sent);
        machine.pumpAll();
        expect(machine.nodes.every(({ network }) => !network.hasWork())).toBe(true);
      },
    );

    test("a held packet that is blocked is no work: its worker may park", () => {
      const { nodes, pumpAll } = bind(build(1, 1));
      for (let number = 0; nodes[0]!.network.sending() === NO_PACKET; number++) {
        nodes[0]!.send({ to: 1, number });
        pumpAll();
      }
      expect(nodes[0]!.network.hasWork()).toBe(false);
      expect(nodes[0]!.network.nextDeadlineNs()).toBe(Number.POSITIVE_INFINITY);
    });

    test("a worker that parks with a held packet is woken, whenever room comes", () => {
      let previous: TestMachine | undefined;
      const schedules = explore(() => {
        const shape = { kind, dimension: 1, ringLength: 1, channelSlots: 1 };
        const machine = armed(new TestMachine(shape, makeInterface, previous));
        previous = machine;
        const [from, to] = machine.nodes;
        let number = 0;
        while (from!.network.sending() === NO_PACKET) {
          from!.send({ to: 1, number: number++ });
          machine.pumpAll();
        }
        const numbers: number[] = [];
        const step = (): void => {
          to!.network.pump();
          numbers.push(...to!.takeAll());
          to!.network.pump();
        };
        return {
          parties: [() => from!.parkUntilSent(), step],
          woken: [() => from!.network.pump()],
          check: () => {
            expect(from!.network.sending()).toBe(NO_PACKET);
            step();
            step();
            expect(numbers).toEqual(Array.from({ length: number }, (_, i) => i));
          },
        };
      });
      expect(schedules).toBeGreaterThan(10);
    });
  });
};

const armed = (machine: TestMachine): TestMachine => {
  for (const node of machine.nodes) node.armAll();
  return machine;
};

/** A machine's nodes, and its pumpAll as a function. */
const bind = (machine: TestMachine) => ({
  nodes: machine.nodes,
  pumpAll: () => machine.pumpAll(),
});
