// Sends args.count numbered messages of args.bytes to the drain of node args.to. Returns the count.

import { COPY_SEND, Message, type Program } from "../../../src/index.ts";

export interface FloodArgs {
  readonly to: number;
  readonly count: number;
  readonly bytes: number;
}

const flood: Program<FloodArgs, number> = async (task, { to, count, bytes }) => {
  const message = new Message(4096);
  message.remote = await task.names.lookUp("drain", { host: to, waitNs: 60e9 });
  message.remoteDisposition = COPY_SEND;
  for (let i = 0; i < count; i++) {
    message.id = task.node;
    message.size = bytes;
    message.words.fill(i * 64 + task.node, 0, bytes >> 2);
    await task.send(message);
    if (i % 50 === 0) task.log(`sent ${i}`);
  }
  return count;
};

export default flood;
