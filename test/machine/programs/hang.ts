// Waits in one of several ways, after a log line "waiting"; logs how the wait ended, and passes it on.

import {
  COPY_SEND,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MachError,
  Message,
  type Program,
  type Task,
} from "../../../src/index.ts";

export type Way =
  | "receive"
  | "receive with timeout"
  | "blocked send"
  | "no room in the pool"
  | "full queue of another node"
  | "sleep"
  | "look-up"
  | "rpc"
  | "rpcSync"
  | "receiveSync"
  | "blocked sendSync"
  | "promise"
  | "timer"
  | "stubborn"
  | "busy loop"
  | "microtask loop";

const to = (remote: number, disposition: 19 | 20): Message => {
  const message = new Message();
  message.remote = remote;
  message.remoteDisposition = disposition;
  return message;
};

/** A port with a full queue. */
const fullPort = async (task: Task): Promise<number> => {
  const port = task.ports.allocate();
  for (let i = 0; i < 5; i++) await task.send(to(port, MAKE_SEND));
  return port;
};

/** A request to node 1's start port, which nobody answers. */
const request = async (task: Task): Promise<Message> => {
  const message = to(await task.names.lookUp("start", { host: 1, waitNs: 60e9 }), COPY_SEND);
  message.local = task.ports.allocate();
  message.localDisposition = MAKE_SEND_ONCE;
  return message;
};

const hang: Program<{ way: Way }, unknown> = async (task, { way }) => {
  const port = task.ports.allocate();
  const full = await fullPort(task);
  const asked =
    way.startsWith("rpc") || way === "full queue of another node" ? await request(task) : null;
  task.log("waiting");
  await new Promise((resolve) => setImmediate(resolve)); // the line leaves before the thread blocks
  try {
    switch (way) {
      case "receive":
        return await task.receive(port);
      case "receive with timeout":
        return await task.receive(port, { timeoutNs: 1e15 });
      case "blocked send":
        return await task.send(to(full, MAKE_SEND));
      case "no room in the pool":
        for (;;) await fullPort(task);
      case "full queue of another node":
        for (;;) await task.send(asked!);
      case "sleep":
        return await task.sleep(1e15);
      case "look-up":
        return await task.names.lookUp("nobody", { waitNs: 1e15 });
      case "rpc":
        return await task.rpc(asked!);
      case "rpcSync":
        return task.rpcSync(asked!);
      case "receiveSync":
        return task.receiveSync(port);
      case "blocked sendSync":
        return task.sendSync(to(full, MAKE_SEND));
      case "promise":
        return await new Promise(() => {});
      case "timer":
        return await new Promise((resolve) => setTimeout(resolve, 86_400_000)); // a timer of its own
      case "stubborn":
        for (;;) await task.receive(port).catch(() => {});
      case "busy loop":
        for (;;);
      case "microtask loop":
        for (;;) await null;
    }
  } catch (error) {
    task.log(`interrupted ${error instanceof MachError ? error.code : error}`);
    throw error;
  }
};

export default hang;
