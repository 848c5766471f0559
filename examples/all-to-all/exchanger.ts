// One node of the exchange. Returns the sum of the numbers of the nodes it heard from.

import { COPY_SEND, Message, type Program } from "normacube";

const exchanger: Program<undefined, number> = async (task) => {
  const port = task.ports.allocate();
  await task.names.checkIn("exchanger", port);

  const greeting = new Message(8);
  greeting.remoteDisposition = COPY_SEND;
  greeting.size = 8;
  greeting.words[0] = task.node;
  // Another order on every node, so that not all of them go for node 0 at once.
  for (let step = 1; step < task.nodes; step++) {
    const to = task.node ^ step;
    greeting.remote = await task.names.lookUp("exchanger", { host: to, waitNs: 10e9 });
    greeting.words[1] = to;
    await task.send(greeting);
  }

  const heard = new Set<number>();
  for (let i = 1; i < task.nodes; i++) {
    const received = await task.receive(port);
    const from = received.words[0]!;
    if (received.words[1] !== task.node) throw new Error(`a greeting for ${received.words[1]}`);
    if (heard.has(from)) throw new Error(`node ${from} greeted twice`);
    heard.add(from);
  }
  return [...heard].reduce((sum, node) => sum + node, 0);
};

export default exchanger;
