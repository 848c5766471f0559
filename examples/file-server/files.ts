// What the server and its clients share: the interface of a file server, and what is in the files.

import { defineInterface, fields, routine } from "normacube";

const { int32, region, text } = fields;

export const FILES = ["etc/motd", "bin/vi", "mach_kernel"];
/** Bytes of the files, in the order of their names. */
export const FILE_BYTES = [700, 50_000, 300_000];

export const fileServer = defineInterface("file server", 6100, {
  open: routine({ name: text }, { file: int32, size: int32 }),
  /** At most two pages of a file; fewer at its end. */
  read: routine({ file: int32, offset: int32, count: int32 }, { data: region }),
});

/** Byte `offset` of a file. */
export const byteOf = (file: number, offset: number): number =>
  (Math.imul(offset + 1, 0x9e3779b1) >>> (file + 9)) & 0xff;
