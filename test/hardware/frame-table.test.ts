// The frame table: one owner for each frame (I-1).

import { describe, expect, test } from "@jest/globals";
import {
  countFrames,
  FRAME_ARMED,
  FRAME_FREE,
  FRAME_MESSAGE,
  FRAME_POISON,
  FRAME_WIRE,
  type FrameState,
  FrameTable,
  NO_FRAME,
} from "../../src/hardware/frame-table.ts";
import { PhysicalMemory } from "../../src/hardware/physical-memory.ts";
import { createMachineMemory } from "../../src/node/machine-memory.ts";
import { MEMORY_KINDS, testLayout } from "../support/machine-memory.ts";

const STATES: readonly FrameState[] = [FRAME_FREE, FRAME_ARMED, FRAME_MESSAGE, FRAME_WIRE];

describe.each(MEMORY_KINDS)("frame table on %s memory", (kind) => {
  const makeMemory = (): PhysicalMemory => {
    const layout = testLayout({});
    return new PhysicalMemory(createMachineMemory(layout.totalBytes, kind).buffer, layout, 0);
  };

  test("a machine starts with every frame free, and the counts sum to all frames whatever happens", () => {
    const memory = makeMemory();
    const table = new FrameTable(memory);
    const { frameCount } = memory.layout;
    const counts = (): number[] => STATES.map((state) => table.count(state));
    const sum = (): number => counts().reduce((total, count) => total + count, 0);
    expect(table.count(FRAME_FREE)).toBe(frameCount);
    const armed = table.allocate(FRAME_ARMED);
    table.allocate(FRAME_MESSAGE);
    table.allocate(FRAME_WIRE);
    expect(counts()).toEqual([frameCount - 3, 1, 1, 1]);
    table.hand(armed, FRAME_ARMED, FRAME_MESSAGE);
    expect(table.count(FRAME_MESSAGE)).toBe(2);
    expect(sum()).toBe(frameCount);
    table.free(armed, FRAME_MESSAGE);
    expect(sum()).toBe(frameCount);
    expect(countFrames(memory, FRAME_FREE)).toBe(table.freeCount);
  });

  test("no frame is given out twice, and when all are gone the answer is NO_FRAME", () => {
    const table = new FrameTable(makeMemory());
    const frames = new Set<number>();
    for (let frame = table.allocate(FRAME_MESSAGE); frame !== NO_FRAME; ) {
      expect(frames.has(frame)).toBe(false);
      frames.add(frame);
      frame = table.allocate(FRAME_MESSAGE);
    }
    expect(table.freeCount).toBe(0);
    expect(table.count(FRAME_MESSAGE)).toBe(frames.size);
    const [some] = frames;
    table.free(some!, FRAME_MESSAGE);
    expect(table.allocate(FRAME_ARMED)).toBe(some);
  });

  test("a frame freed twice stops the program (I-1)", () => {
    const table = new FrameTable(makeMemory());
    const frame = table.allocate(FRAME_MESSAGE);
    table.free(frame, FRAME_MESSAGE);
    expect(() => table.free(frame, FRAME_MESSAGE)).toThrow("one owner (I-1)");
  });

  test("a frame handed on or freed by who does not own it stops the program (I-1)", () => {
    const table = new FrameTable(makeMemory());
    const frame = table.allocate(FRAME_ARMED);
    expect(() => table.hand(frame, FRAME_MESSAGE, FRAME_WIRE)).toThrow("one owner (I-1)");
    expect(() => table.free(frame, FRAME_WIRE)).toThrow("one owner (I-1)");
    expect(table.count(FRAME_ARMED)).toBe(1);
  });

  test("under poison a freed page reads as poison, and its neighbours as before", () => {
    const memory = makeMemory();
    const table = new FrameTable(memory, true);
    const [before, freed, after] = [0, 1, 2].map(() => table.allocate(FRAME_MESSAGE));
    for (const frame of [before!, freed!, after!]) {
      const at = memory.frameWord(frame);
      memory.words.fill(0xc0ffee, at, at + memory.pageWords);
    }
    table.free(freed!, FRAME_MESSAGE);
    const page = (frame: number): Set<number> => {
      const at = memory.frameWord(frame);
      return new Set(memory.words.slice(at, at + memory.pageWords));
    };
    expect(page(freed!)).toEqual(new Set([FRAME_POISON]));
    expect(page(before!)).toEqual(new Set([0xc0ffee]));
    expect(page(after!)).toEqual(new Set([0xc0ffee]));
  });
});
