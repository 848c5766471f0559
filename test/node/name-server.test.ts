// The name server as a kernel-owned port: requests by hand, well-formed and not.

import { expect, test } from "@jest/globals";
import { Message } from "../../src/ipc/message.ts";
import {
  COPY_SEND,
  MACH_PORT_DEAD,
  MACH_PORT_NULL,
  MAKE_SEND,
  MAKE_SEND_ONCE,
} from "../../src/ipc/rights.ts";
import { NAME_SERVER_SPECIAL_PORT } from "../../src/task/netname.ts";
import type { Task } from "../../src/task/task.ts";
import { LoneNodes } from "../support/lone-node.ts";

const CHECK_IN = 1040;
const LOOK_UP = 1041;
const CHECK_OUT = 1042;
const VERSION = 1043;

const PLACES = [
  ["of its own node", 0],
  ["of another node", 1],
] as const;

/** A task on node 0 with a send right for the name server of `node`. */
const client = (node: number) => {
  const nodes = new LoneNodes({ dimension: 1 });
  const task = nodes.task(0);
  const server = nodes.kernels[0]!.specialPort(node, NAME_SERVER_SPECIAL_PORT);
  server.sendRights += 1;
  const name = nodes.spaceOf(task).insertSend(server);
  const reply = task.ports.allocate();
  const ask = (id: number, fill: (message: Message) => void): Promise<Message> => {
    const request = new Message(1024);
    request.remote = name;
    request.local = reply;
    request.localDisposition = MAKE_SEND_ONCE;
    request.id = id;
    fill(request);
    return nodes.run(task.rpc(request));
  };
  const send = (id: number, fill: (message: Message) => void, local = MACH_PORT_NULL) => {
    const request = new Message(1024);
    request.remote = name;
    request.local = local;
    request.id = id;
    if (local !== MACH_PORT_NULL) request.localDisposition = COPY_SEND;
    fill(request);
    return nodes.run(task.send(request));
  };
  return { nodes, task, ask, send };
};

const checkIn = (task: Task, ask: ReturnType<typeof client>["ask"], name: string) => {
  const port = task.ports.allocate();
  return ask(CHECK_IN, (m) => m.addText(name).addRight(0, COPY_SEND).addRight(port, MAKE_SEND));
};

test.each(PLACES)(
  "name server %s: replies have the request's id + 100 and a status first",
  async (_where, node) => {
    const { nodes, task, ask } = client(node);
    const made = await checkIn(task, ask, "desk");
    expect([made.id, made.size, made.takeInteger()]).toEqual([1140, 8, 0]);
    const found = await ask(LOOK_UP, (m) => m.addText("desk"));
    expect([found.id, found.size, found.takeInteger()]).toEqual([1141, 16, 0]);
    expect(task.ports.type(found.takeRight().name)).toBe(0x30000);
    const missing = await ask(LOOK_UP, (m) => m.addText("chair"));
    expect([missing.size, missing.takeInteger()]).toEqual([8, 1001]);
    const out = await ask(CHECK_OUT, (m) => m.addText("desk").addRight(0, COPY_SEND));
    expect([out.id, out.takeInteger()]).toEqual([1142, 0]);
    await nodes.expectNothingLeaked();
  },
);

test.each(PLACES)("name server %s: its version is a text", async (_where, node) => {
  const { nodes, ask } = client(node);
  const reply = await ask(VERSION, () => {});
  expect([reply.id, reply.takeInteger()]).toEqual([1143, 0]);
  expect(reply.takeText()).toMatch(/^normacube /);
  expect((await ask(VERSION, (m) => m.addInteger(1))).takeInteger()).toBe(-304);
  await nodes.expectNothingLeaked();
});

test.each(PLACES)(
  "name server %s: an unknown request is answered with MIG_BAD_ID, its rights released (K2)",
  async (_where, node) => {
    const { nodes, task, ask } = client(node);
    const port = task.ports.allocate();
    const reply = await ask(1099, (m) =>
      m.addRight(port, MAKE_SEND).addText("x").addRight(port, MAKE_SEND_ONCE),
    );
    expect([reply.id, reply.takeInteger()]).toEqual([1199, -303]);
    expect((await nodes.run(task.receive(port))).id).toBe(71);
    expect((await ask(0, () => {})).takeInteger()).toBe(-303);
    await nodes.expectNothingLeaked();
  },
);

test.each(PLACES)(
  "name server %s: a request without what it needs is MIG_BAD_ARGUMENTS",
  async (_where, node) => {
    const { nodes, task, ask } = client(node);
    const port = task.ports.allocate();
    const fills: [number, (message: Message) => void][] = [
      [CHECK_IN, () => {}],
      [CHECK_IN, (m) => m.addText("x")],
      [CHECK_IN, (m) => m.addText("x").addRight(port, MAKE_SEND)],
      [CHECK_IN, (m) => m.addRight(port, MAKE_SEND).addRight(port, MAKE_SEND)],
      [LOOK_UP, (m) => m.addInteger(5)],
      [LOOK_UP, (m) => m.addRight(port, MAKE_SEND)],
      [CHECK_OUT, () => {}],
      [CHECK_OUT, (m) => m.addText("x").addRight(port, MAKE_SEND_ONCE)],
      [CHECK_IN, (m) => m.addText("x").addRight(0, COPY_SEND).addRight(port, MAKE_SEND_ONCE)],
    ];
    for (const [id, fill] of fills) expect((await ask(id, fill)).takeInteger()).toBe(-304);
    // A port whose send right has been on another node is not known to be without senders.
    expect(task.ports.getReceiveStatus(port).srights).toBe(node !== 0);
    await nodes.expectNothingLeaked();
  },
);

test.each(PLACES)(
  "name server %s: a request without a reply port, or with a dead one, is executed (K3)",
  async (_where, node) => {
    const { nodes, task, ask, send } = client(node);
    for (const [i, local] of [MACH_PORT_NULL, MACH_PORT_DEAD].entries()) {
      const port = task.ports.allocate();
      await send(
        CHECK_IN,
        (m) => m.addText(`quiet ${i}`).addRight(0, COPY_SEND).addRight(port, MAKE_SEND),
        local,
      );
      const found = await ask(LOOK_UP, (m) => m.addText(`quiet ${i}`));
      expect(found.takeInteger()).toBe(0);
      await send(LOOK_UP, (m) => m.addText(`quiet ${i}`), local);
      await send(CHECK_OUT, (m) => m.addText(`quiet ${i}`).addRight(0, COPY_SEND), local);
      const gone = await ask(LOOK_UP, (m) => m.addText(`quiet ${i}`));
      expect(gone.takeInteger()).toBe(1001);
    }
    await nodes.expectNothingLeaked();
  },
);

test.each(PLACES)(
  "name server %s: what else a request carries, in a page, is released",
  async (_where, node) => {
    const { nodes, task, ask } = client(node);
    const [port, extra] = [task.ports.allocate(), task.ports.allocate()];
    const reply = await ask(CHECK_IN, (m) => {
      m.addText("page")
        .addRight(0, COPY_SEND)
        .addRight(port, MAKE_SEND)
        .addBytes(new Uint8Array(300));
      for (let i = 0; i < 5; i++) m.addRight(extra, MAKE_SEND_ONCE);
    });
    // Five more rights than a check-in has: refused, and every one of them accounted for.
    expect(reply.takeInteger()).toBe(-304);
    for (let i = 0; i < 5; i++) expect((await nodes.run(task.receive(extra))).id).toBe(71);
    // A port whose send right has been on another node is not known to be without senders.
    expect(task.ports.getReceiveStatus(port).srights).toBe(node !== 0);
    await nodes.expectNothingLeaked();
  },
);
