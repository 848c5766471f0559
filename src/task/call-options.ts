// What a program can ask of a send and of a receive: the options of mach_msg.

import type { Message } from "../ipc/message.ts";
import type { PortName } from "../ipc/rights.ts";

/** What keeps a sender from changing pages that are on their way (paper 2.3.2): the pages are busy and a store
 *  waits, or the call does not return before the interface is done with them. */
export type Protection = "busy" | "hold";

export interface SendOptions {
  /** Of out-of-line data that goes to another node or to a device; default: option kernel.protection. */
  readonly protection?: Protection;
  /** Give up after so long, ns; 0 = only try (MACH_SEND_TIMEOUT). Default: wait for ever. */
  readonly timeoutNs?: number;
  /** Instead of waiting for room, or when the timeout is over: queue the message all the same and send a
   *  msg-accepted notification to this receive right once it is taken (MACH_SEND_NOTIFY). */
  readonly willNotify?: PortName;
  /** If the destination right goes with this message and its dead-name request was to this receive right,
   *  send no port-deleted notification (MACH_SEND_CANCEL). */
  readonly cancelNotify?: PortName;
  /** thread_abort ends the wait (MACH_SEND_INTERRUPT). */
  readonly interruptible?: boolean;
}

export interface ReceiveOptions {
  /** Receive into this message instead of a new one. */
  readonly into?: Message;
  /** Bytes of the longest body to take; default: what `into` has room for, or any. */
  readonly maxBytes?: number;
  /** Give up after so long, ns; 0 = only look (MACH_RCV_TIMEOUT). Default: wait for ever. */
  readonly timeoutNs?: number;
  /** A message that is too large stays queued (MACH_RCV_LARGE); false: it is destroyed. Default true. */
  readonly large?: boolean;
  /** Make a dead-name request to this receive right for the reply right, if that is new to the task
   *  (MACH_RCV_NOTIFY). */
  readonly notify?: PortName;
  /** thread_abort ends the wait (MACH_RCV_INTERRUPT). */
  readonly interruptible?: boolean;
}

/** Of an rpc: the timeout is for each half. */
export interface RpcOptions extends SendOptions, ReceiveOptions {}

export const checkTimeout = (timeoutNs: number | undefined): void => {
  if (timeoutNs === undefined || timeoutNs >= 0) return;
  throw new RangeError(`timeoutNs is ${timeoutNs}; it must be 0 or more`);
};
