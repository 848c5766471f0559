// Echo server for the contenders mach and mach-sync: sends every request's bytes back to its reply
// port. Waits asynchronously for the first call of a slice; a synchronous server then answers
// within the slice without giving the processor away, until the client says that it was the last.

import { Message, type Program } from "../../src/index.ts";
import { LAST_CALL, PAYLOAD_MAX, type ServerArgs } from "./slice-args.ts";

const serve: Program<ServerArgs, never> = async (task, { name, sync }) => {
  const port = task.ports.allocate("receive");
  await task.names.checkIn(name, port);
  const message = new Message(PAYLOAD_MAX);
  for (;;) {
    await task.receive(port, { into: message });
    while (sync && message.id !== LAST_CALL) {
      task.sendSync(message.answer(message)); // the request becomes its own reply
      task.receiveSync(port, { into: message });
    }
    await task.send(message.answer(message));
  }
};
export default serve;
