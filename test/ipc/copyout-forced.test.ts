// Copyout of a forced message that cannot be given: what is left of it, and that its sender is told.

import { expect, test } from "@jest/globals";
import { COPY_SEND, MAKE_SEND, NOTIFY_MSG_ACCEPTED } from "../../src/ipc/rights.ts";
import type { MachError } from "../../src/task/mach-error.ts";
import { openDoor } from "../support/doors.ts";
import { letter, parcel } from "../support/letters.ts";
import { LoneNodes } from "../support/lone-node.ts";

test.each([
  ["of the same node", 0],
  ["of another node", 1],
])(
  "copyout: a forced message that is too large counts as taken, its sender %s is told",
  async (_where, node) => {
    const nodes = new LoneNodes({ dimension: 1 });
    const [sender, receiver] = [nodes.task(node), nodes.task(0)];
    const door = await openDoor(nodes, sender, receiver);
    const [notify, carried] = [sender.ports.allocate(), sender.ports.allocate()];
    await nodes.run(sender.send(letter(door.send, COPY_SEND, 1)));
    await nodes.quiet();
    receiver.ports.setQlimit(door.receive, 1);
    await nodes.quiet();
    const forced = parcel(door.send, COPY_SEND, carried, MAKE_SEND, 2);
    await nodes.run(sender.send(forced, { timeoutNs: 0, willNotify: notify }));
    await nodes.quiet();
    expect((await nodes.run(receiver.receive(door.receive))).id).toBe(1);
    expect(sender.ports.getReceiveStatus(notify).msgcount).toBe(0);
    const refused = receiver.receive(door.receive, { maxBytes: 0, large: false });
    const error: MachError = await nodes.run(refused).then(
      () => {
        throw new Error("it was received");
      },
      (thrown) => thrown,
    );
    expect(error.code).toBe("MACH_RCV_TOO_LARGE");
    expect(error.received).toMatchObject({
      id: 2,
      remote: 0,
      remoteDisposition: 0,
      complex: false,
    });
    await nodes.quiet();
    expect((await nodes.run(sender.receive(notify, { timeoutNs: 1e9 }))).id).toBe(
      NOTIFY_MSG_ACCEPTED,
    );
    await nodes.expectNothingLeaked();
  },
);
