// Sentences for the statuses of send and receive: which argument, and why.

import {
  MACH_RCV_BODY_ERROR,
  MACH_RCV_INTERRUPTED,
  MACH_RCV_INVALID_NAME,
  MACH_RCV_PORT_DIED,
  MACH_RCV_TIMED_OUT,
  MACH_RCV_TOO_LARGE,
  MACH_SEND_INTERRUPTED,
  MACH_SEND_INVALID_DATA,
  MACH_SEND_INVALID_DEST,
  MACH_SEND_INVALID_HEADER,
  MACH_SEND_INVALID_REPLY,
  MACH_SEND_INVALID_RIGHT,
  MACH_SEND_INVALID_TYPE,
  MACH_SEND_MSG_TOO_SMALL,
} from "../base/status.ts";
import type { Message } from "../ipc/message.ts";
import { MachError } from "./mach-error.ts";
import type { TaskReceive } from "./suspended.ts";

const hex = (name: number): string => `0x${name.toString(16)}`;

export const sendError = (message: Message, pageBytes: number, status: number): MachError => {
  const { remote, remoteDisposition, local, localDisposition, size } = message;
  switch (status) {
    case MACH_SEND_INVALID_DEST:
      return new MachError(
        status,
        `remote ${hex(remote)} is not a name with the right that disposition ${remoteDisposition} ` +
          `needs, or its port is dead`,
      );
    case MACH_SEND_INVALID_REPLY:
      return new MachError(
        status,
        `local ${hex(local)} is not a name with the right that disposition ${localDisposition} needs`,
      );
    case MACH_SEND_INVALID_HEADER:
      return new MachError(
        status,
        `dispositions ${remoteDisposition} (remote) and ${localDisposition} (local): the first must ` +
          `be one of 17 to 21, the second too, or 0 with local MACH_PORT_NULL`,
      );
    case MACH_SEND_INVALID_DATA:
      return new MachError(
        status,
        `size is ${size}; it must be 0 to ${Math.min(message.capacity, pageBytes)} ` +
          `(the message's capacity, and one page)`,
      );
    case MACH_SEND_INVALID_RIGHT:
      return new MachError(status, "a right in the body is missing; the message was destroyed");
    case MACH_SEND_INVALID_TYPE:
      return new MachError(status, "a type descriptor in the body is wrong; it was destroyed");
    case MACH_SEND_MSG_TOO_SMALL:
      return new MachError(status, "the body ends within an item; the message was destroyed");
    case MACH_SEND_INTERRUPTED:
      return new MachError(status, "the machine was halted");
    default:
      return new MachError(status, `sending to ${hex(remote)} failed`);
  }
};

export const receiveError = (wait: TaskReceive): MachError => {
  const { status } = wait;
  switch (status) {
    case MACH_RCV_INVALID_NAME:
      return new MachError(status, "the name is not that of a receive right");
    case MACH_RCV_TIMED_OUT:
      return new MachError(status, "no message came in time");
    case MACH_RCV_TOO_LARGE:
      return new MachError(
        status,
        `the message's body has ${wait.neededBytes} bytes, the buffer ${wait.into?.capacity ?? 0}; ` +
          `it stays queued`,
      );
    case MACH_RCV_INTERRUPTED:
      return new MachError(status, "the machine was halted");
    case MACH_RCV_PORT_DIED:
      return new MachError(status, "the receive right was destroyed or moved away");
    case MACH_RCV_BODY_ERROR:
      return new MachError(status, "the name space is full: some rights were lost");
    default:
      return new MachError(status, "receiving failed");
  }
};
