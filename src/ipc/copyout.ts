// Copyout, the last of the four stages: from a kernel message to a task's. The destination right is
// used up, the reply right and the body's rights get names in the receiver's space, out-of-line data new
// memory. What finds no room there is released and shows as MACH_PORT_NULL or as a region at address 0, and
// the status says MACH_RCV_BODY_ERROR: the message itself is received. A message whose header cannot be
// given is destroyed, and the task gets what is left of the header.
// pseudoReceive() gives a message back to its sender, as if it had been its own receiver.

import { assert } from "../base/assert.ts";
import { COUNTERS } from "../base/counters.ts";
import {
  KERN_NO_SPACE,
  KERN_SUCCESS,
  MACH_MSG_IPC_SPACE,
  MACH_MSG_SUCCESS,
  MACH_MSG_VM_KERNEL,
  MACH_MSG_VM_SPACE,
  MACH_RCV_BODY_ERROR,
  MACH_RCV_HEADER_ERROR,
  MACH_RCV_INVALID_NOTIFY,
  MACH_RCV_TOO_LARGE,
} from "../base/status.ts";
import type { IpcContext } from "./context.ts";
import { BODY_DEAD, receiveRightOf } from "./copyin.ts";
import { bodyWord, bodyWords, type KernelMessage } from "./kernel-message.ts";
import { Message } from "./message.ts";
import { PORT_DEAD, PORT_PROXY, type Port } from "./port.ts";
import { destroyMessage, lastSenderGone, releaseRight } from "./release.ts";
import {
  type CarriedRight,
  type Disposition,
  isPortDisposition,
  MACH_PORT_DEAD,
  MACH_PORT_NULL,
  PORT_RECEIVE,
  PORT_SEND_ONCE,
  type PortName,
} from "./rights.ts";
import type { Space } from "./space.ts";
import { clearRegion, isInline, itemData, itemEnd, itemNumber, itemType } from "./typed-item.ts";
import type { ReceiveWait } from "./waits.ts";
import { copyWords } from "./word-copy.ts";

/** Gives `kernel` to the task of `wait`; the kernel message returns to the pool.
 *  Returns the receive status; wait.message is the message, or after MACH_RCV_TOO_LARGE, _INVALID_NOTIFY and
 *  _HEADER_ERROR its header. */
export const copyout = (
  ipc: IpcContext,
  kernel: KernelMessage,
  wait: ReceiveWait,
  sequence: number,
): number => {
  const space = wait.space!;
  if (kernel.size > wait.roomBytes) {
    return refuse(ipc, kernel, wait, sequence, MACH_RCV_TOO_LARGE);
  }
  if (wait.notify !== MACH_PORT_NULL && receiveRightOf(space, wait.notify) === null) {
    return refuse(ipc, kernel, wait, sequence, MACH_RCV_INVALID_NOTIFY);
  }
  const { local, localRight } = kernel;
  let reply: PortName = kernel.localDead ? MACH_PORT_DEAD : MACH_PORT_NULL;
  if (local !== null) {
    const asks = wait.notify !== MACH_PORT_NULL && !hasNameFor(ipc, space, local, localRight);
    reply = copyoutRight(ipc, space, local, localRight);
    if (reply === MACH_PORT_NULL) {
      kernel.local = null; // it has been released
      return refuse(ipc, kernel, wait, sequence, MACH_RCV_HEADER_ERROR | MACH_MSG_IPC_SPACE);
    }
    if (asks) requestDeadName(space, reply, wait.notify);
  }
  const message = wait.into ?? new Message(kernel.size);
  writeHeader(message, kernel, space, sequence);
  message.remote = reply;
  message.remoteDisposition = local !== null || kernel.localDead ? localRight : 0;
  const status = kernel.complex ? copyoutBody(ipc, space, kernel) : MACH_MSG_SUCCESS;
  giveBody(ipc, kernel, message);
  ipc.memory.counters[COUNTERS.messagesReceived.index]! += 1;
  wait.message = message;
  finish(ipc, kernel);
  return status;
};

/** True if the right will come under a name that the task has already. */
const hasNameFor = (ipc: IpcContext, space: Space, port: Port, right: CarriedRight): boolean => {
  if (right === PORT_SEND_ONCE) return false;
  if (space.nameOf(port) !== MACH_PORT_NULL) return true;
  return port.state === PORT_PROXY && ipc.remote.principalOf(port)?.space === space;
};

/** The kernel message has been copied out: its destination right is used up. */
const finish = (ipc: IpcContext, kernel: KernelMessage): void => {
  const { remoteRight } = kernel;
  const port = kernel.remote!;
  ipc.pool.put(kernel);
  if (remoteRight === PORT_SEND_ONCE) {
    port.sendOnceRights -= 1;
  } else {
    port.sendRights -= 1;
    if (port.sendRights === 0) lastSenderGone(ipc, port);
  }
};

/** Destroys the message and gives its receiver the header, without the reply right (Mach 3.0
 *  ipc_kmsg_copyout_dest). */
const refuse = (
  ipc: IpcContext,
  kernel: KernelMessage,
  wait: ReceiveWait,
  sequence: number,
  status: number,
): number => {
  const message = wait.into ?? new Message(0);
  writeHeader(message, kernel, wait.space!, sequence);
  message.remote = MACH_PORT_NULL;
  message.remoteDisposition = 0;
  message.complex = false;
  wait.neededBytes = kernel.size;
  wait.message = message;
  // The destination right is used up, not destroyed: no send-once notification for it.
  const { remoteRight } = kernel;
  const port = kernel.remote!;
  kernel.remote = null;
  destroyMessage(ipc, kernel);
  if (remoteRight === PORT_SEND_ONCE) {
    port.sendOnceRights -= 1;
    ipc.ports.collectIfGone(port);
  } else {
    releaseRight(ipc, port, remoteRight);
  }
  return status;
};

const writeHeader = (
  message: Message,
  kernel: KernelMessage,
  space: Space,
  sequence: number,
): void => {
  const port = kernel.remote!;
  message.local = port.space === space ? port.name : MACH_PORT_NULL;
  message.localDisposition = kernel.remoteRight;
  message.id = kernel.id;
  message.sequence = sequence;
  message.size = kernel.size;
  message.complex = kernel.complex;
  message.arrive();
};

const giveBody = (ipc: IpcContext, kernel: KernelMessage, message: Message): void => {
  const { memory } = ipc;
  const words = bodyWords(memory, kernel);
  copyWords(message.words, 0, words, bodyWord(memory, kernel), (kernel.size + 3) >> 2);
  memory.counters[COUNTERS.copiedBytes.index]! += kernel.size;
};

/** The task wants to be told at its receive right `notify` when the new right dies (MACH_RCV_NOTIFY). */
const requestDeadName = (space: Space, name: PortName, notify: PortName): void => {
  const index = space.find(name);
  if (index < 0 || space.portAt(index) === null) return;
  const port = receiveRightOf(space, notify)!;
  port.sendOnceRights += 1;
  space.setRequest(index, port);
};

/** Port indexes to names and regions to addresses, in the kernel's copy of the body. */
const copyoutBody = (ipc: IpcContext, space: Space, kernel: KernelMessage): number => {
  const words = bodyWords(ipc.memory, kernel);
  const start = bodyWord(ipc.memory, kernel);
  const end = start + (kernel.size >> 2);
  let shortage = 0;
  for (let at = start; at < end; at = itemEnd(words, at)) {
    const right = itemType(words, at);
    if (!isInline(words, at)) shortage |= copyoutRegion(ipc, space, kernel, words, at);
    else if (isPortDisposition(right)) {
      const data = itemData(words, at);
      shortage |= copyoutRights(ipc, space, words, data, itemNumber(words, at), right);
    }
  }
  return shortage === 0 ? MACH_MSG_SUCCESS : MACH_RCV_BODY_ERROR | shortage;
};

/** Returns 0, or the shortage bit if some right found no room. */
const copyoutRights = (
  ipc: IpcContext,
  space: Space,
  words: Int32Array,
  data: number,
  count: number,
  right: number,
): number => {
  let shortage = 0;
  for (let i = 0; i < count; i++) {
    const index = words[data + i]!;
    if (index === 0) continue;
    const name =
      index === BODY_DEAD
        ? MACH_PORT_DEAD
        : copyoutRight(ipc, space, ipc.ports.byIndex(index), right as CarriedRight);
    words[data + i] = name;
    if (name === MACH_PORT_NULL) shortage = MACH_MSG_IPC_SPACE;
  }
  return shortage;
};

/** New memory of the task with what the item holds. Without room the item's rights are released. */
const copyoutRegion = (
  ipc: IpcContext,
  space: Space,
  kernel: KernelMessage,
  words: Int32Array,
  at: number,
): number => {
  const data = itemData(words, at);
  if (words[data] === 0) return 0;
  const { memory } = space;
  const region = kernel.overflow!.take(words[data]!);
  if (region instanceof Int32Array) return copyoutRightsRegion(ipc, space, words, at, region);
  const status = ipc.transfer.give(memory, region);
  if (status === KERN_SUCCESS) {
    words[data] = memory.address;
    return 0;
  }
  ipc.transfer.discard(region);
  clearRegion(words, at);
  return status === KERN_NO_SPACE ? MACH_MSG_VM_SPACE : MACH_MSG_VM_KERNEL;
};

/** Rights as names in new memory of the task. */
const copyoutRightsRegion = (
  ipc: IpcContext,
  space: Space,
  words: Int32Array,
  at: number,
  rights: Int32Array,
): number => {
  const { memory } = space;
  const bytes = rights.byteLength;
  const right = itemType(words, at) as CarriedRight;
  const address = memory.allocate(bytes);
  // All pages first: a name that the task got is not lost for want of a page to write it to.
  if (address === null || memory.fill(address, bytes, 0) !== KERN_SUCCESS) {
    if (address !== null) memory.vmDeallocate(address, bytes);
    for (const index of rights) {
      if (index > 0) releaseRight(ipc, ipc.ports.byIndex(index), right);
    }
    clearRegion(words, at);
    return address === null ? MACH_MSG_VM_SPACE : MACH_MSG_VM_KERNEL;
  }
  const shortage = copyoutRights(ipc, space, rights, 0, rights.length, right);
  const written = memory.write(address, new Uint8Array(rights.buffer, rights.byteOffset, bytes));
  assert(written === KERN_SUCCESS, "pages just filled are there");
  words[itemData(words, at)] = address;
  ipc.memory.counters[COUNTERS.copiedBytes.index]! += bytes;
  return shortage;
};

/** A name for a right that the message holds. MACH_PORT_DEAD if its port died meanwhile,
 *  MACH_PORT_NULL if the space is full; in both cases the right is released. */
export const copyoutRight = (
  ipc: IpcContext,
  space: Space,
  held: Port,
  right: CarriedRight,
): PortName => {
  const port = atHome(ipc, space, held, right);
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

/** The port that the space is to have a right to: a loopback proxy and its port are one to whom has both. */
export const atHome = (ipc: IpcContext, space: Space, held: Port, right: CarriedRight): Port => {
  if (held.state === PORT_PROXY) return comeHome(ipc, space, held, right);
  if (right === PORT_RECEIVE) bringHome(ipc, space, held);
  return held;
};

/** A right to a loopback proxy whose receive right the task itself has is a right to that port. */
const comeHome = (ipc: IpcContext, space: Space, proxy: Port, right: CarriedRight): Port => {
  const principal = ipc.remote.principalOf(proxy);
  if (principal === null || principal.space !== space) return proxy;
  if (right === PORT_SEND_ONCE) {
    proxy.sendOnceRights -= 1; // the principal counts it already
  } else {
    proxy.sendRights -= 1;
    principal.sendRights += 1;
  }
  return principal;
};

/** A task gets a receive right whose loopback proxy it has a send right to: that is one to the port now. */
const bringHome = (ipc: IpcContext, space: Space, port: Port): void => {
  const proxy = ipc.remote.loopbackProxyOf(port);
  if (proxy === null || space.nameOf(proxy) === MACH_PORT_NULL) return;
  space.rebind(proxy, port);
  proxy.sendRights -= 1;
  port.sendRights += 1;
};

/** Gives a copied-in message back to its sender, in the very object that it came in. Rights show as what
 *  they have become: the sender's own, to be moved when it sends again. Returns shortage bits; what found
 *  no room is lost. */
export const pseudoReceive = (
  ipc: IpcContext,
  space: Space,
  kernel: KernelMessage,
  message: Message,
): number => {
  const { remote, remoteRight, local, localRight } = kernel;
  let shortage = 0;
  message.remote = copyoutRight(ipc, space, remote!, remoteRight);
  message.remoteDisposition = remoteRight;
  if (message.remote === MACH_PORT_NULL) shortage = MACH_MSG_IPC_SPACE;
  if (local !== null) {
    message.local = copyoutRight(ipc, space, local, localRight);
    if (message.local === MACH_PORT_NULL) shortage = MACH_MSG_IPC_SPACE;
  } else {
    message.local = kernel.localDead ? MACH_PORT_DEAD : MACH_PORT_NULL;
  }
  const hasReply = local !== null || kernel.localDead;
  message.localDisposition = hasReply ? localRight : (0 as Disposition);
  if (kernel.complex) {
    const status = copyoutBody(ipc, space, kernel);
    if (status !== MACH_MSG_SUCCESS)
      shortage |= status & (MACH_MSG_IPC_SPACE | MACH_MSG_VM_SPACE | MACH_MSG_VM_KERNEL);
    giveBody(ipc, kernel, message);
  }
  message.size = kernel.size;
  message.complex = kernel.complex;
  kernel.remote = null;
  ipc.pool.put(kernel);
  return shortage;
};
