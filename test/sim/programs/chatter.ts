// Two tasks' worth of talk on one node: a caller and a server, until the word `stop` of shared memory is set or it is `untilNs` on the
// node's clock. Returns how many calls there were.

import {
  COPY_SEND,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  Message,
  type PortName,
  type Program,
  type Task,
} from "../../../src/index.ts";

export interface ChatterArgs {
  readonly stop: Int32Array;
  readonly untilNs: number;
}

const END_ID = 9;

const chatter: Program<ChatterArgs, number> = async (task, { stop, untilNs }) => {
  const port = task.ports.allocate();
  task.ports.insertRight(port, port, MAKE_SEND);
  const serving = serve(task, port);
  const replyPort = task.ports.allocate();
  const request = new Message(8);
  const reply = new Message(8);
  let calls = 0;
  for (; Atomics.load(stop, 0) === 0 && task.now() < untilNs; calls++) {
    request.remote = port;
    request.remoteDisposition = COPY_SEND;
    request.local = replyPort;
    request.localDisposition = MAKE_SEND_ONCE;
    request.id = 1;
    request.size = 4;
    request.words[0] = calls;
    await task.send(request);
    await task.receive(replyPort, { into: reply });
    if (reply.words[0] !== calls) throw new Error(`${reply.words[0]} for ${calls}`);
  }
  request.id = END_ID;
  request.remote = port;
  request.remoteDisposition = COPY_SEND;
  request.local = 0;
  request.localDisposition = 0;
  await task.send(request);
  await serving;
  return calls;
};
export default chatter;

const serve = async (task: Task, port: PortName): Promise<void> => {
  const request = new Message(8);
  const reply = new Message(8);
  for (;;) {
    await task.receive(port, { into: request });
    if (request.id === END_ID) return;
    reply.answer(request);
    reply.size = request.size;
    reply.words[0] = request.words[0]!;
    await task.send(reply);
  }
};
