// A store-and-forward channel under every interleaving of its producer and its consumer.

import { describe, expect, test } from "@jest/globals";
import { CHANNEL_HEAD, CHANNEL_TAIL, CHANNEL_WORDS } from "../../src/hardware/machine-layout.ts";
import { NO_PACKET } from "../../src/hardware/network-interface.ts";
import { PACKET_BODY, PACKET_LINK } from "../../src/hardware/packet-layout.ts";
import { ChannelInput, ChannelOutput, slotPage } from "../../src/hardware/slot-channel.ts";
import { MEMORY_KINDS, storeAndForward, TestMachine } from "../support/machine-memory.ts";
import { explore, recordAtomics } from "../support/preempt.ts";

/** The first packet's payload: not what fresh memory reads as. */
const FIRST = 0xc0de;

describe.each(MEMORY_KINDS)("slot channel on %s memory", (kind) => {
  const machines = new Map<number, TestMachine>();

  /** The channel from node 4 across dimension 1, to node 6. */
  class Channel {
    readonly machine: TestMachine;
    readonly output: ChannelOutput;
    readonly input: ChannelInput;
    readonly taken: number[] = [];
    put = 0;

    constructor(channelSlots: number) {
      const shape = { kind, dimension: 3, channelSlots };
      this.machine = new TestMachine(shape, storeAndForward, machines.get(channelSlots));
      machines.set(channelSlots, this.machine);
      this.output = new ChannelOutput(this.machine.board, 4, 1);
      this.input = new ChannelInput(this.machine.board, 6, 1);
    }

    get words(): Int32Array {
      return this.machine.board.words;
    }

    send(): boolean {
      const slot = this.output.slotToFill();
      if (slot === NO_PACKET) return false;
      this.words[slot + PACKET_BODY] = FIRST + this.put;
      this.words[slotPage(slot)] = FIRST + this.put;
      this.output.publish();
      this.put += 1;
      return true;
    }

    take(): boolean {
      const slot = this.input.poll();
      if (slot === NO_PACKET) return false;
      expect(this.words[slotPage(slot)]).toBe(this.words[slot + PACKET_BODY]);
      this.taken.push(this.words[slot + PACKET_BODY]!);
      this.words.fill(-1, slot + PACKET_BODY, slotPage(slot) + 1); // what must not be overtaken
      this.input.release();
      return true;
    }

    prefill(count: number): this {
      for (let i = 0; i < count; i++) expect(this.send()).toBe(true);
      return this;
    }

    expectIntact(): void {
      while (this.take());
      expect(this.taken).toEqual(Array.from({ length: this.put }, (_, i) => FIRST + i));
    }
  }

  describe.each([1, 2, 4])("of %i slots", (slots) => {
    const levels = Array.from({ length: slots + 1 }, (_, level) => level);

    test.each(levels)(
      "either side works at any moment of the other's: %i filled before",
      (level) => {
        const sendTwice = (channel: Channel) => (): void => {
          channel.send();
          channel.send();
        };
        const takeAll = (channel: Channel) => (): void => {
          while (channel.take());
        };
        for (const takerFirst of [false, true]) {
          explore(() => {
            const channel = new Channel(slots).prefill(level);
            const parties = [sendTwice(channel), takeAll(channel)];
            if (takerFirst) parties.reverse();
            return { parties, check: () => channel.expectIntact() };
          });
        }
        expect(new Channel(slots).prefill(slots).send()).toBe(false);
      },
    );

    test("a producer that finds no room is rung by the next release, whenever that comes", () => {
      for (const takerFirst of [false, true]) {
        const schedules = explore(() => {
          const channel = new Channel(slots).prefill(slots);
          const producer = channel.machine.nodes[4]!;
          producer.park();
          let found = false;
          const send = (): void => {
            found = channel.send();
          };
          const take = (): void => {
            channel.take();
          };
          return {
            parties: takerFirst ? [take, send] : [send, take],
            check: () => {
              if (!found) expect(!producer.isParked() || channel.output.wordStands()).toBe(true);
              if (!found && producer.isParked()) expect(channel.output.hasRoom()).toBe(false);
              channel.expectIntact();
              if (!found) expect(producer.isParked()).toBe(false);
            },
          };
        });
        expect(schedules).toBeGreaterThan(4);
      }
    });
  });

  test("what is put in rings the far node, and nobody else", () => {
    const channel = new Channel(2);
    for (const node of channel.machine.nodes) node.park();
    channel.send();
    const awake = channel.machine.nodes.filter((node) => !node.isParked());
    expect(awake.map(({ node }) => node)).toEqual([6]);
  });

  test("seeded mistake: a consumer that releases a slot before it has read it is found", () => {
    const find = (): number =>
      explore(() => {
        const channel = new Channel(1).prefill(1);
        return {
          parties: [
            () => {
              const slot = channel.input.poll();
              channel.input.release();
              channel.taken.push(channel.words[slot + PACKET_BODY]!);
            },
            () => {
              channel.send();
            },
          ],
          check: () => channel.expectIntact(),
        };
      });
    expect(find).toThrow("schedule");
  });

  test("seeded mistake: a producer that writes before it asks for room is found", () => {
    const find = (): number =>
      explore(() => {
        const channel = new Channel(1);
        const slot = channel.output.slotToFill();
        channel.prefill(1);
        return {
          parties: [
            () => {
              channel.words[slot + PACKET_BODY] = FIRST + channel.put;
              channel.send();
            },
            () => {
              channel.take();
            },
          ],
          check: () => channel.expectIntact(),
        };
      });
    expect(find).toThrow("schedule");
  });

  test("the link word is stored last, with all in place; the head before word is looked for", () => {
    const channel = new Channel(2);
    const slot = channel.output.slotToFill();
    const puts = recordAtomics(
      () => channel.send(),
      ({ name }) => {
        if (name !== "store") return;
        expect(channel.words[slotPage(slot)]).toBe(FIRST);
        expect(channel.words[channel.output.at + CHANNEL_TAIL]).toBe(1);
      },
    );
    const stores = puts.filter(({ name }) => name === "store");
    expect(stores).toEqual([{ name: "store", at: slot + PACKET_LINK, value: 1 }]);
    const takes = recordAtomics(() => channel.input.release());
    expect(takes.map(({ name, at }) => `${name} ${at - channel.output.at}`)).toEqual([
      `store ${CHANNEL_HEAD}`,
      `load ${CHANNEL_WORDS}`,
    ]);
  });
});
