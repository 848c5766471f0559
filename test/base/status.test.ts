// Status codes: Mach's numbers and their names.

import { expect, test } from "@jest/globals";
import * as status from "../../src/base/status.ts";

/** Bits that are or-ed into a status, and no statuses themselves. */
const SHORTAGES = ["MACH_MSG_IPC_SPACE", "MACH_MSG_VM_SPACE", "MACH_MSG_VM_KERNEL"];

const codes = Object.entries(status).flatMap(([name, value]) =>
  typeof value === "number" && !SHORTAGES.includes(name) ? [{ name, code: value as number }] : [],
);

test("status: every code has its own name, and MACH_MSG_SUCCESS shares KERN_SUCCESS's number", () => {
  expect(codes.length).toBeGreaterThan(40);
  for (const { name, code } of codes) {
    expect(status.statusName(code)).toBe(name === "MACH_MSG_SUCCESS" ? "KERN_SUCCESS" : name);
  }
});

test("status: numbers are those of mach/kern_return.h, mach/message.h and mig_errors.h", () => {
  expect(status.KERN_INVALID_NAME).toBe(15);
  expect(status.KERN_RIGHT_EXISTS).toBe(21);
  expect(status.MACH_SEND_INVALID_DEST).toBe(0x10000003);
  expect(status.MACH_SEND_INVALID_RIGHT).toBe(0x1000000a);
  expect(status.MACH_RCV_TIMED_OUT).toBe(0x10004003);
  expect(status.MACH_RCV_PORT_DIED).toBe(0x10004009);
  expect(status.MIG_BAD_ID).toBe(-303);
});

test("status: a shortage does not hide the name of a message status", () => {
  const shortOfBoth =
    status.MACH_RCV_BODY_ERROR | status.MACH_MSG_IPC_SPACE | status.MACH_MSG_VM_SPACE;
  expect(status.statusName(shortOfBoth)).toBe("MACH_RCV_BODY_ERROR");
  expect(status.withoutShortage(shortOfBoth)).toBe(status.MACH_RCV_BODY_ERROR);
  expect(status.withoutShortage(status.KERN_INVALID_HOST)).toBe(22);
});

test("status: a number that is no code is said to be unknown", () => {
  expect(status.statusName(0xc0ffee)).toBe("UNKNOWN_STATUS");
});

test("status: a name leads back to its number, and what is no name to KERN_FAILURE", () => {
  expect(status.statusOf("MACH_RCV_TIMED_OUT")).toBe(0x10004003);
  expect(status.statusOf("MIG_REPLY_MISMATCH")).toBe(-301);
  for (const code of ["UNKNOWN_STATUS", "toString", ""]) expect(status.statusOf(code)).toBe(5);
});
