// An interface with a field of every type, and nodes on which it is served: for tests of the typed layer.

import {
  COPY_SEND,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MOVE_RECEIVE,
  PORT_SEND,
} from "../../src/ipc/rights.ts";
import {
  boolean,
  bytes,
  float64,
  int32,
  int32s,
  json,
  polymorphic,
  port,
  portName,
  ports,
  region,
  text,
} from "../../src/mig/fields.ts";
import { oneway, routine, skip } from "../../src/mig/subsystem.ts";
import { defineInterface } from "../../src/task/interface.ts";
import type { Task } from "../../src/task/task.ts";
import { give } from "./doors.ts";
import { LoneNodes } from "./lone-node.ts";

/** Every data type there and back. */
const DATA = {
  int: int32,
  flag: boolean,
  real: float64,
  words: text,
  raw: bytes,
  ints: int32s,
  name: portName,
  tree: json<{ readonly leaves: readonly string[] }>(),
} as const;

export const samples = defineInterface("samples", 5000, {
  data: routine(DATA, DATA),
  gone: skip,
  giveSend: routine({ right: port(MAKE_SEND) }, { type: int32 }),
  giveReceive: routine({ right: port(MOVE_RECEIVE) }, { type: int32 }),
  giveSendOnce: routine({ right: port(MAKE_SEND_ONCE) }, { type: int32 }),
  giveAny: routine({ right: polymorphic(PORT_SEND) }, { type: int32 }),
  giveMany: routine({ rights: ports(MAKE_SEND), label: text }, { types: int32s }),
  make: routine({ count: int32 }, { rights: ports(MAKE_SEND), last: port(COPY_SEND) }),
  nothing: routine({}, {}),
  tell: oneway({ words: text }),
  tellNothing: oneway({}),
  fail: routine({ how: text, right: port(MAKE_SEND) }, {}),
  read: routine({ memory: region }, { memory: region }),
  wait: routine({ ns: int32, label: text }, { label: text }),
});

/** A client's task on node 0, a server's on `node`, the server's receive right and the client's send right
 *  for it. Nothing is served yet. */
export const pair = async (node = 1) => {
  const nodes = new LoneNodes({ dimension: 1 });
  const [client, server] = [nodes.task(0), nodes.task(node)] as [Task, Task];
  const receive = server.ports.allocate();
  const send = await give(nodes, server, receive, MAKE_SEND, client);
  return { nodes, client, server, receive, send };
};
