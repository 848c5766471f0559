// Checks in a port and receives nothing from it until the start port gets a message; then args.count from
// each of args.senders. Fails when one is lost, doubled, out of order or damaged. Returns how many came.

import { Message, type Program } from "../../../src/index.ts";

export interface DrainArgs {
  readonly senders: readonly number[];
  readonly count: number;
  readonly bytes: number;
}

const drain: Program<DrainArgs, number> = async (task, { senders, count, bytes }) => {
  const port = task.ports.allocate();
  const start = task.ports.allocate();
  await task.names.checkIn("start", start);
  await task.names.checkIn("drain", port);
  await task.receive(start);
  const next = new Map(senders.map((sender) => [sender, 0]));
  const message = new Message(4096);
  let received = 0;
  for (; received < senders.length * count; received++) {
    await task.receive(port, { into: message });
    const sender = message.id;
    const number = next.get(sender);
    if (number === undefined) throw new Error(`a message of node ${sender}`);
    next.set(sender, number + 1);
    if (message.size !== bytes) throw new Error(`${message.size} bytes`);
    for (let word = 0; word < bytes >> 2; word++) {
      if (message.words[word] !== number * 64 + sender) {
        throw new Error(`node ${sender}: ${message.words[word]} in place of message ${number}`);
      }
    }
  }
  return received;
};

export default drain;
