// Calls the echo of every node in args.servers once with each size of args.sizes, and checks every byte
// of every answer. args.sync: with the Sync calls. args.stop: ends the servers afterwards.
// Returns the number of calls.

import {
  COPY_SEND,
  MACH_PORT_NULL,
  MAKE_SEND_ONCE,
  Message,
  type Program,
} from "../../../src/index.ts";

export interface CallEchoArgs {
  readonly servers: readonly number[];
  readonly sizes: readonly number[];
  readonly sync?: boolean;
  readonly stop?: boolean;
}

const callEcho: Program<CallEchoArgs, number> = async (task, { servers, sizes, sync, stop }) => {
  const request = new Message(task.vm.pageBytes);
  const reply = new Message(task.vm.pageBytes);
  const replyPort = task.ports.allocate();
  let calls = 0;
  for (const server of servers) {
    const echo = await task.names.lookUp("echo", { host: server, waitNs: 60e9 });
    for (const size of sizes) {
      const address = {
        remote: echo,
        remoteDisposition: COPY_SEND,
        local: replyPort,
        localDisposition: MAKE_SEND_ONCE,
        id: 1000 + calls,
        size,
      };
      Object.assign(request, address);
      for (let i = 0; i < size; i++) request.bytes[i] = task.node * 31 + server * 7 + i * 13;
      reply.bytes.fill(0xee);
      if (sync) task.rpcSync(request, { into: reply });
      else await task.rpc(request, { into: reply });
      if (reply.id !== request.id + 100 || reply.size !== size) {
        throw new Error(
          `node ${server} answered ${request.id}/${size} by ${reply.id}/${reply.size}`,
        );
      }
      for (let i = 0; i < size; i++) {
        if (reply.bytes[i] !== request.bytes[i])
          throw new Error(`size ${size}: byte ${i} is wrong`);
      }
      calls += 1;
    }
    if (stop) {
      Object.assign(request, { local: MACH_PORT_NULL, localDisposition: 0, id: 0, size: 0 });
      await task.send(request);
    }
  }
  return calls;
};

export default callEcho;
