// Sentences for the statuses of send and receive: which argument, and why.

import { MESSAGE_BODY_BYTES_MAX } from "../base/limits.ts";
import {
  MACH_RCV_BODY_ERROR,
  MACH_RCV_HEADER_ERROR,
  MACH_RCV_IN_SET,
  MACH_RCV_INTERRUPTED,
  MACH_RCV_INVALID_NAME,
  MACH_RCV_INVALID_NOTIFY,
  MACH_RCV_PORT_CHANGED,
  MACH_RCV_PORT_DIED,
  MACH_RCV_TIMED_OUT,
  MACH_RCV_TOO_LARGE,
  MACH_SEND_INTERRUPTED,
  MACH_SEND_INVALID_DATA,
  MACH_SEND_INVALID_DEST,
  MACH_SEND_INVALID_HEADER,
  MACH_SEND_INVALID_MEMORY,
  MACH_SEND_INVALID_NOTIFY,
  MACH_SEND_INVALID_REPLY,
  MACH_SEND_INVALID_RIGHT,
  MACH_SEND_INVALID_TYPE,
  MACH_SEND_MSG_TOO_SMALL,
  MACH_SEND_NO_NOTIFY,
  MACH_SEND_NOTIFY_IN_PROGRESS,
  MACH_SEND_TIMED_OUT,
  withoutShortage,
} from "../base/status.ts";
import type { Message } from "../ipc/message.ts";
import { MachError } from "./mach-error.ts";
import type { TaskReceive } from "./suspended.ts";

const hex = (name: number): string => `0x${name.toString(16)}`;

export const sendError = (message: Message, status: number): MachError =>
  new MachError(status, describeSend(message, withoutShortage(status)));

const describeSend = (message: Message, status: number): string => {
  const { remote, remoteDisposition, local, localDisposition, size } = message;
  switch (status) {
    case MACH_SEND_INVALID_DEST:
      return (
        `remote ${hex(remote)} is not a name with the right that disposition ${remoteDisposition} ` +
        `needs, or its port is dead`
      );
    case MACH_SEND_INVALID_REPLY:
      return `local ${hex(local)} is not a name with the right that disposition ${localDisposition} needs`;
    case MACH_SEND_INVALID_HEADER:
      return (
        `dispositions ${remoteDisposition} (remote) and ${localDisposition} (local): the first must ` +
        `be one of 17 to 21, the second too, or 0 with local MACH_PORT_NULL`
      );
    case MACH_SEND_INVALID_DATA:
      return (
        `size is ${size}; it must be 0 to ${Math.min(message.capacity, MESSAGE_BODY_BYTES_MAX)}, ` +
        `the message's capacity`
      );
    case MACH_SEND_INVALID_RIGHT:
      return "a right in the body is missing; the message was destroyed";
    case MACH_SEND_INVALID_TYPE:
      return "a type descriptor in the body is wrong; the message was destroyed";
    case MACH_SEND_INVALID_MEMORY:
      return "a region is not in the task's memory, or too large; the message was destroyed";
    case MACH_SEND_MSG_TOO_SMALL:
      return "the body ends within an item; the message was destroyed";
    case MACH_SEND_TIMED_OUT:
      return "there was no room in time; the message is the sender's again";
    case MACH_SEND_INVALID_NOTIFY:
      return "willNotify or cancelNotify is not the name of a receive right";
    case MACH_SEND_NOTIFY_IN_PROGRESS:
      return `a message forced with remote ${hex(remote)} has not been taken yet`;
    case MACH_SEND_NO_NOTIFY:
      return "too many forced messages have not been taken yet";
    case MACH_SEND_INTERRUPTED:
      return "the thread was aborted, or the machine halted";
    default:
      return `sending to ${hex(remote)} failed`;
  }
};

export const receiveError = (wait: TaskReceive): MachError =>
  new MachError(
    wait.status,
    describeReceive(wait, withoutShortage(wait.status)),
    wait.message,
    wait.neededBytes,
  );

const describeReceive = (wait: TaskReceive, status: number): string => {
  switch (status) {
    case MACH_RCV_INVALID_NAME:
      return "the name is not that of a receive right or a port set";
    case MACH_RCV_IN_SET:
      return "the port is a member of a set: receive from that";
    case MACH_RCV_TIMED_OUT:
      return "no message came in time";
    case MACH_RCV_TOO_LARGE:
      return (
        `the message's body has ${wait.neededBytes} bytes, there is room for ` +
        `${Math.max(0, wait.roomBytes)}; it ${wait.large ? "stays queued" : "was destroyed"}`
      );
    case MACH_RCV_INTERRUPTED:
      return "the thread was aborted, or the machine halted";
    case MACH_RCV_PORT_DIED:
      return "the receive right was destroyed or moved away, or the set destroyed";
    case MACH_RCV_PORT_CHANGED:
      return "the port was moved into a set";
    case MACH_RCV_INVALID_NOTIFY:
      return "notify is not the name of a receive right; the message was destroyed";
    case MACH_RCV_HEADER_ERROR:
      return "the name space has no room for the reply right; the message was destroyed";
    case MACH_RCV_BODY_ERROR:
      return "there was no room for some rights or regions of the body: they were lost";
    default:
      return "receiving failed";
  }
};
