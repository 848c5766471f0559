// The raw mach_msg trap: messages as bytes in task memory, in the layout of Mach 3.0 (mach/message.h), and
// statuses instead of errors. A trap is two halves over the calls of Message objects:
//   const trap = new Trap(memory, call)
//   trap.sends      messageToSend() and sendOptions() for the send; afterFailedSend() gives its status
//   trap.receives   receiveOptions() for the receive; afterReceive() and afterFailedReceive() give its status
//
//   header   0          4       8             12           16       20
//           |msgh_bits |size   |remote_port  |local_port  |seqno   |id   |  then the body
//   bits     remote disposition | local disposition << 8 | COMPLEX (bit 31)

import { NS_PER_MS } from "../base/clock.ts";
import { MESSAGE_BODY_BYTES_MAX } from "../base/limits.ts";
import {
  KERN_SUCCESS,
  MACH_MSG_SUCCESS,
  MACH_RCV_BODY_ERROR,
  MACH_RCV_INVALID_DATA,
  MACH_RCV_TOO_LARGE,
  MACH_SEND_INTERRUPTED,
  MACH_SEND_INVALID_DATA,
  MACH_SEND_INVALID_NOTIFY,
  MACH_SEND_MSG_TOO_SMALL,
  MACH_SEND_NO_BUFFER,
  MACH_SEND_NO_NOTIFY,
  MACH_SEND_NOTIFY_IN_PROGRESS,
  MACH_SEND_TIMED_OUT,
  withoutShortage,
} from "../base/status.ts";
import { Message } from "../ipc/message.ts";
import { type Disposition, MACH_PORT_DEAD, MACH_PORT_NULL, type PortName } from "../ipc/rights.ts";
import { FAULT_BUSY } from "../vm/fault.ts";
import type { TaskMemory } from "../vm/task-memory.ts";
import type { ReceiveOptions, SendOptions } from "./call-options.ts";
import { MachError } from "./mach-error.ts";
import type { TaskKernel } from "./task-kernel.ts";

export const MACH_SEND_MSG = 0x1;
export const MACH_RCV_MSG = 0x2;
export const MACH_SEND_TIMEOUT = 0x10;
export const MACH_SEND_NOTIFY = 0x20;
export const MACH_SEND_INTERRUPT = 0x40;
export const MACH_SEND_CANCEL = 0x80;
export const MACH_RCV_TIMEOUT = 0x100;
export const MACH_RCV_NOTIFY = 0x200;
export const MACH_RCV_INTERRUPT = 0x400;
export const MACH_RCV_LARGE = 0x800;

const HEADER_WORDS = 6;
export const HEADER_BYTES = HEADER_WORDS * 4;
const BITS_COMPLEX = 1 << 31;
const MSGH_SIZE_BYTE = 4;

/** Statuses after which the sender has its message back. */
const GIVEN_BACK: ReadonlySet<number> = new Set([
  MACH_SEND_TIMED_OUT,
  MACH_SEND_INTERRUPTED,
  MACH_SEND_NOTIFY_IN_PROGRESS,
  MACH_SEND_INVALID_NOTIFY,
  MACH_SEND_NO_NOTIFY,
]);

/** The arguments of mach_msg. Sizes in bytes, header included. */
export type TrapCall = [
  address: number,
  option: number,
  sendSize: number,
  receiveSize: number,
  receiveName: PortName,
  timeoutMs: number,
  notify: PortName,
];

export class Trap {
  readonly receiveName: PortName;
  private readonly kernel: TaskKernel;
  private readonly memory: TaskMemory;
  private readonly address: number;
  private readonly option: number;
  private readonly sendSize: number;
  private readonly receiveSize: number;
  private readonly timeoutNs: number;
  /** A null name is as wrong as any that is not a receive right. */
  private readonly notify: PortName;

  constructor(kernel: TaskKernel, memory: TaskMemory, call: TrapCall) {
    this.kernel = kernel;
    const [address, option, sendSize, receiveSize, receiveName, timeoutMs, notify] = call;
    this.memory = memory;
    this.address = address;
    this.option = option;
    this.sendSize = sendSize;
    this.receiveSize = receiveSize;
    this.receiveName = receiveName;
    this.timeoutNs = (timeoutMs >>> 0) * NS_PER_MS;
    this.notify = notify === MACH_PORT_NULL ? MACH_PORT_DEAD : notify;
  }

  private has(bit: number): boolean {
    return (this.option & bit) !== 0;
  }

  get sends(): boolean {
    return this.has(MACH_SEND_MSG);
  }

  get receives(): boolean {
    return this.has(MACH_RCV_MSG);
  }

  // --- send ---------------------------------------------------------------------------------------

  /** The message in task memory, or a status: nothing has happened. */
  messageToSend(): Message | number {
    const { address, sendSize } = this;
    if (!(sendSize >= HEADER_BYTES) || sendSize % 4 !== 0) return MACH_SEND_MSG_TOO_SMALL;
    if (!this.memory.has(address, sendSize)) return MACH_SEND_INVALID_DATA;
    const size = sendSize - HEADER_BYTES;
    if (size > MESSAGE_BODY_BYTES_MAX) return MACH_SEND_NO_BUFFER;
    const header = new Int32Array(HEADER_WORDS);
    const message = new Message(size);
    const read =
      this.memory.read(address, new Uint8Array(header.buffer)) === KERN_SUCCESS &&
      this.memory.read(address + HEADER_BYTES, message.bytes) === KERN_SUCCESS;
    if (!read) return MACH_SEND_INVALID_DATA;
    const bits = header[0]!;
    message.remoteDisposition = (bits & 0xff) as Disposition;
    message.localDisposition = ((bits >>> 8) & 0xff) as Disposition;
    message.complex = (bits & BITS_COMPLEX) !== 0;
    message.remote = header[2]! >>> 0;
    message.local = header[3]! >>> 0;
    message.id = header[5]!;
    message.size = size;
    return message;
  }

  sendOptions(): SendOptions {
    return {
      ...(this.has(MACH_SEND_TIMEOUT) ? { timeoutNs: this.timeoutNs } : {}),
      ...(this.has(MACH_SEND_NOTIFY) ? { willNotify: this.notify } : {}),
      ...(this.has(MACH_SEND_CANCEL) ? { cancelNotify: this.notify } : {}),
      interruptible: this.has(MACH_SEND_INTERRUPT),
    };
  }

  /** Status of a send that threw. A message that was given back is in task memory again. */
  afterFailedSend(message: Message, error: unknown): number {
    if (!(error instanceof MachError)) throw error;
    if (GIVEN_BACK.has(withoutShortage(error.status))) this.put(message, true);
    return error.status;
  }

  // --- receive ------------------------------------------------------------------------------------

  receiveOptions(): ReceiveOptions {
    return {
      ...(this.has(MACH_RCV_TIMEOUT) ? { timeoutNs: this.timeoutNs } : {}),
      ...(this.has(MACH_RCV_NOTIFY) ? { notify: this.notify } : {}),
      maxBytes: this.receiveSize - HEADER_BYTES,
      large: this.has(MACH_RCV_LARGE),
      interruptible: this.has(MACH_RCV_INTERRUPT),
    };
  }

  /** Puts what was received into task memory. */
  afterReceive(message: Message): number {
    return this.put(message, true) ? MACH_MSG_SUCCESS : MACH_RCV_INVALID_DATA;
  }

  /** Status of a receive that threw; what it did receive is in task memory. */
  afterFailedReceive(error: unknown): number {
    if (!(error instanceof MachError)) throw error;
    const { received, status } = error;
    const known = withoutShortage(status);
    if (received !== null) {
      const whole = known === MACH_RCV_BODY_ERROR;
      return this.put(received, whole) ? status : MACH_RCV_INVALID_DATA;
    }
    if (known === MACH_RCV_TOO_LARGE) {
      const size = new Uint8Array(Int32Array.of(error.neededBytes + HEADER_BYTES).buffer);
      if (!this.write(this.address + MSGH_SIZE_BYTE, size)) return MACH_RCV_INVALID_DATA;
    }
    return status;
  }

  /** Writes header and, if `whole`, body. False: the memory is not there. */
  private put(message: Message, whole: boolean): boolean {
    const { address } = this;
    const { remote, remoteDisposition, local, localDisposition, size, sequence, id } = message;
    const bits = remoteDisposition | (localDisposition << 8) | (message.complex ? BITS_COMPLEX : 0);
    const header = Int32Array.of(bits, size + HEADER_BYTES, remote, local, sequence, id);
    if (!this.write(address, new Uint8Array(header.buffer))) return false;
    if (!whole) return true;
    return this.write(address + HEADER_BYTES, message.bytes.subarray(0, size));
  }

  /** False: the memory is not there, or not writable. Pages that are busy are waited for. */
  private write(address: number, bytes: Uint8Array): boolean {
    for (;;) {
      const status = this.memory.write(address, bytes);
      if (status !== FAULT_BUSY) return status === KERN_SUCCESS;
      this.kernel.waitNotBusy(this.memory.busyFrame);
    }
  }
}
