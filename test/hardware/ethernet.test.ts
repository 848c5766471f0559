// The ethernet: how packets are cut up and put together, what is lost and counted, who waits for the cable,
// and what a collision costs.

import { describe, expect, test } from "@jest/globals";
import { NEVER } from "../../src/base/clock.ts";
import { COUNTERS, type CounterKey } from "../../src/base/counters.ts";
import { release, tryHold } from "../../src/hardware/channel.ts";
import type { Pacing } from "../../src/hardware/direct-connect.ts";
import { Ethernet, MAX_COLLISIONS } from "../../src/hardware/ethernet.ts";
import {
  CABLE_BUSY,
  CABLE_COLLIDED,
  CABLE_TAKEN,
  keepCable,
  tryCable,
} from "../../src/hardware/ethernet-cable.ts";
import { FRAGMENT_BYTES_MAX, frameWireBytes } from "../../src/hardware/ethernet-frame.ts";
import { Reassembly, STALE_NS } from "../../src/hardware/ethernet-reassembly.ts";
import {
  MEDIUM_WORDS,
  REASSEMBLY_SOURCE,
  REASSEMBLY_WORDS,
} from "../../src/hardware/machine-layout.ts";
import { NO_PACKET, TRANSMIT_HELD, TRANSMIT_SENT } from "../../src/hardware/network-interface.ts";
import { PACKET_CARRIED_BYTES } from "../../src/hardware/packet-layout.ts";
import { describeCarrying } from "../support/interconnect-suite.ts";
import { ethernet, MEMORY_KINDS, TestMachine, type TestNode } from "../support/machine-memory.ts";
import { explore } from "../support/preempt.ts";

const REASSEMBLIES = 4;
/** 10 Mbit/s; without the latency, so that times are easy to tell. */
const TEN_MEGABIT: Pacing = { latencyNs: 0, bytesPerSecond: 1.25e6 };
/** 512 bit times at 10 Mbit/s. */
const SLOT_NS = 51_200;

describeCarrying("ethernet", ethernet, { reassemblies: REASSEMBLIES, channels: 0 });

const frameNs = (fragmentBytes: number): number => frameWireBytes(fragmentBytes) * 800;

const counts = (node: TestNode, ...keys: CounterKey[]): number[] =>
  keys.map((key) => node.counter(COUNTERS[key]));

describe.each(MEMORY_KINDS)("ethernet on %s memory", (kind) => {
  const shape = { kind, dimension: 2, channels: 0, pageBytes: 4096, memoryBytes: 1 << 17 };
  const build = (reassemblies = REASSEMBLIES, ringLength = 4): TestMachine => {
    const machine = new TestMachine({ ...shape, ringLength, reassemblies }, ethernet);
    for (const node of machine.nodes) node.armAll();
    return machine;
  };
  const buildPaced = (pacing = TEN_MEGABIT, reassemblies = REASSEMBLIES, seed = 1): TestMachine => {
    const machine = new TestMachine({ ...shape, reassemblies }, (board, memory, clock) => {
      return new Ethernet(board, memory, clock, pacing, seed);
    });
    for (const node of machine.nodes) node.armAll();
    return machine;
  };
  /** Lets modelled time pass from deadline to deadline until nobody has one. */
  const passTime = (machine: TestMachine, untilNs = NEVER, each = (): void => {}): void => {
    for (;;) {
      machine.pumpAll();
      each();
      const deadlines = machine.nodes.map(({ network }) => network.nextDeadlineNs());
      const next = Math.min(...deadlines);
      if (next === NEVER || next > untilNs) return;
      machine.clock.set(next);
    }
  };
  /** Packets that node `node` is putting together. */
  const underWay = ({ board, layout }: TestMachine, node: number): number => {
    let count = 0;
    for (let entry = 0; entry < layout.reassemblies; entry++) {
      const at = board.regionAt[node]! + layout.reassemblyTableAt + entry * REASSEMBLY_WORDS;
      if (board.words[at + REASSEMBLY_SOURCE] !== 0) count += 1;
    }
    return count;
  };

  // --- fragments ----------------------------------------------------------------------------------

  const FULL = FRAGMENT_BYTES_MAX - PACKET_CARRIED_BYTES;
  test.each([
    ["of no bytes", 0, 0, 1],
    ["with inline bytes only", 192, 0, 1],
    ["one byte short of a frame", 0, FULL - 1, 1],
    ["of exactly one frame", 0, FULL, 1],
    ["one byte over a frame", 0, FULL + 1, 2],
    ["of exactly two frames", 0, FULL + FRAGMENT_BYTES_MAX, 2],
    ["one byte over two frames", 0, FULL + FRAGMENT_BYTES_MAX + 1, 3],
    ["with inline bytes and a page", 192, 4096, 3],
  ])(
    "a packet %s takes the frames it needs and arrives whole",
    (_what, inlineBytes, pageBytes, frames) => {
      const machine = build();
      const [from, to] = machine.nodes;
      expect(from!.send({ to: 1, number: 5, inlineBytes, pageBytes })).toBe(TRANSMIT_SENT);
      expect(counts(from!, "framesSent")).toEqual([frames]);
      expect(to!.take()).toEqual({ from: 0, number: 5, attempt: 0, inlineBytes, pageBytes });
      expect(underWay(machine, 1)).toBe(0);
    },
  );

  test("a packet with a page of 64 KiB is 46 frames", () => {
    const large = { ...shape, pageBytes: 65_536, memoryBytes: 1 << 20, ringLength: 2 };
    const machine = new TestMachine({ ...large, reassemblies: 2 }, ethernet);
    const [from, to] = machine.nodes;
    to!.armAll();
    from!.send({ to: 1, number: 9, inlineBytes: 192, pageBytes: 65_536 });
    expect(counts(from!, "framesSent")).toEqual([46]);
    expect(to!.take()).toMatchObject({ inlineBytes: 192, pageBytes: 65_536 });
  });

  /** A source whose frames a test puts on the cable one by one. */
  const source = (machine: TestMachine, node: number, number: number) => {
    const from = machine.nodes[node]!;
    const { board, clock } = machine;
    const reassembly = new Reassembly(board, node, from.memory.counters, clock);
    const packet = board.regionAt[node]! + from.compose({ to: 0, number, pageBytes: 4096 });
    const bytes = PACKET_CARRIED_BYTES + 4096;
    return (fragment: number, id = number): void => {
      const offset = fragment * FRAGMENT_BYTES_MAX;
      reassembly.receive(0, id, packet, offset, Math.min(FRAGMENT_BYTES_MAX, bytes - offset));
    };
  };

  test("fragments of several sources, one after another on the cable, are put together apart", () => {
    const machine = build();
    const puts = [1, 2, 3].map((node) => source(machine, node, 100 + node));
    for (const fragment of [0, 1, 2]) {
      expect(underWay(machine, 0)).toBe(fragment === 0 ? 0 : 3);
      for (const put of puts) put(fragment);
    }
    expect(underWay(machine, 0)).toBe(0);
    expect(machine.nodes[0]!.takeAll()).toEqual([101, 102, 103]);
  });

  test.each([
    ["first", [1, 2], 0, 2],
    ["middle", [0, 2], 1, 1],
    ["repeated", [0, 0, 1, 2], 1, 0],
    ["early", [0, 2, 1], 1, 2],
  ])(
    "a fragment that is lost or out of turn drops its packet and no other (%s)",
    (what, fragments, givenUp, stray) => {
      const machine = build();
      const put = source(machine, 1, 7);
      for (const fragment of fragments) put(fragment);
      const [to, from] = machine.nodes;
      expect(counts(from!, "reassembliesGivenUp", "strayFragments")).toEqual([givenUp, stray]);
      // Sent twice, the first fragment begins the packet anew.
      expect(to!.takeAll()).toEqual(what === "repeated" ? [7] : []);
      for (const fragment of [0, 1, 2]) put(fragment, 8);
      expect(to!.takeAll()).toEqual([7]);
      expect(underWay(machine, 0)).toBe(0);
    },
  );

  test("the last fragment lost: the source's next packet ends the reassembly, whatever its length", () => {
    const machine = build();
    const [to, from] = machine.nodes;
    const put = source(machine, 1, 7);
    put(0);
    put(1);
    expect(underWay(machine, 0)).toBe(1);
    from!.send({ to: 0, number: 8, buffer: 1 });
    expect(to!.takeAll()).toEqual([8]);
    expect(counts(from!, "reassembliesGivenUp", "strayFragments")).toEqual([1, 0]);
    put(2); // late
    expect(to!.takeAll()).toEqual([]);
    expect(counts(from!, "reassembliesGivenUp", "strayFragments")).toEqual([1, 1]);
  });

  test("no place to put it together: the packet is lost, and short ones still pass", () => {
    const machine = build(1);
    const [to, , second] = machine.nodes;
    const put = source(machine, 1, 7);
    put(0);
    expect(second!.send({ to: 0, number: 20, pageBytes: 4096 })).toBe(TRANSMIT_SENT);
    expect(second!.send({ to: 0, number: 21 })).toBe(TRANSMIT_SENT);
    expect(counts(second!, "noReassembly", "strayFragments")).toEqual([1, 2]);
    put(1);
    put(2);
    second!.send({ to: 0, number: 22, pageBytes: 4096 });
    expect(to!.takeAll()).toEqual([21, 7, 22]);
  });

  test("a source that has fallen silent gives its place to another, after a time", () => {
    const machine = build(1);
    const [to, , second] = machine.nodes;
    const put = source(machine, 1, 7);
    put(0);
    machine.clock.set(STALE_NS - 1);
    second!.send({ to: 0, number: 20, pageBytes: 4096 });
    expect(counts(second!, "noReassembly", "reassembliesGivenUp")).toEqual([1, 0]);
    machine.clock.set(STALE_NS);
    second!.send({ to: 0, number: 21, pageBytes: 4096 });
    expect(counts(second!, "noReassembly", "reassembliesGivenUp")).toEqual([1, 1]);
    expect(to!.takeAll()).toEqual([21]);
    put(1);
    put(2);
    expect(to!.takeAll()).toEqual([]);
  });

  test("nothing armed: the packet is lost and counted, whole or in fragments, and nobody waits", () => {
    const machine = build(1, 1);
    const [to, from] = machine.nodes;
    from!.send({ to: 0, number: 1 });
    expect(from!.send({ to: 0, number: 2 })).toBe(TRANSMIT_SENT);
    expect(from!.send({ to: 0, number: 3, pageBytes: 4096 })).toBe(TRANSMIT_SENT);
    expect(counts(from!, "noDescriptor", "framesSent")).toEqual([2, 5]);
    expect(underWay(machine, 0)).toBe(0);
    expect(to!.takeAll()).toEqual([1]);
    from!.send({ to: 0, number: 4, pageBytes: 4096 });
    expect(to!.takeAll()).toEqual([4]);
  });

  // --- the cable ----------------------------------------------------------------------------------

  const cableOf = (machine: TestMachine): number => machine.layout.mediumAt;
  const free = (machine: TestMachine): void => {
    release(machine.board, cableOf(machine), cableOf(machine) + MEDIUM_WORDS);
  };

  test("who finds the cable taken waits, may park, and is woken when it is free", () => {
    let previous: TestMachine | undefined;
    const schedules = explore(() => {
      const small = { kind, dimension: 1, channels: 0, reassemblies: 1 };
      const machine = new TestMachine(small, ethernet, previous);
      previous = machine;
      const [to, from] = machine.nodes;
      to!.armAll();
      expect(tryHold(machine.board.words, cableOf(machine), 0)).toBe(true);
      const send = (): void => {
        from!.send({ to: 0, number: 1, inlineBytes: 4 });
        from!.parkUntilSent();
      };
      return {
        parties: [send, () => free(machine)],
        woken: [() => from!.network.pump()],
        check: () => {
          expect(from!.network.sending()).toBe(NO_PACKET);
          expect(to!.takeAll()).toEqual([1]);
        },
      };
    });
    expect(schedules).toBeGreaterThan(10);
  });

  test("paced: who hears another waits, may park, and is woken when the frame is over", () => {
    let previous: TestMachine | undefined;
    const schedules = explore(() => {
      const small = { kind, dimension: 1, channels: 0, reassemblies: 1 };
      const machine = new TestMachine(
        small,
        (board, memory, clock) => new Ethernet(board, memory, clock, TEN_MEGABIT, 1),
        previous,
      );
      previous = machine;
      const [, from] = machine.nodes;
      // As if node 0 were sending: its slot time is over.
      expect(tryCable(machine.board.words, cableOf(machine), 0)).toBe(CABLE_TAKEN);
      expect(keepCable(machine.board.words, cableOf(machine), 0)).toBe(true);
      const contends = (): boolean => from!.network.nextDeadlineNs() === SLOT_NS;
      const send = (): void => {
        from!.send({ to: 0, number: 1 });
        from!.parkUntil(contends);
      };
      return {
        parties: [send, () => free(machine)],
        woken: [() => from!.network.pump()],
        check: () => expect(contends()).toBe(true),
      };
    });
    expect(schedules).toBeGreaterThan(10);
  });

  test("a collision is noticed by both or by neither", () => {
    const words = new Int32Array(new SharedArrayBuffer(64));
    const outcomes = new Set<string>();
    explore(() => {
      words.fill(0);
      let kept = false;
      let other = CABLE_TAKEN as number;
      return {
        parties: [
          () => {
            expect(tryCable(words, 0, 1)).toBe(CABLE_TAKEN);
            kept = keepCable(words, 0, 1);
            Atomics.store(words, 0, 0); // its release
          },
          () => {
            other = tryCable(words, 0, 2);
            if (other === CABLE_TAKEN) Atomics.store(words, 0, 0);
          },
        ],
        check: () => {
          expect(kept).toBe(other !== CABLE_COLLIDED);
          outcomes.add(`${kept} ${other}`);
        },
      };
    });
    expect([...outcomes].sort()).toEqual(
      [`false ${CABLE_COLLIDED}`, `true ${CABLE_TAKEN}`, `true ${CABLE_BUSY}`].sort(),
    );
  });

  test("paced: a frame takes its bytes over bandwidth, after a latency that does not keep the cable", () => {
    const machine = buildPaced({ latencyNs: 1e6, bytesPerSecond: 1.25e6 });
    const [to, first, second] = machine.nodes;
    const { clock } = machine;
    expect(first!.send({ to: 0, number: 1 })).toBe(TRANSMIT_HELD);
    expect(first!.network.nextDeadlineNs()).toBe(1e6);
    clock.set(900_000);
    expect(second!.send({ to: 0, number: 2 })).toBe(TRANSMIT_HELD); // while the first gets ready
    passTime(machine, 1e6 + frameNs(56) - 1);
    expect(to!.take()).toBeNull();
    passTime(machine, 1e6 + frameNs(56));
    expect(to!.takeAll()).toEqual([1]);
    // The second heard the first at 1.9 ms or found the cable free: 1 ms of latency passed beside it.
    passTime(machine, 1.9e6 + frameNs(56));
    expect(to!.takeAll()).toEqual([2]);
    expect(counts(first!, "collisions")).toEqual([0]);
  });

  test("paced: carrier sense: who begins after the slot time hears the frame and collides with nobody", () => {
    const machine = buildPaced();
    const [to, first, second] = machine.nodes;
    first!.send({ to: 0, number: 1, pageBytes: 1000 });
    machine.clock.set(SLOT_NS);
    machine.pumpAll();
    second!.send({ to: 0, number: 2 });
    expect(second!.network.hasWork()).toBe(false);
    expect(second!.network.nextDeadlineNs()).toBe(NEVER);
    second!.park();
    passTime(machine, frameNs(1056));
    expect(second!.isParked()).toBe(false);
    passTime(machine);
    expect(to!.takeAll()).toEqual([1, 2]);
    expect(machine.clock.now()).toBe(frameNs(1056) + frameNs(56));
    for (const node of [first, second]) expect(counts(node!, "collisions")).toEqual([0]);
  });

  test("paced: two who begin within the slot time collide, draw their waits from the seed, and both arrive", () => {
    const orders = new Set<string>();
    const ends = new Set<number>();
    for (let seed = 1; seed <= 20; seed++) {
      const run = (): string => {
        const machine = buildPaced(TEN_MEGABIT, 1, seed);
        const [to, first, second] = machine.nodes;
        first!.send({ to: 0, number: 1 });
        machine.clock.set(SLOT_NS / 2);
        second!.send({ to: 0, number: 2 });
        passTime(machine);
        for (const node of [first, second]) {
          expect(counts(node!, "collisions")[0]).toBeGreaterThan(0);
          expect(counts(node!, "framesSent")).toEqual([1]);
        }
        ends.add(machine.clock.now());
        const order = to!.takeAll().join();
        expect([...order].sort().join("")).toBe(",12");
        return `${order} at ${machine.clock.now()}`;
      };
      const order = run();
      expect(run()).toBe(order); // the same seed, the same waits
      orders.add(order.slice(0, 3));
    }
    expect(orders.size).toBe(2);
    expect(ends.size).toBeGreaterThan(5);
  });

  test("paced: a frame that collides 16 times is given up with its packet, and the next one is sent", () => {
    const machine = buildPaced();
    const { clock, board } = machine;
    const [to, from] = machine.nodes;
    from!.send({ to: 0, number: 1, pageBytes: 4096 });
    let jams = 0;
    let longestNs = 0;
    while (from!.network.sending() !== NO_PACKET) {
      // Somebody begins in each of its slot times.
      expect(tryCable(board.words, cableOf(machine), 2)).toBe(CABLE_COLLIDED);
      jams += 1;
      clock.set(from!.network.nextDeadlineNs()); // its slot time ends
      from!.network.pump();
      if (from!.network.sending() === NO_PACKET) break;
      longestNs = Math.max(longestNs, from!.network.nextDeadlineNs() - clock.now());
      clock.set(from!.network.nextDeadlineNs()); // it has waited
      from!.network.pump();
    }
    expect(jams).toBe(MAX_COLLISIONS);
    expect(longestNs).toBeGreaterThan(64 * SLOT_NS);
    expect(longestNs).toBeLessThanOrEqual(1024 * SLOT_NS);
    expect(counts(from!, "collisions", "collisionsGivenUp", "framesSent")).toEqual([16, 1, 0]);
    from!.send({ to: 0, number: 2 });
    passTime(machine);
    expect(to!.takeAll()).toEqual([2]);
  });

  test("paced: four nodes that all send to all get everything through one cable", () => {
    const machine = buildPaced();
    const { nodes } = machine;
    const received: string[] = [];
    let left = 0;
    const sent = nodes.map(() => 0);
    passTime(machine, NEVER, () => {
      for (const node of nodes) {
        for (let taken = node.take(); taken !== null; taken = node.take()) {
          received.push(`${taken.from} ${node.node} ${taken.number}`);
        }
        if (node.network.sending() !== NO_PACKET || sent[node.node] === 12) continue;
        const number = sent[node.node]!++;
        node.send({
          to: (node.node + 1 + (number % 3)) & 3,
          number,
          pageBytes: 400 * (number % 5),
        });
        left += 1;
      }
    });
    expect(left).toBe(48);
    expect(new Set(received).size).toBe(48);
    const collisions = nodes.map((node) => counts(node, "collisions")[0]!);
    expect(collisions.reduce((sum, count) => sum + count)).toBeGreaterThan(0);
    for (const node of nodes) {
      expect(counts(node, "noDescriptor", "noReassembly", "collisionsGivenUp")).toEqual([0, 0, 0]);
    }
  });
});
