// The fault wrapper: what suffers, whether it repeats, and that the wire gives everything back.

import { describe, expect, test } from "@jest/globals";
import { COUNTERS } from "../../src/base/counters.ts";
import type { FaultRules } from "../../src/hardware/fault-rules.ts";
import { FaultWrapper } from "../../src/hardware/fault-wrapper.ts";
import { FRAME_WIRE } from "../../src/hardware/frame-table.ts";
import {
  type NetworkInterface,
  NO_PACKET,
  TRANSMIT_HELD,
  TRANSMIT_SENT,
} from "../../src/hardware/network-interface.ts";
import { CLASS_ACK } from "../../src/hardware/packet-class.ts";
import { PACKET_FRAME, PACKET_NUMBER } from "../../src/hardware/packet-layout.ts";
import {
  damagedBits,
  directConnect,
  MEMORY_KINDS,
  storeAndForward,
  TestMachine,
  type TestNode,
} from "../support/machine-memory.ts";

const WIRE_BUFFERS = 4;
const COUNTED = ["faultsDropped", "faultsDuplicated", "faultsDelayed", "faultsFlipped"] as const;

describe.each(MEMORY_KINDS)("faults on %s memory", (kind) => {
  interface FaultyMachine {
    readonly machine: TestMachine;
    readonly nodes: TestNode[];
    /** Each node's fault wrapper. */
    readonly wrappers: FaultWrapper[];
    /** Each node's interface below it. */
    readonly inner: NetworkInterface[];
  }
  const build = (
    rules: FaultRules,
    { ringLength = 16, make = directConnect, wireBuffers = WIRE_BUFFERS } = {},
  ): FaultyMachine => {
    const wrappers: FaultWrapper[] = [];
    const inner: NetworkInterface[] = [];
    const shape = { kind, dimension: 2, ringLength, wireBuffers };
    const machine = new TestMachine(shape, (board, memory, clock, frames) => {
      const below = make(board, memory, clock, frames);
      const wire = Int32Array.from({ length: wireBuffers }, () => frames.allocate(FRAME_WIRE));
      const wrapper = new FaultWrapper(below, memory, clock, rules, wire);
      inner.push(below);
      wrappers.push(wrapper);
      return wrapper;
    });
    for (const node of machine.nodes) node.armAll();
    return { machine, nodes: machine.nodes, wrappers, inner };
  };
  /** Sends `count` packets from one node to another, numbered from 1, taking each at once. */
  const stream = (
    { machine, nodes }: FaultyMachine,
    from: number,
    to: number,
    count: number,
    attempt = 0,
  ): number[] => {
    const numbers: number[] = [];
    for (let number = 1; number <= count; number++) {
      nodes[from]!.send({ to, number, attempt });
      machine.pumpAll();
      numbers.push(...nodes[to]!.takeAll());
    }
    return numbers;
  };
  const faults = (node: TestNode): number[] => COUNTED.map((key) => node.counter(COUNTERS[key]));

  test("without rules everything passes untouched and at once", () => {
    const faulty = build({ seed: 1 });
    expect(stream(faulty, 0, 3, 100)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    expect(faults(faulty.nodes[0]!)).toEqual([0, 0, 0, 0]);
    expect(faulty.nodes[0]!.network.nextDeadlineNs()).toBe(Number.POSITIVE_INFINITY);
  });

  test("probabilities 0 and 1 mean never and always", () => {
    const never = build({ seed: 1, drop: 0, duplicate: 0, delay: 0, flip: 0 });
    expect(stream(never, 0, 1, 50)).toHaveLength(50);
    expect(stream(build({ seed: 1, drop: 1 }), 0, 1, 50)).toEqual([]);
    const twice = stream(build({ seed: 1, duplicate: 1 }), 0, 1, 5);
    expect(twice).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
  });

  test.each([1, 7, 0xc0ffee])("rates are kept within tolerance (seed %i)", (seed) => {
    const count = 4000;
    const rules = { seed, drop: 0.1, duplicate: 0.05 };
    const faulty = build(rules);
    const numbers = stream(faulty, 0, 3, count);
    const [dropped, duplicated] = faults(faulty.nodes[0]!) as [number, number];
    // Four standard deviations of a binomial count.
    expect(Math.abs(dropped - count * 0.1)).toBeLessThan(4 * Math.sqrt(count * 0.1 * 0.9));
    const passed = count - dropped;
    expect(Math.abs(duplicated - passed * 0.05)).toBeLessThan(4 * Math.sqrt(passed * 0.05));
    expect(numbers).toHaveLength(passed + duplicated);
    expect(new Set(numbers).size).toBe(passed);
  });

  test("one seed, one pattern: whatever else is sent between, and in whichever order", () => {
    const rules = { seed: 7, drop: 0.3 };
    const alone = stream(build(rules), 0, 3, 200);
    const busy = build(rules);
    stream(busy, 0, 1, 50);
    stream(busy, 2, 3, 50);
    expect(stream(busy, 0, 3, 200)).toEqual(alone);
    const backwards = build(rules);
    const numbers: number[] = [];
    for (let number = 200; number >= 1; number--) {
      backwards.nodes[0]!.send({ to: 3, number });
      numbers.push(...backwards.nodes[3]!.takeAll());
    }
    expect(numbers.reverse()).toEqual(alone);
  });

  test("another seed, link or attempt makes another pattern", () => {
    const patterns = [
      stream(build({ seed: 7, drop: 0.3 }), 0, 3, 200),
      stream(build({ seed: 8, drop: 0.3 }), 0, 3, 200),
      stream(build({ seed: 7 + 2 ** 32, drop: 0.3 }), 0, 3, 200),
      stream(build({ seed: 7, drop: 0.3 }), 0, 2, 200),
      stream(build({ seed: 7, drop: 0.3 }), 3, 0, 200),
      stream(build({ seed: 7, drop: 0.3 }), 0, 3, 200, 1),
    ].map((numbers) => numbers.join(" "));
    expect(new Set(patterns).size).toBe(patterns.length);
  });

  test("rules of a link hold for it alone, in one direction, over those for all", () => {
    const links = [
      { from: 0, to: 3, drop: 1 },
      { from: 1, to: 3, drop: 0, duplicate: undefined },
    ];
    const faulty = build({ seed: 1, duplicate: 1, links });
    expect(stream(faulty, 0, 3, 3)).toEqual([]);
    expect(stream(faulty, 3, 0, 2)).toEqual([1, 1, 2, 2]);
    expect(stream(faulty, 1, 3, 2)).toEqual([1, 1, 2, 2]);
  });

  test("by number: every n-th, or one single packet, at its first attempt only", () => {
    const everyThird = build({ seed: 1, drop: { every: 3 } });
    expect(stream(everyThird, 0, 1, 10)).toEqual([1, 2, 4, 5, 7, 8, 10]);
    expect(stream(everyThird, 0, 1, 10, 1)).toHaveLength(10);
    const onlyFive = build({ seed: 1, drop: { once: 5 } });
    expect(stream(onlyFive, 0, 1, 7)).toEqual([1, 2, 3, 4, 6, 7]);
    expect(stream(onlyFive, 0, 1, 7, 1)).toHaveLength(7);
  });

  test("rules may hold for one direction, for all links of a node, and for classes of packets", () => {
    const faulty = build({
      seed: 1,
      links: [
        { from: 1, drop: 1 },
        { to: 2, packets: [CLASS_ACK], drop: 1 },
      ],
    });
    expect(stream(faulty, 1, 0, 3)).toEqual([]);
    expect(stream(faulty, 0, 1, 3)).toEqual([1, 2, 3]);
    // Numbers of class 1 begin at 2^21.
    const ack = CLASS_ACK << 21;
    for (const number of [1, ack + 1, 2]) faulty.nodes[0]!.send({ to: 2, number });
    faulty.machine.pumpAll();
    expect(faulty.nodes[2]!.takeAll()).toEqual([1, 2]);
  });

  test("a reordered packet comes behind the next one of its link, or when its time is over", () => {
    const faulty = build({ seed: 1, reorder: { every: 2 }, delayNs: [0, 500] });
    const [from, to] = [faulty.nodes[0]!, faulty.nodes[1]!];
    for (const number of [1, 2, 3, 4]) from.send({ to: 1, number, pageBytes: 64 });
    faulty.machine.pumpAll();
    expect(to.takeAll()).toEqual([1, 3, 2]);
    expect(faulty.wrappers[0]!.heldBack).toBe(1);
    faulty.machine.clock.set(499);
    faulty.machine.pumpAll();
    expect(to.takeAll()).toEqual([]);
    faulty.machine.clock.set(500);
    faulty.machine.pumpAll();
    expect(to.takeAll()).toEqual([4]);
    expect(from.counter(COUNTERS.faultsReordered)).toBe(2);
  });

  test("a packet of another link lets no reordered one go", () => {
    const faulty = build({ seed: 1, links: [{ to: 1, reorder: { once: 1 } }] });
    faulty.nodes[0]!.send({ to: 1, number: 1 });
    faulty.nodes[0]!.send({ to: 2, number: 5 });
    faulty.machine.pumpAll();
    expect(faulty.nodes[1]!.takeAll()).toEqual([]);
    faulty.nodes[0]!.send({ to: 1, number: 2 });
    faulty.machine.pumpAll();
    expect(faulty.nodes[1]!.takeAll()).toEqual([2, 1]);
  });

  test("a reordered packet is not let go by one that still waits for the interface", () => {
    const rules = { seed: 1, reorder: { once: 2 }, delayNs: [0, 1e6] as [number, number] };
    const faulty = build(rules, { ringLength: 1 });
    const [from, to] = [faulty.nodes[0]!, faulty.nodes[1]!];
    from.send({ to: 1, number: 1, buffer: 0 });
    expect(from.send({ to: 1, number: 3, buffer: 1 })).toBe(TRANSMIT_HELD); // the ring is full
    const numbers = to.takeAll();
    faulty.machine.pumpAll();
    from.send({ to: 1, number: 2, buffer: 2 }); // held back
    expect(from.send({ to: 1, number: 4, buffer: 3 })).toBe(TRANSMIT_HELD);
    for (let i = 0; i < 3; i++) {
      numbers.push(...to.takeAll());
      faulty.machine.pumpAll();
    }
    expect(numbers).toEqual([1, 3, 4, 2]);
  });

  test("a cut link loses everything for a time, then nothing", () => {
    const faulty = build({ seed: 1, cuts: [{ node: 1, atNs: 100, forNs: 50 }] });
    const at = (nowNs: number, from: number, to: number): number => {
      faulty.machine.clock.set(nowNs);
      return stream(faulty, from, to, 2).length;
    };
    expect([at(99, 0, 1), at(100, 0, 1), at(149, 1, 3), at(149, 0, 2), at(150, 0, 1)]).toEqual([
      2, 0, 0, 2, 2,
    ]);
    expect(faulty.nodes[0]!.counter(COUNTERS.faultsCut)).toBe(2);
    expect(faulty.nodes[1]!.counter(COUNTERS.faultsCut)).toBe(2);
  });

  test("a paused interface takes nothing and gives nothing, and goes on where it was", () => {
    const faulty = build({ seed: 1, pauses: [{ node: 1, atNs: 100, forNs: 50 }] });
    const [other, paused] = [faulty.nodes[0]!, faulty.nodes[1]!];
    faulty.machine.clock.set(100);
    expect(other.send({ to: 1, number: 1 })).toBe(TRANSMIT_SENT);
    expect(paused.send({ to: 0, number: 9 })).toBe(TRANSMIT_HELD);
    faulty.machine.pumpAll();
    expect([paused.takeAll(), other.takeAll(), paused.network.hasWork()]).toEqual([[], [], false]);
    expect(paused.network.nextDeadlineNs()).toBe(150);
    faulty.machine.clock.set(150);
    expect(paused.network.hasWork()).toBe(true);
    faulty.machine.pumpAll();
    expect([paused.takeAll(), other.takeAll()]).toEqual([[1], [9]]);
    expect(paused.network.sending()).toBe(NO_PACKET);
    expect(paused.counter(COUNTERS.faultsPaused)).toBe(1);
  });

  test("healed, it gives out what it held back, ends cuts and pauses, and disturbs nothing any more", () => {
    const faulty = build({
      seed: 1,
      delay: { once: 1 },
      delayNs: [900, 900],
      drop: { once: 7 },
      cuts: [{ from: 2, atNs: 0, forNs: 1e9 }],
      pauses: [{ node: 3, atNs: 0, forNs: 1e9 }],
    });
    faulty.nodes[0]!.send({ to: 1, number: 1 });
    faulty.nodes[3]!.send({ to: 1, number: 3 });
    faulty.machine.pumpAll();
    expect(faulty.nodes[1]!.takeAll()).toEqual([]);
    for (const wrapper of faulty.wrappers) wrapper.heal();
    faulty.machine.pumpAll();
    expect(faulty.nodes[1]!.takeAll().sort()).toEqual([1, 3]);
    expect(stream(faulty, 2, 0, 8)).toHaveLength(8);
    expect(faulty.wrappers.map(({ heldBack }) => heldBack)).toEqual([0, 0, 0, 0]);
  });

  test("packets of a node to itself are not disturbed", () => {
    const faulty = build({ seed: 1, drop: 1 });
    expect(stream(faulty, 2, 2, 5)).toEqual([1, 2, 3, 4, 5]);
  });

  test("a delayed packet comes out when it is due, unharmed, though its sender wrote over it", () => {
    const { machine, nodes, wrappers } = build({
      seed: 1,
      links: [{ from: 0, to: 3, delay: { once: 1 }, delayNs: [500, 500] }],
    });
    const [from, , , to] = nodes;
    machine.clock.set(1_000);
    const packet = { to: 3, number: 1, inlineBytes: 192, pageBytes: 1024 };
    expect(from!.send(packet)).toBe(TRANSMIT_SENT);
    expect(from!.network.sending()).toBe(NO_PACKET);
    expect(from!.network.nextDeadlineNs()).toBe(1_500);
    expect(wrappers[0]!.heldBack).toBe(1);
    // The same buffer, the same page: the next packet overtakes.
    from!.send({ ...packet, number: 2, inlineBytes: 191, pageBytes: 1023 });
    machine.clock.set(1_499);
    machine.pumpAll();
    expect(to!.takeAll()).toEqual([2]);
    machine.clock.set(1_500);
    expect(from!.network.pump()).toBe(1);
    expect(to!.take()).toMatchObject({ number: 1, inlineBytes: 192, pageBytes: 1024 });
    machine.pumpAll();
    expect(wrappers[0]!.heldBack).toBe(0);
    expect(from!.network.nextDeadlineNs()).toBe(Number.POSITIVE_INFINITY);
    expect(faults(from!)).toEqual([0, 0, 1, 0]);
  });

  test("delays lie between the bounds and follow from the packet's number", () => {
    const rules = { seed: 3, delay: 1, delayNs: [1_000, 5_000] as const };
    const dues = Array.from({ length: 50 }, (_, i) => {
      const { nodes } = build(rules);
      nodes[0]!.send({ to: 1, number: i });
      return nodes[0]!.network.nextDeadlineNs();
    });
    expect(Math.min(...dues)).toBeGreaterThanOrEqual(1_000);
    expect(Math.max(...dues)).toBeLessThan(5_000);
    expect(new Set(dues).size).toBeGreaterThan(45);
    const { nodes } = build(rules);
    nodes[0]!.send({ to: 1, number: 17 });
    expect(nodes[0]!.network.nextDeadlineNs()).toBe(dues[17]);
  });

  test("packets due together go out in the order of their times", () => {
    const { machine, nodes } = build({ seed: 5, delay: 1, delayNs: [1_000, 5_000] });
    const due = [1, 2, 3, 4].map((number) => {
      const other = build({ seed: 5, delay: 1, delayNs: [1_000, 5_000] });
      other.nodes[0]!.send({ to: 1, number });
      return { number, dueNs: other.nodes[0]!.network.nextDeadlineNs() };
    });
    for (const { number } of due) nodes[0]!.send({ to: 1, number });
    machine.clock.set(10_000);
    machine.pumpAll();
    const order = due.sort((a, b) => a.dueNs - b.dueNs).map(({ number }) => number);
    expect(nodes[1]!.takeAll()).toEqual(order);
    expect(order).not.toEqual([1, 2, 3, 4]);
  });

  test("a flip changes exactly one bit, anywhere in header, inline bytes or page, of a copy", () => {
    const { nodes } = build({ seed: 9, flip: 1 });
    const where = { header: 0, inline: 0, page: 0 };
    for (let number = 0; number < 300; number++) {
      const packet = {
        to: 3,
        number,
        inlineBytes: number % 193,
        pageBytes: number % 3 === 0 ? 64 : 0,
      };
      const at = nodes[0]!.compose(packet);
      expect(nodes[0]!.network.transmit(at)).toBe(TRANSMIT_SENT);
      expect(damagedBits(nodes[0]!.memory, at)).toBe(0);
      const { memory, network } = nodes[3]!;
      const received = network.poll();
      expect(damagedBits(memory, received)).toBe(1);
      expect(memory.words[received + PACKET_NUMBER]).toBe(number << 8);
      where[damagedPart(memory, nodes[0]!.memory, received, at)] += 1;
      network.arm(memory.words[received + PACKET_FRAME]!);
    }
    expect(Object.values(where).every((count) => count > 10)).toBe(true);
    expect(faults(nodes[0]!)).toEqual([0, 0, 0, 300]);
  });

  test("flips alone do not reorder, even when the interface below is held", () => {
    const { machine, nodes, wrappers } = build({ seed: 2, flip: 0.5 }, { ringLength: 1 });
    const numbers: number[] = [];
    for (let number = 1; numbers.length < 100; ) {
      if (nodes[0]!.network.sending() === NO_PACKET && number <= 100) {
        nodes[0]!.send({ to: 3, number: number++, inlineBytes: 16 });
      }
      const at = nodes[3]!.network.poll();
      if (at === NO_PACKET) {
        machine.pumpAll();
        continue;
      }
      const { memory, network } = nodes[3]!;
      numbers.push(memory.words[at + PACKET_NUMBER]! >>> 8);
      network.arm(memory.words[at + PACKET_FRAME]!);
    }
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    expect(nodes[0]!.counter(COUNTERS.faultsFlipped)).toBeGreaterThan(25);
    machine.pumpAll();
    expect(wrappers[0]!.heldBack).toBe(0);
  });

  test("while a wire buffer is held below, the next packet is the wrapper's, and reported as held", () => {
    const { machine, nodes, inner } = build(
      { seed: 1, links: [{ from: 0, to: 3, duplicate: { once: 2 } }] },
      { ringLength: 2 },
    );
    const [from, , , to] = nodes;
    from!.send({ to: 3, number: 1 });
    from!.send({ to: 3, number: 2, pageBytes: 100 }); // fills the ring; its duplicate is held below
    expect(from!.network.sending()).toBe(NO_PACKET);
    expect(inner[0]!.sending()).not.toBe(NO_PACKET);
    const buffer = from!.compose({ to: 3, number: 3, inlineBytes: 12, buffer: 2 });
    expect(from!.network.transmit(buffer)).toBe(TRANSMIT_HELD);
    expect(from!.network.sending()).toBe(buffer);
    expect(from!.network.hasWork()).toBe(false);
    expect(to!.take()).toMatchObject({ number: 1 });
    expect(from!.network.hasWork()).toBe(true);
    machine.pumpAll();
    expect(from!.network.sending()).toBe(buffer); // the duplicate took the place
    expect(to!.takeAll()).toEqual([2, 2]);
    machine.pumpAll();
    expect(from!.network.sending()).toBe(NO_PACKET);
    expect(to!.takeAll()).toEqual([3]);
  });

  test("what falls due while the interface below is held has no deadline, and goes out after it", () => {
    const { machine, nodes } = build(
      { seed: 1, delay: { once: 1 }, delayNs: [500, 500] },
      { ringLength: 1 },
    );
    const [from, , , to] = nodes;
    for (const number of [1, 2, 3]) from!.send({ to: 3, number, buffer: number });
    expect(from!.network.sending()).toBe(from!.buffer(3));
    machine.clock.set(1_000);
    expect(machine.pumpAll()).toBe(0);
    expect(from!.network.nextDeadlineNs()).toBe(Number.POSITIVE_INFINITY);
    const numbers: number[] = [];
    for (let i = 0; i < 3; i++) {
      numbers.push(...to!.takeAll());
      machine.pumpAll();
    }
    expect(numbers).toEqual([2, 3, 1]);
  });

  test("with no wire buffer free a packet passes undisturbed", () => {
    const rules = { seed: 1, delay: 1, delayNs: [1e9, 1e9] as const };
    const { machine, nodes, wrappers } = build(rules);
    for (let number = 1; number <= WIRE_BUFFERS + 2; number++) nodes[0]!.send({ to: 1, number });
    expect(nodes[1]!.takeAll()).toEqual([WIRE_BUFFERS + 1, WIRE_BUFFERS + 2]);
    expect(faults(nodes[0]!)).toEqual([0, 0, WIRE_BUFFERS, 0]);
    machine.clock.set(1e9);
    machine.pumpAll();
    expect(nodes[1]!.takeAll().sort()).toEqual([1, 2, 3, 4]);
    expect(wrappers[0]!.heldBack).toBe(0);
    const none = build({ seed: 1, delay: 1, duplicate: 1, flip: 1 }, { wireBuffers: 0 });
    expect(stream(none, 0, 1, 3)).toEqual([1, 2, 3]);
  });

  test.each([
    { what: "direct-connect", make: directConnect },
    { what: "store-and-forward", make: storeAndForward },
  ])(
    "all faults at once over $what: nothing is left on the wire, and the sums are right",
    ({ make }) => {
      const rules = {
        seed: 42,
        drop: 0.1,
        duplicate: 0.1,
        delay: 0.2,
        delayNs: [100, 3_000] as const,
      };
      const { machine, nodes, wrappers } = build(rules, { ringLength: 2, make });
      const total = 2000;
      let received = 0;
      for (let number = 1, quiet = 0; quiet < 100; ) {
        machine.clock.set(machine.clock.now() + 50);
        quiet = number > total ? quiet + 1 : 0;
        const [from] = nodes;
        if (number <= total && from!.network.sending() === NO_PACKET) {
          const page = number % 4 === 0 ? { pageBytes: number % 1025 } : {};
          from!.send({
            to: number % 4,
            number,
            inlineBytes: number % 193,
            ...page,
            buffer: number % 4,
          });
          number += 1;
        }
        for (const node of nodes) {
          node.network.pump();
          received += node.takeAll().length;
        }
      }
      const [dropped, duplicated, delayed] = faults(nodes[0]!) as [number, number, number];
      expect(received).toBe(total - dropped + duplicated);
      expect(dropped).toBeGreaterThan(50);
      expect(duplicated).toBeGreaterThan(50);
      expect(delayed).toBeGreaterThan(50);
      expect(wrappers.map(({ heldBack }) => heldBack)).toEqual([0, 0, 0, 0]);
      expect(nodes[0]!.frames.count(FRAME_WIRE)).toBe(WIRE_BUFFERS);
      expect(nodes.every(({ network }) => !network.hasWork())).toBe(true);
    },
  );
});

/** In which part a received packet differs from what was sent. */
const damagedPart = (
  received: TestNode["memory"],
  sent: TestNode["memory"],
  to: number,
  from: number,
): "header" | "inline" | "page" => {
  for (let i = 6; i < 64; i++) {
    const inlineWords = (sent.words[from + 3]! + 3) >> 2;
    if (i >= 16 + inlineWords) break;
    const mask = i < 16 ? -1 : maskOf(sent.words[from + 3]! - (i - 16) * 4);
    if (((received.words[to + i]! ^ sent.words[from + i]!) & mask) !== 0) {
      return i < 16 ? "header" : "inline";
    }
  }
  return "page";
};

/** The low bytes of a word of which so many count. */
const maskOf = (bytes: number): number => (bytes >= 4 ? -1 : (1 << (bytes * 8)) - 1);
