// Sends `count` numbered messages of changing sizes to every other node and receives as many from each:
// returns the number received. Every message says who sent it, which one it is and what it must hold;
// one that is lost, doubled, out of order or damaged ends the program with an error that says so.

import { COPY_SEND, Message, type Program } from "../../../src/index.ts";

export interface StreamArgs {
  readonly count: number;
  readonly maxBytes: number;
}

const fill = (from: number, number: number, word: number): number =>
  Math.imul(from * 1009 + number + 1, 0x9e3779b1) ^ (word * 0x01000193);

const stream: Program<StreamArgs, number> = async (task, { count, maxBytes }) => {
  const port = task.ports.allocate();
  await task.names.checkIn("stream", port);

  // Receiving goes on from the start: a port that nobody receives from fills its node's message pool.
  const sending = (async () => {
    const ports: number[] = [];
    for (let node = 0; node < task.nodes; node++) {
      const own = node === task.node;
      ports.push(own ? 0 : await task.names.lookUp("stream", { host: node, waitNs: 60e9 }));
    }
    const message = new Message(maxBytes);
    message.remoteDisposition = COPY_SEND;
    for (let number = 0; number < count; number++) {
      for (let step = 1; step < task.nodes; step++) {
        const to = task.node ^ step;
        const words = 3 + task.random.below(maxBytes / 4 - 2);
        message.remote = ports[to]!;
        message.id = number;
        message.size = words * 4;
        message.words[0] = task.node;
        message.words[1] = to;
        message.words[2] = number;
        for (let i = 3; i < words; i++) message.words[i] = fill(task.node, number, i);
        await task.send(message);
      }
    }
  })();

  const next = new Array<number>(task.nodes).fill(0);
  const message = new Message(maxBytes);
  const wanted = count * (task.nodes - 1);
  for (let received = 0; received < wanted; received++) {
    await task.receive(port, { into: message });
    const [from, to, number] = message.words as unknown as [number, number, number];
    if (to !== task.node) throw new Error(`a message for node ${to}`);
    if (number !== next[from]) {
      throw new Error(`from node ${from}: message ${number} where ${next[from]} was due`);
    }
    for (let i = 3; i < message.size / 4; i++) {
      if (message.words[i] !== fill(from, number, i)) {
        throw new Error(`from node ${from}: message ${number} is damaged at word ${i}`);
      }
    }
    next[from] = number + 1;
  }
  await sending;
  return wanted;
};

export default stream;
