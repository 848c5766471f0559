// Answers every request with its own body; a request with id 0 ends it. Returns how many it answered.
// args.sync: with the Sync calls.

import { Message, type Program } from "../../../src/index.ts";

const echo: Program<{ sync?: boolean } | undefined, number> = async (task, args) => {
  const port = task.ports.allocate();
  await task.names.checkIn("echo", port);
  const message = new Message(task.vm.pageBytes);
  for (let answered = 0; ; answered++) {
    if (args?.sync) task.receiveSync(port, { into: message });
    else await task.receive(port, { into: message });
    if (message.id === 0) return answered;
    message.answer(message);
    if (args?.sync) task.sendSync(message);
    else await task.send(message);
  }
};

export default echo;
