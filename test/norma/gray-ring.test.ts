// The ring of the token.

import { expect, test } from "@jest/globals";
import { ringSuccessor } from "../../src/norma/gray-ring.ts";

test.each([2, 4, 8, 128])(
  "gray ring: %d nodes are each visited once, and every step is one hop",
  (nodes) => {
    const seen: number[] = [];
    let node = 0;
    do {
      seen.push(node);
      const next = ringSuccessor(node, nodes);
      expect((node ^ next) & ((node ^ next) - 1)).toBe(0);
      expect(next).not.toBe(node);
      node = next;
    } while (node !== 0);
    expect(new Set(seen).size).toBe(nodes);
    expect(seen).toHaveLength(nodes);
  },
);

test("gray ring: a node alone is its own successor", () => {
  expect(ringSuccessor(0, 1)).toBe(0);
});
