// Sends pages of its memory and stores to them as soon as each send has returned: what is still on its way must not
// change, and a store that finds it so must come through. Message n holds n in every word of every page.

import { COPY_SEND, Message, type Program } from "../../../src/index.ts";

export interface RacingArgs {
  readonly port: string;
  readonly node: number;
  readonly messages: number;
  readonly pages: number;
  readonly protection: "busy" | "hold";
}

const race: Program<RacingArgs, number> = async (task, args) => {
  const { port, node, messages, pages, protection } = args;
  const server = await task.names.lookUp(port, { host: node, waitNs: 5e9 });
  const { memory, vm } = task;
  const bytes = pages * vm.pageBytes;
  const address = vm.allocate(bytes);
  const message = new Message(64);
  message.remote = server;
  message.remoteDisposition = COPY_SEND;
  let stores = 0;
  for (let number = 1; number <= messages; number++) {
    for (let at = address; at < address + bytes; at += 4) memory.store32(at, number);
    stores += bytes / 4;
    message.clear().addRegion(address, bytes);
    message.id = number;
    await task.send(message, { protection });
  }
  return stores;
};
export default race;
