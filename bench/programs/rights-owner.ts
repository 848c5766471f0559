// Owner of all ports of a filled node: allocates their receive rights, makes every holder a send right
// for each of them, and keeps what it has until the machine is halted.

import { MAKE_SEND, Message, type Program } from "../../src/index.ts";
import {
  type FillArgs,
  nameOfHolder,
  RIGHTS_BODY_BYTES,
  RIGHTS_PER_MESSAGE,
} from "./rights-args.ts";
import { START_NS } from "./slice-args.ts";

const own: Program<FillArgs, never> = async (task, { ports, holders }) => {
  const destinations: number[] = [];
  for (let holder = 0; holder < holders; holder++) {
    const name = nameOfHolder(holder);
    destinations.push(await task.names.lookUp(name, { host: "", waitNs: START_NS }));
  }
  const message = new Message(RIGHTS_BODY_BYTES);
  for (let first = 0; first < ports; first += RIGHTS_PER_MESSAGE) {
    const count = Math.min(RIGHTS_PER_MESSAGE, ports - first);
    const names = Array.from({ length: count }, () => task.ports.allocate());
    message.clear().addRights(names, MAKE_SEND);
    for (const destination of destinations) {
      message.remote = destination;
      await task.send(message);
    }
  }
  const until = task.ports.allocate();
  for (;;) await task.receive(until); // halt() ends it
};
export default own;
