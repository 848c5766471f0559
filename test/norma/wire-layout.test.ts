// The software part of a packet's header.

import { expect, test } from "@jest/globals";
import { PACKET_BODY, PACKET_SOFTWARE } from "../../src/hardware/packet-layout.ts";
import * as wire from "../../src/norma/wire-layout.ts";
import { WIRE_BITS_RESERVED, WIRE_COMPLEX } from "../../src/norma/wire-values.ts";

test("wire layout: the words fill the software's part of the header, each once", () => {
  const words = Object.values(wire).sort((a, b) => a - b);
  const expected = Array.from(
    { length: PACKET_BODY - PACKET_SOFTWARE },
    (_, i) => i + PACKET_SOFTWARE,
  );
  expect(words).toEqual(expected);
});

test("wire values: rights, the complex flag and reserved bits share no bit and leave none out", () => {
  expect(WIRE_COMPLEX & WIRE_BITS_RESERVED).toBe(0);
  expect(0xffff & WIRE_BITS_RESERVED).toBe(0);
  expect(WIRE_COMPLEX | WIRE_BITS_RESERVED | 0xffff).toBe(-1);
});
