// Network identifiers: node and local id in 32 bits.

import { expect, test } from "@jest/globals";
import {
  DEAD_IDENTIFIER,
  identifierLocal,
  identifierNode,
  LOCAL_ID_MAX,
  makeIdentifier,
  NULL_IDENTIFIER,
} from "../../src/norma/identifier.ts";

test("identifier: node and local id come out as they went in, at every edge", () => {
  for (const node of [0, 1, 7, 511, 512, 1023]) {
    for (const local of [1, 4, 31, 32, 0xc0ffe, LOCAL_ID_MAX]) {
      const identifier = makeIdentifier(node, local);
      expect([identifierNode(identifier), identifierLocal(identifier)]).toEqual([node, local]);
      // A word of a packet gives the same number back.
      expect(Int32Array.of(identifier)[0]).toBe(identifier);
      expect([NULL_IDENTIFIER, DEAD_IDENTIFIER]).not.toContain(identifier);
    }
  }
  expect(makeIdentifier(5, 4)).toBe(0x1400004);
});
