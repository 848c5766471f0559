// Copyin, the first of the four stages: from a task's message to a kernel message. The header's rights
// are taken all or none (I-5); then the body's, front to back. A body right that cannot be taken
// destroys the message with all that it holds by then, as Mach does.

import { COUNTERS } from "../base/counters.ts";
import { MESSAGE_BODY_BYTES_MAX, REGION_BYTES_MAX } from "../base/limits.ts";
import {
  KERN_INVALID_RIGHT,
  KERN_RESOURCE_SHORTAGE,
  KERN_SUCCESS,
  MACH_MSG_SUCCESS,
  MACH_MSG_VM_KERNEL,
  MACH_SEND_INVALID_DATA,
  MACH_SEND_INVALID_DEST,
  MACH_SEND_INVALID_HEADER,
  MACH_SEND_INVALID_MEMORY,
  MACH_SEND_INVALID_NOTIFY,
  MACH_SEND_INVALID_REPLY,
  MACH_SEND_INVALID_RIGHT,
  MACH_SEND_INVALID_TYPE,
  MACH_SEND_MSG_TOO_SMALL,
  MACH_SEND_NO_BUFFER,
} from "../base/status.ts";
import { NO_FRAME } from "../hardware/frame-table.ts";
import { PACKET_INLINE_BYTES_MAX } from "../hardware/packet-layout.ts";
import type { IpcContext } from "./context.ts";
import { bodyWord, bodyWords, type KernelMessage } from "./kernel-message.ts";
import type { Message } from "./message.ts";
import { NO_ENTRY } from "./name-table.ts";
import { notifyDetached } from "./notifications.ts";
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
  TYPE_DEAD_NAME,
  TYPE_RECEIVE,
  TYPE_SEND,
  TYPE_SEND_ONCE,
} from "./rights.ts";
import type { Space } from "./space.ts";
import {
  checkItem,
  hasDeallocate,
  ITEM_GOOD,
  ITEM_TRUNCATED,
  isInline,
  itemBytes,
  itemData,
  itemEnd,
  itemNumber,
  itemType,
  setDeallocate,
  setItemType,
} from "./typed-item.ts";
import { copyWords } from "./word-copy.ts";

/** Body word of a dead right in the kernel and on the wire. */
export const BODY_DEAD = -1;

/** From `message` of a task to `kernel`, a message just taken from the pool for its size. `cancelNotify`: a
 *  receive right or MACH_PORT_NULL (MACH_SEND_CANCEL): if the destination right goes with this message, and
 *  was to be reported as deleted there, it is not.
 *  MACH_MSG_SUCCESS: `kernel` holds the rights. MACH_SEND_INVALID_DEST, _REPLY, _HEADER, _DATA, _NOTIFY,
 *  _NO_BUFFER: nothing has happened. _INVALID_RIGHT, _INVALID_TYPE, _INVALID_MEMORY, _MSG_TOO_SMALL: the
 *  rights that had been taken are released. In no case but success does `kernel` hold anything. */
export const copyin = (
  ipc: IpcContext,
  space: Space,
  message: Message,
  kernel: KernelMessage,
  cancelNotify: PortName,
): number => {
  const { size } = message;
  if (size >>> 0 !== size || size > message.bytes.length) return MACH_SEND_INVALID_DATA;
  if (size > MESSAGE_BODY_BYTES_MAX) return MACH_SEND_INVALID_DATA;
  // Only if the task has made its message larger while it waited for `kernel`.
  if (size > PACKET_INLINE_BYTES_MAX && !holds(ipc, kernel, size)) return MACH_SEND_NO_BUFFER;
  const cancel = cancelNotify === MACH_PORT_NULL ? null : receiveRightOf(space, cancelNotify);
  if (cancelNotify !== MACH_PORT_NULL && cancel === null) return MACH_SEND_INVALID_NOTIFY;
  const headerStatus = copyinHeader(space, message, kernel);
  if (headerStatus !== MACH_MSG_SUCCESS) return headerStatus;
  if (cancel !== null) cancelDetached(space, message.remote, cancel);
  kernel.id = message.id | 0;
  kernel.size = size;
  const words = bodyWords(ipc.memory, kernel);
  copyWords(words, bodyWord(ipc.memory, kernel), message.words, 0, (size + 3) >> 2);
  ipc.memory.counters[COUNTERS.copiedBytes.index]! += size;
  const status = message.complex ? copyinBody(ipc, space, kernel) : MACH_MSG_SUCCESS;
  if (space.detached.length > 0) notifyDetached(ipc, space);
  return status;
};

/** True if a body of `size` bytes, too large to be inline, has room in `kernel`. */
const holds = (ipc: IpcContext, kernel: KernelMessage, size: number): boolean => {
  if (kernel.overflow !== null) return size <= kernel.overflow.body!.length * 4;
  return kernel.frame !== NO_FRAME && size <= ipc.memory.layout.pageBytes;
};

/** The port of a receive right; null if `name` is none. */
export const receiveRightOf = (space: Space, name: PortName): Port | null => {
  const index = space.find(name);
  if (index === NO_ENTRY || (space.typeAt(index) & TYPE_RECEIVE) === 0) return null;
  return space.portAt(index);
};

/** Forgets the port-deleted notification of `name` if it was to go to `notify`. */
const cancelDetached = (space: Space, name: PortName, notify: Port): void => {
  const { detached } = space;
  const at = detached.findIndex((one) => one.name === name && one.notify === notify);
  if (at < 0) return;
  detached.splice(at, 1);
  notify.sendOnceRights -= 1; // the task asked not to hear of it
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
  if (index === NO_ENTRY) return MACH_SEND_INVALID_DEST;
  if (!canCopyin(space, index, localDisposition)) return MACH_SEND_INVALID_REPLY;
  if (!canCopyin(space, index, remoteDisposition)) return MACH_SEND_INVALID_DEST;
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
  if (type === TYPE_DEAD_NAME) {
    return disposition === COPY_SEND || disposition === MOVE_SEND || disposition === MOVE_SEND_ONCE;
  }
  if (disposition === COPY_SEND || disposition === MOVE_SEND) return (type & TYPE_SEND) !== 0;
  if (disposition === MOVE_SEND_ONCE) return type === TYPE_SEND_ONCE;
  return (type & TYPE_RECEIVE) !== 0;
};

/** Names to port indexes and addresses to regions, item by item, in the kernel's copy of the body. */
const copyinBody = (ipc: IpcContext, space: Space, kernel: KernelMessage): number => {
  const words = bodyWords(ipc.memory, kernel);
  const start = bodyWord(ipc.memory, kernel);
  const end = start + (kernel.size >> 2);
  let taken = 0;
  for (let at = start; at < end; at = itemEnd(words, at)) {
    const checked = checkItem(words, at, end, isPortDisposition);
    if (checked !== ITEM_GOOD) {
      const status = checked === ITEM_TRUNCATED ? MACH_SEND_MSG_TOO_SMALL : MACH_SEND_INVALID_TYPE;
      return abandon(ipc, kernel, taken, status);
    }
    let array = words;
    let data = itemData(words, at);
    if (!isInline(words, at)) {
      const status = copyinRegion(ipc, space, kernel, words, at);
      if (status !== MACH_MSG_SUCCESS) return abandon(ipc, kernel, taken, status);
      kernel.complex = true;
    }
    const disposition = itemType(words, at);
    if (!isPortDisposition(disposition)) continue;
    if (!isInline(words, at) && words[data] !== 0) {
      array = kernel.overflow!.rightsAt(words[data]!);
      data = 0;
    }
    kernel.complex = true;
    kernel.rights = true;
    setItemType(words, at, carriedRight(disposition));
    const count = itemNumber(words, at);
    for (let i = 0; i < count; i++) {
      const name = array[data + i]! >>> 0;
      const status = copyinBodyRight(ipc, space, kernel, name, disposition);
      if (status !== KERN_SUCCESS) return abandon(ipc, kernel, taken, MACH_SEND_INVALID_RIGHT);
      array[data + i] = bodyWordOf(space.copied, name);
      taken += 1;
    }
  }
  return MACH_MSG_SUCCESS;
};

/** Takes the memory of an out-of-line item: data as the machine's way of transfer does, rights by copying their
 *  words; and gives it up if the sender says so. The data word becomes the number of the region. */
const copyinRegion = (
  ipc: IpcContext,
  space: Space,
  kernel: KernelMessage,
  words: Int32Array,
  at: number,
): number => {
  const { pool } = ipc;
  const { memory } = space;
  const data = itemData(words, at);
  const bytes = itemBytes(words, at);
  const address = words[data]! >>> 0;
  words[data] = 0;
  if (bytes === 0) return MACH_MSG_SUCCESS;
  if (bytes > REGION_BYTES_MAX) return MACH_SEND_INVALID_MEMORY;
  const deallocate = hasDeallocate(words, at);
  if (isPortDisposition(itemType(words, at))) {
    if (!pool.roomForRegions) return MACH_SEND_INVALID_MEMORY | MACH_MSG_VM_KERNEL;
    const rights = new Int32Array(bytes >> 2);
    if (memory.read(address, regionBytes(rights)) !== KERN_SUCCESS) return MACH_SEND_INVALID_MEMORY;
    words[data] = pool.overflowOf(kernel).add(rights);
    pool.chargeLarge(kernel, bytes);
    ipc.memory.counters[COUNTERS.copiedBytes.index]! += bytes;
    if (deallocate) memory.vmDeallocate(address, bytes);
  } else {
    const { state, server } = kernel.remote!;
    const direct = state === PORT_PROXY || server?.wantsPageLists === true;
    const region = ipc.transfer.take(memory, address, bytes, deallocate, direct);
    if (region === null) return memoryStatus(memory.status);
    words[data] = pool.overflowOf(kernel).add(region);
  }
  setDeallocate(words, at);
  return MACH_MSG_SUCCESS;
};

const regionBytes = (rights: Int32Array): Uint8Array =>
  new Uint8Array(rights.buffer, rights.byteOffset, rights.byteLength);

/** What a sender hears when its memory could not be taken. */
const memoryStatus = (status: number): number =>
  status === KERN_RESOURCE_SHORTAGE
    ? MACH_SEND_INVALID_MEMORY | MACH_MSG_VM_KERNEL
    : MACH_SEND_INVALID_MEMORY;

const copyinBodyRight = (
  ipc: IpcContext,
  space: Space,
  kernel: KernelMessage,
  name: PortName,
  disposition: number,
): number => {
  const destination = kernel.remote!;
  if (name === MACH_PORT_NULL || name === MACH_PORT_DEAD) {
    space.copied = null;
    return KERN_SUCCESS;
  }
  if (disposition === MOVE_RECEIVE && !ipc.remote.acceptsReceiveRight(destination)) {
    return KERN_INVALID_RIGHT;
  }
  const status = space.copyinRight(name, disposition);
  if (status === KERN_SUCCESS && disposition === MOVE_RECEIVE) {
    const port = space.copied!;
    const queue = queueOwner(ipc, destination);
    // A circle is never closed, not even for the moment until its message is destroyed.
    if (isCircular(port, queue)) kernel.circular = true;
    else port.transitTo = queue;
  }
  return status;
};

/** The port in whose queue a message for `destination` will be, if that is one of this node. */
export const queueOwner = (ipc: IpcContext, destination: Port): Port =>
  destination.state === PORT_PROXY
    ? (ipc.remote.principalOf(destination) ?? destination)
    : destination;

const bodyWordOf = (port: Port | null, name: PortName): number => {
  if (port !== null) return port.index;
  return name === MACH_PORT_NULL ? 0 : BODY_DEAD;
};

/** Releases the header and the first `taken` rights of a body that failed. */
const abandon = (ipc: IpcContext, kernel: KernelMessage, taken: number, status: number): number => {
  releaseBody(ipc, kernel, taken);
  if (kernel.remote !== null) releaseRight(ipc, kernel.remote, kernel.remoteRight);
  if (kernel.local !== null) releaseRight(ipc, kernel.local, kernel.localRight);
  kernel.remote = null;
  kernel.local = null;
  return status;
};
