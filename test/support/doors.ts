// How two tasks of a test get to each other: a "door" is a port of one with a send right at the other.

import { COPY_SEND, type Disposition, type PortName } from "../../src/ipc/rights.ts";
import type { Task } from "../../src/task/task.ts";
import { parcel } from "./letters.ts";
import type { LoneNodes } from "./lone-node.ts";

export interface Door {
  /** The send right's name, at the task that goes through. */
  readonly send: PortName;
  /** The receive right's name, at the task that opens. */
  readonly receive: PortName;
}

/** Doors opened so far, by machine: their names must not depend on what ran before. */
const doors = new WeakMap<LoneNodes, number>();

/** A port of `to` for which `from` has a send right. */
export const openDoor = async (nodes: LoneNodes, from: Task, to: Task): Promise<Door> => {
  const number = doors.get(nodes) ?? 0;
  doors.set(nodes, number + 1);
  const label = `door ${number}`;
  const receive = to.ports.allocate();
  await nodes.run(to.names.checkIn(label, receive));
  const send = await nodes.run(from.names.lookUp(label));
  await nodes.run(to.names.checkOut(label));
  return { send, receive };
};

/** Gives `to` a right to what `from` calls `right`; returns its name there. */
export const give = async (
  nodes: LoneNodes,
  from: Task,
  right: PortName,
  disposition: Disposition,
  to: Task,
): Promise<PortName> => {
  const door = await openDoor(nodes, from, to);
  await nodes.run(from.send(parcel(door.send, COPY_SEND, right, disposition)));
  const { name } = (await nodes.run(to.receive(door.receive))).takeRight();
  to.ports.destroy(door.receive);
  from.ports.deallocate(door.send);
  return name;
};
