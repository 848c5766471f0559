// A task's message object: what it refuses, and that what is put in comes out in order.

import { expect, test } from "@jest/globals";
import { Message } from "../../src/ipc/message.ts";
import { COPY_SEND, MACH_PORT_DEAD, MAKE_SEND, MOVE_SEND_ONCE } from "../../src/ipc/rights.ts";

test("message: items come out in the order in which they were put in", () => {
  const bytes = Uint8Array.from([1, 2, 3, 4, 5]);
  const message = new Message()
    .addInteger(-7)
    .addText("grüße")
    .addRight(0xc0ffee, COPY_SEND)
    .addBytes(bytes)
    .addRight(MACH_PORT_DEAD, MAKE_SEND)
    .addText("")
    .addInteger(0x7fffffff);
  expect(message.complex).toBe(true);
  expect(message.size % 4).toBe(0);
  for (let round = 0; round < 2; round++) {
    expect(message.takeInteger()).toBe(-7);
    expect(message.takeText()).toBe("grüße");
    expect(message.takeRight().name).toBe(0xc0ffee);
    expect([...message.takeBytes()]).toEqual([...bytes]);
    expect(message.takeRight().name).toBe(MACH_PORT_DEAD);
    expect(message.takeText()).toBe("");
    expect(message.takeInteger()).toBe(0x7fffffff);
    expect(() => message.takeInteger()).toThrow(
      new RangeError("the message has no further item; an integer was expected"),
    );
    message.rewind();
  }
});

test("message: an item of another type than was asked for stays the next", () => {
  const message = new Message().addText("seven");
  expect(() => message.takeInteger()).toThrow(
    new TypeError("the next item has type 12; an integer was expected"),
  );
  expect(() => message.takeRight()).toThrow("a right was expected");
  expect(message.takeText()).toBe("seven");
});

test("message: a plain body has no items of the kind that is asked for", () => {
  const message = new Message();
  message.size = 8;
  expect(() => message.takeBytes()).toThrow(
    "the next item has type 0 (out of line); bytes was expected",
  );
});

test("message: items fill the capacity to the last byte, and one more does not fit", () => {
  const message = new Message(24);
  message.addInteger(1).addInteger(2).addInteger(3);
  expect(message.size).toBe(24);
  expect(() => message.addInteger(4)).toThrow(
    new RangeError(
      "this item of 4 bytes does not fit: the message holds 24 bytes and has 24 already",
    ),
  );
  expect([1, 2, 3].map(() => message.takeInteger())).toEqual([1, 2, 3]);
  expect(() => message.takeInteger()).toThrow(RangeError);
});

test("message: an item of more than 4095 elements has a long descriptor", () => {
  const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i & 0xff);
  const message = new Message(5012).addBytes(bytes);
  expect(message.size).toBe(5012);
  expect(message.takeBytes()).toEqual(bytes);
  expect(() => new Message(5008).addBytes(bytes)).toThrow(RangeError);
  const short = new Message(4100).addBytes(bytes.subarray(0, 4095));
  expect(short.size).toBe(4100);
  expect(short.takeBytes()).toEqual(bytes.subarray(0, 4095));
});

test("message: the first item empties a plain body; clear() empties everything", () => {
  const message = new Message();
  message.size = 100;
  message.addInteger(5);
  expect(message.size).toBe(8);
  message.clear();
  expect(message).toMatchObject({ size: 0, complex: false });
  expect(() => message.takeInteger()).toThrow(RangeError);
});

test("message: capacity is rounded up to words, and must be 0 to 1048576", () => {
  expect(new Message().capacity).toBe(192);
  expect(new Message(0).capacity).toBe(0);
  expect(new Message(5).capacity).toBe(8);
  for (const capacity of [-1, 1.5, 1048577, Number.NaN]) {
    expect(() => new Message(capacity)).toThrow(
      new RangeError(`Message capacity is ${capacity}; it must be 0 to 1048576 bytes`),
    );
  }
});

test("message: an answer goes to the reply right, with id + 100", () => {
  const request = new Message();
  request.remote = 0x500;
  request.remoteDisposition = MOVE_SEND_ONCE;
  request.local = 0x600;
  request.id = 3204;
  const reply = new Message();
  reply.local = 0x900;
  expect(reply.answer(request)).toMatchObject({
    remote: 0x500,
    remoteDisposition: MOVE_SEND_ONCE,
    local: 0,
    localDisposition: 0,
    id: 3304,
  });
  expect(request.answer(request)).toMatchObject({ remote: 0x500, local: 0, id: 3304 });
});
