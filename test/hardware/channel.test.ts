// One channel under every interleaving of its holder and those who wait for it.

import { describe, expect, test } from "@jest/globals";
import type { Board } from "../../src/hardware/board.ts";
import {
  CHANNEL_FREE,
  leaveWord,
  release,
  tryHold,
  wordStands,
} from "../../src/hardware/channel.ts";
import {
  CHANNEL_HOLDER,
  CHANNEL_WAITING,
  CHANNEL_WORDS,
} from "../../src/hardware/machine-layout.ts";
import { directConnect, MEMORY_KINDS, TestMachine } from "../support/machine-memory.ts";
import { explore, recordAtomics } from "../support/preempt.ts";

describe.each(MEMORY_KINDS)("channel on %s memory", (kind) => {
  // 64 nodes: the waiter set has two words.
  const shape = { kind, dimension: 6, memoryBytes: 32768 };
  let machine = new TestMachine(shape, directConnect);
  const channelAt = (board: Board): number => board.regionAt[0]! + board.layout.channelsAt;

  interface Channel {
    readonly board: Board;
    readonly words: Int32Array;
    readonly at: number;
    readonly waitersAt: number;
  }
  /** A fresh machine's first channel, held by node 1. */
  const heldChannel = (): Channel => {
    machine = new TestMachine(shape, directConnect, machine);
    const { board } = machine;
    const at = channelAt(board);
    expect(tryHold(board.words, at, 1)).toBe(true);
    return { board, words: board.words, at, waitersAt: at + CHANNEL_WORDS };
  };
  /** One try, as an interface makes it. */
  const tryOrLeaveWord = ({ words, at, waitersAt }: Channel, node: number): boolean => {
    if (tryHold(words, at, node)) return true;
    leaveWord(words, at, waitersAt, node);
    return tryHold(words, at, node);
  };
  const holder = ({ words, at }: Channel): number => words[at + CHANNEL_HOLDER]! - 1;

  test("one holds it, the next must wait, and after the release it is free", () => {
    const channel = heldChannel();
    expect(tryHold(channel.words, channel.at, 2)).toBe(false);
    expect(holder(channel)).toBe(1);
    release(channel.board, channel.at, channel.waitersAt);
    expect(channel.words[channel.at + CHANNEL_HOLDER]).toBe(CHANNEL_FREE);
    expect(tryHold(channel.words, channel.at, 2)).toBe(true);
  });

  test("a release rings all who left word, in both words of the waiter set, and nobody else", () => {
    const channel = heldChannel();
    const waiters = [0, 5, 31, 32, 63];
    for (const { node } of machine.nodes) machine.nodes[node]!.park();
    for (const node of waiters) leaveWord(channel.words, channel.at, channel.waitersAt, node);
    expect(waiters.every((node) => wordStands(channel.words, channel.waitersAt, node))).toBe(true);
    release(channel.board, channel.at, channel.waitersAt);
    const awake = machine.nodes.filter((node) => !node.isParked()).map(({ node }) => node);
    expect(awake).toEqual(waiters);
    expect(waiters.some((node) => wordStands(channel.words, channel.waitersAt, node))).toBe(false);
    expect(channel.words[channel.at + CHANNEL_WAITING]).toBe(0); // the next release looks no further
  });

  test("whenever the release comes, the waiter holds the channel or its word is taken and it is rung", () => {
    const schedules = explore(() => {
      const channel = heldChannel();
      machine.nodes[2]!.park();
      let held = false;
      return {
        parties: [
          () => {
            held = tryOrLeaveWord(channel, 2);
          },
          () => release(channel.board, channel.at, channel.waitersAt),
        ],
        check: () => {
          if (held) expect(holder(channel)).toBe(2);
          else expect(machine.nodes[2]!.isParked()).toBe(false);
        },
      };
    });
    expect(schedules).toBeGreaterThan(6);
  });

  test("whenever the waiter comes during the release, the same", () => {
    const schedules = explore(() => {
      const channel = heldChannel();
      machine.nodes[2]!.park();
      let held = false;
      return {
        parties: [
          () => release(channel.board, channel.at, channel.waitersAt),
          () => {
            held = tryOrLeaveWord(channel, 2);
          },
        ],
        check: () => {
          if (held) expect(holder(channel)).toBe(2);
          else expect(machine.nodes[2]!.isParked()).toBe(false);
        },
      };
    });
    expect(schedules).toBeGreaterThan(2);
  });

  test("two waiters and a release: one channel, one holder, and who has nothing is on record or rung", () => {
    for (const order of [0, 1, 2]) {
      const schedules = explore(() => {
        const channel = heldChannel();
        for (const node of [2, 40]) machine.nodes[node]!.park();
        const held = new Set<number>();
        const waiter = (node: number) => () => {
          if (tryOrLeaveWord(channel, node)) held.add(node);
        };
        const parties = [waiter(2), waiter(40)];
        parties.splice(order, 0, () => release(channel.board, channel.at, channel.waitersAt));
        return {
          parties,
          check: () => {
            expect(held.size).toBeLessThanOrEqual(1);
            for (const node of [2, 40]) {
              if (held.has(node)) continue;
              const onRecord = wordStands(channel.words, channel.waitersAt, node);
              const rung = !machine.nodes[node]!.isParked();
              // Word that stands is worth something only while somebody holds and will release.
              expect(rung || (onRecord && held.size === 1)).toBe(true);
            }
            if (held.size === 0) return;
            release(channel.board, channel.at, channel.waitersAt);
            for (const node of [2, 40]) {
              if (!held.has(node)) expect(machine.nodes[node]!.isParked()).toBe(false);
            }
          },
        };
      });
      expect(schedules).toBeGreaterThan(20);
    }
  });

  test("seeded mistake: a waiter that does not try again after leaving word is found", () => {
    const find = (): number =>
      explore(() => {
        const channel = heldChannel();
        machine.nodes[2]!.park();
        let held = false;
        return {
          parties: [
            () => {
              held = tryHold(channel.words, channel.at, 2);
              if (!held) leaveWord(channel.words, channel.at, channel.waitersAt, 2);
            },
            () => release(channel.board, channel.at, channel.waitersAt),
          ],
          check: () => {
            if (!held) expect(machine.nodes[2]!.isParked()).toBe(false);
          },
        };
      });
    expect(find).toThrow('schedule "after operation 0"');
  });

  test("seeded mistake: a holder that looks for waiters before it frees the channel is found", () => {
    const releaseWrongly = ({ board, words, at, waitersAt }: Channel): void => {
      const waiting = Atomics.load(words, at + CHANNEL_WAITING) !== 0;
      Atomics.store(words, at + CHANNEL_HOLDER, CHANNEL_FREE);
      if (waiting) release(board, at, waitersAt);
    };
    const find = (): number =>
      explore(() => {
        const channel = heldChannel();
        machine.nodes[2]!.park();
        let held = false;
        return {
          parties: [
            () => releaseWrongly(channel),
            () => {
              held = tryOrLeaveWord(channel, 2);
            },
          ],
          check: () => {
            if (!held) expect(machine.nodes[2]!.isParked()).toBe(false);
          },
        };
      });
    expect(find).toThrow("schedule");
  });

  test("the release frees the channel first and looks for waiters then; word is left bit first", () => {
    const channel = heldChannel();
    const { words, at, waitersAt } = channel;
    const trace = (run: () => void): string[] =>
      recordAtomics(run).map((call) => `${call.name} ${call.at - at}`);
    expect(trace(() => release(channel.board, at, waitersAt))).toEqual([
      `store ${CHANNEL_HOLDER}`,
      `load ${CHANNEL_WAITING}`,
    ]);
    expect(trace(() => leaveWord(words, at, waitersAt, 40))).toEqual([
      `or ${CHANNEL_WORDS + 1}`,
      `store ${CHANNEL_WAITING}`,
    ]);
  });
});
