// Releasing what a message holds without reading it (mach_msg_destroy): the rights of a received message
// that nobody wants, and those that the body of a message would have given away had it been sent.

import { MACH_MSG_SUCCESS } from "../base/status.ts";
import type { Message } from "../ipc/message.ts";
import {
  isPortDisposition,
  MACH_PORT_DEAD,
  MACH_PORT_NULL,
  MOVE_RECEIVE,
  MOVE_SEND,
  MOVE_SEND_ONCE,
  type PortName,
  RIGHT_RECEIVE,
} from "../ipc/rights.ts";
import {
  checkItem,
  hasDeallocate,
  ITEM_GOOD,
  isInline,
  itemBytes,
  itemData,
  itemEnd,
  itemNumber,
  itemType,
} from "../ipc/typed-item.ts";
import { MachError } from "./mach-error.ts";
import type { Task } from "./task.ts";

/** Releases the rights and the memory of the message's typed items. What is no longer the task's is let be. */
export const releaseBodyRights = (task: Task, message: Message): void => {
  if (!message.complex) return;
  const { words } = message;
  const end = message.size >> 2;
  for (let at = 0; checkItem(words, at, end, isPortDisposition) === ITEM_GOOD; ) {
    const type = itemType(words, at);
    const data = itemData(words, at);
    if (!isInline(words, at)) {
      releaseRegion(task, words, at);
    } else if (isPortDisposition(type)) {
      const count = itemNumber(words, at);
      for (let i = 0; i < count; i++) releaseName(task, words[data + i]! >>> 0, type);
    }
    at = itemEnd(words, at);
  }
};

/** Memory that came with the message, or was to go with it; rights lie in it, perhaps. */
const releaseRegion = (task: Task, words: Int32Array, at: number): void => {
  const address = words[itemData(words, at)]! >>> 0;
  const bytes = itemBytes(words, at);
  const type = itemType(words, at);
  quietly(() => {
    for (let i = 0; isPortDisposition(type) && i < bytes; i += 4) {
      releaseName(task, task.memory.load32(address + i) >>> 0, type);
    }
    if (hasDeallocate(words, at)) task.vm.deallocate(address, bytes);
  });
};

/** The same, and the right that the message is to be sent to, or is to be answered to. */
export const releaseMessageRights = (task: Task, message: Message): void => {
  releaseRemote(task, message);
  releaseBodyRights(task, message);
};

/** The same of that right alone. */
export const releaseRemote = (task: Task, message: Message): void => {
  releaseName(task, message.remote, message.remoteDisposition);
  message.remote = MACH_PORT_NULL;
};

/** Gives up what sending `name` with this disposition would have taken from the task. */
export const releaseName = ({ ports }: Task, name: PortName, disposition: number): void => {
  if (name === MACH_PORT_NULL || name === MACH_PORT_DEAD) return;
  if (disposition === MOVE_RECEIVE) quietly(() => ports.modRefs(name, RIGHT_RECEIVE, -1));
  if (disposition === MOVE_SEND || disposition === MOVE_SEND_ONCE) {
    quietly(() => ports.deallocate(name));
  }
};

/** Runs `call`; Mach's refusal means that there is nothing left to do. Returns the status. */
export const quietly = (call: () => void): number => {
  try {
    call();
    return MACH_MSG_SUCCESS;
  } catch (error) {
    if (error instanceof MachError) return error.status;
    throw error;
  }
};
