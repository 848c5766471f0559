// A name space with a given number of send rights in it, on a node in the benchmark's own thread: what
// the operations of space-operations.ts work on.
//
// Which names an operation touches is a parameter of its own. With a few of them, spread over the whole
// space, nothing but the size of the space differs, since what they need is in the cache. With all of
// them, in random order, a big space also pays the memory for being big, as any table would.

import { Random } from "../../src/base/random.ts";
import type { IpcContext } from "../../src/ipc/context.ts";
import type { Port } from "../../src/ipc/port.ts";
import type { PortName } from "../../src/ipc/rights.ts";
import type { Space } from "../../src/ipc/space.ts";
import { TwoNodes } from "../micro/two-nodes.ts";
import { addPorts, addSendRights } from "./fill-kernel.ts";

export class SpaceFixture {
  readonly ipc: IpcContext;
  readonly space: Space;
  /** Names to touch, in order, over and over; and the port behind each. */
  readonly touched: PortName[];
  readonly touchedPorts: Port[];
  /** Where the next operation goes on in `touched`. */
  next = 0;

  /** `names` send rights in one space, for ports whose receive rights are in another; operations go to
   *  `touched` of them. */
  constructor(names: number, touched: number, seed: number) {
    const { client } = new TwoNodes(seed);
    this.ipc = client.ipc;
    this.space = client.newSpace();
    const ports = addPorts(client, names);
    const rights = addSendRights(this.space, ports).map((name, i) => ({ name, port: ports[i]! }));
    const every = names / touched;
    const order = Array.from({ length: touched }, (_, i) => rights[Math.floor(i * every)]!);
    shuffle(order, new Random(seed).fork("touched"));
    this.touched = order.map(({ name }) => name);
    this.touchedPorts = order.map(({ port }) => port);
  }
}

/** Fisher and Yates. */
function shuffle<T>(values: T[], random: Random): void {
  for (let i = values.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
}
