// The software part of a packet's header.

import { expect, test } from "@jest/globals";
import { PACKET_BODY, PACKET_SOFTWARE } from "../../src/hardware/packet-layout.ts";
import * as wire from "../../src/norma/wire-layout.ts";
import * as values from "../../src/norma/wire-values.ts";

test("wire layout: the words fill the software's part of the header, each once", () => {
  const { WIRE_LAST, ...others } = wire;
  const words = Object.values(others).sort((a, b) => a - b);
  const expected = Array.from(
    { length: PACKET_BODY - PACKET_SOFTWARE },
    (_, i) => i + PACKET_SOFTWARE,
  );
  // A SYNC has no message: the number sent last lies where a message has its bits.
  expect(WIRE_LAST).toBe(wire.WIRE_BITS);
  expect(words).toEqual(expected);
});

test("wire values: rights, flags, the accept number and reserved bits share no bit and leave none out", () => {
  const parts = [
    0xffff,
    values.WIRE_ACCEPT_MAX << values.WIRE_ACCEPT_SHIFT,
    values.WIRE_COMPLEX,
    values.WIRE_OVERFLOW,
    values.WIRE_METERED,
    values.WIRE_PAGE,
    values.WIRE_BUSY,
    values.WIRE_BITS_RESERVED,
  ];
  let seen = 0;
  for (const part of parts) {
    expect(seen & part).toBe(0);
    seen |= part;
  }
  expect(seen).toBe(-1);
});
