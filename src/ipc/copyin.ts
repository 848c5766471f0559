// Copyin, the first of the four stages: from a task's message to a kernel message. The header's rights
// are taken all or none (I-5); then the body's, front to back. A body right that cannot be taken
// destroys the message with all that it holds by then, as Mach does.

import { COUNTERS } from "../base/counters.ts";
import {
  KERN_INVALID_RIGHT,
  KERN_SUCCESS,
  MACH_MSG_SUCCESS,
  MACH_SEND_INVALID_DATA,
  MACH_SEND_INVALID_DEST,
  MACH_SEND_INVALID_HEADER,
  MACH_SEND_INVALID_REPLY,
  MACH_SEND_INVALID_RIGHT,
  MACH_SEND_INVALID_TYPE,
  MACH_SEND_MSG_TOO_SMALL,
  MACH_SEND_NO_BUFFER,
} from "../base/status.ts";
import { NO_FRAME } from "../hardware/frame-table.ts";
import { PACKET_INLINE_BYTES_MAX } from "../hardware/packet-layout.ts";
import type { IpcContext } from "./context.ts";
import { bodyWord, type KernelMessage } from "./kernel-message.ts";
import type { Message } from "./message.ts";
import { isCircular, PORT_PROXY, type Port } from "./port.ts";
import { releaseBody, releaseRight } from "./release.ts";
import {
  COPY_SEND,
  carriedRight,
  isPortDisposition,
  MACH_PORT_DEAD,
  MACH_PORT_NULL,
  MAKE_SEND_ONCE,
  MOVE_RECEIVE,
  MOVE_SEND,
  MOVE_SEND_ONCE,
  type PortName,
  TYPE_RECEIVE,
  TYPE_SEND,
  TYPE_SEND_ONCE,
} from "./rights.ts";
import { NO_ENTRY, type Space } from "./space.ts";
import {
  checkItem,
  ITEM_GOOD,
  ITEM_TRUNCATED,
  itemData,
  itemEnd,
  itemNumber,
  itemType,
  setItemType,
} from "./typed-item.ts";
import { copyWords } from "./word-copy.ts";

/** Body word of a dead right in the kernel and on the wire. */
export const BODY_DEAD = -1;

/** From `message` of a task to `kernel`, a message just taken from the pool for its size.
 *  MACH_MSG_SUCCESS: `kernel` holds the rights. MACH_SEND_INVALID_DEST, _REPLY, _HEADER, _DATA,
 *  _NO_BUFFER: nothing has happened. _INVALID_RIGHT, _INVALID_TYPE, _MSG_TOO_SMALL: the rights that had
 *  been taken are released. In no case but success does `kernel` hold anything. */
export const copyin = (
  ipc: IpcContext,
  space: Space,
  message: Message,
  kernel: KernelMessage,
): number => {
  const { size } = message;
  if (size >>> 0 !== size || size > message.bytes.length) return MACH_SEND_INVALID_DATA;
  if (size > ipc.memory.layout.pageBytes) return MACH_SEND_INVALID_DATA;
  // Only if the task has made its message larger while it waited for `kernel`.
  if (size > PACKET_INLINE_BYTES_MAX && kernel.frame === NO_FRAME) return MACH_SEND_NO_BUFFER;
  const status = copyinHeader(space, message, kernel);
  if (status !== MACH_MSG_SUCCESS) return status;
  kernel.id = message.id | 0;
  kernel.size = size;
  kernel.complex = message.complex;
  copyWords(ipc.memory.words, bodyWord(ipc.memory, kernel), message.words, 0, (size + 3) >> 2);
  ipc.memory.counters[COUNTERS.copiedBytes.index]! += size;
  return message.complex ? copyinBody(ipc, space, kernel) : MACH_MSG_SUCCESS;
};

/** Destination and reply right, both or neither. Order of the checks as in MACH 3.0
 *  ipc_kmsg_copyin_header: destination exists, reply can be had, destination can be had. */
const copyinHeader = (space: Space, message: Message, kernel: KernelMessage): number => {
  const { remote, remoteDisposition, local, localDisposition } = message;
  if (!isSendDisposition(remoteDisposition)) return MACH_SEND_INVALID_HEADER;
  if (localDisposition === 0) {
    if (local !== MACH_PORT_NULL) return MACH_SEND_INVALID_HEADER;
  } else {
    if (!isSendDisposition(localDisposition)) return MACH_SEND_INVALID_HEADER;
    if (local === remote) return copyinSameName(space, message, kernel);
  }
  const remoteIndex = space.find(remote);
  if (remoteIndex === NO_ENTRY) return MACH_SEND_INVALID_DEST;
  const named = local !== MACH_PORT_NULL && local !== MACH_PORT_DEAD;
  const localIndex = named ? space.find(local) : NO_ENTRY;
  if (named && !canCopyin(space, localIndex, localDisposition)) return MACH_SEND_INVALID_REPLY;
  if (!canCopyin(space, remoteIndex, remoteDisposition)) return MACH_SEND_INVALID_DEST;
  if (space.portAt(remoteIndex) === null) return MACH_SEND_INVALID_DEST;
  // --- committed: both were seen to be good, and taking one name cannot change the other ---
  space.copyinEntry(remoteIndex, remoteDisposition);
  kernel.remote = space.copied;
  kernel.remoteRight = carriedRight(remoteDisposition);
  kernel.localRight = carriedRight(localDisposition);
  if (named) {
    space.copyinEntry(localIndex, localDisposition);
    kernel.local = space.copied;
    kernel.localDead = space.copied === null;
  } else {
    kernel.localDead = local === MACH_PORT_DEAD;
  }
  return MACH_MSG_SUCCESS;
};

/** Destination and reply under one name: the combinations of ipc_kmsg_copyin_header (CMU MK83).
 *  A send-once right cannot be both; two moves need two references. */
const copyinSameName = (space: Space, message: Message, kernel: KernelMessage): number => {
  const { remote, remoteDisposition, localDisposition } = message;
  if (remoteDisposition === MOVE_SEND_ONCE || localDisposition === MOVE_SEND_ONCE) {
    return MACH_SEND_INVALID_DEST;
  }
  const index = space.find(remote);
  if (!canCopyin(space, index, remoteDisposition)) return MACH_SEND_INVALID_DEST;
  if (!canCopyin(space, index, localDisposition)) return MACH_SEND_INVALID_REPLY;
  if (space.portAt(index) === null) return MACH_SEND_INVALID_DEST;
  const moves = Number(remoteDisposition === MOVE_SEND) + Number(localDisposition === MOVE_SEND);
  if (moves === 2 && space.referencesAt(index) < 2) return MACH_SEND_INVALID_DEST;
  // --- committed: copies and makes first, so that a move of the last reference comes last ---
  const replyFirst = remoteDisposition === MOVE_SEND;
  space.copyinEntry(index, replyFirst ? localDisposition : remoteDisposition);
  space.copyinEntry(index, replyFirst ? remoteDisposition : localDisposition);
  kernel.remote = space.copied;
  kernel.remoteRight = carriedRight(remoteDisposition);
  kernel.local = space.copied;
  kernel.localRight = carriedRight(localDisposition);
  return MACH_MSG_SUCCESS;
};

const isSendDisposition = (disposition: number): boolean =>
  disposition > MOVE_RECEIVE && disposition <= MAKE_SEND_ONCE;

/** True if copyinEntry() would succeed (a dead name counts: it is carried as dead). */
const canCopyin = (space: Space, index: number, disposition: number): boolean => {
  if (index === NO_ENTRY) return false;
  const type = space.typeAt(index);
  if (space.portAt(index) === null) {
    return disposition === COPY_SEND || disposition === MOVE_SEND || disposition === MOVE_SEND_ONCE;
  }
  if (disposition === COPY_SEND || disposition === MOVE_SEND) return (type & TYPE_SEND) !== 0;
  if (disposition === MOVE_SEND_ONCE) return type === TYPE_SEND_ONCE;
  return (type & TYPE_RECEIVE) !== 0;
};

/** Names to port indexes, item by item, in the kernel's copy of the body. */
const copyinBody = (ipc: IpcContext, space: Space, kernel: KernelMessage): number => {
  const { words } = ipc.memory;
  const start = bodyWord(ipc.memory, kernel);
  const end = start + (kernel.size >> 2);
  let at = start;
  while (at < end) {
    const checked = checkItem(words, at, end, isPortDisposition);
    if (checked !== ITEM_GOOD) {
      const status = checked === ITEM_TRUNCATED ? MACH_SEND_MSG_TOO_SMALL : MACH_SEND_INVALID_TYPE;
      return abandon(ipc, kernel, start, at, 0, status);
    }
    const disposition = itemType(words, at);
    if (isPortDisposition(disposition)) {
      const right = carriedRight(disposition);
      setItemType(words, at, right);
      const data = itemData(words, at);
      const count = itemNumber(words, at);
      for (let i = 0; i < count; i++) {
        const name = words[data + i]! >>> 0;
        const status = copyinBodyRight(ipc, space, kernel, name, disposition);
        if (status !== KERN_SUCCESS) {
          return abandon(ipc, kernel, start, at, i, MACH_SEND_INVALID_RIGHT);
        }
        words[data + i] = bodyWordOf(space.copied, name);
      }
    }
    at = itemEnd(words, at);
  }
  return MACH_MSG_SUCCESS;
};

const copyinBodyRight = (
  ipc: IpcContext,
  space: Space,
  kernel: KernelMessage,
  name: PortName,
  disposition: number,
): number => {
  const destination = kernel.remote!;
  if (disposition === MOVE_RECEIVE && destination.state === PORT_PROXY) {
    if (!ipc.remote.acceptsReceiveRights) return KERN_INVALID_RIGHT;
  }
  if (name === MACH_PORT_NULL || name === MACH_PORT_DEAD) {
    space.copied = null;
    return KERN_SUCCESS;
  }
  const status = space.copyinRight(name, disposition);
  if (status === KERN_SUCCESS && disposition === MOVE_RECEIVE) {
    const port = space.copied!;
    // A circle is never closed, not even for the moment until its message is destroyed.
    if (isCircular(port, destination)) kernel.circular = true;
    else port.transitTo = destination;
  }
  return status;
};

const bodyWordOf = (port: Port | null, name: PortName): number => {
  if (port !== null) return port.index;
  return name === MACH_PORT_NULL ? 0 : BODY_DEAD;
};

/** Releases what a body that failed at item `at`, element `element`, had taken, and the header. */
const abandon = (
  ipc: IpcContext,
  kernel: KernelMessage,
  start: number,
  at: number,
  element: number,
  status: number,
): number => {
  releaseBody(ipc, start, at, element);
  if (kernel.remote !== null) releaseRight(ipc, kernel.remote, kernel.remoteRight);
  if (kernel.local !== null) releaseRight(ipc, kernel.local, kernel.localRight);
  kernel.remote = null;
  kernel.local = null;
  return status;
};
