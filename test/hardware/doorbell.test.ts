// The doorbell under every interleaving of a worker that parks and one that rings.

import { describe, expect, test } from "@jest/globals";
import {
  BELL_AWAKE,
  BELL_PARKED,
  beginParking,
  endParking,
  ringDoorbell,
  waitForDoorbell,
  workersAwake,
} from "../../src/hardware/doorbell.ts";
import { MACHINE_AWAKE, WORKER_BELL, workerWord } from "../../src/hardware/machine-layout.ts";
import { createMachineMemory } from "../../src/node/machine-memory.ts";
import { MEMORY_KINDS, testLayout } from "../support/machine-memory.ts";
import { explore, recordAtomics } from "../support/preempt.ts";

const layout = testLayout({ dimension: 1 });
const PARKER = workerWord(layout, 0);
/** Some word that nobody else uses: what the ringer publishes. */
const NEWS = layout.totalBytes / 4 - 1;

describe.each(MEMORY_KINDS)("doorbell on %s memory", (kind) => {
  const { buffer } = createMachineMemory(layout.totalBytes, kind);
  const words = new Int32Array(buffer);

  /** Two workers, both awake; no news. */
  const reset = (): void => {
    words[MACHINE_AWAKE] = 2;
    words[PARKER + WORKER_BELL] = BELL_AWAKE;
    words[NEWS] = 0;
  };
  const seesNews = (): boolean => Atomics.load(words, NEWS) !== 0;
  const publishAndRing = (): void => {
    Atomics.store(words, NEWS, 1);
    ringDoorbell(words, PARKER);
  };
  const park = (): void => {
    if (seesNews()) return;
    beginParking(words, PARKER);
    if (seesNews()) endParking(words, PARKER);
    else waitForDoorbell(words, PARKER, 1000);
  };
  const expectAwake = (): void => {
    expect(words[PARKER + WORKER_BELL]).toBe(BELL_AWAKE);
    expect(workersAwake(words)).toBe(2);
    expect(seesNews()).toBe(true);
  };

  test("whenever the ringer comes, the parker is awake in the end and the count is right", () => {
    const schedules = explore(() => {
      reset();
      return { parties: [park, publishAndRing], check: expectAwake };
    });
    expect(schedules).toBeGreaterThan(8);
  });

  test("whenever the parker parks between the ringer's steps, it is woken", () => {
    const schedules = explore(() => {
      reset();
      return { parties: [publishAndRing, park], check: expectAwake };
    });
    expect(schedules).toBeGreaterThan(4);
  });

  test("two ringers at once wake it once", () => {
    const schedules = explore(() => {
      reset();
      return { parties: [park, publishAndRing, publishAndRing], check: expectAwake };
    });
    expect(schedules).toBeGreaterThan(50);
  });

  test("seeded mistake: a parker that does not look again sleeps for ever, and is found", () => {
    const parkWithoutLook = (): void => {
      if (seesNews()) return;
      beginParking(words, PARKER);
      waitForDoorbell(words, PARKER, 1000);
    };
    const find = (): number =>
      explore(() => {
        reset();
        return { parties: [parkWithoutLook, publishAndRing], check: expectAwake };
      });
    expect(find).toThrow("lost wake-up");
  });

  test("seeded mistake: a ringer that rings before it publishes is found", () => {
    const ringAndPublish = (): void => {
      ringDoorbell(words, PARKER);
      Atomics.store(words, NEWS, 1);
    };
    const find = (): number =>
      explore(() => {
        reset();
        return { parties: [park, ringAndPublish], check: expectAwake };
      });
    const findReversed = (): number =>
      explore(() => {
        reset();
        return { parties: [ringAndPublish, park], check: expectAwake };
      });
    expect([find, findReversed].some(throws)).toBe(true);
  });

  test("parking takes the worker off the count before the bell says so", () => {
    reset();
    const calls = recordAtomics(() => beginParking(words, PARKER));
    expect(calls.map(({ name, at }) => `${name} ${at}`)).toEqual([
      `sub ${MACHINE_AWAKE}`,
      `store ${PARKER + WORKER_BELL}`,
    ]);
    expect(words[PARKER + WORKER_BELL]).toBe(BELL_PARKED);
  });

  test("ringing a worker that is awake costs one load and changes nothing", () => {
    reset();
    const calls = recordAtomics(() => ringDoorbell(words, PARKER));
    expect(calls.map(({ name, at }) => `${name} ${at}`)).toEqual([`load ${PARKER + WORKER_BELL}`]);
    expect(workersAwake(words)).toBe(2);
  });

  test("a wait that nobody ends is over after its time, and the worker counts as awake again", () => {
    reset();
    beginParking(words, PARKER);
    expect(workersAwake(words)).toBe(1);
    waitForDoorbell(words, PARKER, 1);
    expect(words[PARKER + WORKER_BELL]).toBe(BELL_AWAKE);
    expect(workersAwake(words)).toBe(2);
  });
});

const throws = (run: () => unknown): boolean => {
  try {
    run();
    return false;
  } catch {
    return true;
  }
};
