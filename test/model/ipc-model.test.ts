// Random sequences of calls of one to four tasks, on one node, with loopback, and on several: the kernel beside
// the model of ipc-model.ts. After every call all tasks have what the model says, and at the end nothing is left.
// On failure fast-check prints the shortest sequence; NORMACUBE_SEED=... replays it, NORMACUBE_RUNS=... makes
// more of them.

import { test } from "@jest/globals";
import fc from "fast-check";
import { Picks, type Place } from "./side-by-side.ts";
import { MessagesSideBySide } from "./side-by-side-messages.ts";

const { NORMACUBE_SEED, NORMACUBE_RUNS = "60" } = process.env;
const SEED = NORMACUBE_SEED === undefined ? (Math.random() * 2 ** 31) | 0 : Number(NORMACUBE_SEED);

process.stderr.write(`ipc-model: SEED=${SEED}\n`); // first: a hang must be replayable too

/** How often each call is made, relative to the others. */
const WEIGHTS = {
  allocate: 5,
  rename: 1,
  insert: 5,
  extract: 2,
  deallocate: 2,
  destroy: 1,
  modRefs: 3,
  moveMember: 2,
  setNumber: 2,
  request: 6,
  send: 16,
  receive: 12,
  kill: 0.15,
} as const;
type Call = keyof typeof WEIGHTS;

/** One call: whose, which, and numbers that choose its arguments. */
interface Step {
  readonly task: number;
  readonly call: Call;
  readonly picks: readonly number[];
}

const step: fc.Arbitrary<Step> = fc.record({
  task: fc.nat(3),
  call: fc.oneof(
    ...Object.entries(WEIGHTS).map(([call, weight]) => ({
      weight: weight * 20,
      arbitrary: fc.constant(call as Call),
    })),
  ),
  picks: fc.array(fc.nat(9999), { minLength: 12, maxLength: 12 }),
});

/** Long ones, from the first on. */
const SEQUENCE = { minLength: 10, maxLength: 120, size: "max" } as const;

const perform = async (both: MessagesSideBySide, { task, call, picks }: Step): Promise<void> => {
  const index = task % both.tasks.length;
  const model = both.model.tasks[index]!;
  if (!model.alive) return;
  both.model.moment += 1;
  await both[call](both.tasks[index]!, model, new Picks(picks));
  await both.nodes.quiet();
  both.check();
};

const PLACES: readonly [string, Place][] = [
  ["a task alone holds", { nodes: [0] }],
  ["two tasks of one node hold", { nodes: [0, 0] }],
  ["four tasks of one node hold", { nodes: [0, 0, 0, 0] }],
  ["two tasks of a node with loopback hold", { nodes: [0, 0], loopback: true }],
  ["three tasks of a node with loopback hold", { nodes: [0, 0, 0], loopback: true }],
  ["tasks of two nodes hold", { nodes: [0, 1] }],
  ["four tasks of two nodes hold", { nodes: [0, 0, 1, 1] }],
  ["tasks of three nodes hold", { nodes: [0, 1, 2] }],
  ["tasks of four nodes hold", { nodes: [0, 1, 2, 3] }],
];

/** Runs the steps; what fails is told with the calls that led there. */
const run = async (place: Place, steps: readonly Step[]): Promise<void> => {
  const both = new MessagesSideBySide(place);
  await both.introduce();
  both.check();
  try {
    for (const one of steps) await perform(both, one);
    await both.nodes.expectNothingLeaked();
  } catch (error) {
    throw new Error(`${both.log.join("\n")}\n${(error as Error).message}`);
  }
};

const OPTIONS = { seed: SEED, numRuns: Number(NORMACUBE_RUNS), includeErrorInReport: true };

test.each(PLACES)(
  "model: %s what Mach says after any sequence of calls",
  async (_who, place) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, SEQUENCE), (steps) => run(place, steps)),
      OPTIONS,
    );
  },
  3_600_000,
);
