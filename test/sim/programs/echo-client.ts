// Calls the echo server of a node `calls` times and checks every word of every answer.
// Returns the virtual time that each call took, ns.

import { COPY_SEND, MAKE_SEND_ONCE, Message, type Program } from "../../../src/index.ts";

export interface EchoArgs {
  readonly server: number;
  readonly calls: number;
  readonly bytes: number;
}

const echoClient: Program<EchoArgs, number[]> = async (task, { server, calls, bytes }) => {
  const request = new Message(4096);
  const reply = new Message(4096);
  request.remote = await task.names.lookUp("echo", { host: server, waitNs: 10e9 });
  request.remoteDisposition = COPY_SEND;
  request.local = task.ports.allocate();
  request.localDisposition = MAKE_SEND_ONCE;
  request.size = bytes;
  const times: number[] = [];
  for (let call = 0; call < calls; call++) {
    request.id = call;
    for (let i = 0; i < bytes / 4; i++) request.words[i] = task.random.uint32();
    const start = task.now();
    await task.rpc(request, { into: reply });
    times.push(task.now() - start);
    if (reply.id !== call + 100) throw new Error(`answer ${reply.id} to call ${call}`);
    if (reply.size !== bytes) throw new Error(`answer of ${reply.size} bytes to ${bytes}`);
    for (let i = 0; i < bytes / 4; i++) {
      const wanted = (request.words[i]! + 1) | 0;
      if (reply.words[i] !== wanted) throw new Error(`call ${call}: word ${i} is wrong`);
    }
  }
  return times;
};

export default echoClient;
