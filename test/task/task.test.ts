// The task API: rpc, timeouts, sleep, receives side by side, the Sync calls, death.

import { describe, expect, test } from "@jest/globals";
import { NS_PER_MS } from "../../src/base/clock.ts";
import { readCounters } from "../../src/base/counters.ts";
import { Message } from "../../src/ipc/message.ts";
import {
  COPY_SEND,
  MACH_PORT_NULL,
  MAKE_SEND,
  MAKE_SEND_ONCE,
  MOVE_RECEIVE,
  MOVE_SEND_ONCE,
} from "../../src/ipc/rights.ts";
import type { Task } from "../../src/task/task.ts";
import { type Door, give, openDoor } from "../support/doors.ts";
import { letter, parcel } from "../support/letters.ts";
import { LoneNodes, watch } from "../support/lone-node.ts";

const PLACES = [
  ["on one node", 0],
  ["on two nodes", 1],
] as const;

const pair = async (
  node: number,
  input = {},
): Promise<{ nodes: LoneNodes; client: Task; server: Task; door: Door; reply: number }> => {
  const nodes = new LoneNodes({ dimension: 1, ...input });
  const [client, server] = [nodes.task(0), nodes.task(node)];
  const door = await openDoor(nodes, client, server);
  return { nodes, client, server, door, reply: client.ports.allocate() };
};

describe("rpc", () => {
  test.each(PLACES)("task: 100 rpcs with the same two messages, %s", async (_where, node) => {
    const { nodes, client, server, door, reply } = await pair(node);
    const serving = (async () => {
      const message = new Message();
      for (let i = 0; i < 100; i++) {
        await server.receive(door.receive, { into: message });
        message.words[0]! *= 2;
        await server.send(message.answer(message));
      }
    })();
    const asking = (async () => {
      const [request, answer] = [new Message(), new Message()];
      for (let i = 0; i < 100; i++) {
        Object.assign(request, {
          remote: door.send,
          remoteDisposition: COPY_SEND,
          local: reply,
          localDisposition: MAKE_SEND_ONCE,
          id: 7,
          size: 4,
        });
        request.words[0] = i;
        const got = await client.rpc(request, { into: answer });
        expect(got).toBe(answer);
        expect([got.id, got.words[0], got.remote]).toEqual([107, 2 * i, MACH_PORT_NULL]);
      }
    })();
    await nodes.run(Promise.all([serving, asking]));
    expect(client.ports.getReceiveStatus(reply)).toMatchObject({ sorights: 0, seqno: 100 });
    await nodes.expectNothingLeaked();
  });

  test.each(PLACES)(
    "task: an rpc whose reply right is dropped ends with MIG_SERVER_DIED, %s",
    async (_where, node) => {
      const { nodes, client, server, door, reply } = await pair(node);
      const asked = client.rpc(letter(door.send, COPY_SEND, 1, reply, MAKE_SEND_ONCE));
      asked.catch(() => {});
      server.ports.deallocate((await nodes.run(server.receive(door.receive))).remote);
      await expect(nodes.run(asked)).rejects.toMatchObject({
        code: "MIG_SERVER_DIED",
        status: -308,
      });
      await nodes.expectNothingLeaked();
    },
  );

  test.each(PLACES)(
    "task: an rpc to a task that ends without a reply ends too, %s",
    async (_where, node) => {
      const { nodes, client, server, door, reply } = await pair(node);
      const asked = client.rpc(letter(door.send, COPY_SEND, 1, reply, MAKE_SEND_ONCE));
      asked.catch(() => {});
      await nodes.quiet();
      nodes.end(server);
      await expect(nodes.run(asked)).rejects.toMatchObject({ code: "MIG_SERVER_DIED" });
      await nodes.expectNothingLeaked();
    },
  );

  test("task: several rpcs of one task at a time each get their own reply", async () => {
    const { nodes, client, server, door } = await pair(1);
    const asked = [30, 20, 10].map(async (id) => {
      const reply = client.ports.allocate();
      return (await client.rpc(letter(door.send, COPY_SEND, id, reply, MAKE_SEND_ONCE))).id;
    });
    const requests: Message[] = [];
    for (let i = 0; i < 3; i++) requests.push(await nodes.run(server.receive(door.receive)));
    for (const request of requests.reverse()) {
      await nodes.run(server.send(new Message().answer(request)));
    }
    expect(await nodes.run(Promise.all(asked))).toEqual([130, 120, 110]);
    await nodes.expectNothingLeaked();
  });

  test("task: a send-once right that came across can be sent on to a third task and used there (D6)", async () => {
    const { nodes, client, server, door, reply } = await pair(1);
    const third = nodes.task(0);
    const onwards = await openDoor(nodes, server, third);
    await nodes.run(client.send(letter(door.send, COPY_SEND, 1, reply, MAKE_SEND_ONCE)));
    const { remote } = await nodes.run(server.receive(door.receive));
    await nodes.run(server.send(parcel(onwards.send, COPY_SEND, remote, MOVE_SEND_ONCE)));
    const { name } = (await nodes.run(third.receive(onwards.receive))).takeRight();
    await nodes.run(third.send(letter(name, MOVE_SEND_ONCE, 77)));
    expect((await nodes.run(client.receive(reply))).id).toBe(77);
    expect(client.ports.getReceiveStatus(reply).sorights).toBe(0);
    await nodes.expectNothingLeaked();
  });

  test("task: a right that goes there and back comes under the name it had (D3), and merges there (D1)", async () => {
    const { nodes, client, server, door } = await pair(1);
    const back = await openDoor(nodes, server, client);
    const port = client.ports.allocate();
    const names = new Set<number>();
    for (let i = 1; i <= 3; i++) {
      await nodes.run(client.send(parcel(door.send, COPY_SEND, port, MAKE_SEND)));
      const { name } = (await nodes.run(server.receive(door.receive))).takeRight();
      names.add(name);
      expect(server.ports.getRefs(name, 0)).toBe(i);
      await nodes.run(server.send(parcel(back.send, COPY_SEND, name, COPY_SEND)));
      expect((await nodes.run(client.receive(back.receive))).takeRight().name).toBe(port);
    }
    expect(names.size).toBe(1);
    await nodes.expectNothingLeaked();
  });

  test("task: with loopback a receive right cannot be sent to another node; it stays where it was", async () => {
    const nodes = new LoneNodes({ dimension: 1, kernel: { loopback: true } });
    const [client, server] = [nodes.task(0), nodes.task(1)];
    const door = await openDoor(nodes, client, server);
    const port = client.ports.allocate();
    await expect(
      nodes.run(client.send(parcel(door.send, COPY_SEND, port, MOVE_RECEIVE))),
    ).rejects.toMatchObject({ code: "MACH_SEND_INVALID_RIGHT" });
    expect(client.ports.type(port)).toBe(0x20000);
    await nodes.expectNothingLeaked();
  });
});

describe("time", () => {
  test("task: a receive with a timeout gives up after it and not before (V2)", async () => {
    const { nodes, client, reply } = await pair(0);
    const received = client.receive(reply, { timeoutNs: 50 * NS_PER_MS });
    received.catch(() => {});
    const seen = watch(received);
    await nodes.quiet();
    await nodes.pass(50 * NS_PER_MS - 1);
    expect(seen.settled).toBe(false);
    await nodes.pass(1);
    expect(seen.settled).toBe(true);
    await expect(received).rejects.toThrow("MACH_RCV_TIMED_OUT: no message came in time");
    await nodes.expectNothingLeaked();
  });

  test("task: a receive with timeout 0 only looks", async () => {
    const { nodes, client, reply } = await pair(0);
    const looked = client.receive(reply, { timeoutNs: 0 });
    await expect(looked).rejects.toMatchObject({ code: "MACH_RCV_TIMED_OUT", status: 0x10004003 });
    await nodes.run(client.send(letter(reply, MAKE_SEND, 3)));
    expect((await client.receive(reply, { timeoutNs: 0 })).id).toBe(3);
    await nodes.expectNothingLeaked();
  });

  test("task: a message in time cancels the timeout, and the timed out receive takes no later message", async () => {
    const { nodes, client, reply } = await pair(0);
    const early = client.receive(reply, { timeoutNs: 1000 });
    await nodes.run(client.send(letter(reply, MAKE_SEND, 1)));
    expect((await early).id).toBe(1);
    const late = client.receive(reply, { timeoutNs: 1000 });
    late.catch(() => {});
    const next = client.receive(reply);
    await nodes.pass(5000);
    await expect(late).rejects.toMatchObject({ code: "MACH_RCV_TIMED_OUT" });
    await nodes.run(client.send(letter(reply, MAKE_SEND, 2)));
    expect((await nodes.run(next)).id).toBe(2);
    await nodes.expectNothingLeaked();
  });

  test("task: a timeout that is no time is refused at once, and later timers still fire", async () => {
    const { nodes, client, reply } = await pair(0);
    for (const timeoutNs of [Number.NaN, -1]) {
      expect(() => client.receive(reply, { timeoutNs })).toThrow(
        new RangeError(`timeoutNs is ${timeoutNs}; it must be 0 or more`),
      );
      expect(() => client.sleep(timeoutNs)).toThrow(RangeError);
    }
    await nodes.run(client.sleep(10));
    await nodes.expectNothingLeaked();
  });

  test("task: sleepers wake in the order of their deadlines", async () => {
    const { nodes, client, server } = await pair(1);
    const woken: string[] = [];
    const startNs = client.now();
    const nap = async (task: Task, label: string, ns: number): Promise<void> => {
      await task.sleep(ns);
      woken.push(`${label} ${task.now() - startNs}`);
    };
    await nodes.run(
      Promise.all([
        nap(client, "a", 3000),
        nap(server, "b", 1000),
        nap(client, "c", 2000),
        nap(client, "d", 0),
      ]),
    );
    expect(woken).toEqual(["d 0", "b 1000", "c 2000", "a 3000"]);
    await nodes.expectNothingLeaked();
  });
});

describe("tasks", () => {
  test("task: several receives of one task on different ports each get what came for them", async () => {
    const { nodes, client } = await pair(0);
    const ports = Array.from({ length: 12 }, () => client.ports.allocate());
    const received = ports.map((port) => client.receive(port));
    for (const [i, port] of [...ports.entries()].reverse()) {
      await nodes.run(client.send(letter(port, MAKE_SEND, i)));
    }
    const messages = await nodes.run(Promise.all(received));
    expect(messages.map(({ id, local }) => [id, local])).toEqual(ports.map((port, i) => [i, port]));
    await nodes.expectNothingLeaked();
  });

  test("task: two tasks of a node have names of their own for the same port", async () => {
    const { nodes, client, server } = await pair(0);
    const port = client.ports.allocate();
    for (let i = 0; i < 7; i++) server.ports.allocate();
    const name = await give(nodes, client, port, MAKE_SEND, server);
    expect(name).not.toBe(port);
    await nodes.run(server.send(letter(name, COPY_SEND, 9)));
    expect((await nodes.run(client.receive(port))).id).toBe(9);
    await nodes.expectNothingLeaked();
  });

  test("task: one that ends releases everything it had, and others see dead names", async () => {
    const { nodes, client, server } = await pair(0);
    const port = client.ports.allocate();
    const name = await give(nodes, client, port, MAKE_SEND, server);
    const pending = client.receive(port);
    pending.catch(() => {});
    nodes.end(client);
    await expect(nodes.run(pending)).rejects.toMatchObject({ code: "MACH_RCV_PORT_DIED" });
    expect(server.ports.type(name)).toBe(0x100000);
    await expect(nodes.run(server.send(letter(name, COPY_SEND)))).rejects.toMatchObject({
      code: "MACH_SEND_INVALID_DEST",
    });
    await nodes.expectNothingLeaked();
  });

  test("task: a send that was blocked when its task ended still arrives", async () => {
    const { nodes, client, server, door } = await pair(0);
    for (let i = 0; i < 6; i++) void client.send(letter(door.send, COPY_SEND, i));
    await nodes.quiet();
    nodes.end(client);
    for (let i = 0; i < 6; i++) expect((await nodes.run(server.receive(door.receive))).id).toBe(i);
    await nodes.expectNothingLeaked();
  });

  test("task: a task that has ended can do nothing more, and leaves nothing behind by trying", async () => {
    const { nodes, client, door } = await pair(0);
    nodes.end(client);
    await expect(nodes.run(client.send(letter(door.send, COPY_SEND)))).rejects.toMatchObject({
      code: "MACH_SEND_INVALID_DEST",
    });
    expect(() => client.ports.allocate()).toThrow("KERN_INVALID_TASK");
    await expect(nodes.run(client.names.lookUp("nobody"))).rejects.toMatchObject({
      code: "KERN_INVALID_TASK",
    });
    await nodes.expectNothingLeaked();
  });

  test("task: log lines carry node and task", async () => {
    const { nodes, client, server } = await pair(1);
    client.log("hello", 42, null);
    server.log();
    expect(nodes.lines).toEqual([`0.${client.id} hello 42 null`, `1.${server.id} `]);
  });

  test("task: random numbers differ between tasks and are the same in every run", () => {
    const draw = (): number[] => {
      const nodes = new LoneNodes({ dimension: 1, seed: 9 });
      return [nodes.task(0), nodes.task(0), nodes.task(1)].map((task) => task.random.uint32());
    };
    expect(new Set(draw()).size).toBe(3);
    expect(draw()).toEqual(draw());
  });
});

describe("sync", () => {
  test("task: the Sync calls are refused on a node that shares its worker, with what to do about it", async () => {
    const { client, door, reply } = await pair(0);
    const message = letter(door.send, COPY_SEND, 1, reply, MAKE_SEND_ONCE);
    for (const call of [
      () => client.rpcSync(message),
      () => client.sendSync(message),
      () => client.receiveSync(reply),
    ]) {
      expect(call).toThrow(/Sync blocks its worker thread, .* boot with processors.workers/);
    }
  });

  test("task: the Sync calls return what is there, and throw what the others reject with", async () => {
    const { nodes, client, reply } = await pair(0, { exclusive: true });
    client.sendSync(letter(reply, MAKE_SEND, 4));
    const into = new Message();
    expect(client.receiveSync(reply, { into })).toBe(into);
    expect(into.id).toBe(4);
    const thrown = (call: () => void): string => {
      try {
        call();
        return "";
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(thrown(() => client.receiveSync(reply, { timeoutNs: 0 }))).toBe("MACH_RCV_TIMED_OUT");
    expect(thrown(() => client.receiveSync(0xbad00))).toBe("MACH_RCV_INVALID_NAME");
    expect(thrown(() => client.sendSync(letter(0xbad00, COPY_SEND)))).toBe(
      "MACH_SEND_INVALID_DEST",
    );
    // A port of one's own, whose message is the reply.
    const echo = letter(reply, MAKE_SEND, 5, reply, MAKE_SEND_ONCE);
    expect(client.rpcSync(echo).id).toBe(5);
    await nodes.expectNothingLeaked();
  });

  test("task: a Sync call that waits when the machine halts is interrupted", async () => {
    const { nodes, client, reply } = await pair(0, { exclusive: true });
    nodes.stop = true;
    expect(() => client.receiveSync(reply)).toThrow("MACH_RCV_INTERRUPTED: the machine was halted");
    await nodes.expectNothingLeaked();
  });
});

test("task: small rpcs across nodes are copied three times each way by CPUs and once by DMA, no more", async () => {
  const { nodes, client, server, door, reply } = await pair(1);
  const total = () => {
    const values = nodes.kernels.map((kernel) => readCounters(kernel.memory.counters));
    const sum = (key: keyof (typeof values)[0]): number => values[0]![key] + values[1]![key];
    return { copied: sum("copiedBytes"), dma: sum("dmaBytes"), sent: sum("packetsSent") };
  };
  await nodes.quiet();
  await nodes.pass(NS_PER_MS);
  const before = total();
  const request = letter(door.send, COPY_SEND, 1, reply, MAKE_SEND_ONCE);
  request.size = 64;
  const asked = client.rpc(request);
  const got = await nodes.run(server.receive(door.receive));
  await nodes.run(server.send(got.answer(got)));
  await nodes.run(asked);
  const after = total();
  expect(after.copied - before.copied).toBe(2 * 3 * 64); // copyin, off the ring, copyout
  const packets = after.sent - before.sent;
  expect(after.dma - before.dma).toBe(packets * 56 + 2 * 64);
  await nodes.expectNothingLeaked();
});

test("task: a send with a timeout that is no time is refused before anything is sent", async () => {
  const nodes = new LoneNodes({ dimension: 1 });
  const [task, other] = [nodes.task(0), nodes.task(1)];
  const door = await openDoor(nodes, task, other);
  for (const timeoutNs of [-1, Number.NaN]) {
    expect(() => task.send(letter(door.send, COPY_SEND), { timeoutNs })).toThrow(RangeError);
    expect(() => task.rpc(letter(door.send, COPY_SEND), { timeoutNs })).toThrow(RangeError);
  }
  await nodes.quiet();
  expect(other.ports.getReceiveStatus(door.receive).msgcount).toBe(0);
  await nodes.expectNothingLeaked();
});
