// Sends an empty message to the start port of node args.node.

import { COPY_SEND, Message, type Program } from "../../../src/index.ts";

const start: Program<{ node: number }, void> = async (task, { node }) => {
  const message = new Message();
  message.remote = await task.names.lookUp("start", { host: node, waitNs: 60e9 });
  message.remoteDisposition = COPY_SEND;
  await task.send(message);
};

export default start;
