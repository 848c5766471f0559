// What a disk is made of: a file of the host's, or a temporary one. The host opens and closes it; the node
// whose disk it is reads and writes by position through the same descriptor.

import { closeSync, fstatSync, openSync } from "node:fs";
import { DISK_BYTES_MAX } from "../base/limits.ts";
import type { DeviceOptions } from "../config/machine-options.ts";
import { OptionError } from "../config/option-error.ts";
import { CLOSED, ScratchFile } from "./scratch-file.ts";

/** A disk as it crosses threads. */
export interface DiskRecord {
  readonly node: number;
  readonly name: string;
  /** CLOSED at the host's end once the file is; other threads have ended by then. */
  fd: number;
  readonly bytes: number;
  readonly readOnly: boolean;
}

/** The host's end. */
export class DiskFile {
  readonly record: DiskRecord;
  private readonly scratch: ScratchFile | null;

  /** `option`: what the disk is called in messages. Throws OptionError if the file cannot be had, and the
   *  system's error if a temporary file cannot. */
  constructor(options: DeviceOptions, option: string) {
    const { node, name, path } = options;
    if (path === undefined) {
      const bytes = options.bytes!;
      this.scratch = new ScratchFile(bytes);
      this.record = { node, name, fd: this.scratch.fd, bytes, readOnly: options.readOnly };
      return;
    }
    this.scratch = null;
    const { fd, readOnly } = openFile(path, options.readOnly, option);
    const stats = fstatSync(fd);
    if (!stats.isFile() || stats.size > DISK_BYTES_MAX) {
      closeSync(fd);
      throw new OptionError(
        `option ${option}.path is "${path}"; it must be a file of at most ${DISK_BYTES_MAX} bytes`,
      );
    }
    this.record = { node, name, fd, bytes: stats.size, readOnly };
  }

  /** Idempotent. */
  close(): void {
    const { fd } = this.record;
    if (fd === CLOSED) return;
    this.record.fd = CLOSED;
    if (this.scratch === null) closeSync(fd);
    else this.scratch.close();
  }
}

/** For reading and writing if that is wanted and allowed, else for reading. */
const openFile = (
  path: string,
  readOnly: boolean,
  option: string,
): { readonly fd: number; readonly readOnly: boolean } => {
  let code = "";
  for (const flags of readOnly ? ["r"] : ["r+", "r"]) {
    try {
      return { fd: openSync(path, flags), readOnly: flags === "r" };
    } catch (error) {
      code = (error as NodeJS.ErrnoException).code ?? String(error);
    }
  }
  throw new OptionError(`option ${option}.path is "${path}"; it cannot be opened (${code})`);
};
