// Steps that conformance cases have in common: queues filled to the limit, notifications as they must
// look, and why a case cannot have its outcome everywhere yet.

import { expect } from "@jest/globals";
import {
  MACH_PORT_NULL,
  MAKE_SEND,
  NOTIFY_DEAD_NAME,
  NOTIFY_MSG_ACCEPTED,
  NOTIFY_NO_SENDERS,
  NOTIFY_PORT_DELETED,
  NOTIFY_SEND_ONCE,
  PORT_SEND_ONCE,
  type PortName,
} from "../../src/ipc/rights.ts";
import type { Exceptions } from "./conform.ts";
import type { Door } from "./doors.ts";
import { integer, type LetterItem, type ReceivedItem, type ReceivedLetter } from "./peer-letter.ts";
import type { Peer } from "./peers.ts";
import type { World } from "./worlds.ts";

export const MS = 1_000_000;

// --- exceptions: sentences of docs/CAVEATS.md -------------------------------------------------------

const APART = (reason: string): Exceptions => ({ simulation: reason, threads: reason });

/** For cases in which peers on several nodes fill one queue. */
export const FILLED_BY_SEVERAL: Exceptions = APART(
  "A queue that several nodes send to can go over its limit",
);

// --- steps ------------------------------------------------------------------------------------------

/** Sends `count` messages with ids from `first` on; resolves when they are queued. */
export const sendMany = async (
  { settled }: World,
  from: Peer,
  remote: PortName,
  count: number,
  first = 100,
): Promise<void> => {
  for (let i = 0; i < count; i++) await from.send({ remote, id: first + i });
  await settled();
};

/** The default queue limit. */
export const LIMIT = 5;

/** A door from client to server whose queue is full: messages 100 to 104. */
export const fullDoor = async (world: World): Promise<Door> => {
  const door = await world.door(world.client, world.server);
  await sendMany(world, world.client, door.send, LIMIT);
  return door;
};

/** A port with one send right of its own task's, and a port to be notified at. */
export const portAndNotify = async ({ ports }: Peer): Promise<{ port: number; notify: number }> => {
  const port = await ports.allocate();
  await ports.insertRight(port, port, MAKE_SEND);
  return { port, notify: await ports.allocate() };
};

/** Sends with these ids, each outstanding when the next begins. */
export const blocked = async (
  { settled }: World,
  from: Peer,
  remote: number,
  ids: readonly number[],
): Promise<{ readonly done: number[]; readonly all: Promise<unknown> }> => {
  const done: number[] = [];
  const sends: Promise<unknown>[] = [];
  for (const id of ids) {
    const sent = from.send({ remote, id }).then(() => done.push(id));
    sent.catch(() => {}); // whoever waits for all of them sees it
    sends.push(sent);
    await settled();
  }
  return { done, all: Promise.all(sends) };
};

/** Ids of the next `count` messages at a port. */
export const receiveIds = async (at: Peer, name: PortName, count: number): Promise<number[]> => {
  const ids: number[] = [];
  for (let i = 0; i < count; i++) ids.push((await at.receive(name)).id);
  return ids;
};

/** The name in a received item that is one right. */
export const nameIn = (letter: ReceivedLetter, index = 0): PortName => {
  const item = letter.items[index];
  if (item?.kind !== "rights") throw new Error(`item ${index} is ${JSON.stringify(item)}`);
  return item.names[0]!;
};

/** Contents of a received item that is a region. */
export const regionIn = (letter: ReceivedLetter, index = 0): Uint8Array => {
  const item = letter.items[index];
  if (item?.kind !== "region") throw new Error(`item ${index} is ${JSON.stringify(item)}`);
  return item.contents;
};

/** Memory of a peer with these contents. */
export const memoryOf = async (peer: Peer, contents: Uint8Array): Promise<number> => {
  const address = await peer.vm.allocate(contents.length);
  await peer.memory.write(address, contents);
  return address;
};

/** Equality of many bytes; expect() takes seconds for a megabyte. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** Items of a letter, to be compared with items that were sent: without the addresses. */
export const contentsOf = (letter: ReceivedLetter): unknown[] =>
  letter.items.map((item: ReceivedItem) => {
    const { address, ...rest } = item as ReceivedItem & { address?: number };
    return rest;
  });

// --- notifications ----------------------------------------------------------------------------------

const notification = (id: number, items: readonly LetterItem[]) => ({
  id,
  remote: MACH_PORT_NULL,
  localDisposition: PORT_SEND_ONCE,
  items,
});

export const deadName = (name: PortName) =>
  notification(NOTIFY_DEAD_NAME, [{ kind: "portName", name }]);
export const portDeleted = (name: PortName) =>
  notification(NOTIFY_PORT_DELETED, [{ kind: "portName", name }]);
export const msgAccepted = (name: PortName) =>
  notification(NOTIFY_MSG_ACCEPTED, [{ kind: "portName", name }]);
export const noSenders = (count: number) => notification(NOTIFY_NO_SENDERS, [integer(count)]);
export const sendOnceGone = () => notification(NOTIFY_SEND_ONCE, []);

/** The next message at a port is this notification, addressed to the port itself. */
export const expectNotice = async (
  at: Peer,
  name: PortName,
  notice: ReturnType<typeof notification>,
): Promise<void> => {
  expect(await at.receive(name)).toMatchObject({ ...notice, local: name });
};
