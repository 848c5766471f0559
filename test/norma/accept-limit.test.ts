// Forced messages between nodes (MACH_SEND_NOTIFY) are numbered, and there are 1,023 numbers: with so many
// outstanding, one more is given back with MACH_SEND_NO_NOTIFY, until one of them is taken or destroyed.

import { expect, test } from "@jest/globals";
import { MACH_SEND_WILL_NOTIFY } from "../../src/base/status.ts";
import { Message } from "../../src/ipc/message.ts";
import {
  COPY_SEND,
  MAKE_SEND,
  NOTIFY_MSG_ACCEPTED,
  type PortName,
  RIGHT_SEND,
} from "../../src/ipc/rights.ts";
import { WIRE_ACCEPT_MAX } from "../../src/norma/wire-values.ts";
import type { Task } from "../../src/task/task.ts";
import { openDoor } from "../support/doors.ts";
import { letter } from "../support/letters.ts";
import { LoneNodes } from "../support/lone-node.ts";

/** Rights that fit into one message. */
const BATCH = 128;
/** Id of the message that fills a queue. */
const FIRST = 7777;

/** Ports of one task with send rights at another, on another node: `homes` are the names at home. */
const portsAbroad = async (nodes: LoneNodes, home: Task, abroad: Task, count: number) => {
  const { send, receive } = await openDoor(nodes, home, abroad);
  const remotes: PortName[] = [];
  const homes: PortName[] = [];
  while (remotes.length < count) {
    const batch = Array.from({ length: BATCH }, () => home.ports.allocate());
    for (const name of batch) home.ports.setQlimit(name, 1);
    const parcel = new Message(16 + BATCH * 4);
    parcel.remote = send;
    parcel.remoteDisposition = COPY_SEND;
    await nodes.run(home.send(parcel.addRights(batch, MAKE_SEND)));
    remotes.push(...(await nodes.run(abroad.receive(receive))).takeRights().names);
    homes.push(...batch);
  }
  return { remotes, homes };
};

test("accept reports: the 1,024th forced message is given back, until one is accepted", async () => {
  const nodes = new LoneNodes({
    dimension: 1,
    kernel: { messages: 8192 },
    memory: { bytesPerNode: 1 << 23 },
  });
  const [sender, receiver] = [nodes.task(0), nodes.task(1)];
  // A port for each message: a name can have but one outstanding.
  const count = WIRE_ACCEPT_MAX + 2;
  const { remotes, homes } = await portsAbroad(nodes, receiver, sender, count);
  for (const remote of remotes.slice(0, count)) {
    await nodes.run(sender.send(letter(remote, COPY_SEND, FIRST))); // fills the queue
  }
  const notify = sender.ports.allocate();
  const options = { timeoutNs: 0, willNotify: notify };
  for (let i = 0; i < WIRE_ACCEPT_MAX; i++) {
    const sent = await nodes.run(sender.send(letter(remotes[i]!, COPY_SEND, i), options));
    expect(sent).toBe(MACH_SEND_WILL_NOTIFY);
  }
  const [late, later] = [remotes[WIRE_ACCEPT_MAX]!, remotes[WIRE_ACCEPT_MAX + 1]!];
  const last = letter(late, COPY_SEND, 8888);
  const refusal = { code: "MACH_SEND_NO_NOTIFY" };
  for (let round = 0; round < 2; round++) {
    await expect(nodes.run(sender.send(last, options))).rejects.toMatchObject(refusal);
    expect(last).toMatchObject({ remote: late, id: 8888 });
    expect(sender.ports.getRefs(late, RIGHT_SEND)).toBe(2); // the second is the message's
  }

  // One is taken: its number is free.
  for (const id of [FIRST, 4]) expect((await nodes.run(receiver.receive(homes[4]!))).id).toBe(id);
  const accepted = await nodes.run(sender.receive(notify));
  expect([accepted.id, accepted.takePortName()]).toEqual([NOTIFY_MSG_ACCEPTED, remotes[4]]);
  expect(await nodes.run(sender.send(last, options))).toBe(MACH_SEND_WILL_NOTIFY);
  const another = letter(later, COPY_SEND, 9999);
  await expect(nodes.run(sender.send(another, options))).rejects.toMatchObject(refusal);

  // One is destroyed with its port: likewise.
  receiver.ports.destroy(homes[9]!);
  await nodes.quiet();
  expect(await nodes.run(sender.send(another, options))).toBe(MACH_SEND_WILL_NOTIFY);
  const home = homes[WIRE_ACCEPT_MAX + 1]!;
  for (const id of [FIRST, 9999]) expect((await nodes.run(receiver.receive(home))).id).toBe(id);
  await nodes.expectNothingLeaked();
});
