// Sends an empty message to the start port of its own node: the way there is not blocked by a flood.

import { COPY_SEND, Message, type Program } from "../../../src/index.ts";

const start: Program = async (task) => {
  const message = new Message();
  message.remote = await task.names.lookUp("start", { host: "", waitNs: 60e9 });
  message.remoteDisposition = COPY_SEND;
  await task.send(message);
};

export default start;
