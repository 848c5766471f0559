// Random sequences of calls on the memories of up to four tasks of a node, beside the model of vm-model.ts:
// with enough frames, with few and swap, and with swap that fails now and then. After every call everything is
// recounted, and at the end nothing is left. On failure fast-check prints the shortest sequence;
// NORMACUBE_SEED=... replays it, NORMACUBE_RUNS=... makes more of them.

import { test } from "@jest/globals";
import fc from "fast-check";
import { MemorySideBySide, type Shape } from "./vm-side-by-side.ts";

const { NORMACUBE_SEED, NORMACUBE_RUNS = "60" } = process.env;
const SEED = NORMACUBE_SEED === undefined ? (Math.random() * 2 ** 31) | 0 : Number(NORMACUBE_SEED);

process.stderr.write(`vm-model: SEED=${SEED}\n`);

/** How often each call is made, relative to the others. */
const WEIGHTS = {
  allocate: 10,
  deallocate: 3,
  write: 14,
  fault: 6,
  read: 6,
  protect: 3,
  inherit: 3,
  region: 1,
  copy: 3,
  fork: 2,
  kill: 1,
  copyin: 10,
  done: 4,
  copyout: 6,
  copyinObject: 6,
  pageOfCopy: 3,
  copyoutObject: 5,
  overwrite: 2,
  discardCopy: 1,
  framesOf: 2,
  pageout: 3,
  compare: 2,
} as const;

interface Step {
  readonly call: string;
  readonly picks: readonly number[];
}

const step: fc.Arbitrary<Step> = fc.record({
  call: fc.oneof(
    ...Object.entries(WEIGHTS).map(([call, weight]) => ({ weight, arbitrary: fc.constant(call) })),
  ),
  picks: fc.array(fc.nat(9999), { minLength: 9, maxLength: 9 }),
});

const SEQUENCE = { minLength: 10, maxLength: 150, size: "max" } as const;

const SHAPES: readonly [string, Shape][] = [
  ["enough frames and no swap", { frames: 400, slots: 0, failures: 0 }],
  ["few frames and swap", { frames: 30, slots: 1000, failures: 0 }],
  ["few frames and swap that fails now and then", { frames: 30, slots: 1000, failures: 5 }],
];

const run = (shape: Shape, steps: readonly Step[]): void => {
  const both = new MemorySideBySide(shape);
  try {
    for (const { call, picks } of steps) both.run(call, picks);
    both.finish();
  } catch (error) {
    throw new Error(`${both.log.join("\n")}\n${(error as Error).stack}`);
  }
};

const OPTIONS = { seed: SEED, numRuns: Number(NORMACUBE_RUNS), includeErrorInReport: true };

test.each(SHAPES)(
  "vm model: with %s, tasks' memories are what Mach says after any sequence of calls",
  (_which, shape) => {
    fc.assert(
      fc.property(fc.array(step, SEQUENCE), (steps) => run(shape, steps)),
      OPTIONS,
    );
  },
  3_600_000,
);
