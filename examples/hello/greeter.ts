// The server: a port, a name for it, and an answer to whoever asks.

import { Message, type Program } from "normacube";

const greeter: Program = async (task) => {
  const port = task.ports.allocate();
  await task.names.checkIn("greeter", port);
  for (;;) {
    const request = await task.receive(port);
    const reply = new Message().answer(request);
    reply.addText(`hello, ${request.takeText()}, from node ${task.node}`);
    await task.send(reply);
  }
};

export default greeter;
