// Who is told that a port has died: the nodes that its home gave rights to, and those that sent to it.

import { expect, test } from "@jest/globals";
import {
  COPY_SEND,
  MACH_PORT_DEAD,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MOVE_SEND_ONCE,
  TYPE_DEAD_NAME,
} from "../../src/ipc/rights.ts";
import { give, openDoor } from "../support/doors.ts";
import { letter, parcel } from "../support/letters.ts";
import { LoneNodes } from "../support/lone-node.ts";

/** A port of node 0; node 1 has its right from there, node 2 from node 1. */
const chain = async () => {
  const nodes = new LoneNodes({ dimension: 2 });
  const [home, second, third] = [nodes.task(0), nodes.task(1), nodes.task(2)];
  const door = await openDoor(nodes, second, home);
  const name = await give(nodes, second, door.send, COPY_SEND, third);
  await nodes.quiet();
  return { nodes, home, second, third, door, name };
};

test("port deaths: a node that has its right from a third one is told if it has sent", async () => {
  const { nodes, home, second, third, door, name } = await chain();
  await nodes.run(third.send(letter(name, COPY_SEND)));
  await nodes.quiet();
  home.ports.destroy(door.receive);
  await nodes.quiet();
  expect(second.ports.type(door.send)).toBe(TYPE_DEAD_NAME);
  expect(third.ports.type(name)).toBe(TYPE_DEAD_NAME);
  await nodes.expectNothingLeaked();
});

test("port deaths: a node that has its right from a third one hears of it when it sends", async () => {
  const { nodes, home, third, door, name } = await chain();
  home.ports.destroy(door.receive);
  await nodes.quiet();
  expect(third.ports.type(name)).not.toBe(TYPE_DEAD_NAME);
  await nodes.run(third.send(letter(name, COPY_SEND)));
  await nodes.quiet();
  expect(third.ports.type(name)).toBe(TYPE_DEAD_NAME);
  await nodes.expectNothingLeaked();
});

test("port deaths: a send-once right that arrives where the death is known is counted off at home", async () => {
  const nodes = new LoneNodes({ dimension: 2 });
  const [home, holder, heir] = [nodes.task(0), nodes.task(1), nodes.task(2)];
  const port = home.ports.allocate();
  const once = await give(nodes, home, port, MAKE_SEND_ONCE, holder);
  const known = await give(nodes, home, port, MAKE_SEND, heir);
  const door = await openDoor(nodes, holder, heir);
  await nodes.quiet();
  const [atHome, , atHeir] = nodes.kernels;
  home.ports.destroy(port);
  // The holder's node is not stepped: it sends the right on before it can have heard.
  for (let i = 0; i < 3; i++) for (const kernel of [atHome!, atHeir!]) kernel.step();
  expect(heir.ports.type(known)).toBe(TYPE_DEAD_NAME);
  await holder.send(parcel(door.send, COPY_SEND, once, MOVE_SEND_ONCE));
  const { name } = (await nodes.run(heir.receive(door.receive))).takeRight();
  expect(name).toBe(MACH_PORT_DEAD);
  await nodes.expectNothingLeaked();
});

test("port deaths: the token tells every node, and then nobody remembers the identifier", async () => {
  const { nodes, home, second, third, door, name } = await chain();
  home.ports.destroy(door.receive);
  await nodes.pass(2e9);
  expect(third.ports.type(name)).toBe(TYPE_DEAD_NAME);
  expect(second.ports.type(door.send)).toBe(TYPE_DEAD_NAME);
  const remembered = (): number[] => nodes.kernels.map(({ identifiers }) => identifiers.deadCount);
  expect(Math.min(...remembered().slice(1))).toBeGreaterThan(0);
  await nodes.pass(2e9);
  await nodes.pass(2e9);
  expect(remembered()).toEqual([0, 0, 0, 0]);
  await nodes.expectNothingLeaked();
});
