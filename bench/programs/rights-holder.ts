// Holder of a send right for each port of a filled node: takes in what the owner sends, counts it in a
// shared word of its own, and keeps it until the machine is halted.

import { Message, type Program } from "../../src/index.ts";
import { countWordOf, type HolderArgs, nameOfHolder, RIGHTS_BODY_BYTES } from "./rights-args.ts";

const hold: Program<HolderArgs, never> = async (task, { holder, words }) => {
  const port = task.ports.allocate();
  await task.names.checkIn(nameOfHolder(holder), port);
  const into = new Message(RIGHTS_BODY_BYTES);
  for (let count = 0; ; ) {
    await task.receive(port, { into });
    count += into.takeRights().names.length;
    // Read by the host, which waits until all have come.
    Atomics.store(words, countWordOf(holder), count);
  }
};
export default hold;
