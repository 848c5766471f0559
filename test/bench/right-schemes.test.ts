// Histories of rights, and what they would cost in messages in the schemes that are compared with the token.

import { describe, expect, test } from "@jest/globals";
import { CREDIT_GRANT, creditMessages, naiveMessages } from "../../bench/token/right-schemes.ts";
import {
  Holders,
  type RightMovement,
  type RightTrace,
  randomTrace,
} from "../../bench/token/right-trace.ts";
import { Random } from "../../src/base/random.ts";

/** One port at home on node 0 of four; each movement is a period, so that each one's messages are seen. */
const history = (...movements: RightMovement[]): RightTrace => ({
  nodes: 4,
  homes: [0],
  periods: movements.map((movement) => [movement]),
});
const make = (to: number): RightMovement => ({ kind: "make", port: 0, to });
const copy = (from: number, to: number): RightMovement => ({ kind: "copy", port: 0, from, to });
const move = (from: number, to: number): RightMovement => ({ kind: "move", port: 0, from, to });
const drop = (from: number): RightMovement => ({ kind: "drop", port: 0, from });

describe("naive scheme", () => {
  test("right schemes: the home counts by itself what it makes; it is told of what others send and drop", () => {
    expect(naiveMessages(history(make(1), copy(1, 2), move(2, 3), drop(1), drop(3)))).toEqual([
      0, 1, 1, 1, 1,
    ]);
  });

  test("right schemes: who gets a right that it has tells the home that nothing was added", () => {
    expect(naiveMessages(history(make(1), make(1), copy(1, 2), copy(1, 2)))).toEqual([0, 1, 1, 2]);
  });

  test("right schemes: a right that comes home is seen there", () => {
    expect(naiveMessages(history(make(1), copy(1, 0), move(1, 0)))).toEqual([0, 0, 0]);
  });
});

describe("credit scheme", () => {
  test("right schemes: the last right moves on without a word, and one message tells when it is gone", () => {
    expect(creditMessages(history(make(1), move(1, 2), move(2, 3), drop(3)))).toEqual([0, 0, 0, 1]);
  });

  test("right schemes: who keeps its right and has credit for no other asks the home, once for many", () => {
    const copies = Array.from({ length: CREDIT_GRANT }, (_, i) => copy(1, 2 + (i % 2)));
    const messages = creditMessages(history(make(1), ...copies, copy(1, 2), copy(1, 2)));
    expect(messages[1]).toBe(2);
    // The grant and the first right make 10,001: the last of them stays.
    expect(messages.slice(2, CREDIT_GRANT + 1).every((count) => count === 0)).toBe(true);
    expect(messages.slice(CREDIT_GRANT + 1)).toEqual([2, 0]);
  });

  test("right schemes: a merged right is credit to give away", () => {
    expect(creditMessages(history(make(1), make(1), copy(1, 2), copy(1, 2)))).toEqual([0, 0, 0, 2]);
  });

  test("right schemes: who moves its right on and has credit left pays it back", () => {
    expect(creditMessages(history(make(1), make(1), move(1, 2), drop(2)))).toEqual([0, 0, 1, 1]);
  });
});

test("right traces: whoever passes a right on has one, nobody sends to itself, and in the end nobody has any", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const trace = randomTrace(new Random(seed), 8, 5, 40, 6);
    expect(trace.periods.map(({ length }) => length).slice(0, 6)).toEqual(new Array(6).fill(40));
    const holders = new Holders(trace.homes);
    for (const movement of trace.periods.flat()) {
      if (movement.kind !== "make" && !holders.of(movement.port).has(movement.from)) {
        throw new Error(`seed ${seed}: ${JSON.stringify(movement)}`);
      }
      const from = movement.kind === "make" ? trace.homes[movement.port] : movement.from;
      if (movement.kind !== "drop") expect(movement.to).not.toBe(from);
      holders.happen(movement);
    }
    for (const port of trace.homes.keys()) expect([...holders.of(port)]).toEqual([]);
  }
});

test("right traces: one seed, one history", () => {
  const trace = (seed: number) => randomTrace(new Random(seed), 8, 5, 40, 3);
  expect(trace(3)).toEqual(trace(3));
  expect(trace(3)).not.toEqual(trace(4));
});
