// Receives what racing-sender sends and checks every word. Returns how many it has seen.

import type { Program } from "../../../src/index.ts";
import type { RacingArgs } from "./racing-sender.ts";

const check: Program<RacingArgs, number> = async (task, { port, messages }) => {
  const receive = task.ports.allocate("receive");
  await task.names.checkIn(port, receive);
  const { memory, vm } = task;
  let words = 0;
  for (let number = 1; number <= messages; number++) {
    const message = await task.receive(receive);
    const { address, bytes } = message.takeRegion();
    if (message.id !== number) throw new Error(`message ${message.id} in place of ${number}`);
    for (let at = address; at < address + bytes; at += 4) {
      const word = memory.load32(at);
      if (word !== number)
        throw new Error(`message ${number} holds ${word} at byte ${at - address}`);
    }
    words += bytes / 4;
    vm.deallocate(address, bytes);
  }
  return words;
};
export default check;
