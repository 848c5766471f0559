// Copyout: what the receiver gets for the rights of a message, in cases that random tests have found.

import { expect, test } from "@jest/globals";
import {
  COPY_SEND,
  NOTIFY_DEAD_NAME,
  TYPE_DNREQUEST,
  TYPE_RECEIVE,
  TYPE_SEND,
} from "../../src/ipc/rights.ts";
import { openDoor } from "../support/doors.ts";
import { letter } from "../support/letters.ts";
import { LoneNodes } from "../support/lone-node.ts";

const LOOPBACK = { kernel: { loopback: true } };

/** A reply right to one's own port, from another task. */
const ownReply = async (prepared: boolean) => {
  const nodes = new LoneNodes(LOOPBACK);
  const [owner, other] = [nodes.task(), nodes.task()];
  const door = await openDoor(nodes, other, owner);
  const notify = owner.ports.allocate();
  if (prepared) owner.ports.requestNotification(door.receive, NOTIFY_DEAD_NAME, 0, notify);
  await nodes.run(other.send(letter(door.send, COPY_SEND, 1, door.send, COPY_SEND)));
  const received = await nodes.run(owner.receive(door.receive, { timeoutNs: 0, notify }));
  expect(received.remote).toBe(door.receive);
  return { nodes, type: owner.ports.type(door.receive) };
};

// Both fail until copyout looks for the name of the port that the right comes home to.
test("copyout: with loopback a reply right to the receiver's own port makes no dead-name request", async () => {
  const { nodes, type } = await ownReply(false);
  expect(type).toBe(TYPE_SEND | TYPE_RECEIVE);
  await nodes.expectNothingLeaked();
});

test("copyout: with loopback a reply right to the receiver's own port leaves the request there is", async () => {
  const { nodes, type } = await ownReply(true);
  expect(type).toBe((TYPE_SEND | TYPE_RECEIVE | TYPE_DNREQUEST) >>> 0);
  await nodes.expectNothingLeaked();
});
