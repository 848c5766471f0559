// How a kernel server reads its request and builds its reply, in the same kernel message: the request's
// items are taken first, then the reply is written over them and sent to the request's reply port.

import { assert } from "../base/assert.ts";
import { MACH_MSG_SUCCESS } from "../base/status.ts";
import { PACKET_BODY } from "../hardware/packet-layout.ts";
import type { IpcContext } from "../ipc/context.ts";
import { bodyWord, type KernelMessage } from "../ipc/kernel-message.ts";
import type { Port } from "../ipc/port.ts";
import { sendToPort } from "../ipc/queueing.ts";
import { releaseRight } from "../ipc/release.ts";
import { isPortDisposition, PORT_SEND } from "../ipc/rights.ts";
import {
  checkItem,
  ITEM_GOOD,
  itemBytes,
  itemData,
  itemEnd,
  itemNumber,
  itemType,
  TYPE_INTEGER_32,
  TYPE_STRING,
  writeItem,
} from "../ipc/typed-item.ts";

const decoder = new TextDecoder();

/** What a well-formed request carried, in order of its items. Rights are the reader's from here on. */
export interface RequestItems {
  readonly texts: string[];
  /** Send rights, one per port item; null for a null, dead or other right (released). */
  readonly rights: (Port | null)[];
}

/** Takes all items out of a request; whatever it carries besides is released. */
export const takeItems = (ipc: IpcContext, request: KernelMessage): RequestItems => {
  const { words, bytes } = ipc.memory;
  const items: RequestItems = { texts: [], rights: [] };
  if (request.overflow !== null) return items; // nothing that a server of the kernel asks for
  const start = bodyWord(ipc.memory, request);
  const end = start + (request.size >> 2);
  for (let at = start; at < end; at = itemEnd(words, at)) {
    // A body that is not complex was not looked at before: it may be anything.
    if (checkItem(words, at, end, isPortDisposition) !== ITEM_GOOD) break;
    const type = itemType(words, at);
    const data = itemData(words, at);
    if (type === TYPE_STRING) {
      // The decoder refuses shared memory in some hosts: give it a copy.
      items.texts.push(decoder.decode(bytes.slice(data * 4, data * 4 + itemBytes(words, at))));
    } else if (request.complex && isPortDisposition(type)) {
      const count = itemNumber(words, at);
      for (let i = 0; i < count; i++) items.rights.push(takeRight(ipc, type, words[data + i]!));
    }
  }
  request.complex = false;
  return items;
};

const takeRight = (ipc: IpcContext, type: number, index: number): Port | null => {
  if (index <= 0) return null;
  const port = ipc.ports.byIndex(index);
  if (type === PORT_SEND) return port;
  releaseRight(ipc, port, type as 16 | 18);
  return null;
};

/** Sends the reply: a status and, on success, perhaps a send right that the caller gives away.
 *  Conditions: the request's items have been taken. Without a reply port the request just ends. */
export const replyStatus = (
  ipc: IpcContext,
  request: KernelMessage,
  status: number,
  right: Port | null,
): void => {
  const served = request.remote!;
  const servedRight = request.remoteRight;
  request.remote = request.local;
  request.remoteRight = request.localRight;
  request.local = null;
  releaseRight(ipc, served, servedRight);
  if (request.remote === null) {
    if (right !== null) releaseRight(ipc, right, PORT_SEND);
    ipc.pool.put(request);
    return;
  }
  const { words } = ipc.memory;
  const start = bodyWord(ipc.memory, request);
  assert(request.at + PACKET_BODY === start || request.frame >= 0);
  let data = writeItem(words, start, TYPE_INTEGER_32, 32, 1);
  words[data] = status;
  if (right !== null) {
    data = writeItem(words, data + 1, PORT_SEND, 32, 1);
    words[data] = right.index;
  }
  request.complex = right !== null;
  request.size = (data + 1 - start) * 4;
  request.id += 100;
  const sent = sendToPort(ipc, request, true);
  assert(sent === MACH_MSG_SUCCESS, "a kernel's reply is never refused");
};
