// Answers each request with its first word plus one, until the machine is halted.

import { Message, type Program } from "../../../src/index.ts";

const echoServer: Program = async (task) => {
  const port = task.ports.allocate();
  await task.names.checkIn("echo", port);
  const request = new Message(4096);
  const reply = new Message(4096);
  for (;;) {
    await task.receive(port, { into: request });
    reply.answer(request);
    reply.size = request.size;
    for (let i = 0; i < request.size / 4; i++) reply.words[i] = request.words[i]! + 1;
    await task.send(reply);
  }
};

export default echoServer;
