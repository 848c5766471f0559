// What a message is to a program when its regions found no memory (MACH_RCV_BODY_ERROR with VM_SPACE): every
// item of it can be taken, a region is empty, and what stands behind it is as it was sent.

import { expect, test } from "@jest/globals";
import { MACH_MSG_VM_SPACE } from "../../src/base/status.ts";
import { Message } from "../../src/ipc/message.ts";
import {
  COPY_SEND,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MOVE_RECEIVE,
  PORT_SEND,
  PORT_SEND_ONCE,
} from "../../src/ipc/rights.ts";
import type { MachError } from "../../src/task/mach-error.ts";
import type { Task } from "../../src/task/task.ts";
import { openDoor } from "../support/doors.ts";
import { LoneNodes } from "../support/lone-node.ts";
import { PLACES } from "../support/places.ts";

const PAGE = 4096;

/** Takes all of a task's memory. */
const fillMemory = ({ vm }: Task): number[] => {
  const taken: number[] = [];
  for (let bytes = 1 << 20; bytes >= PAGE; bytes >>= 1) {
    try {
      for (;;) taken.push(vm.allocate(bytes));
    } catch {
      // this much is not there any more
    }
  }
  return taken;
};

/** A message of the sender's whose regions find no memory, as its receiver gets it. */
const withoutRoom = async (
  nodes: LoneNodes,
  place: number,
  fill: (message: Message, sender: Task) => void,
) => {
  const [sender, receiver] = [nodes.task(0), nodes.task(place)];
  const door = await openDoor(nodes, sender, receiver);
  const message = new Message(512);
  message.remote = door.send;
  message.remoteDisposition = COPY_SEND;
  fill(message, sender);
  await nodes.run(sender.send(message));
  fillMemory(receiver);
  const error = await nodes.run(
    receiver.receive(door.receive).then(
      () => null,
      (failure: MachError) => failure,
    ),
  );
  expect(error).toMatchObject({ code: "MACH_RCV_BODY_ERROR" });
  expect(error!.status & MACH_MSG_VM_SPACE).toBe(MACH_MSG_VM_SPACE);
  return { sender, receiver, received: error!.received! };
};

test.each(PLACES)(
  "message: an item behind a region that found no room is taken as it was sent %s",
  async (_where, input, place) => {
    const nodes = new LoneNodes(input);
    const { received } = await withoutRoom(nodes, place, (message, sender) => {
      message.addInteger(1);
      message.addRegion(sender.vm.allocate(3 * PAGE), 3 * PAGE);
      message.addInteger(2).addText("behind it");
      message.addRegion(sender.vm.allocate(5 * PAGE), 5 * PAGE, true);
      message.addIntegers([3, 4]);
    });
    for (let round = 0; round < 2; round++) {
      expect(received.takeInteger()).toBe(1);
      expect(received.takeRegion()).toMatchObject({ address: 0 });
      expect([received.takeInteger(), received.takeText()]).toEqual([2, "behind it"]);
      expect(received.takeRegion()).toMatchObject({ address: 0 });
      expect([...received.takeIntegers()]).toEqual([3, 4]);
      expect(() => received.takeInteger()).toThrow("no further item");
      received.rewind();
    }
    await nodes.expectNothingLeaked();
  },
);

test.each(PLACES)(
  "message: a right behind rights that found no room is taken, and is a right %s",
  async (_where, input, place) => {
    const nodes = new LoneNodes(input);
    let own = 0;
    const { sender, receiver, received } = await withoutRoom(nodes, place, (message, task) => {
      own = task.ports.allocate();
      const address = task.vm.allocate(PAGE);
      for (let i = 0; i < 3; i++) task.memory.store32(address + i * 4, own);
      message.addRightsRegion(address, 3, MAKE_SEND_ONCE);
      message.addRight(own, MAKE_SEND).addInteger(7);
    });
    expect(received.takeRightsRegion()).toMatchObject({ address: 0, right: PORT_SEND_ONCE });
    const { name, right } = received.takeRight();
    expect([right, received.takeInteger()]).toEqual([PORT_SEND, 7]);
    for (let i = 0; i < 3; i++) expect((await nodes.run(sender.receive(own))).id).toBe(71);
    const message = new Message();
    message.remote = name;
    message.remoteDisposition = COPY_SEND;
    message.id = 12;
    await nodes.run(receiver.send(message));
    expect((await nodes.run(sender.receive(own))).id).toBe(12);
    await nodes.expectNothingLeaked();
  },
);

test("message: a receive right behind a region that found no room arrives with its queue", async () => {
  const nodes = new LoneNodes();
  const { receiver, received } = await withoutRoom(nodes, 0, (message, sender) => {
    message.addRegion(sender.vm.allocate(PAGE), PAGE);
    message.addRight(sender.ports.allocate(), MOVE_RECEIVE);
  });
  expect(received.takeRegion()).toMatchObject({ address: 0 });
  const { name } = received.takeRight();
  expect(receiver.ports.getReceiveStatus(name)).toMatchObject({ msgcount: 0, qlimit: 5 });
  await nodes.expectNothingLeaked();
});
