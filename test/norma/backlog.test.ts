// What waits for its turn on the token.

import { expect, test } from "@jest/globals";
import { Random } from "../../src/base/random.ts";
import { Backlog } from "../../src/norma/backlog.ts";

test("backlog: whatever is added and taken, first come is first served", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new Random(seed);
    const backlog = new Backlog<number>();
    let added = 0;
    let taken = 0;
    for (let step = 0; step < 60; step++) {
      const adds = random.below(2) === 0;
      for (let i = random.below(1500); i > 0; i--) {
        if (adds) backlog.add(added++);
        else if (taken < added) {
          if (backlog.take() !== taken++) throw new Error(`seed ${seed}, step ${step}`);
        } else if (backlog.take() !== undefined) throw new Error(`seed ${seed}: not empty`);
      }
      expect(backlog.size).toBe(added - taken);
    }
    while (taken < added) {
      if (backlog.take() !== taken++) throw new Error(`seed ${seed}, at the end`);
    }
    expect([backlog.size, backlog.take()]).toEqual([0, undefined]);
  }
});
