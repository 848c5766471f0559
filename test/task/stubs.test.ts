// Typed interfaces between tasks: stubs on one side, a server loop on the other, and what each says when
// the other does not keep to the interface.

import { describe, expect, test } from "@jest/globals";
import { Message } from "../../src/ipc/message.ts";
import {
  COPY_SEND,
  MACH_PORT_DEAD,
  MACH_PORT_NULL,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MOVE_RECEIVE,
  MOVE_SEND,
} from "../../src/ipc/rights.ts";
import { anyRight, int32, port, text } from "../../src/mig/fields.ts";
import { oneway, routine } from "../../src/mig/subsystem.ts";
import { defineInterface } from "../../src/task/interface.ts";
import { MachError } from "../../src/task/mach-error.ts";
import { demux, type Implementation } from "../../src/task/serve.ts";
import type { Task } from "../../src/task/task.ts";
import { give } from "../support/doors.ts";
import { letter } from "../support/letters.ts";
import { LoneNodes, watch } from "../support/lone-node.ts";
import { pair, samples } from "../support/typed.ts";

type Samples = Implementation<NonNullable<(typeof samples)["subsystem"]["shapes"]>>;

/** Implements samples for `task`; what oneway calls said is in `told`. */
const implementation = (task: Task, told: string[] = []): Samples => {
  const typeOf = (right: number): { type: number } => ({ type: task.ports.type(right) });
  return {
    data: (args) => args,
    giveSend: ({ right }) => typeOf(right),
    giveReceive: ({ right }) => typeOf(right),
    giveSendOnce: ({ right }) => typeOf(right),
    giveAny: ({ right }) => typeOf(right),
    giveMany: ({ rights }) => ({ types: rights.map((right) => task.ports.type(right)) }),
    make: ({ count }) => {
      const rights = Array.from({ length: count }, () => task.ports.allocate());
      const last = rights.at(-1) ?? MACH_PORT_NULL;
      const copied = task.ports.allocate();
      if (last !== MACH_PORT_NULL) task.ports.insertRight(last, last, MAKE_SEND);
      task.ports.destroy(copied);
      return { rights, last };
    },
    nothing: () => {},
    tell: ({ words }) => {
      told.push(words);
    },
    tellNothing: () => {
      told.push("nothing");
    },
    fail: ({ how }) => {
      if (how === "mach") throw new MachError(5000, "as asked");
      if (how === "success") throw new MachError(0, "as asked");
      throw how === "error" ? new Error("as asked") : how;
    },
    read: ({ memory: { address, bytes } }) => {
      const turned = task.memory.read(address, bytes).reverse();
      task.memory.write(address, turned);
      return { memory: { address, bytes, deallocate: true } };
    },
    wait: async ({ ns, label }) => {
      await task.sleep(ns);
      return { label };
    },
  };
};

/** The same, served; `ended` settles when the server does. */
const served = async (node = 1) => {
  const set = await pair(node);
  const told: string[] = [];
  const ended = samples.serve(set.server, set.receive, implementation(set.server, told));
  const stubs = samples.client(set.client, set.send);
  return { ...set, told, ended, stubs };
};

const SAMPLE = {
  int: -7,
  flag: true,
  real: 0.1,
  words: "Käse",
  raw: Uint8Array.of(1, 2, 3),
  ints: Int32Array.of(4, 5),
  name: 0xffffffff,
  tree: { leaves: ["a", "b"] },
};

test.each([0, 1])("stubs: data of every type goes to node %d and back", async (node) => {
  const { nodes, stubs } = await served(node);
  expect(await nodes.run(stubs.data(SAMPLE))).toEqual(SAMPLE);
  expect(await nodes.run(stubs.data({ ...SAMPLE, words: "" }))).toMatchObject({ words: "" });
  await nodes.expectNothingLeaked();
});

test("stubs: requests and replies may be as large as a page", async () => {
  const { nodes, stubs } = await served();
  const raw = new Uint8Array(3800).map((_, i) => i);
  for (let i = 0; i < 3; i++) {
    expect((await nodes.run(stubs.data({ ...SAMPLE, raw }))).raw).toEqual(raw);
    expect((await nodes.run(stubs.data(SAMPLE))).raw).toEqual(SAMPLE.raw);
  }
  await nodes.expectNothingLeaked();
});

test("stubs: a routine without arguments and results resolves with nothing", async () => {
  const { nodes, stubs } = await served();
  expect(await nodes.run(stubs.nothing())).toBeUndefined();
  await nodes.expectNothingLeaked();
});

test.each([0, 1])("stubs: rights go to node %d as what they are, and stay", async (node) => {
  const { nodes, client, server, stubs } = await served(node);
  const mine = client.ports.allocate();
  expect(await nodes.run(stubs.giveSend({ right: mine }))).toEqual({ type: 0x10000 });
  expect(await nodes.run(stubs.giveSendOnce({ right: mine }))).toEqual({ type: 0x40000 });
  const any = stubs.giveAny({ right: { right: mine, disposition: MAKE_SEND } });
  expect(await nodes.run(any)).toEqual({ type: 0x10000 });
  const rights = [mine, client.ports.allocate(), client.ports.allocate()];
  const many = await nodes.run(stubs.giveMany({ rights, label: "three" }));
  expect([...many.types]).toEqual([0x10000, 0x10000, 0x10000]);
  expect(client.ports.getReceiveStatus(mine)).toMatchObject({ sorights: 1 });
  expect(server.ports.names().length).toBeGreaterThan(4);
  await nodes.expectNothingLeaked();
});

test("stubs: a receive right is moved", async () => {
  const { nodes, client, stubs } = await served(0);
  const mine = client.ports.allocate();
  expect(await nodes.run(stubs.giveReceive({ right: mine }))).toEqual({ type: 0x20000 });
  expect(client.ports.names()).not.toContain(mine);
  await nodes.expectNothingLeaked();
});

test("stubs: null and dead names go as such", async () => {
  const { nodes, stubs, ended } = await served();
  for (const right of [MACH_PORT_NULL, MACH_PORT_DEAD]) {
    // The server asks for the type of no right and fails with Mach's own code.
    await expect(
      nodes.run(stubs.giveAny({ right: { right, disposition: COPY_SEND } })),
    ).rejects.toMatchObject({ code: "KERN_INVALID_NAME" });
  }
  expect(watch(ended).settled).toBe(false);
  await nodes.expectNothingLeaked();
});

test("stubs: rights come back as results", async () => {
  const { nodes, client, server, stubs } = await served();
  const { rights, last } = await nodes.run(stubs.make({ count: 3 }));
  expect(new Set(rights).size).toBe(3);
  expect(last).toBe(rights[2]);
  expect(client.ports.getRefs(last, 0)).toBe(2);
  await nodes.run(client.send(letter(rights[0]!, COPY_SEND, 12)));
  const names = server.ports.names();
  const first = names.find((name) => server.ports.type(name) & 0x20000 && count(server, name) > 0);
  expect((await nodes.run(server.receive(first!))).id).toBe(12);
  await nodes.expectNothingLeaked();
});

const count = (task: Task, name: number): number => task.ports.getReceiveStatus(name).msgcount;

test.each([0, 1])("stubs: memory goes to node %d out of line, and back", async (node) => {
  const { nodes, client, server, stubs } = await served(node);
  const address = client.vm.allocate(10_000);
  for (let i = 0; i < 10_000; i += 1) client.memory.store8(address + i, i % 251);
  const memory = { address, bytes: 10_000, deallocate: true };
  const back = (await nodes.run(stubs.read({ memory }))).memory;
  const expected = Array.from({ length: 10_000 }, (_, i) => (9_999 - i) % 251);
  expect([...client.memory.read(back.address, back.bytes)]).toEqual(expected);
  expect(back.bytes).toBe(10_000);
  expect(nodes.spaceOf(client).memory.bytesInUse).toBe(12_288);
  expect(nodes.spaceOf(server).memory.bytesInUse).toBe(0);
  const empty = await nodes.run(stubs.read({ memory: { address: 0, bytes: 0 } }));
  expect(empty.memory).toEqual({ address: 0, bytes: 0 });
  await expect(nodes.run(stubs.read({ memory: { address: -1, bytes: 5 } }))).rejects.toThrow(
    "samples.read, memory: 5 bytes at -1 are no region",
  );
  await nodes.expectNothingLeaked();
});

test("stubs: memory that a server did not understand is given back to nobody", async () => {
  const { nodes, client, server, send } = await served();
  const address = client.vm.allocate(100);
  const reply = client.ports.allocate();
  for (const id of [4999, 5000]) {
    const request = letter(send, COPY_SEND, id, reply, MAKE_SEND_ONCE).addRegion(address, 100);
    expect((await nodes.run(client.rpc(request))).takeInteger()).toBe(id === 4999 ? -303 : -304);
  }
  const region = new Uint8Array(8).fill(0);
  const names = client.vm.allocate(8);
  client.memory.write(names, region);
  const first = client.ports.allocate();
  client.memory.store32(names, first);
  const rights = letter(send, COPY_SEND, 4999, reply, MAKE_SEND_ONCE);
  rights.addRightsRegion(names, 2, MAKE_SEND_ONCE);
  client.memory.store32(names + 4, client.ports.allocate());
  expect((await nodes.run(client.rpc(rights))).takeInteger()).toBe(-303);
  expect((await nodes.run(client.receive(first))).id).toBe(71);
  expect(nodes.spaceOf(server).memory.bytesInUse).toBe(0);
  await nodes.expectNothingLeaked();
});

test("stubs: oneway calls resolve when they are sent, and are not replied to", async () => {
  const { nodes, client, stubs, told } = await served();
  const before = client.ports.names().length;
  await nodes.run(stubs.tell({ words: "one" }));
  await nodes.run(stubs.tellNothing());
  await nodes.run(stubs.tell({ words: "two" }));
  await nodes.quiet();
  expect(told).toEqual(["one", "nothing", "two"]);
  expect(client.ports.names()).toHaveLength(before);
  await nodes.expectNothingLeaked();
});

test("stubs: calls side by side do not mix up their replies; reply ports are used again", async () => {
  const { nodes, client, stubs } = await served();
  const labels = Array.from({ length: 40 }, (_, i) => `call ${i}`);
  for (let round = 0; round < 3; round++) {
    const calls = labels.map((words) => stubs.data({ ...SAMPLE, words }));
    const replies = await nodes.run(Promise.all(calls));
    expect(replies.map(({ words }) => words)).toEqual(labels);
  }
  expect(client.ports.names().length).toBeLessThan(20);
  await nodes.expectNothingLeaked();
});

test("stubs: an argument that its type does not allow is refused before anything is sent", async () => {
  const { nodes, client, stubs } = await served();
  const before = client.ports.names().length;
  await expect(nodes.run(stubs.make({ count: 1.5 }))).rejects.toThrow(
    new RangeError("samples.make, count: 1.5 is no integer of 32 bits"),
  );
  expect(client.ports.names()).toHaveLength(before);
  await nodes.expectNothingLeaked();
});

describe("failures of the server", () => {
  test("stubs: a MachError arrives with its status", async () => {
    const { nodes, client, stubs } = await served();
    const right = client.ports.allocate();
    await expect(nodes.run(stubs.fail({ how: "mach", right }))).rejects.toMatchObject({
      name: "MachError",
      status: 5000,
      message: expect.stringContaining("samples.fail: so says the server") as unknown,
    });
    expect(nodes.lines).toEqual([]);
    await nodes.expectNothingLeaked();
  });

  test.each(["error", "a text", "success"])(
    "stubs: whatever else is thrown (%s) arrives as KERN_FAILURE and is logged at the server",
    async (how) => {
      const { nodes, client, stubs } = await served();
      const right = client.ports.allocate();
      await expect(nodes.run(stubs.fail({ how, right }))).rejects.toMatchObject({
        code: "KERN_FAILURE",
      });
      expect(nodes.lines).toHaveLength(1);
      expect(nodes.lines[0]).toContain("samples.fail failed: ");
      await nodes.expectNothingLeaked();
    },
  );

  test("stubs: results that cannot be sent are the server's failure", async () => {
    const { nodes, client, server, receive, send } = await pair();
    const wrong = { ...implementation(server), giveSend: () => ({ type: 0.5 }) };
    void samples.serve(server, receive, wrong);
    const right = client.ports.allocate();
    await expect(nodes.run(samples.client(client, send).giveSend({ right }))).rejects.toMatchObject(
      { code: "KERN_FAILURE" },
    );
    expect(nodes.lines[0]).toContain("samples.giveSend, reply, type: 0.5 is no integer");
    await nodes.expectNothingLeaked();
  });

  test("stubs: a right among the results that the server does not have is the client's MIG_SERVER_DIED", async () => {
    const { nodes, client, server, receive, send } = await pair();
    const wrong = { ...implementation(server), make: () => ({ rights: [0xbad00], last: 0 }) };
    void samples.serve(server, receive, wrong);
    await expect(nodes.run(samples.client(client, send).make({ count: 1 }))).rejects.toMatchObject({
      code: "MIG_SERVER_DIED",
    });
    expect(nodes.lines[0]).toContain("the reply 5107 could not be sent: MACH_SEND_INVALID_RIGHT");
    await nodes.expectNothingLeaked();
  });

  test("stubs: a server that ends with the request unanswered is MIG_SERVER_DIED", async () => {
    const { nodes, client, server, send } = await pair();
    const call = samples.client(client, send).nothing();
    const seen = watch(call);
    await nodes.quiet();
    expect(seen.settled).toBe(false);
    nodes.end(server);
    await expect(nodes.run(call)).rejects.toMatchObject({ code: "MIG_SERVER_DIED", status: -308 });
    await nodes.expectNothingLeaked();
  });
});

describe("a server of another mind", () => {
  /** Answers one request by hand. */
  const answered = async (fill: (reply: Message, nodes: LoneNodes, server: Task) => void) => {
    const { nodes, client, server, receive, send } = await pair(0);
    const call = samples.client(client, send).make({ count: 1 });
    call.catch(() => {});
    const request = await nodes.run(server.receive(receive));
    const reply = new Message().answer(request);
    fill(reply, nodes, server);
    await nodes.run(server.send(reply));
    await nodes.quiet();
    return { nodes, client, call, port: receive, server };
  };

  test("stubs: a reply with another id is MIG_REPLY_MISMATCH, and its rights are released", async () => {
    const { nodes, call, client, server } = await answered((reply, _nodes, task) => {
      reply.addInteger(0).addRight(task.ports.allocate(), MAKE_SEND);
      reply.id += 1;
    });
    await expect(nodes.run(call)).rejects.toThrow(
      "MIG_REPLY_MISMATCH: samples.make: the reply has id 5108 instead of 5107",
    );
    expect(rightsOf(client, 0x10000)).toBe(1);
    expect(rightsOf(server, 0x20000)).toBe(3); // what it serves, what it made, a reply port it keeps
    await nodes.expectNothingLeaked();
  });

  test.each<[string, (reply: Message) => Message]>([
    ["nothing", (reply) => reply.clear()],
    ["a text first", (reply) => reply.addText("so")],
    ["no results", (reply) => reply.addInteger(0)],
    ["results besides a failure", (reply) => reply.addInteger(5).addInteger(6)],
    ["more than its results", (reply) => reply.addInteger(0).addInteger(1).addInteger(2)],
  ])("stubs: a reply that has %s is MIG_TYPE_ERROR", async (_name, fill) => {
    const { nodes, call } = await answered((reply) => fill(reply));
    await expect(nodes.run(call)).rejects.toMatchObject({ code: "MIG_TYPE_ERROR", status: -300 });
    await nodes.expectNothingLeaked();
  });

  test("stubs: a reply with other items has its rights released", async () => {
    const { nodes, call, client } = await answered((reply, _nodes, task) => {
      reply.addInteger(0).addRight(task.ports.allocate(), MAKE_SEND).addText("and more");
    });
    await expect(nodes.run(call)).rejects.toMatchObject({ code: "MIG_TYPE_ERROR" });
    expect(rightsOf(client, 0x10000)).toBe(1);
    await nodes.expectNothingLeaked();
  });
});

/** How many names of the task have these rights. */
const rightsOf = (task: Task, type: number): number =>
  task.ports.names().filter((name) => (task.ports.type(name) & type) !== 0).length;

describe("time", () => {
  test("stubs: a call that takes too long is MACH_RCV_TIMED_OUT; its late reply goes to nobody", async () => {
    const { nodes, client, stubs, send } = await served();
    const slow = { ns: 1_000_000, label: "slow" };
    await expect(nodes.run(stubs.wait(slow, { timeoutNs: 10_000 }))).rejects.toMatchObject({
      code: "MACH_RCV_TIMED_OUT",
    });
    const hasty = samples.client(client, send, { timeoutNs: 10_000 });
    await expect(nodes.run(hasty.wait(slow))).rejects.toMatchObject({ code: "MACH_RCV_TIMED_OUT" });
    await nodes.run(client.sleep(10_000_000));
    expect(await nodes.run(stubs.wait({ ns: 0, label: "next" }))).toEqual({ label: "next" });
    await nodes.expectNothingLeaked();
  });

  test.each([
    ["call", "send"],
    ["oneway call", "post"],
  ] as const)(
    "stubs: a %s that finds no room in time takes what it carried along",
    async (_name, kind) => {
      const { nodes, client, receive, server, send } = await pair(0);
      server.ports.setQlimit(receive, 0);
      const mover = defineInterface("mover", 6000, {
        send: routine({ right: port(MOVE_SEND) }, {}),
        post: oneway({ right: port(MOVE_SEND) }),
      });
      const mine = client.ports.allocate();
      client.ports.insertRight(mine, mine, MAKE_SEND);
      const names = client.ports.names();
      const stubs = mover.client(client, send, { timeoutNs: 1000 });
      await expect(nodes.run(stubs[kind]({ right: mine }))).rejects.toMatchObject({
        code: "MACH_SEND_TIMED_OUT",
      });
      expect(client.ports.type(mine)).toBe(0x20000);
      expect(client.ports.getRefs(send, 0)).toBe(1);
      expect(client.ports.names().length).toBeLessThanOrEqual(names.length);
      await nodes.expectNothingLeaked();
    },
  );

  test("stubs: a port that is no send right, or is dead, fails as a send does", async () => {
    const { nodes, client } = await pair();
    const wrong = samples.client(client, 0xbad00);
    for (const call of [() => wrong.nothing(), () => wrong.tellNothing()]) {
      await expect(nodes.run(call())).rejects.toMatchObject({ code: "MACH_SEND_INVALID_DEST" });
    }
    await nodes.expectNothingLeaked();
  });

  test("stubs: the calls of a task that has ended fail", async () => {
    const { nodes, client, stubs } = await served();
    await nodes.run(stubs.nothing());
    nodes.end(client);
    await expect(stubs.nothing()).rejects.toBeInstanceOf(MachError);
    await expect(samples.client(client, 0x100).nothing()).rejects.toBeInstanceOf(MachError);
    await nodes.expectNothingLeaked();
  });
});

describe("serve", () => {
  const ask = (send: number, task: Task, id: number, reply = task.ports.allocate()): Message =>
    letter(send, COPY_SEND, id, reply, MAKE_SEND_ONCE);

  test.each([
    ["an unknown id", 4999, -303],
    ["a skipped id", 5001, -303],
    ["the id of a reply", 5100, -303],
    ["other arguments", 5000, -304],
  ])(
    "serve: %s is answered with its MIG code, and rights are released",
    async (_name, id, status) => {
      const { nodes, client, send } = await served();
      const right = client.ports.allocate();
      const request = ask(send, client, id)
        .addRight(right, MAKE_SEND)
        .addRight(right, MAKE_SEND_ONCE);
      const reply = await nodes.run(client.rpc(request));
      expect([reply.id, reply.takeInteger(), reply.size]).toEqual([id + 100, status, 8]);
      expect((await nodes.run(client.receive(right))).id).toBe(71);
      expect(client.ports.getReceiveStatus(right)).toMatchObject({ sorights: 0 });
      await nodes.expectNothingLeaked();
    },
  );

  test("serve: a request without a reply port is executed, and its results are given up", async () => {
    const { nodes, client, server, send, stubs } = await served();
    const before = rightsOf(server, 0x20000);
    const request = letter(send, COPY_SEND, 5007).addInteger(2);
    await nodes.run(client.send(request));
    await nodes.run(stubs.nothing());
    expect(rightsOf(server, 0x20000)).toBe(before + 2); // two were made
    await nodes.run(client.send(letter(send, COPY_SEND, 4999)));
    await nodes.run(client.send(letter(send, COPY_SEND, 5007)));
    await nodes.run(stubs.nothing());
    await nodes.expectNothingLeaked();
  });

  test("serve: who wants a reply of a oneway routine hears that there will be none", async () => {
    const { nodes, client, send, told } = await served();
    await expect(nodes.run(client.rpc(ask(send, client, 5009).addText("x")))).rejects.toMatchObject(
      {
        code: "MIG_SERVER_DIED",
      },
    );
    await expect(
      nodes.run(client.rpc(ask(send, client, 5009).addInteger(1))),
    ).rejects.toMatchObject({ code: "MIG_SERVER_DIED" });
    expect(told).toEqual(["x"]);
    await nodes.expectNothingLeaked();
  });

  test("serve: a reply right that has died does not stop the server", async () => {
    const { nodes, client, send, stubs } = await served();
    const reply = client.ports.allocate();
    await nodes.run(client.send(ask(send, client, 5007, reply).addInteger(1)));
    client.ports.destroy(reply);
    await nodes.run(stubs.nothing());
    expect(nodes.lines).toEqual([]);
    await nodes.expectNothingLeaked();
  });

  test("serve: a client that wants its reply on a full port loses it, and holds nobody up", async () => {
    const { nodes, client, server, send, stubs } = await served(0);
    const reply = client.ports.allocate();
    client.ports.setQlimit(reply, 0);
    const before = rightsOf(server, 0x20000);
    await nodes.run(client.send(letter(send, COPY_SEND, 5007, reply, MAKE_SEND).addInteger(2)));
    expect(await nodes.run(stubs.nothing())).toBeUndefined();
    expect(rightsOf(server, 0x20000)).toBe(before + 2);
    expect(rightsOf(server, 0x10000)).toBe(1); // of the two that were made, one had a send right before
    expect(nodes.lines[0]).toContain("MACH_SEND_TIMED_OUT");
    expect(client.ports.getReceiveStatus(reply).srights).toBe(false);
    await nodes.expectNothingLeaked();
  });

  test("serve: in a body that is not complex, names are only numbers", async () => {
    const { nodes, client, server, receive, send } = await served(0);
    const reply = client.ports.allocate();
    const request = letter(send, COPY_SEND, 5002, reply, MAKE_SEND_ONCE);
    request.addRight(receive, MOVE_SEND);
    request.complex = false;
    expect((await nodes.run(client.rpc(request))).takeInteger()).toBe(-304);
    expect(server.ports.type(receive) & 0x20000).toBe(0x20000);
    await nodes.expectNothingLeaked();
  });

  test("serve: with a full name space requests fail for want of room, and the server goes on", async () => {
    const nodes = new LoneNodes({ kernel: { namesPerTask: 24 } });
    const [client, server] = [nodes.task(), nodes.task()];
    const receive = server.ports.allocate();
    await nodes.run(server.names.checkIn("full", receive));
    const send = await nodes.run(client.names.lookUp("full"));
    void samples.serve(server, receive, implementation(server));
    const stubs = samples.client(client, send);
    const right = client.ports.allocate();
    await nodes.run(stubs.nothing());
    while (server.ports.names().length < 23) server.ports.allocate();
    await expect(nodes.run(stubs.giveSend({ right }))).rejects.toMatchObject({
      code: "KERN_RESOURCE_SHORTAGE",
    });
    const last = server.ports.allocate(); // no room even for the reply right
    await expect(nodes.run(stubs.nothing())).rejects.toMatchObject({ code: "MIG_SERVER_DIED" });
    server.ports.destroy(last);
    await nodes.run(stubs.nothing());
    await nodes.expectNothingLeaked();
  });

  test("serve: it ends when its port dies, while it waits or between two requests", async () => {
    const { nodes, server, receive, ended } = await served();
    await nodes.quiet();
    server.ports.destroy(receive);
    expect(await nodes.run(ended)).toBeUndefined();
    const other = await pair();
    const suicide = {
      ...implementation(other.server),
      tellNothing: () => other.server.ports.destroy(other.receive),
    };
    const end = samples.serve(other.server, other.receive, suicide);
    await other.nodes.run(samples.client(other.client, other.send).tellNothing());
    expect(await other.nodes.run(end)).toBeUndefined();
    await nodes.expectNothingLeaked();
    await other.nodes.expectNothingLeaked();
  });

  test("serve: it ends at halt, with requests under way or without", async () => {
    const { nodes, server, receive, client, send } = await pair();
    const end = samples.serve(server, receive, implementation(server), { concurrency: 2 });
    const calls = [1, 2].map(() => samples.client(client, send).wait({ ns: 1e9, label: "" }));
    const failed = Promise.allSettled(calls);
    await nodes.quiet();
    for (const kernel of nodes.kernels) kernel.halt();
    expect(await nodes.run(end)).toBeUndefined();
    for (const { status } of await nodes.run(failed)) expect(status).toBe("rejected");
  });

  test("serve: a name that is no receive right is MACH_RCV_INVALID_NAME", async () => {
    const { nodes, client, send } = await pair();
    await expect(
      nodes.run(samples.serve(client, send, implementation(client))),
    ).rejects.toMatchObject({ code: "MACH_RCV_INVALID_NAME" });
    await nodes.expectNothingLeaked();
  });

  test("serve: requests are served one after the other, or side by side if asked for", async () => {
    for (const [concurrency, least, most] of [
      [1, 3e6, 4e6],
      [2, 2e6, 3e6],
      [3, 1e6, 2e6],
      [10, 1e6, 2e6],
    ] as const) {
      const { nodes, server, receive, client, send } = await pair();
      void samples.serve(server, receive, implementation(server), { concurrency });
      const stubs = samples.client(client, send);
      const calls = ["a", "b", "c"].map((label) => stubs.wait({ ns: 1e6, label }));
      const start = client.now();
      expect(await nodes.run(Promise.all(calls))).toEqual([
        { label: "a" },
        { label: "b" },
        { label: "c" },
      ]);
      expect(client.now() - start).toBeGreaterThanOrEqual(least);
      expect(client.now() - start).toBeLessThan(most);
      await nodes.expectNothingLeaked();
    }
  });

  test("serve: concurrency below 1 is a RangeError", async () => {
    const { nodes, server, receive } = await pair();
    const end = samples.serve(server, receive, implementation(server), { concurrency: 0 });
    await expect(end).rejects.toThrow(new RangeError("concurrency is 0; 1 or more"));
    await nodes.expectNothingLeaked();
  });

  test("serve: a function that is missing is named", async () => {
    expect(() => samples.implement({} as Samples)).toThrow(
      new TypeError("samples.data is not implemented"),
    );
  });
});

test("demux: one port serves several interfaces; functions keep their this, and learn the port", async () => {
  const counter = defineInterface("counter", 6000, {
    add: routine({ n: int32 }, { sum: int32 }),
    here: routine({}, { port: int32, text }),
  });
  const { nodes, client, server, receive, send } = await pair();
  class Counter {
    sum = 0;
    add({ n }: { n: number }) {
      this.sum += n;
      return { sum: this.sum };
    }
    here(_args: object, name: number) {
      return { port: name, text: "here" };
    }
  }
  const both = demux(samples.implement(implementation(server)), counter.implement(new Counter()));
  void both.serve(server, receive);
  await nodes.run(counter.client(client, send).add({ n: 5 }));
  expect(await nodes.run(counter.client(client, send).add({ n: 6 }))).toEqual({ sum: 11 });
  const here = await nodes.run(counter.client(client, send).here());
  expect(here).toEqual({ port: receive, text: "here" });
  expect(await nodes.run(samples.client(client, send).data(SAMPLE))).toEqual(SAMPLE);
  await nodes.expectNothingLeaked();
});

test("demux: interfaces whose ids overlap are refused", async () => {
  const a = defineInterface("a", 6000, { x: routine({}, {}), y: routine({}, {}) });
  const b = defineInterface("b", 6001, { z: routine({}, {}) });
  const none = () => {};
  expect(() => demux(a.implement({ x: none, y: none }), b.implement({ z: none }))).toThrow(
    new RangeError("b.z and a.y have the same id, 6001"),
  );
});

test("stubs: a right that is moved to a server is gone from the client", async () => {
  const mover = defineInterface("mover", 6000, { move: routine({ right: port(MOVE_SEND) }, {}) });
  const { nodes, client, server, receive, send } = await pair();
  let got = 0;
  void mover.serve(server, receive, {
    move: ({ right }) => {
      got = right;
    },
  });
  const mine = client.ports.allocate();
  client.ports.insertRight(mine, mine, MAKE_SEND);
  await nodes.run(mover.client(client, send).move({ right: mine }));
  expect(client.ports.type(mine)).toBe(0x20000);
  expect(server.ports.type(got)).toBe(0x10000);
  await nodes.expectNothingLeaked();
});

test("serve: a port set is served, and functions learn which of its ports was called", async () => {
  const which = defineInterface("which", 6000, { port: routine({}, { name: int32 }) });
  const { nodes, client, server } = await pair();
  const set = server.ports.allocate("port-set");
  const members = [1, 2, 3].map(() => server.ports.allocate());
  for (const member of members) server.ports.moveMember(member, set);
  void which.serve(server, set, { port: (_args, name) => ({ name }) });
  for (const member of members) {
    const right = await give(nodes, server, member, MAKE_SEND, client);
    expect(await nodes.run(which.client(client, right).port())).toEqual({ name: member });
  }
  await nodes.expectNothingLeaked();
});

test("stubs: a right of any kind arrives with its kind", async () => {
  const any = defineInterface("any", 6000, { give: routine({ it: anyRight }, { kind: int32 }) });
  const { nodes, client, server, receive, send } = await pair(0);
  void any.serve(server, receive, { give: ({ it: { kind } }) => ({ kind }) });
  const mine = client.ports.allocate();
  const stubs = any.client(client, send);
  for (const [disposition, kind] of [
    [MAKE_SEND, 17],
    [MAKE_SEND_ONCE, 18],
    [MOVE_RECEIVE, 16],
  ] as const) {
    expect(await nodes.run(stubs.give({ it: { right: mine, disposition } }))).toEqual({ kind });
  }
  await nodes.expectNothingLeaked();
});
