// The client: finds the greeter wherever it is and calls it once.

import { COPY_SEND, MAKE_SEND_ONCE, Message, type Program } from "normacube";

const caller: Program<{ name: string }, string> = async (task, { name }) => {
  const request = new Message();
  request.remote = await task.names.lookUp("greeter");
  request.remoteDisposition = COPY_SEND;
  request.local = task.ports.allocate();
  request.localDisposition = MAKE_SEND_ONCE;
  request.id = 1;
  request.addText(name);
  const reply = await task.rpc(request);
  return reply.takeText();
};

export default caller;
