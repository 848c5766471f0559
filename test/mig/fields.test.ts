// Field types on a message: what goes in comes out, what cannot be said is refused, what does not fit the
// definition is not understood.

import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { Message } from "../../src/ipc/message.ts";
import {
  COPY_SEND,
  type Disposition,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MOVE_RECEIVE,
  PORT_SEND,
} from "../../src/ipc/rights.ts";
import {
  boolean,
  bytes,
  type Field,
  float64,
  int32,
  int32s,
  json,
  polymorphic,
  port,
  portName,
  ports,
  regions,
  text,
} from "../../src/mig/fields.ts";
import { MessageReader, MessageWriter } from "../../src/mig/message-items.ts";
import { type Fields, oneway, Routine, type Values } from "../../src/mig/subsystem.ts";

const routineOf = (request: Fields): Routine =>
  new Routine("it.does", "does", 500, oneway(request));

const write = (request: Fields, values: Values, writer = new MessageWriter()): Message => {
  writer.begin();
  routineOf(request).encodeRequest(writer, values);
  return writer.finish();
};

const read = (request: Fields, message: Message): Values | null => {
  const reader = new MessageReader();
  reader.begin(message);
  return routineOf(request).decodeRequest(reader);
};

const PAIRS: readonly [string, Field, unknown][] = [
  ["int32, least", int32, -0x80000000],
  ["int32, greatest", int32, 0x7fffffff],
  ["boolean, true", boolean, true],
  ["boolean, false", boolean, false],
  ["float64", float64, Math.PI],
  ["float64, infinite", float64, Number.NEGATIVE_INFINITY],
  ["float64, not a number", float64, Number.NaN],
  ["text", text, "grüß Gott, 世界 🚀"],
  ["text, empty", text, ""],
  ["text, longer than a short descriptor", text, "x".repeat(5000)],
  ["bytes", bytes, Uint8Array.of(1, 2, 3, 255, 0)],
  ["bytes, none", bytes, new Uint8Array(0)],
  ["bytes, 10000", bytes, new Uint8Array(10_000).fill(0xc0)],
  ["int32s", int32s, Int32Array.of(1, -1, 0x7fffffff)],
  ["int32s, none", int32s, new Int32Array(0)],
  ["portName", portName, 0xfffffffe],
  ["json", json(), { a: [1, null, { b: "ü" }], c: false }],
  ["json, null", json(), null],
  ["port", port(COPY_SEND), 0x1234],
  ["ports", ports(MAKE_SEND), [0x100, 0x200, 0xffffffff]],
  ["ports, none", ports(MAKE_SEND), []],
  [
    "regions",
    regions,
    [
      { address: 0x10000, bytes: 5 },
      { address: 0xfffff000, bytes: 4096 },
    ],
  ],
  ["regions, none", regions, []],
];

/** A message as the kernel delivers it: with what each disposition turns into. */
const deliver = (message: Message): Message => {
  const { words } = message;
  for (let i = 0; i < message.size >> 2; i++) {
    const type = words[i]! & 0xff;
    if ((words[i]! & 0x1000ff00) === 0x10002000 && (type === MAKE_SEND || type === COPY_SEND)) {
      words[i] = (words[i]! & ~0xff) | PORT_SEND;
    }
  }
  return message;
};

test.each(PAIRS)("fields: %s comes out as it went in", (_name, field, value) => {
  const message = deliver(write({ field }, { field: value }));
  expect(message.size % 4).toBe(0);
  expect(read({ field }, message)).toEqual({ field: value });
});

test("fields: any values in any order survive, in one message object used again and again", () => {
  const kinds: readonly [Field, fc.Arbitrary<unknown>][] = [
    [int32, fc.integer()],
    [boolean, fc.boolean()],
    [float64, fc.double()],
    [text, fc.string({ unit: "grapheme", maxLength: 60 })],
    [bytes, fc.uint8Array({ maxLength: 300 })],
    [int32s, fc.int32Array({ maxLength: 90 })],
    [portName, fc.nat()],
    [json(), fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)))],
  ];
  const one = fc
    .integer({ min: 0, max: kinds.length - 1 })
    .chain((kind) => kinds[kind]![1].map((value) => ({ field: kinds[kind]![0], value })));
  const writer = new MessageWriter();
  fc.assert(
    fc.property(fc.array(one, { maxLength: 8 }), (list) => {
      const request = Object.fromEntries(list.map(({ field }, i) => [`f${i}`, field]));
      const values = Object.fromEntries(list.map(({ value }, i) => [`f${i}`, value]));
      expect(read(request, write(request, values, writer))).toEqual(values);
    }),
    { numRuns: 300 }, // fast-check prints the seed of a run that fails
  );
});

test.each<[string, Field, unknown, RegExp]>([
  ["int32 of a fraction", int32, 1.5, /it\.does, field: 1\.5 is no integer of 32 bits/],
  ["int32 of too much", int32, 0x80000000, /2147483648 is no integer/],
  ["int32 of a text", int32, "7", /7 is no integer/],
  ["boolean of a number", boolean, 1, /1 is no boolean/],
  ["float64 of a text", float64, "1", /1 is no number/],
  ["text of a number", text, 5, /5 is no string/],
  ["bytes of an array", bytes, [1], /no Uint8Array/],
  ["int32s with a fraction", int32s, [1, 0.5], /element 1, 0\.5, is no integer/],
  ["portName below 0", portName, -1, /-1 is no name/],
  ["json of a function", json(), () => {}, /JSON has no word/],
  ["json of a circle", json(), circle(), /circular/],
  ["a value that is missing", text, undefined, /it\.does, field: it is missing/],
  ["polymorphic of another right", polymorphic(PORT_SEND), once(), /disposition 21 does not make/],
])("fields: %s is refused, and the sentence names the field", (_name, field, value, sentence) => {
  expect(() => write({ field }, { field: value })).toThrow(sentence);
});

test.each([2, -1, 0])("fields: %s announced regions where there is one are no regions", (count) => {
  const message = new Message();
  message.addInteger(count).addRegion(0x10000, 5, false);
  expect(read({ regions }, message)).toBeNull();
});

test("fields: without any arguments, what is missing is named", () => {
  const writer = new MessageWriter();
  writer.begin();
  expect(() => routineOf({ a: int32 }).encodeRequest(writer, undefined)).toThrow(
    new TypeError("it.does, a: it is missing"),
  );
});

test("fields: a port without a disposition cannot be defined, nor a field without a type", () => {
  expect(() => port(0 as Disposition)).toThrow(RangeError);
  expect(() => ports(0 as Disposition)).toThrow(RangeError);
  expect(() => routineOf({ a: {} as Field })).toThrow(
    new TypeError("it.does: field a has no type"),
  );
});

describe("another body", () => {
  const body = { a: int32, b: text };
  const good = () => write(body, { a: 7, b: "seven" });

  test.each<[string, (message: Message) => unknown]>([
    ["is empty", (m) => (m.size = 0)],
    ["ends before its second item", (m) => (m.size = 8)],
    ["ends within an item", (m) => (m.size -= 4)],
    ["has a size that is no multiple of 4", (m) => (m.size -= 1)],
    ["has a further item", (m) => m.addInteger(7)],
    ["has a further word", (m) => (m.size += 4)],
    ["has another type", (m) => (m.words[0] = (m.words[0]! & ~0xff) | 9)],
    ["has a text where the integer is", (m) => (m.words[0] = (m.words[0]! & ~0xff) | 12)],
    ["has no element", (m) => (m.words[0]! &= ~0xfff0000)],
    ["has elements of 64 bits", (m) => (m.words[0] = 0x10014002)],
    ["has elements of 16 bits", (m) => (m.words[0] = 0x10021002)],
    ["has the unused bit set", (m) => (m.words[0]! |= 1 << 31)],
    ["is noise", (m) => m.words.fill(0x5a5a5a5a)],
  ])("fields: a body that %s is not understood", (_name, spoil) => {
    const message = good();
    spoil(message);
    expect(read(body, message)).toBeNull();
  });

  test("fields: the same, whatever type was expected", () => {
    const all: Fields = {
      int32,
      boolean,
      float64,
      text,
      bytes,
      int32s,
      portName,
      json: json(),
      port: port(COPY_SEND),
      ports: ports(MAKE_SEND_ONCE),
      receive: port(MOVE_RECEIVE),
    };
    for (const [key, field] of Object.entries(all)) {
      const other = key === "float64" ? int32 : float64;
      expect(read({ field }, write({ other }, { other: 1 }))).toBeNull();
      expect(read({ field }, new Message())).toBeNull();
    }
    expect(read({ field: json() }, write({ field: text }, { field: "{" }))).toBeNull();
    expect(read({ field: float64 }, new Message().addBytes(new Uint8Array(8)))).toBeNull();
  });
});

test("fields: a message that cannot be large enough is refused before anything is sent", () => {
  expect(() => write({ bytes }, { bytes: new Uint8Array(2 << 20) })).toThrow(RangeError);
});

function circle(): object {
  const it: { self?: object } = {};
  it.self = it;
  return it;
}

function once(): object {
  return { right: 1, disposition: MAKE_SEND_ONCE };
}
