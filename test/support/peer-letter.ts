// Messages as plain records, which cross threads: what a test orders its peers to send, and what they say
// that they have received. The peer makes a Message of one, or one of a Message, with its task's memory
// for what travels out of line.

import { Message } from "../../src/ipc/message.ts";
import {
  COPY_SEND,
  type Disposition,
  isPortDisposition,
  MACH_PORT_NULL,
  type PortName,
} from "../../src/ipc/rights.ts";
import {
  checkItem,
  ITEM_GOOD,
  isInline,
  itemBytes,
  itemData,
  itemEnd,
  itemType,
  TYPE_BYTE,
  TYPE_INTEGER_32,
  TYPE_PORT_NAME,
  TYPE_STRING,
} from "../../src/ipc/typed-item.ts";
import type { Task } from "../../src/task/task.ts";

/** One item of a body. On the way out `contents` and `names` are put into new memory of the sender. */
export type LetterItem =
  | { kind: "rights"; names: PortName[]; disposition: number }
  | { kind: "integers"; values: number[] }
  | { kind: "text"; text: string }
  | { kind: "bytes"; bytes: Uint8Array }
  | { kind: "portName"; name: PortName }
  | { kind: "region"; contents: Uint8Array; offset?: number; deallocate?: boolean }
  | { kind: "regionAt"; address: number; bytes: number; deallocate?: boolean }
  | { kind: "rightsRegion"; names: PortName[]; disposition: number; deallocate?: boolean }
  | { kind: "rightsRegionAt"; address: number; count: number; disposition: number };

/** What is left out: COPY_SEND, no reply port, id 1, no items. */
export interface Letter {
  readonly remote: PortName;
  readonly remoteDisposition?: number;
  readonly local?: PortName;
  readonly localDisposition?: number;
  readonly id?: number;
  readonly items?: readonly LetterItem[];
  /** In place of items: a plain body. */
  readonly bytes?: Uint8Array;
  /** In place of items: a complex body, word by word, whatever it says. */
  readonly words?: readonly number[];
  /** In place of the true size. */
  readonly size?: number;
}

/** An item as it was received, or given back; `address` where it lies in the task's memory. */
export type ReceivedItem =
  | { kind: "rights"; names: PortName[]; disposition: number }
  | { kind: "integers"; values: number[] }
  | { kind: "text"; text: string }
  | { kind: "bytes"; bytes: Uint8Array }
  | { kind: "portName"; name: PortName }
  | { kind: "region"; contents: Uint8Array; address: number }
  | { kind: "rightsRegion"; names: PortName[]; disposition: number; address: number };

export interface ReceivedLetter {
  readonly remote: PortName;
  readonly remoteDisposition: number;
  readonly local: PortName;
  readonly localDisposition: number;
  readonly id: number;
  readonly sequence: number;
  readonly size: number;
  readonly complex: boolean;
  /** Empty if the body is not typed items. */
  readonly items: ReceivedItem[];
  /** The body as it is. */
  readonly bytes: Uint8Array;
}

// --- short ways to write items ----------------------------------------------------------------------

export const right = (name: PortName, disposition: Disposition): LetterItem => ({
  kind: "rights",
  names: [name],
  disposition,
});
export const rights = (names: PortName[], disposition: Disposition): LetterItem => ({
  kind: "rights",
  names,
  disposition,
});
export const integer = (value: number): LetterItem => ({ kind: "integers", values: [value] });
export const text = (words: string): LetterItem => ({ kind: "text", text: words });
export const region = (contents: Uint8Array, deallocate = false): LetterItem => ({
  kind: "region",
  contents,
  deallocate,
});
export const regionAt = (address: number, bytes: number, deallocate = false): LetterItem => ({
  kind: "regionAt",
  address,
  bytes,
  deallocate,
});
export const rightsRegion = (
  names: PortName[],
  disposition: Disposition,
  deallocate = false,
): LetterItem => ({ kind: "rightsRegion", names, disposition, deallocate });

/** Bytes that can be recognised. */
export const pattern = (length: number, seed = 1): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8) + seed * 31 + 0xc0) & 0xff);

// --- record to message ------------------------------------------------------------------------------

/** Descriptor and padding of one item, at most. */
const ITEM_BYTES_MAX = 16;

export const toMessage = (task: Task, letter: Letter): Message => {
  const { items = [], bytes, words } = letter;
  const message = new Message(capacityOf(letter));
  message.remote = letter.remote;
  message.remoteDisposition = (letter.remoteDisposition ?? COPY_SEND) as Disposition;
  message.local = letter.local ?? MACH_PORT_NULL;
  message.localDisposition = (letter.localDisposition ?? 0) as Disposition;
  message.id = letter.id ?? 1;
  if (bytes !== undefined) {
    message.bytes.set(bytes);
    message.size = bytes.length;
  } else if (words !== undefined) {
    message.words.set(words.map((word) => word | 0));
    message.size = words.length * 4;
    message.complex = true;
  } else {
    for (const item of items) addItem(task, message, item);
  }
  if (letter.size !== undefined) message.size = letter.size;
  return message;
};

const capacityOf = ({ items = [], bytes, words }: Letter): number => {
  if (bytes !== undefined) return bytes.length;
  if (words !== undefined) return words.length * 4;
  let capacity = 0;
  for (const item of items) {
    capacity += ITEM_BYTES_MAX;
    if (item.kind === "rights") capacity += item.names.length * 4;
    if (item.kind === "integers") capacity += item.values.length * 4;
    if (item.kind === "text") capacity += item.text.length * 3;
    if (item.kind === "bytes") capacity += item.bytes.length;
  }
  return capacity;
};

const addItem = (task: Task, message: Message, item: LetterItem): void => {
  switch (item.kind) {
    case "rights": {
      const disposition = item.disposition as Disposition;
      if (item.names.length === 1) message.addRight(item.names[0]!, disposition);
      else message.addRights(item.names, disposition);
      break;
    }
    case "integers":
      if (item.values.length === 1) message.addInteger(item.values[0]!);
      else message.addIntegers(item.values);
      break;
    case "text":
      message.addText(item.text);
      break;
    case "bytes":
      message.addBytes(item.bytes);
      break;
    case "portName":
      message.addPortName(item.name);
      break;
    case "region": {
      const { contents, offset = 0, deallocate } = item;
      const address = task.vm.allocate(offset + contents.length) + offset;
      task.memory.write(address, contents);
      message.addRegion(address, contents.length, deallocate);
      break;
    }
    case "regionAt":
      message.addRegion(item.address, item.bytes, item.deallocate);
      break;
    case "rightsRegion": {
      const { names, disposition, deallocate } = item;
      const address = task.vm.allocate(names.length * 4);
      for (const [i, name] of names.entries()) task.memory.store32(address + i * 4, name);
      message.addRightsRegion(address, names.length, disposition as Disposition, deallocate);
      break;
    }
    case "rightsRegionAt":
      message.addRightsRegion(item.address, item.count, item.disposition as Disposition);
      break;
  }
};

// --- message to record ------------------------------------------------------------------------------

export const fromMessage = (task: Task, message: Message): ReceivedLetter => {
  const { remote, remoteDisposition, local, localDisposition, id, sequence, size } = message;
  return {
    remote,
    remoteDisposition,
    local,
    localDisposition,
    id,
    sequence,
    size,
    complex: message.complex,
    items: itemsOf(task, message),
    bytes: message.bytes.slice(0, size),
  };
};

const itemsOf = (task: Task, message: Message): ReceivedItem[] => {
  const { words } = message;
  const end = Math.min(message.size, message.bytes.length) >> 2;
  const items: ReceivedItem[] = [];
  for (let at = 0; at < end; at = itemEnd(words, at)) {
    // Rights that found no memory have elements of no size: not everything of a port type is looked at.
    if (checkItem(words, at, end, () => false) !== ITEM_GOOD) return [];
    const item = isInline(words, at)
      ? inlineItem(message, itemType(words, at), itemData(words, at), itemBytes(words, at))
      : regionItem(task, itemType(words, at), words[itemData(words, at)]!, itemBytes(words, at));
    if (item === null) return [];
    items.push(item);
  }
  return items;
};

const inlineItem = (
  message: Message,
  type: number,
  data: number,
  length: number,
): ReceivedItem | null => {
  const bytes = message.bytes.slice(data * 4, data * 4 + length);
  const values = Array.from(message.words.subarray(data, data + (length >> 2)));
  if (isPortDisposition(type)) {
    return { kind: "rights", names: values.map((word) => word >>> 0), disposition: type };
  }
  if (type === TYPE_INTEGER_32) return { kind: "integers", values };
  if (type === TYPE_STRING) return { kind: "text", text: new TextDecoder().decode(bytes) };
  if (type === TYPE_BYTE) return { kind: "bytes", bytes };
  if (type === TYPE_PORT_NAME) return { kind: "portName", name: values[0]! >>> 0 };
  return null;
};

const regionItem = (task: Task, type: number, word: number, length: number): ReceivedItem => {
  const address = word >>> 0;
  const contents = address === 0 ? new Uint8Array() : readIfThere(task, address, length);
  if (!isPortDisposition(type)) return { kind: "region", contents, address };
  const names = [...new Uint32Array(contents.buffer, 0, contents.length >> 2)];
  return { kind: "rightsRegion", names, disposition: type, address };
};

/** A message that was refused may name memory that is not there. */
const readIfThere = (task: Task, address: number, length: number): Uint8Array => {
  try {
    return task.memory.read(address, length);
  } catch {
    return new Uint8Array();
  }
};
