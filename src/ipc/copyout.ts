// Copyout, the last of the four stages: from a kernel message to a task's. The destination right is
// used up, the reply right and the body's rights get names in the receiver's space.
// A right that finds no room in the name space is released and shows as MACH_PORT_NULL, and the status
// says MACH_RCV_BODY_ERROR: the message itself is received.

import { COUNTERS } from "../base/counters.ts";
import { MACH_MSG_SUCCESS, MACH_RCV_BODY_ERROR } from "../base/status.ts";
import type { IpcContext } from "./context.ts";
import { BODY_DEAD } from "./copyin.ts";
import { bodyWord, type KernelMessage } from "./kernel-message.ts";
import { Message } from "./message.ts";
import { PORT_DEAD, type Port } from "./port.ts";
import { releaseRight } from "./release.ts";
import {
  type CarriedRight,
  isPortDisposition,
  MACH_PORT_DEAD,
  MACH_PORT_NULL,
  PORT_RECEIVE,
  PORT_SEND_ONCE,
  type PortName,
} from "./rights.ts";
import type { Space } from "./space.ts";
import { itemData, itemEnd, itemNumber, itemType } from "./typed-item.ts";
import type { ReceiveWait } from "./waits.ts";
import { copyWords } from "./word-copy.ts";

/** Gives `kernel` to the task of `wait`; the kernel message returns to the pool.
 *  Condition: the body fits. Returns the receive status. */
export const copyout = (
  ipc: IpcContext,
  kernel: KernelMessage,
  wait: ReceiveWait,
  sequence: number,
): number => {
  const space = wait.space!;
  const message = wait.into ?? new Message(kernel.size);
  const port = kernel.remote!;
  let status = MACH_MSG_SUCCESS;

  // The destination right is used up by delivery.
  if (kernel.remoteRight === PORT_SEND_ONCE) port.sendOnceRights -= 1;
  else port.sendRights -= 1;
  message.local = port.space === space ? port.name : MACH_PORT_NULL;
  message.localDisposition = kernel.remoteRight;
  message.id = kernel.id;
  message.sequence = sequence;
  message.size = kernel.size;
  message.complex = kernel.complex;
  message.rewind();

  if (kernel.local === null) {
    message.remote = kernel.localDead ? MACH_PORT_DEAD : MACH_PORT_NULL;
    message.remoteDisposition = kernel.localDead ? kernel.localRight : 0;
  } else {
    message.remote = copyoutRight(ipc, space, kernel.local, kernel.localRight);
    message.remoteDisposition = kernel.localRight;
    if (message.remote === MACH_PORT_NULL) status = MACH_RCV_BODY_ERROR;
  }

  const { words } = ipc.memory;
  const start = bodyWord(ipc.memory, kernel);
  if (kernel.complex && !copyoutBody(ipc, space, start, start + (kernel.size >> 2))) {
    status = MACH_RCV_BODY_ERROR;
  }
  copyWords(message.words, 0, words, start, (kernel.size + 3) >> 2);
  const { counters } = ipc.memory;
  counters[COUNTERS.copiedBytes.index]! += kernel.size;
  counters[COUNTERS.messagesReceived.index]! += 1;
  ipc.pool.put(kernel);
  wait.message = message;
  return status;
};

/** Port indexes to names, in the kernel's copy of the body. False if some right found no room. */
const copyoutBody = (ipc: IpcContext, space: Space, start: number, end: number): boolean => {
  const { words } = ipc.memory;
  let all = true;
  for (let at = start; at < end; at = itemEnd(words, at)) {
    const right = itemType(words, at);
    if (!isPortDisposition(right)) continue;
    const data = itemData(words, at);
    const count = itemNumber(words, at);
    for (let i = 0; i < count; i++) {
      const index = words[data + i]!;
      if (index === 0) continue;
      const name =
        index === BODY_DEAD
          ? MACH_PORT_DEAD
          : copyoutRight(ipc, space, ipc.ports.byIndex(index), right as CarriedRight);
      words[data + i] = name;
      if (name === MACH_PORT_NULL) all = false;
    }
  }
  return all;
};

/** A name for a right that the message holds. MACH_PORT_DEAD if its port died meanwhile,
 *  MACH_PORT_NULL if the space is full; in both cases the right is released. */
const copyoutRight = (ipc: IpcContext, space: Space, port: Port, right: CarriedRight): PortName => {
  if (port.state === PORT_DEAD && right !== PORT_RECEIVE) {
    if (right === PORT_SEND_ONCE) port.sendOnceRights -= 1;
    else port.sendRights -= 1;
    ipc.ports.collectIfGone(port);
    return MACH_PORT_DEAD;
  }
  const name = space.copyoutRight(port, right);
  if (name === MACH_PORT_NULL) releaseRight(ipc, port, right);
  return name;
};
