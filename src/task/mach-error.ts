// A failed call, as a program sees it. The kernel below returns status codes; this is where one of
// them, with a sentence that says which argument and why, becomes an exception.

import { type StatusCode, statusName } from "../base/status.ts";
import type { Message } from "../ipc/message.ts";

export class MachError extends Error {
  override readonly name = "MachError";
  /** Mach's name of the status, such as "MACH_SEND_INVALID_DEST". */
  readonly code: StatusCode;
  /** Mach's number; of a message call perhaps with bits that tell what there was too little of. */
  readonly status: number;
  /** What a failed receive did receive: the message after MACH_RCV_BODY_ERROR, only its header after
   *  MACH_RCV_TOO_LARGE (without `large`), _HEADER_ERROR and _INVALID_NOTIFY. */
  readonly received: Message | null;
  /** After MACH_RCV_TOO_LARGE: bytes of the message's body. */
  readonly neededBytes: number;

  constructor(status: number, sentence: string, received: Message | null = null, neededBytes = 0) {
    super(`${statusName(status)}: ${sentence}`);
    this.code = statusName(status);
    this.status = status;
    this.received = received;
    this.neededBytes = neededBytes;
  }
}

/** Of a call that the end of the machine has ended. */
export const interrupted = (status: number): MachError =>
  new MachError(status, "the machine was halted");
