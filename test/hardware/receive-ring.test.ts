// The receive ring under every interleaving of its filler and its software, for several fill levels.

import { describe, expect, test } from "@jest/globals";
import { EJECT_ARMED, EJECT_STARVED, EJECT_TAIL } from "../../src/hardware/machine-layout.ts";
import { NO_PACKET } from "../../src/hardware/network-interface.ts";
import { PACKET_BODY, PACKET_FRAME, PACKET_LINK } from "../../src/hardware/packet-layout.ts";
import {
  descriptorToFill,
  isStarving,
  publishDescriptor,
  ReceiveRing,
} from "../../src/hardware/receive-ring.ts";
import { directConnect, MEMORY_KINDS, TestMachine } from "../support/machine-memory.ts";
import { explore, recordAtomics } from "../support/preempt.ts";

/** The node whose interface fills; the ring is node 0's. */
const FILLER = 1;
/** The first packet's payload: not what fresh memory reads as. */
const FIRST = 0xc0de;

describe.each(MEMORY_KINDS)("receive ring on %s memory", (kind) => {
  const machines = new Map<number, TestMachine>();

  /** Both sides of node 0's ring, of one length, all armed. */
  class Ring {
    readonly machine: TestMachine;
    readonly software: ReceiveRing;
    readonly region: number;
    readonly taken: number[] = [];
    /** Packets filled so far. */
    filled = 0;

    constructor(ringLength: number) {
      const shape = { kind, dimension: 1, ringLength, memoryBytes: 32768 };
      this.machine = new TestMachine(shape, directConnect, machines.get(ringLength));
      machines.set(ringLength, this.machine);
      const { board, nodes } = this.machine;
      this.software = new ReceiveRing(board, nodes[0]!.memory);
      this.software.armAll(Int32Array.from({ length: ringLength }, (_, i) => 10 + i));
      this.region = board.regionAt[0]!;
    }

    get words(): Int32Array {
      return this.machine.board.words;
    }

    /** Fills one descriptor if one is armed. */
    fill(): boolean {
      const { board } = this.machine;
      const descriptor = descriptorToFill(board, this.region, FILLER);
      if (descriptor === NO_PACKET) return false;
      this.words[descriptor + PACKET_BODY] = FIRST + this.filled;
      publishDescriptor(board, this.region, descriptor);
      this.filled += 1;
      return true;
    }

    /** Takes one packet if there is one, arming its descriptor with another frame. */
    take(): boolean {
      const { memory } = this.machine.nodes[0]!;
      const at = this.software.poll();
      if (at === NO_PACKET) return false;
      this.taken.push(memory.words[at + PACKET_BODY]!);
      memory.words[at + PACKET_BODY] = -1; // what the filler must not overtake
      this.software.arm(memory.words[at + PACKET_FRAME]! ^ 1);
      return true;
    }

    /** `count` packets filled and not taken. */
    prefill(count: number): this {
      for (let i = 0; i < count; i++) expect(this.fill()).toBe(true);
      return this;
    }

    /** Nothing lost, nothing twice, in order. */
    expectIntact(): void {
      while (this.take());
      expect(this.taken).toEqual(Array.from({ length: this.filled }, (_, i) => FIRST + i));
    }
  }

  test("what is filled is taken in order, and a full ring gives no descriptor until one is armed", () => {
    const ring = new Ring(4).prefill(4);
    expect(ring.fill()).toBe(false);
    expect(ring.take()).toBe(true);
    expect(ring.fill()).toBe(true);
    expect(ring.fill()).toBe(false);
    ring.expectIntact();
    expect(ring.taken).toEqual([0, 1, 2, 3, 4].map((i) => FIRST + i));
  });

  test("the filler finds the frame that software armed last", () => {
    const ring = new Ring(1).prefill(1);
    ring.take();
    const descriptor = descriptorToFill(ring.machine.board, ring.region, FILLER);
    expect(ring.words[descriptor + PACKET_FRAME]).toBe(10 ^ 1);
  });

  describe.each([1, 2, 4])("of length %i", (length) => {
    const levels = Array.from({ length: length + 1 }, (_, level) => level);

    test.each(levels)("software works at any moment of the filler's: %i filled before", (level) => {
      let results: boolean[] = [];
      const schedules = explore(() => {
        const ring = new Ring(length).prefill(level);
        results = [];
        return {
          parties: [
            () => {
              results.push(ring.fill(), ring.fill());
            },
            () => {
              while (ring.take());
            },
          ],
          check: () => ring.expectIntact(),
        };
      });
      expect(results).toHaveLength(2);
      expect(schedules).toBeGreaterThan(4);
    });

    test.each(levels)("the filler works at any moment of software's: %i filled before", (level) => {
      const schedules = explore(() => {
        const ring = new Ring(length).prefill(level);
        return {
          parties: [
            () => {
              while (ring.take());
            },
            () => {
              while (ring.fill());
            },
          ],
          check: () => ring.expectIntact(),
        };
      });
      expect(schedules).toBeGreaterThan(1);
    });

    test("a filler that finds nothing armed is rung by the next arm, whenever that comes", () => {
      const schedules = explore(() => {
        const ring = new Ring(length).prefill(length);
        ring.machine.nodes[FILLER]!.park();
        let found = false;
        return {
          parties: [
            () => {
              found = ring.fill();
            },
            () => {
              ring.take();
            },
          ],
          check: () => {
            if (!found) expect(ring.machine.nodes[FILLER]!.isParked()).toBe(false);
            ring.expectIntact();
          },
        };
      });
      expect(schedules).toBeGreaterThan(4);
    });

    test("an arm in whose midst the filler finds nothing armed rings it, or the next one does", () => {
      const schedules = explore(() => {
        const ring = new Ring(length).prefill(length);
        const { board, nodes } = ring.machine;
        nodes[FILLER]!.park();
        let found = false;
        return {
          parties: [
            () => {
              ring.take();
            },
            () => {
              found = ring.fill();
            },
          ],
          check: () => {
            const rung = !nodes[FILLER]!.isParked();
            if (!found) expect(rung || isStarving(board, ring.region, FILLER)).toBe(true);
            ring.take();
            if (!found) expect(nodes[FILLER]!.isParked()).toBe(false);
            ring.expectIntact();
          },
        };
      });
      expect(schedules).toBeGreaterThan(4);
    });
  });

  test("seeded mistake: a filler that publishes before the payload is there is found", () => {
    const fillWrongly = (ring: Ring): void => {
      const { board } = ring.machine;
      const descriptor = descriptorToFill(board, ring.region, FILLER);
      publishDescriptor(board, ring.region, descriptor);
      ring.words[descriptor + PACKET_BODY] = FIRST + ring.filled++;
    };
    const find = (): number =>
      explore(() => {
        const ring = new Ring(2);
        return {
          parties: [
            () => fillWrongly(ring),
            () => {
              while (ring.take());
            },
          ],
          check: () => ring.expectIntact(),
        };
      });
    expect(find).toThrow('schedule "after operation');
  });

  test("seeded mistake: a filler that says it starves and does not look again is found", () => {
    const fillWrongly = (ring: Ring): boolean => {
      const ejectAt = ring.region + ring.machine.layout.ejectionAt;
      const armed = Atomics.load(ring.words, ejectAt + EJECT_ARMED);
      if (armed !== ring.words[ejectAt + EJECT_TAIL]) return ring.fill();
      Atomics.store(ring.words, ejectAt + EJECT_STARVED, FILLER + 1);
      return false;
    };
    const find = (): number =>
      explore(() => {
        const ring = new Ring(1).prefill(1);
        ring.machine.nodes[FILLER]!.park();
        let found = false;
        return {
          parties: [
            () => {
              found = fillWrongly(ring);
            },
            () => {
              ring.take();
            },
          ],
          check: () => {
            if (!found) expect(ring.machine.nodes[FILLER]!.isParked()).toBe(false);
          },
        };
      });
    expect(find).toThrow("schedule");
  });

  test("seeded mistake: software that arms a descriptor before it has read it is found", () => {
    const takeWrongly = (ring: Ring): boolean => {
      const { memory } = ring.machine.nodes[0]!;
      const at = ring.software.poll();
      if (at === NO_PACKET) return false;
      ring.software.arm(memory.words[at + PACKET_FRAME]!);
      ring.taken.push(memory.words[at + PACKET_BODY]!);
      return true;
    };
    const find = (): number =>
      explore(() => {
        const ring = new Ring(1).prefill(1);
        return {
          parties: [
            () => {
              takeWrongly(ring);
            },
            () => {
              ring.fill();
            },
          ],
          check: () => ring.expectIntact(),
        };
      });
    expect(find).toThrow("schedule");
  });

  test("the link word is the last thing that the filler stores, and all is there by then", () => {
    const ring = new Ring(4);
    const descriptor = ring.region + ring.machine.layout.ringAt;
    const tailAt = ring.region + ring.machine.layout.ejectionAt + EJECT_TAIL;
    const calls = recordAtomics(
      () => ring.fill(),
      ({ name, at }) => {
        if (name !== "store") return;
        expect(at).toBe(descriptor + PACKET_LINK);
        expect(ring.words[descriptor + PACKET_BODY]).toBe(FIRST);
        expect(ring.words[tailAt]).toBe(1);
      },
    );
    expect(calls.filter(({ name }) => name === "store")).toHaveLength(1);
    expect(calls.at(-1)).toMatchObject({ name: "store", value: 1 });
  });

  test("the frame is in its descriptor before the arm counts, and starving is asked after", () => {
    const ring = new Ring(1).prefill(1);
    const ejectAt = ring.region + ring.machine.layout.ejectionAt;
    const descriptor = ring.region + ring.machine.layout.ringAt;
    expect(ring.software.poll()).not.toBe(NO_PACKET);
    const calls = recordAtomics(
      () => ring.software.arm(0xbeef),
      () => expect(ring.words[descriptor + PACKET_FRAME]).toBe(0xbeef),
    );
    expect(calls.map(({ name, at }) => `${name} ${at - ejectAt}`)).toEqual([
      `store ${EJECT_ARMED}`,
      `load ${EJECT_STARVED}`,
    ]);
  });
});
