// Ports that wander through random programs (wandering-ports.ts), under the eyes of a checker that sees the whole machine
// (port-watch.ts). And the same without the token's third pass: the checker must find that. What else may be left out of
// the counting is left out in sender-races.test.ts.

import { expect, test } from "@jest/globals";
import { Moves } from "../../src/norma/moves.ts";
import { PortDeaths } from "../../src/norma/port-deaths.ts";
import { SenderQueries } from "../../src/norma/sender-queries.ts";
import type { TokenRecords } from "../../src/norma/token-records.ts";
import { WanderingPorts } from "../support/wandering-ports.ts";

const SEEDS = Number(process.env.NORMACUBE_RUNS ?? 200);
const FIRST_SEED = Number(process.env.NORMACUBE_SEED ?? 1);
const STEPS = 250;

test("migration: random programs, every right in the machine counted after every step", async () => {
  let [told, moves] = [0, 0];
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    const world = new WanderingPorts(seed);
    try {
      await world.run(STEPS);
    } catch (error) {
      throw new Error(`NORMACUBE_SEED=${seed}: ${String(error)}`, { cause: error });
    }
    told += world.told;
    moves += world.moves;
  }
  expect(told).toBeGreaterThan(SEEDS / 4);
  expect(moves).toBeGreaterThan(SEEDS * 4);
});

test.each([81170, 85649])(
  "migration: a home that makes a right after it was counted, and leaves, is not overlooked (seed %d)",
  async (seed) => {
    await new WanderingPorts(seed).run(STEPS);
  },
);

/** Replaces a method until the returned function is called. */
const replace = <T extends object, K extends keyof T>(of: T, name: K, by: T[K]): (() => void) => {
  const before = of[name];
  of[name] = by;
  return () => {
    of[name] = before;
  };
};

/** Nodes do at their second visit what they should do at the third. */
const noThirdPass = (): (() => void) => {
  const undo = [SenderQueries, Moves, PortDeaths].map(({ prototype }) => {
    const { read, confirm } = prototype;
    const both = function (this: typeof prototype, records: TokenRecords, record: number): void {
      read.call(this as never, records, record);
      confirm.call(this as never, records, record);
    };
    const undoRead = replace(prototype, "read", both);
    const undoConfirm = replace(prototype, "confirm", () => {});
    return () => {
      undoRead();
      undoConfirm();
    };
  });
  return () => {
    for (const each of undo) each();
  };
};

test("migration: without the third pass random programs go wrong, and that is found", async () => {
  const undo = noThirdPass();
  let found: unknown = null;
  try {
    for (let seed = 1; found === null && seed <= 200; seed++) {
      await new WanderingPorts(seed).run(STEPS).catch((error: unknown) => {
        found = error;
      });
    }
  } finally {
    undo();
  }
  // A right came by an identifier that its node had not heard of, and became another port.
  expect(String(found)).toMatch(/a new identifier is nobody else's|is two ports on node/);
});
