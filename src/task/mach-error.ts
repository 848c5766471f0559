// A failed call, as a program sees it. The kernel below returns status codes; this is where one of
// them, with a sentence that says which argument and why, becomes an exception.

import { type StatusCode, statusName } from "../base/status.ts";

export class MachError extends Error {
  override readonly name = "MachError";
  /** Mach's name of the status, such as "MACH_SEND_INVALID_DEST". */
  readonly code: StatusCode;
  /** Mach's number. */
  readonly status: number;

  constructor(status: number, sentence: string) {
    super(`${statusName(status)}: ${sentence}`);
    this.code = statusName(status);
    this.status = status;
  }
}
